#!/usr/bin/env python3
"""Draws the landscape of the README's pictures, so that they are of our own making: scene.py OUT.png

A sky with a low sun and clouds of value noise, four ridges that fade with distance, a lake that mirrors them, and a
tree in front. Needs numpy and Pillow.
"""

import sys

import numpy as np
from PIL import Image

WIDTH, HEIGHT, HORIZON = 640, 400, 250
random = np.random.default_rng(7)


def noise(height, width, cells, octaves=5):
    """Value noise in [0, 1]: random grids, each twice as fine and half as strong, smoothly enlarged."""
    total = np.zeros((height, width))
    for octave in range(octaves):
        rows, columns = (max(2, int(cells[axis] * 2**octave)) for axis in (0, 1))
        grid = (random.random((rows, columns)) * 255).astype(np.uint8)
        layer = Image.fromarray(grid).resize((width, height), Image.BICUBIC)
        total += np.asarray(layer) / 255 / 2 ** (octave + 1)
    return (total - total.min()) / np.ptp(total)


def mix(a, b, t):
    return a + (np.asarray(b) - a) * t[..., None]


def sky():
    y = np.linspace(0, 1, HORIZON)[:, None] * np.ones(WIDTH)
    colour = mix(np.array([0.25, 0.42, 0.72]) * np.ones((HORIZON, WIDTH, 3)), [0.98, 0.80, 0.56], y**1.6)
    clouds = np.clip(noise(HORIZON, WIDTH, (5, 4)) * 2.4 - 1.1, 0, 1) * (1 - 0.5 * y)
    colour = mix(colour, [1.0, 0.95, 0.90], clouds * 0.85)
    rows, columns = np.mgrid[0:HORIZON, 0:WIDTH]
    distance = np.hypot(rows - 190, columns - 440)
    colour = mix(colour, [1.0, 0.88, 0.62], np.exp(-((distance / 70) ** 2)) * 0.8)
    return mix(colour, [1.0, 0.97, 0.85], np.clip(22 - distance, 0, 1))


def ridges(picture):
    for depth, (base, tall, cells) in enumerate([(205, 70, 4), (225, 60, 5), (240, 45, 7), (250, 30, 10)]):
        line = base - tall * noise(2, WIDTH, (2, cells))[0]
        near = np.array([0.10, 0.24, 0.18]) * (0.7 + 0.3 * depth / 3) + 0.02
        colour = near + (np.array([0.55, 0.58, 0.68]) - near) * (0.75 - 0.25 * depth)
        texture = noise(HORIZON, WIDTH, (20, 40), 3)
        below = np.clip(np.arange(HORIZON)[:, None] - line, 0, 1)
        shade = colour * (0.75 + 0.5 * texture)[..., None]
        picture = picture + (shade - picture) * below[..., None]
    return picture


def lake(above):
    rows = HEIGHT - HORIZON
    ripple = (noise(rows, WIDTH, (30, 6), 3) - 0.5) * np.linspace(4, 26, rows)[:, None]
    mirrored = np.clip(HORIZON - 1 - np.arange(rows)[:, None] * 1.3 + ripple, 0, HORIZON - 1).astype(int)
    shift = np.clip(np.arange(WIDTH) + ripple * 0.6, 0, WIDTH - 1).astype(int)
    water = above[mirrored, shift] * 0.78 + np.array([0.02, 0.06, 0.09])
    glints = np.clip(noise(rows, WIDTH, (60, 12), 3) * 3 - 2.1, 0, 1)
    return mix(water, [1.0, 0.93, 0.75], glints * 0.6)


def tree(picture):
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH]
    trunk = np.abs(columns - 120 - 10 * np.sin(rows / 60)) < 4 + (rows - 150) / 40
    picture[trunk & (rows > 150)] = [0.20, 0.13, 0.09]
    leaves = noise(HEIGHT, WIDTH, (26, 40), 4)
    crown = np.exp(-(((columns - 118) / 95) ** 2) - ((rows - 130) / 72) ** 2)
    where = np.clip((crown + 0.55 * leaves - 0.72) * 14, 0, 1)
    light = np.clip(0.35 + 0.9 * leaves + (columns - 118) / 500, 0, 1.4)
    picture = picture + (np.array([0.22, 0.34, 0.10]) * light[..., None] * 1.6 - picture) * where[..., None]
    bank = np.clip((rows - 352 - 26 * noise(2, WIDTH, (2, 6))[0] + (120 - columns) * -0.10) / 3, 0, 1)
    grass = np.array([0.24, 0.32, 0.12]) * (0.6 + 0.9 * noise(HEIGHT, WIDTH, (90, 160), 2))[..., None]
    return picture + (grass - picture) * bank[..., None]


above = ridges(sky())
picture = np.clip(tree(np.vstack([above, lake(above)])), 0, 1)
Image.fromarray((picture * 255).astype(np.uint8)).save(sys.argv[1])
