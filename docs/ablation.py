#!/usr/bin/env python3
"""Trains variants of a recipe and prints their figures as a table: ablation.py TABLE -m MATERIAL -o FOLDER

TABLE is one of `ablation` and `stability`; the rows are below. MATERIAL is the folder that `configs/scream.toml` calls
`material`, with `clips/`, `content/`, `styles/` and `weights/`. What FOLDER holds already is not done again. Needs Python
3.11 and nothing else.
"""

import argparse
import json
import math
import os
import subprocess
import sys
import time
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

STYLE = {
    "training.steps": 1000, "training.ema": 0.0, "temporal.output": 0.0, "run.checkpoint_steps": 10_000,
    "run.preview_minutes": 60.0,
}
GAN = {
    "gan.kind": "relativistic", "gan.sees": "features", "gan.weight": 40.0, "gan.r1": 0.0, "gan.r2": 0.0,
    "gan.instance_noise": 0.0,
}
TEMPORAL = {"temporal.output": 150_000.0}
PENALTY = {"gan.r1": 100.0, "gan.r2": 100.0}
EMA = {"training.ema": 0.99}
SHORT = {"training.steps": 400}
# What keeps a critic from running away.
BARE = {"gan.spectral_norm": False, "gan.augment": False, "gan.grey": False, "gan.skip_above": 1.0}

TABLES = {
    "ablation": {
        "style losses alone": STYLE,
        "+ GAN": STYLE | GAN,
        "+ temporal": STYLE | GAN | TEMPORAL,
        "+ aR1, aR2": STYLE | GAN | TEMPORAL | PENALTY,
        "+ EMA": STYLE | GAN | TEMPORAL | PENALTY | EMA,
        "the same without GAN": STYLE | TEMPORAL | EMA,
        "style losses alone, 3.5 times the steps": STYLE | {"training.steps": 3500},
    },
    "stability": {
        f"{name}, seed {seed}": rows | SHORT | {"seed": seed}
        for name, rows in {"with": STYLE | GAN | TEMPORAL | PENALTY | EMA, "without": STYLE | GAN | TEMPORAL | BARE}.items()
        for seed in range(5)
    },
}

# Measures of `impasto eval`, and their headings.
COLUMNS = {
    "style_swd": "patches", "style_gram": "texture", "palette": "palette", "sharpness": "sharpness", "ssim": "SSIM",
    "gradients": "gradients", "warp_error": "E_warp", "noise_gain": "noise gain",
}
CLIPS = [
    "bear_davis.mp4", "woman_running.mp4", "skier.mp4", "cockatoo.mp4", "sam2_dog.mp4", "street_walk_vertical.mp4",
]


def toml(value):
    """A value as TOML, in one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {toml(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def varied(base, changes):
    """The recipe `base` with `changes` of dotted keys, as TOML."""
    recipe = tomllib.loads(base.read_text())
    for dotted, value in changes.items():
        *tables, key = dotted.split(".")
        inner = recipe
        for table in tables:
            inner = inner.setdefault(table, {})
        inner[key] = value
    plain = {key: value for key, value in recipe.items() if not isinstance(value, dict)}
    tables = {key: value for key, value in recipe.items() if isinstance(value, dict)}
    lines = [f"{key} = {toml(value)}" for key, value in plain.items()]
    for name, table in tables.items():
        lines += ["", f"[{name}]"] + [f"{key} = {toml(value)}" for key, value in table.items()]
    return "\n".join(lines) + "\n"


def run(*arguments):
    """What a command said of its failure; nothing where it has succeeded."""
    environment = os.environ | {"RAYON_NUM_THREADS": os.environ.get("RAYON_NUM_THREADS", "1")}
    command = [str(argument) for argument in arguments]
    done = subprocess.run(command, env=environment, stderr=subprocess.PIPE, text=True, check=False)
    return done.stderr if done.returncode else None


def trained(impasto, recipe, run_folder, model):
    """Trains, or goes on where a run was interrupted. False where the trainer gives up on numbers that stay not finite."""
    resume = ["--resume"] if run_folder.exists() else []
    failure = run(impasto, "train", recipe, "-o", run_folder, "--model-file", model, "--quiet", *resume)
    if failure and "not finite" not in failure:
        sys.exit(failure)
    return failure is None


def measured(impasto, base, name, changes, material, folder, frames):
    """Trains and evaluates what is not there yet: the means over all clips, and the minutes that training took; none of a
    run that was given up."""
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "material").exists():
        (folder / "material").symlink_to(material.resolve())
    recipe, model, report, seconds = (
        folder / f"{name}{suffix}" for suffix in (".toml", ".safetensors", ".json", ".seconds")
    )
    if not model.exists():
        recipe.write_text(varied(base, {"name": name} | changes))
        start = time.monotonic()
        if not trained(impasto, recipe, folder / "runs" / name, model):
            return None
        before = int(seconds.read_text()) if seconds.exists() else 0
        seconds.write_text(f"{before + time.monotonic() - start:.0f}")
    if not report.exists():
        painting = material / tomllib.loads(recipe.read_text())["target"]["image"].removeprefix("material/")
        clips = [material / "clips" / clip for clip in CLIPS]
        failure = run(impasto, "eval", "--model", model, "--clips", *clips, "--painting", painting, "--frames", frames,
                      "--temporal", 0, "--quiet", "-o", report)
        if failure:
            sys.exit(failure)
    overall = json.loads(report.read_text())["overall"][0]
    return overall["mean"] | {"minutes": int(seconds.read_text()) / 60}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table", choices=TABLES)
    parser.add_argument("-m", "--material", type=Path, required=True)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--base", type=Path, default=ROOT / "configs" / "scream.toml")
    parser.add_argument("--impasto", type=Path, default=ROOT / "target" / "release" / "impasto")
    parser.add_argument("--frames", type=int, default=5)
    arguments = parser.parse_args()
    print("| | " + " | ".join(COLUMNS.values()) + " | minutes |")
    print("|---" * (len(COLUMNS) + 2) + "|")
    for index, (title, changes) in enumerate(TABLES[arguments.table].items()):
        figures = measured(arguments.impasto, arguments.base, f"{arguments.table}-{index}", changes, arguments.material,
                           arguments.output, arguments.frames)
        cells = ["gave up"] if figures is None else [f"{figures.get(key, math.nan):.3g}" for key in [*COLUMNS, "minutes"]]
        print(f"| {title} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
