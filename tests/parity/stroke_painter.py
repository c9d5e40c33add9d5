#!/usr/bin/env python3
"""Paints frames with curved brush strokes: key frames for `impasto train`, and frames to hold its output against.

    stroke_painter.py FRAME.png PAINTED.png

A. Hertzmann, "Painterly rendering with curved brush strokes of multiple sizes" (SIGGRAPH 1998): layers of ever smaller
brushes; on a grid, wherever the canvas is too far from the blurred frame, a stroke starts at the worst pixel, takes its
colour, and follows the edges. The colours are bent towards ochre and blue, on a toned canvas, so that the painting is not
the frame. Needs numpy and Pillow.
"""

import sys

import numpy as np
from PIL import Image, ImageFilter

RADII = (8, 4, 2)
THRESHOLD = 0.09
LONGEST, SHORTEST = 12, 3
CURVATURE = 0.6
CANVAS = (0.86, 0.80, 0.68)


def blurred(frame, radius):
    picture = Image.fromarray((frame * 255 + 0.5).astype(np.uint8))
    return np.asarray(picture.filter(ImageFilter.GaussianBlur(radius)), dtype=np.float32) / 255


def graded(colours):
    """Shadows towards blue, light towards ochre, fewer steps of light than the frame has."""
    luma = colours @ np.array([0.2126, 0.7152, 0.0722], dtype=np.float32)
    steps = (np.round(luma * 6) / 6)[..., None]
    shadow, light = np.array([0.10, 0.16, 0.34]), np.array([0.97, 0.86, 0.58])
    toned = shadow * (1 - steps) + light * steps
    return np.clip(0.55 * toned + 0.45 * (colours + (steps - luma[..., None])), 0, 1).astype(np.float32)


def disc(radius):
    rows, columns = np.mgrid[-radius : radius + 1, -radius : radius + 1]
    return np.argwhere(rows**2 + columns**2 <= radius * (radius + 0.5)) - radius


def stroke(start, radius, reference, canvas, slope):
    """Centres of a stroke from `start` on, each a radius from the one before."""
    height, width, _ = reference.shape
    y, x = start
    colour, centres, last = reference[y, x], [(y, x)], None
    for count in range(1, LONGEST):
        down, across = slope[0][y, x], slope[1][y, x]
        nearer = np.abs(reference[y, x] - canvas[y, x]).sum() < np.abs(reference[y, x] - colour).sum()
        if (count > SHORTEST and nearer) or down * down + across * across < 1e-8:
            break
        step = np.array([across, -down]) / np.hypot(down, across)
        if last is not None:
            step = step if step @ last >= 0 else -step
            step = CURVATURE * step + (1 - CURVATURE) * last
            step /= np.linalg.norm(step) + 1e-9
        y, x = int(round(y + radius * step[0])), int(round(x + radius * step[1]))
        if not (0 <= y < height and 0 <= x < width):
            break
        last = step
        centres.append((y, x))
    return colour, centres


def paint_layer(canvas, frame, radius, random):
    reference = blurred(frame, radius)
    luma = reference.mean(2)
    slope = np.gradient(luma)
    height, width, _ = frame.shape
    error = np.abs(reference - canvas).sum(2)
    strokes = []
    for top in range(0, height, radius):
        for left in range(0, width, radius):
            cell = error[top : top + radius, left : left + radius]
            if cell.mean() > THRESHOLD:
                row, column = np.unravel_index(cell.argmax(), cell.shape)
                strokes.append((top + row, left + column))
    brush = disc(radius)
    for index in random.permutation(len(strokes)):
        colour, centres = stroke(strokes[index], radius, reference, canvas, slope)
        places = (np.array(centres)[:, None] + brush[None]).reshape(-1, 2)
        inside = (places >= 0).all(1) & (places[:, 0] < height) & (places[:, 1] < width)
        canvas[places[inside, 0], places[inside, 1]] = colour


def main():
    if len(sys.argv) != 3:
        sys.exit("usage: stroke_painter.py FRAME.png PAINTED.png")
    source, target = sys.argv[1:]
    frame = graded(np.asarray(Image.open(source).convert("RGB"), dtype=np.float32) / 255)
    canvas = np.broadcast_to(np.float32(CANVAS), frame.shape).copy()
    random = np.random.default_rng(0)
    for radius in RADII:
        paint_layer(canvas, frame, radius, random)
    Image.fromarray((canvas * 255 + 0.5).astype(np.uint8)).save(target)


if __name__ == "__main__":
    main()
