#!/usr/bin/env python3
"""PyTorch's best on Impasto's networks, with the same weights: what the CUDA engine is measured against.

    gpu_peers.py paint MODEL IN.png OUT.png              # single precision, for comparison with `impasto image`
    gpu_peers.py compare A.png B.png                     # distance of two pictures, in codes
    gpu_peers.py random base OUT.safetensors [--seed N]  # a model file with random weights, for both engines
    gpu_peers.py bench MODEL|tiny|base [...] [--sizes 1920x1080,3840x2160] [--quick] [--seconds S]
    gpu_peers.py ceilings                                # what the device can do at all

`bench` and `ceilings` print one JSON line a result; the last line of each model and size names the best. MODEL is a model
file of one style (kinds tiny and base); `tiny` and `base` stand for random weights: speed does not depend on them.
Nothing beside PyTorch is needed, and Pillow for pictures.
"""

import argparse
import json
import math
import statistics
import struct
import sys
import time

import torch
import torch.nn.functional as F

TINY = [("stem", 48, 32, 3), ("down", 32, 48, 3)]
TINY += [(f"blocks.{i}", 48, 48, 3) for i in range(4)]
TINY += [("up", 48, 32, 1), ("head", 35, 48, 3)]

BASE = [("stem", 12, 48, 3), ("to_quarter", 48, 96, 3), ("to_eighth", 96, 128, 3)]
BASE += [(f"blocks.{i}.{which}", 128, 128, 3) for i in range(4) for which in ("first", "second")]
BASE += [("from_eighth", 128, 384, 1), ("quarter", 96, 64, 3), ("from_quarter", 64, 192, 1), ("half", 48, 32, 3)]
BASE += [("head", 32, 12, 3)]

LAYERS = {"tiny": TINY, "base": BASE}
ALIGNMENT = 8


# ---------------------------------------------------------------- model files


def read_model(path):
    """Kind, configuration and weights (float32) of a model file."""
    with open(path, "rb") as file:
        data = file.read()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    about = json.loads(header.pop("__metadata__")["impasto"])
    types = {"F16": torch.float16, "F32": torch.float32}
    weights = {}
    for name, info in header.items():
        begin, end = (8 + length + offset for offset in info["data_offsets"])
        numbers = torch.frombuffer(bytearray(data[begin:end]), dtype=types[info["dtype"]])
        weights[name] = numbers.reshape(info["shape"]).float()
    config = about.get("config", {})
    if about["kind"] not in LAYERS:
        raise SystemExit(f"{path}: kind {about['kind']}, expected one of {', '.join(LAYERS)}")
    if config.get("styles", 1) > 1 or config.get("encoder"):
        raise SystemExit(f"{path}: has several styles, expected one, folded in")
    return about["kind"], weights


def random_weights(kind, seed=0):
    """He et al.'s scale; the last layer small, so that the painting is near its input."""
    generator = torch.Generator().manual_seed(seed)
    weights = {}
    for name, inputs, outputs, side in LAYERS[kind]:
        deviation = math.sqrt(2.0 / (inputs * side * side)) * (0.3 if name == "head" else 0.7)
        kernel = torch.randn(outputs, inputs, side, side, generator=generator) * deviation
        weights[f"{name}.weight"] = kernel.half().float()
        weights[f"{name}.bias"] = (torch.randn(outputs, generator=generator) * 0.05).half().float()
    if kind == "tiny":
        weights["share"] = torch.full([3], 0.5)
    return weights


def write_model(path, kind, weights, name):
    about = {"format": 1, "name": name, "kind": kind, "config": {"styles": 1}, "licence": "MIT OR Apache-2.0"}
    header, chunks, offset = {"__metadata__": {"impasto": json.dumps(about)}}, [], 0
    for key in sorted(weights):
        chunk = weights[key].half().contiguous().numpy().tobytes()
        ends = [offset, offset + len(chunk)]
        header[key] = {"dtype": "F16", "shape": list(weights[key].shape), "data_offsets": ends}
        chunks.append(chunk)
        offset += len(chunk)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + b"".join(chunks))


def load(model, seed=0):
    if model in LAYERS:
        return model, random_weights(model, seed)
    return read_model(model)


# ---------------------------------------------------------------- networks


