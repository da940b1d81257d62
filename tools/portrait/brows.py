"""The eyebrows: a soft tint and single hairs, not quite the same on both sides."""

from __future__ import annotations

import math

import numpy as np

from tools.portrait.anatomy import BROW as LINE
from tools.portrait.anatomy import BROW_HALF_THICKNESS
from tools.portrait.canvas import Brush, Canvas
from tools.portrait.curve import Points, mirrored, spline, tapered
from tools.portrait.palette import BROW, Float32, over

_HAIRS = 400


def draw_brows(canvas: Canvas, pixels: Float32, random: np.random.Generator) -> Float32:
    line = spline(LINE, 20)
    for side in (-1, 1):
        hairs = [hair for _ in range(_HAIRS) if (hair := _hair(line, random)) is not None]

        def shade(brush: Brush, side: int = side) -> None:
            widths = [2 * half for half in BROW_HALF_THICKNESS]
            widths[0] *= 0.3
            brush.stroke(mirrored(line[6:], side), widths, BROW, 0.80)

        def strokes(brush: Brush, side: int = side, hairs: list[Hair] = hairs) -> None:
            for outline, opacity in hairs:
                brush.fill(mirrored(outline, side), BROW, opacity)

        pixels = over(pixels, canvas.draw(shade, 2.8))
        pixels = over(pixels, canvas.draw(strokes, 0.26))
    return pixels


Hair = tuple[Points, float]
"""Outline and opacity."""


def _hair(line: Points, random: np.random.Generator) -> Hair | None:
    """One hair somewhere along the brow; few of them near the nose, where it starts softly."""
    along = random.random() ** 0.92
    if along < 0.04 or (along < 0.14 and random.random() < 0.5 - 3 * along):
        return None
    root = min(len(line) - 1, int(along * len(line)))
    places = np.linspace(0, 1, len(BROW_HALF_THICKNESS))
    half = float(np.interp(along, places, BROW_HALF_THICKNESS))
    height = random.uniform(-1, 1)
    ahead = line[min(root + 1, len(line) - 1)] - line[max(root - 1, 0)]
    calm = 1 - 0.75 * along
    upright = -0.70 * max(0.0, 1 - along * 4.2) - 0.36 * (1 - along) - 0.42 * calm * height
    angle = math.atan2(ahead[1], ahead[0]) + upright + random.normal(0, 0.10 * calm)
    length = random.uniform(6.0, 10.0) * (1 - 0.42 * along)
    start = line[root] + [0, height * half * 0.9]
    end = start + length * np.array([math.cos(angle), math.sin(angle)])
    curve = spline(np.stack([start, (start + end) / 2 - [0, 0.6], end]), 5)
    width = random.uniform(0.5, 0.85)
    return tapered(curve, [width, width, 0.15]), random.uniform(0.30, 0.54)
