#!/usr/bin/env python3
"""Every clip of a folder through `impasto video`; prints a table of what went in and what came out.

    tests/clips.py target/release/impasto FOLDER OUT-FOLDER [options of impasto video]

Compares, as ffprobe counts and decodes them: frames, size and every frame time; the duration, and how far picture and
sound begin apart, each to within one frame; and the sound's codecs and packets. Up to two packets may be missing, those
before time 0 (a codec's priming, which is not heard) and the last one; with --from or --to two either way.
The output container is the input's own where it is mp4, mov, mkv or webm, else mkv. Exits with the number of clips
that differ.
"""

import json
import pathlib
import subprocess
import sys

CLIPS = {".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".ts", ".ogv"}
OUT = {".mp4", ".m4v", ".mov", ".mkv", ".webm"}


def probe(path, *arguments):
    command = ["ffprobe", "-v", "error", "-of", "json", *arguments, str(path)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def times(path):
    """Frame times, in seconds."""
    frames = probe(path, "-select_streams", "v:0", "-show_entries", "frame=pts_time,best_effort_timestamp_time")["frames"]
    return [float(frame.get("pts_time") or frame["best_effort_timestamp_time"]) for frame in frames]


def sound(path):
    streams = probe(path, "-select_streams", "a", "-count_packets", "-show_entries", "stream=codec_name,nb_read_packets")
    return [(stream["codec_name"], int(stream["nb_read_packets"])) for stream in streams["streams"]]


def first_sound(path):
    """When the first sound is heard, in seconds; none where there is no sound."""
    arguments = ["-select_streams", "a:0", "-read_intervals", "%+#20"]
    frames = probe(path, *arguments, "-show_entries", "frame=best_effort_timestamp_time").get("frames", [])
    heard = [float(frame["best_effort_timestamp_time"]) for frame in frames if "best_effort_timestamp_time" in frame]
    return heard[0] if heard else None


def facts(path):
    stream = probe(path, "-select_streams", "v:0", "-show_entries", "stream=width,height,time_base")["streams"][0]
    duration = float(probe(path, "-show_entries", "format=duration")["format"]["duration"])
    numerator, denominator = stream["time_base"].split("/")
    frames = times(path)
    heard = first_sound(path)
    return {
        "size": (stream["width"], stream["height"]),
        "tick": int(numerator) / int(denominator),
        "times": [time - frames[0] for time in frames],
        "lead": None if heard is None else frames[0] - heard,
        "duration": duration,
        "sound": sound(path),
    }


def frame_length(facts):
    """The longest time between two frames, in seconds: the length of one in a steady clip."""
    return max((y - x for x, y in zip(facts["times"], facts["times"][1:])), default=facts["duration"])


def same_sound(a, b, exactly):
    fewest, most = (-2, 0) if exactly else (-2, 2)
    return [codec for codec, _ in a["sound"]] == [codec for codec, _ in b["sound"]] and all(
        fewest <= y - x <= most for (_, x), (_, y) in zip(a["sound"], b["sound"])
    )


def same_lead(a, b, frame):
    if a["lead"] is None or b["lead"] is None:
        return a["lead"] == b["lead"]
    return abs(a["lead"] - b["lead"]) <= frame


def compare(name, a, b, exactly):
    worst = max((abs(x - y) for x, y in zip(a["times"], b["times"])), default=0.0)
    tick = max(a["tick"], b["tick"])
    frame = frame_length(a) + tick
    leads = " ".join("-" if side["lead"] is None else f"{side['lead'] * 1e3:.0f}" for side in (a, b))
    packets = " -> ".join(" ".join(f"{codec} {count}" for codec, count in side["sound"]) or "none" for side in (a, b))
    whole = (
        len(a["times"]) == len(b["times"])
        and a["size"] == b["size"]
        and worst <= tick * 1.0001
        and abs(a["duration"] - b["duration"]) <= frame
        and same_lead(a, b, frame)
        and same_sound(a, b, exactly)
    )
    print(
        f"| {name} | {len(a['times'])} | {len(b['times'])} | {b['size'][0]}x{b['size'][1]} | "
        f"{a['duration']:.3f} | {b['duration']:.3f} | {worst * 1e3:.2f} | {tick * 1e3:.2f} | {leads} | {packets} | {'same' if whole else 'DIFFERS'} |",
        flush=True,
    )
    return whole


def main():
    program, folder, out, *options = sys.argv[1:]
    pathlib.Path(out).mkdir(parents=True, exist_ok=True)
    print("| clip | frames in | out | size out | s in | s out | worst time ms | tick ms | picture after sound ms, in out | sound packets, in -> out | |")
    print("|---|---|---|---|---|---|---|---|---|---|---|")
    exactly = not any(option.startswith(("--from", "--to")) for option in options)
    different = 0
    for clip in sorted(path for path in pathlib.Path(folder).iterdir() if path.suffix.lower() in CLIPS):
        extension = clip.suffix if clip.suffix.lower() in OUT else ".mkv"
        painted = pathlib.Path(out) / (clip.stem + extension)
        command = [program, "video", str(clip), str(painted), "--overwrite", "--quiet", *options]
        done = subprocess.run(command, capture_output=True, text=True)
        for line in done.stderr.splitlines():
            print(f"<!-- {clip.name}: {line} -->")
        if done.returncode != 0:
            print(f"| {clip.name} | exit code {done.returncode} | | | | | | | | | DIFFERS |")
            different += 1
            continue
        different += not compare(clip.name, facts(clip), facts(painted), exactly)
    sys.exit(different)


if __name__ == "__main__":
    main()
