#!/usr/bin/env python3
"""Every clip of a folder through `impasto video`; prints a table of what went in and what came out.

    tests/clips.py target/release/impasto FOLDER OUT-FOLDER [options of impasto video]

Compares, as ffprobe counts and decodes them: frames, size, every frame time, duration, and the packets of the sound.
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
    """Frame times from the first frame on, in seconds."""
    frames = probe(path, "-select_streams", "v:0", "-show_entries", "frame=pts_time,best_effort_timestamp_time")["frames"]
    found = [float(frame.get("pts_time") or frame["best_effort_timestamp_time"]) for frame in frames]
    return [time - found[0] for time in found]


def sound(path):
    streams = probe(path, "-select_streams", "a", "-count_packets", "-show_entries", "stream=codec_name,nb_read_packets")
    return [(stream["codec_name"], int(stream["nb_read_packets"])) for stream in streams["streams"]]


def facts(path):
    stream = probe(path, "-select_streams", "v:0", "-show_entries", "stream=width,height,time_base")["streams"][0]
    duration = float(probe(path, "-show_entries", "format=duration")["format"]["duration"])
    numerator, denominator = stream["time_base"].split("/")
    return {
        "size": (stream["width"], stream["height"]),
        "tick": int(numerator) / int(denominator),
        "times": times(path),
        "duration": duration,
        "sound": sound(path),
    }


def compare(name, a, b):
    worst = max((abs(x - y) for x, y in zip(a["times"], b["times"])), default=0.0)
    tick = max(a["tick"], b["tick"])
    packets = " ".join(f"{codec} {count}" for codec, count in b["sound"]) or "none"
    whole = (
        len(a["times"]) == len(b["times"])
        and a["size"] == b["size"]
        and worst <= tick * 1.0001
        and [codec for codec, _ in a["sound"]] == [codec for codec, _ in b["sound"]]
        and all(abs(x - y) <= 2 for (_, x), (_, y) in zip(a["sound"], b["sound"]))
    )
    print(
        f"| {name} | {len(a['times'])} | {len(b['times'])} | {b['size'][0]}x{b['size'][1]} | "
        f"{a['duration']:.3f} | {b['duration']:.3f} | {worst * 1e3:.2f} | {tick * 1e3:.2f} | {packets} | {'same' if whole else 'DIFFERS'} |",
        flush=True,
    )
    return whole


def main():
    program, folder, out, *options = sys.argv[1:]
    pathlib.Path(out).mkdir(parents=True, exist_ok=True)
    print("| clip | frames in | out | size out | s in | s out | worst time ms | tick ms | sound packets | |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    different = 0
    for clip in sorted(path for path in pathlib.Path(folder).iterdir() if path.suffix.lower() in CLIPS):
        extension = clip.suffix if clip.suffix.lower() in OUT else ".mkv"
        painted = pathlib.Path(out) / (clip.stem + extension)
        command = [program, "video", str(clip), str(painted), "--overwrite", "--quiet", *options]
        done = subprocess.run(command, capture_output=True, text=True)
        for line in done.stderr.splitlines():
            print(f"<!-- {clip.name}: {line} -->")
        if done.returncode != 0:
            print(f"| {clip.name} | exit code {done.returncode} | | | | | | | | DIFFERS |")
            different += 1
            continue
        different += not compare(clip.name, facts(clip), facts(painted))
    sys.exit(different)


if __name__ == "__main__":
    main()
