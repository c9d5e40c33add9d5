#!/usr/bin/env python3
"""Steps a second of a training step in eager PyTorch, to stand beside those of `impasto train`.

    train_step.py [--batch 4] [--crop 128] [--steps 30] [--threads 2] [--device cpu]

The step: *tiny* in its training form with held norms on two frames, the distilled VGG-19 (random weights: they do not matter
for speed) on output and input, and the objectives swd, palette, gram, content, luma, grid, range, tv and temporal; gradients
clipped, Adam, the average of the weights. The crops are random numbers: PyTorch reads no pictures here. Beside it

    impasto train configs/great-wave.toml -o FOLDER

whose log has `steps_per_second`. Needs torch (Debian: python3-torch).
"""

import argparse
import copy
import resource
import time

import torch
import torch.nn.functional as F
from torch import nn


class Layer(nn.Module):
    """A convolution with a 1x1 branch beside a 3x3 kernel, and a held norm with scale and shift."""

    def __init__(self, inputs, outputs, kernel=3, stride=1, normed=True):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs, kernel, kernel) * (2 / (inputs * kernel**2)) ** 0.5)
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.stride, self.normed = stride, normed
        if normed:
            self.scale = nn.Parameter(torch.ones(outputs))
            self.shift = nn.Parameter(torch.zeros(outputs))
        self.point = nn.Parameter(torch.zeros(outputs, inputs, 1, 1)) if normed and kernel == 3 else None

    def forward(self, x):
        kernel, bias = self.weight, self.bias
        if self.point is not None:
            kernel = kernel + F.pad(self.point, (1, 1, 1, 1))
        if self.normed:
            kernel, bias = kernel * self.scale.view(-1, 1, 1, 1), bias * self.scale + self.shift
        if kernel.shape[2] == 3:
            x = F.pad(x, (1, 1, 1, 1), mode="replicate")
        return F.conv2d(x, kernel, bias, self.stride)