class Layer(torch.nn.Module):
    """A convolution whose border repeats the edge."""

    def __init__(self, weight, bias, stride=1, channels=None):
        super().__init__()
        if channels and channels > weight.shape[1]:
            weight = F.pad(weight, [0, 0, 0, 0, 0, channels - weight.shape[1]])
        self.weight = torch.nn.Parameter(weight, requires_grad=False)
        self.bias = torch.nn.Parameter(bias, requires_grad=False)
        self.stride = stride

    def forward(self, x):
        if self.weight.shape[-1] > 1:
            x = F.pad(x, [1, 1, 1, 1], mode="replicate")
        return F.conv2d(x, self.weight, self.bias, self.stride)


class Net(torch.nn.Module):
    def __init__(self, kind, weights, halving, aligned):
        super().__init__()
        layers = {}
        for name, inputs, _, _ in LAYERS[kind]:
            channels = -(-inputs // 8) * 8 if aligned else None
            parts = weights[f"{name}.weight"], weights[f"{name}.bias"]
            layers["at_" + name.replace(".", "_")] = Layer(*parts, 2 if name in halving else 1, channels)
        self.layers = torch.nn.ModuleDict(layers)

    def at(self, name, x):
        return self.layers["at_" + name](x)


class Tiny(Net):
    """models/src/generators/tiny.rs; `aligned` feeds the head 5 channels of zeros, for the matrix units."""

    def __init__(self, weights, aligned=False):
        super().__init__("tiny", weights, ("down",), aligned)
        crossed = weights.get("crossed")
        if crossed is None:
            crossed = torch.cat([torch.diag(weights["share"]), torch.zeros(3, 1)], 1)
        self.crosses = bool((crossed[:, :3] - torch.diag(crossed.diagonal())).any() or crossed[:, 3].any())
        self.share = torch.nn.Parameter(crossed.diagonal().reshape(1, 3, 1, 1).clone(), requires_grad=False)
        self.crossed = torch.nn.Parameter(crossed.t().clone(), requires_grad=False)
        self.zeros = 5 if aligned else 0

    def forward(self, numbers):
        quarter = F.pixel_unshuffle(numbers, 4)
        b, _, h, w = quarter.shape
        means = F.avg_pool2d(numbers, 4)
        skip = F.relu(self.at("stem", quarter))
        x = F.relu(self.at("down", skip))
        for i in range(4):
            x = F.relu(self.at(f"blocks_{i}", x))
        doubled = F.interpolate(self.at("up", x), scale_factor=2, mode="bilinear", align_corners=False)
        parts = [F.relu(doubled + skip), means]
        if self.zeros:
            parts.append(means.new_zeros(b, self.zeros, h, w))
        painted = F.pixel_shuffle(self.at("head", torch.cat(parts, 1)), 4)
        if self.crosses:
            red, green, blue, more = self.crossed.reshape(4, 1, 3, 1, 1).unbind()
            shared = numbers[:, 0:1] * red + numbers[:, 1:2] * green + numbers[:, 2:3] * blue + more
        else:
            shared = numbers * self.share
        return painted + shared


class Base(Net):
    """models/src/generators/base.rs; `aligned` feeds the stem 4 channels of zeros."""

    def __init__(self, weights, aligned=False):
        super().__init__("base", weights, ("to_quarter", "to_eighth"), aligned)
        self.zeros = 4 if aligned else 0

    def forward(self, numbers):
        cells = F.pixel_unshuffle(numbers, 2)
        if self.zeros:
            b, _, h, w = cells.shape
            cells = torch.cat([cells, cells.new_zeros(b, self.zeros, h, w)], 1)
        at_half = F.relu(self.at("stem", cells))
        at_quarter = F.relu(self.at("to_quarter", at_half))
        x = F.relu(self.at("to_eighth", at_quarter))
        for i in range(4):
            inner = F.relu(self.at(f"blocks_{i}_first", x))
            x = F.relu(self.at(f"blocks_{i}_second", inner) + x)
        x = F.relu(F.pixel_shuffle(self.at("from_eighth", x), 2) + at_quarter)
        x = F.relu(self.at("quarter", x))
        x = F.relu(F.pixel_shuffle(self.at("from_quarter", x), 2) + at_half)
        x = F.relu(self.at("half", x))
        return F.pixel_shuffle(self.at("head", x), 2) + numbers


def build(kind, weights, aligned=False):
    return {"tiny": Tiny, "base": Base}[kind](weights, aligned).eval()


class Frames(torch.nn.Module):
    """8-bit RGB `[1, height, width, 3]` in and out, as a player has them."""

    def __init__(self, net, dtype):
        super().__init__()
        self.net, self.dtype = net, dtype

    def forward(self, codes):
        numbers = (codes.permute(0, 3, 1, 2).float() / 255.0).to(self.dtype)
        painted = self.net(numbers).float().clamp(0.0, 1.0)
        return (painted * 255.0 + 0.5).to(torch.uint8).permute(0, 2, 3, 1).contiguous()


def operations(kind, height, width):
    """Floating-point operations of the convolutions of one frame."""
    scale = {"tiny": {"stem": 4, "head": 4}, "base": {"stem": 2, "half": 2, "head": 2}}[kind]
    if kind == "base":
        scale |= {"to_quarter": 4, "quarter": 4, "from_quarter": 4}
    layers = ((i * o * k * k, scale.get(name, 8)) for name, i, o, k in LAYERS[kind])
    return sum(2 * each * (height // s) * (width // s) for each, s in layers)


# ---------------------------------------------------------------- pictures


def picture(path):
    import numpy
    from PIL import Image

    return torch.from_numpy(numpy.array(Image.open(path).convert("RGB")))


def paint(args):
    from PIL import Image

    kind, weights = load(args.model)
    net = build(kind, weights, args.aligned)
    codes = picture(args.input)
    height, width, _ = codes.shape
    numbers = codes.permute(2, 0, 1)[None].float() / 255.0
    right, below = -width % ALIGNMENT, -height % ALIGNMENT
    if right or below:
        numbers = F.pad(numbers, [0, right, 0, below], mode="replicate")
    with torch.no_grad():
        painted = net(numbers)[0, :, :height, :width]
    codes = (painted.clamp(0.0, 1.0) * 255.0 + 0.5).to(torch.uint8)
    Image.fromarray(codes.permute(1, 2, 0).contiguous().numpy()).save(args.output)


def compare(args):
    a, b = (picture(path).int() for path in (args.a, args.b))
    apart = (a - b).abs()
    mse = (apart.float() ** 2).mean().item()
    emit(
        max_codes=apart.max().item(),
        mean_codes=apart.float().mean().item(),
        share_of_samples_over_1=(apart > 1).float().mean().item(),
        share_of_samples_apart=(apart > 0).float().mean().item(),
        psnr_db=None if mse == 0 else 10 * math.log10(255.0**2 / mse),
    )


# ---------------------------------------------------------------- timing


def emit(**result):
    print(json.dumps({k: round(v, 6) if isinstance(v, float) else v for k, v in result.items()}), flush=True)


def timed(steps, blocks=60, least_ms=2.0):
    """Milliseconds a step: the median over blocks of steps, which take the inputs in turn; and of a step alone."""

    def event():
        return torch.cuda.Event(enable_timing=True)

    def span(count, first):
        begin, end = event(), event()
        begin.record()
        for i in range(count):
            steps[(first + i) % len(steps)]()
        end.record()
        return begin, end

    began = time.time()
    rounds = 0
    while time.time() - began < 0.4 or rounds < 3:
        for step in steps:
            step()
        torch.cuda.synchronize()
        rounds += 1
    begin, end = span(len(steps), 0)
    torch.cuda.synchronize()
    each = begin.elapsed_time(end) / len(steps)
    count = max(1, min(50, math.ceil(least_ms / max(each, 1e-3))))
    spans = [span(count, i * count) for i in range(blocks)]
    torch.cuda.synchronize()
    of_block = sorted(begin.elapsed_time(end) / count for begin, end in spans)
    alone = []
    for i in range(blocks):
        begin, end = span(1, i)
        end.synchronize()
        alone.append(begin.elapsed_time(end))
    p10, p90 = (of_block[round(share * (blocks - 1))] for share in (0.1, 0.9))
    return {"ms": statistics.median(of_block), "p10": p10, "p90": p90, "alone_ms": statistics.median(alone)}


def captured(function, inputs):
    """One CUDA graph an input, so that no replay copies its input, and what each leaves."""
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for x in inputs[:2]:
            for _ in range(2):
                function(x)
    torch.cuda.current_stream().wait_stream(stream)
    torch.cuda.synchronize()
    graphs, outputs, pool = [], [], None
    for x in inputs:
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, pool=pool):
            outputs.append(function(x))
        pool = graph.pool()
        graphs.append(graph)
    return [graph.replay for graph in graphs], outputs


def ceilings(_args=None):
    device = torch.cuda.get_device_properties(0)
    a = torch.empty(1 << 30, dtype=torch.float32, device="cuda").normal_()
    b = torch.empty_like(a)
    copy = timed([lambda: b.copy_(a)], blocks=50)["ms"]
    bytes_moved = 2 * a.numel() * 4
    del a, b
    side = 8192
    x, y = (torch.randn(side, side, device="cuda", dtype=torch.bfloat16) for _ in range(2))
    z = torch.empty_like(x)
    product = timed([lambda: torch.mm(x, y, out=z)], blocks=50)["ms"]
    del x, y, z
    torch.cuda.empty_cache()
    emit(
        what="ceilings",
        device=device.name,
        torch=torch.__version__,
        copy_gb_s=bytes_moved / copy / 1e6,
        matmul_bf16_tflop_s=2 * side**3 / product / 1e9,
        l2_mb=getattr(device, "L2_cache_size", 0) / 1e6,
    )


def compiled(module, mode):
    torch._dynamo.reset()
    return torch.compile(module, mode=mode, fullgraph=True, dynamic=False)


# Name, number type, channels last, how it is run, padded channels. Cheap ones first: what is cut off by --seconds is the last.
CONFIGS = [
    ("eager-graph", "bf16", True, "graph", None, False),
    ("eager-graph", "bf16", True, "graph", None, True),
    ("eager-graph", "bf16", False, "graph", None, True),
    ("eager", "bf16", True, "plain", None, True),
    ("eager-graph", "fp16", True, "graph", None, True),
    ("compile-reduce-overhead", "bf16", True, "plain", "reduce-overhead", True),
    ("compile-graph", "bf16", True, "graph", "default", True),
    ("compile-max-autotune-graph", "bf16", True, "graph", "max-autotune-no-cudagraphs", True),
    ("compile-max-autotune-graph", "fp16", True, "graph", "max-autotune-no-cudagraphs", True),
    ("compile-graph", "bf16", True, "graph", "default", False),
    ("compile-graph", "bf16", False, "graph", "default", True),
    ("compile-reduce-overhead", "fp16", True, "plain", "reduce-overhead", True),
    ("compile-max-autotune-graph", "bf16", True, "graph", "max-autotune-no-cudagraphs", False),
]
QUICK = [("compile-reduce-overhead", "bf16"), ("compile-max-autotune-graph", "bf16")]


def bench(args):
    torch.backends.cudnn.benchmark = True
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    until = time.time() + args.seconds
    configs = CONFIGS
    if args.quick:
        configs = [c for c in CONFIGS if (c[0], c[1]) in QUICK and c[5]]
    sizes = [tuple(map(int, size.split("x"))) for size in args.sizes.split(",")]
    for model in args.models:
        kind, weights = load(model, args.seed)
        for width, height in sizes:
            bench_size(args, kind, weights, model, width, height, configs, until)


def bench_size(args, kind, weights, model, width, height, configs, until):
    wide, high = (side + -side % ALIGNMENT for side in (width, height))
    l2 = getattr(torch.cuda.get_device_properties(0), "L2_cache_size", 60 << 20) or 60 << 20
    count = max(3, math.ceil(2 * l2 / (3 * wide * high * (1 if args.frames else 2))))
    generator = torch.Generator(device="cuda").manual_seed(1)
    coarse = [torch.rand(1, 3, high // 8, wide // 8, device="cuda", generator=generator) for _ in range(count)]
    codes = []  # Smooth shapes and some noise: not zeros, and nothing that a network saturates on.
    for picture in coarse:
        smooth = F.interpolate(picture, size=(high, wide), mode="bicubic", align_corners=False)
        noise = torch.randn(smooth.shape, device="cuda", generator=generator) * 0.02
        codes.append(((smooth + noise).clamp(0, 1) * 255 + 0.5).to(torch.uint8).permute(0, 2, 3, 1).contiguous())
    with torch.no_grad():
        exact = build(kind, weights).cuda()(codes[-1].permute(0, 3, 1, 2).float() / 255.0)
    flop = operations(kind, high, wide)
    common = dict(model=model, kind=kind, size=f"{width}x{height}", io="frames" if args.frames else "numbers")
    best = None
    for name, number, last, run, mode, aligned in configs:
        about = dict(what="peer", **common, config=name, dtype=number, channels_last=last, aligned=aligned)
        if time.time() > until:
            emit(**about, skipped="out of time")
            continue
        began = time.time()
        try:
            dtype = {"bf16": torch.bfloat16, "fp16": torch.float16}[number]
            form = torch.channels_last if last else torch.contiguous_format
            net = build(kind, weights, aligned).cuda().to(dtype).to(memory_format=form)
            if args.frames:
                net, inputs = Frames(net, dtype), codes
            else:
                inputs = [(c.permute(0, 3, 1, 2).float() / 255.0).to(dtype) for c in codes]
                inputs = [x.contiguous(memory_format=form) for x in inputs]
            function = compiled(net, mode) if mode else net
            with torch.no_grad():
                if run == "graph":
                    steps, outputs = captured(function, inputs)
                    for step in steps:
                        step()
                    output = outputs[-1].clone()
                else:
                    for x in inputs[:3]:
                        function(x)
                    steps = [lambda x=x: function(x) for x in inputs]
                    output = function(inputs[-1]).clone()
                setup = time.time() - began
                times = timed(steps, args.blocks)
            if args.frames:
                codes_apart = (output.permute(0, 3, 1, 2).float() - (exact.clamp(0, 1) * 255 + 0.5).floor()).abs()
                error = {"max_codes": codes_apart.max().item(), "mean_codes": codes_apart.mean().item()}
            else:
                apart = output.float() - exact
                error = {"relative_error": (apart.norm() / exact.norm()).item()}
                error["mean_codes"] = (apart.clamp(-2, 2).abs().mean() * 255).item()
            result = dict(**about, **times, fps=1000 / times["ms"], tflop_s=flop / times["ms"] / 1e9)
            emit(**result, **error, setup_s=setup)
            if best is None or times["ms"] < best["ms"]:
                best = result
        except Exception as error:  # One configuration that cannot be compiled must not cost the others.
            emit(**about, failed=f"{type(error).__name__}: {error}"[:400])
        finally:
            steps = outputs = output = inputs = function = net = None
            torch.cuda.empty_cache()
    if best:
        emit(**{**best, "what": "best"})


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = parser.add_subparsers(required=True)
    verb = verbs.add_parser("paint")
    verb.add_argument("model"), verb.add_argument("input"), verb.add_argument("output")
    verb.add_argument("--aligned", action="store_true")
    verb.set_defaults(run=paint)
    verb = verbs.add_parser("compare")
    verb.add_argument("a"), verb.add_argument("b")
    verb.set_defaults(run=compare)
    verb = verbs.add_parser("random")
    verb.add_argument("kind", choices=list(LAYERS)), verb.add_argument("output")
    verb.add_argument("--seed", type=int, default=0)
    verb.set_defaults(run=lambda a: write_model(a.output, a.kind, random_weights(a.kind, a.seed), f"random-{a.kind}"))
    verb = verbs.add_parser("bench")
    verb.add_argument("models", nargs="+")
    verb.add_argument("--sizes", default="1920x1080,3840x2160")
    verb.add_argument("--quick", action="store_true", help="bf16, reduce-overhead and max-autotune only")
    verb.add_argument("--frames", action="store_true", help="8-bit RGB in and out instead of numbers")
    verb.add_argument("--seconds", type=float, default=400, help="start no configuration after so long")
    verb.add_argument("--blocks", type=int, default=60)
    verb.add_argument("--seed", type=int, default=0)
    verb.set_defaults(run=bench)
    verb = verbs.add_parser("ceilings")
    verb.set_defaults(run=ceilings)
    args = parser.parse_args()
    args.run(args)


if __name__ == "__main__":
    sys.exit(main())
