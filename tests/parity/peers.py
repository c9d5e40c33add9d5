#!/usr/bin/env python3
"""Impasto's CPU engine beside ONNX Runtime and OpenVINO, on the same network with the same weights.

    peers.py IMPASTO MODEL PICTURE [--size 640x480 1280x720] [--rounds 5] [--seconds 3] [--threads 2]

MODEL is a *tiny* or a *base*, by name or file; PICTURE any picture, better a real frame. First every engine paints the picture and
the differences to the exported network in single precision are printed, in codes of 255. Then, for each size, rounds in which
one engine after the other runs for some seconds. The figures are medians over the rounds' medians, and their ratios.

Impasto's time is from NV12 to NV12 at full strength without the flicker filter (`bench --plain`); the peers' is from
numbers in memory to numbers in memory: reading and writing pixels would come on top.

Needs onnxruntime, openvino, numpy and Pillow. ONEDNN_MAX_CPU_ISA=AVX2 and IMPASTO_CPU=avx2 hold OpenVINO and Impasto to
AVX2, for figures of the laptops that most people have.
"""

import argparse
import json
import os
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
import onnxruntime
import openvino
from PIL import Image


def export(impasto, model, path, size):
    size = ["--size", f"{size[0]}x{size[1]}"]
    subprocess.run([impasto, "model", "export", model, "--onnx", path, "--overwrite", *size], check=True,
                   stdout=subprocess.DEVNULL)


def runtime(path, threads):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return lambda numbers: session.run(None, {"numbers": numbers})[0]


def openvino_net(path, threads, precision):
    settings = {"INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": precision}
    request = openvino.Core().compile_model(str(path), "CPU", settings).create_infer_request()
    return lambda numbers: request.infer({0: numbers}, share_inputs=True, share_outputs=True)[0]


def peers(path, threads):
    nets = {"ONNX Runtime f32": runtime(path, threads), "OpenVINO f32": openvino_net(path, threads, "f32")}
    try:
        nets["OpenVINO bf16"] = openvino_net(path, threads, "bf16")
    except RuntimeError as error:
        print(f"OpenVINO bf16: not here ({str(error).splitlines()[0]})")
    return nets


def codes(numbers):
    return np.rint(np.clip(numbers[0].transpose(1, 2, 0), 0, 1) * 255).astype(int)


def compare(arguments, folder):
    """The picture painted by every engine, beside the exported network in single precision."""
    picture = Image.open(arguments.picture).convert("RGB")
    width, height = (side // 8 * 8 for side in picture.size)
    picture = picture.crop((0, 0, width, height))
    picture.save(folder / "picture.png")
    export(arguments.impasto, arguments.model, folder / "net.onnx", (width, height))
    numbers = np.asarray(picture, np.float32).transpose(2, 0, 1)[None] / 255
    painted = {name: codes(net(numbers)) for name, net in peers(folder / "net.onnx", arguments.threads).items()}
    for device, isa in [("cpu", None), ("cpu", "avx512"), ("cpu", "avx2"), ("cpu", "portable"), ("burn-cpu", None)]:
        environment = {**os.environ, **({"IMPASTO_CPU": isa} if isa else {})}
        output = folder / "painted.png"
        command = [arguments.impasto, "image", folder / "picture.png", "-o", output, "--overwrite", "--model",
                   arguments.model, "--device", device]
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        if done.returncode:
            print(f"impasto {device} {isa or ''}: {done.stderr.strip()}")
            continue
        painted[f"impasto {device}{f', {isa}' if isa else ''}"] = np.asarray(Image.open(output), int)
    reference = painted.pop("ONNX Runtime f32")
    print(f"\ncodes of 255 apart from ONNX Runtime f32, {width}x{height}: mean, 99.9 % below, largest")
    for name, found in painted.items():
        apart = np.abs(found - reference)
        print(f"  {name:28} {apart.mean():.4f}  {np.percentile(apart, 99.9):.0f}  {apart.max()}")


def ours(arguments, size):
    command = [arguments.impasto, "bench", "--model", arguments.model, "--size", f"{size[0]}x{size[1]}", "--device",
               "cpu", "--plain", "--json", "--frames", str(arguments.frames)]
    environment = {**os.environ, "RAYON_NUM_THREADS": str(arguments.threads)}
    run = json.loads(subprocess.run(command, env=environment, check=True, capture_output=True).stdout)["runs"][0]
    return run["ms"]["frame"]["median"], run


def theirs(net, numbers, seconds):
    net(numbers)
    times, end = [], time.perf_counter() + seconds
    while time.perf_counter() < end or len(times) < 3:
        start = time.perf_counter()
        net(numbers)
        times.append((time.perf_counter() - start) * 1e3)
    return statistics.median(times)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("impasto")
    parser.add_argument("model")
    parser.add_argument("picture")
    parser.add_argument("--size", nargs="+", default=["640x480", "1280x720"])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--frames", type=int, default=60)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        compare(arguments, folder)
        for text in arguments.size:
            size = tuple(int(side) for side in text.split("x"))
            export(arguments.impasto, arguments.model, folder / "net.onnx", size)
            nets = peers(folder / "net.onnx", arguments.threads)
            numbers = np.random.default_rng(0).random((1, 3, size[1], size[0]), np.float32)
            rounds = {"impasto": [], **{name: [] for name in nets}}
            for _ in range(arguments.rounds):
                took, run = ours(arguments, size)
                rounds["impasto"].append(took)
                for name, net in nets.items():
                    rounds[name].append(theirs(net, numbers, arguments.seconds))
            own = statistics.median(rounds["impasto"])
            print(f"\n{text}, {arguments.threads} threads; {run['engine']}; its element {run['element']['frames_per_second']:.1f} frames/s")
            for name, times in rounds.items():
                middle = statistics.median(times)
                print(f"  {name:18} {middle:8.2f} ms  {middle / own:5.2f} of ours  (rounds {', '.join(f'{t:.1f}' for t in times)})")


if __name__ == "__main__":
    main()