class Tiny(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem, self.down = Layer(48, 32), Layer(32, 48, stride=2)
        self.blocks = nn.ModuleList(Layer(48, 48) for _ in range(4))
        self.up, self.head = Layer(48, 32, kernel=1), Layer(35, 48, normed=False)
        self.share = nn.Parameter(torch.full((1, 3, 1, 1), 0.5))

    def forward(self, numbers):
        quarter = F.pixel_unshuffle(numbers, 4)
        means = quarter.unflatten(1, (3, 16)).mean(2)
        skip = F.relu(self.stem(quarter))
        x = F.relu(self.down(skip))
        for block in self.blocks:
            x = F.relu(block(x))
        x = F.interpolate(self.up(x), scale_factor=2, mode="bilinear", align_corners=False)
        x = self.head(torch.cat([F.relu(x + skip), means], 1))
        return F.pixel_shuffle(x, 4) + self.share * numbers


class Features(nn.Module):
    STAGES = [[3, 16, 16], [16, 32, 32], [32, 64, 64, 64, 64], [64, 128]]

    def __init__(self):
        super().__init__()
        stage = lambda widths: nn.ModuleList(nn.Conv2d(a, b, 3) for a, b in zip(widths, widths[1:]))
        self.stages = nn.ModuleList(map(stage, self.STAGES))
        self.requires_grad_(False)

    def forward(self, x):
        taps = []
        for index, stage in enumerate(self.stages):
            x = F.max_pool2d(x, 2) if index else x
            for number, convolution in enumerate(stage):
                x = F.relu(convolution(F.pad(x, (1, 1, 1, 1), mode="reflect")))
                if number == 0:
                    taps.append(x)
        return taps


def gram(x):
    flat = x.flatten(2)
    return (flat @ flat.transpose(1, 2) / flat.shape[2]).mean(0)


def sliced_wasserstein(painted, painting, side, stride):
    kernels = F.normalize(torch.randn(32, 3, side, side, device=painted.device).flatten(1)).view(32, 3, side, side)
    ours, theirs = (F.conv2d(x, kernels, stride=s).transpose(0, 1).flatten(1) for x, s in ((painted, stride[0]), (painting, stride[1])))
    ours, theirs = ours.sort(1).values, theirs.sort(1).values
    theirs = F.interpolate(theirs[None], ours.shape[1], mode="linear")[0]
    return (ours - theirs.detach()).abs().mean()


def patches(painted, painting):
    total = 0
    for level in range(4):
        if level:
            painted, painting = F.avg_pool2d(painted, 2), F.avg_pool2d(painting, 2)
        stride = [max(1, -(-x.shape[3] // side)) for x, side in ((painted, 24), (painting, 49))]
        total = total + sliced_wasserstein(painted, painting, 7, stride)
    return total / 4


def grid(x):
    means = F.avg_pool2d(F.pixel_unshuffle(x, 8), 4).unflatten(1, (3, 64))
    return (means - means.mean(2, keepdim=True)).square().mean()


def luma(x):
    return (x * torch.tensor([0.2126, 0.7152, 0.0722], device=x.device).view(1, 3, 1, 1)).sum(1, keepdim=True)


def variation(x):
    return (x[:, :, 1:] - x[:, :, :-1]).abs().mean() + (x[:, :, :, 1:] - x[:, :, :, :-1]).abs().mean()


def outside(x):
    return (F.relu(x - 1).square() + F.relu(-x).square()).mean()


def step(generator, average, features, adam, painting, target, batch, crop):
    first = torch.rand(batch, 3, crop, crop, device=painting.device)
    flow = F.affine_grid(torch.eye(2, 3, device=first.device).repeat(batch, 1, 1), first.shape, align_corners=False)
    second = F.grid_sample(first, flow, align_corners=False)
    painted, later = generator(torch.cat([first, second])).chunk(2)
    taps, input_taps = features(painted), features(first)
    relative = lambda found, wanted: (found - wanted).square().sum() / wanted.square().sum()
    loss = 40 * patches(painted, painting) + 0.05 * variation(painted) + 1e4 * grid(painted) + 1000 * outside(painted)
    loss = loss + 60 * sliced_wasserstein(F.avg_pool2d(painted, 4), F.avg_pool2d(painting, 4), 1, (1, 1))
    loss = loss + 40 * sum(relative(gram(tap), wanted) for tap, wanted in zip(taps, target))
    loss = loss + sum(relative(taps[tap], input_taps[tap]) for tap in (2, 3))
    loss = loss + 20 * luma(F.avg_pool2d(painted - first, 8)).square().mean()
    moved = F.grid_sample(painted, flow, align_corners=False)
    light = luma(second - F.grid_sample(first, flow, align_corners=False))
    loss = loss + 5000 * (later - moved - light).square().mean()
    adam.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(generator.parameters(), 1.0)
    adam.step()
    with torch.no_grad():
        for mean, newest in zip(average.parameters(), generator.parameters()):
            mean.lerp_(newest, 0.001)


def finish(device):
    """Waits for what a GPU was given to do."""
    if device != "cpu":
        torch.cuda.synchronize()


def main():
    parser = argparse.ArgumentParser()
    for name, default in (("batch", 4), ("crop", 128), ("steps", 30), ("threads", 2)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--device", default="cpu")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(0)
    generator, features = Tiny().to(arguments.device), Features().to(arguments.device)
    average = copy.deepcopy(generator)
    adam = torch.optim.Adam(generator.parameters(), lr=2e-3)
    painting = torch.rand(1, 3, 344, 512, device=arguments.device)
    with torch.no_grad():
        target = [gram(tap) for tap in features(painting)]
    for number in range(arguments.steps + 3):
        if number == 3:
            finish(arguments.device)
            start = time.perf_counter()
        step(generator, average, features, adam, painting, target, arguments.batch, arguments.crop)
    finish(arguments.device)
    rate = arguments.steps / (time.perf_counter() - start)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"PyTorch {torch.__version__}: {rate:.2f} steps/s, {arguments.threads} threads, peak {peak:.0f} MiB")


if __name__ == "__main__":
    main()
