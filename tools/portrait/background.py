"""A studio out of focus: window light on the left, a screen, a shelf and lamps on the right."""

from __future__ import annotations

import math

import numpy as np

from tools.portrait.canvas import Brush, Canvas
from tools.portrait.curve import spline
from tools.portrait.palette import Float32, linear, over, to_srgb

_BOOKS = (
    (216, 20, 100, (0.72, 0.42, 0.30)),
    (240, 16, 88, (0.86, 0.80, 0.70)),
    (260, 22, 108, (0.20, 0.40, 0.46)),
    (288, 16, 84, (0.85, 0.70, 0.42)),
    (330, 40, 60, (0.90, 0.86, 0.80)),
)
"""Left edge, width, height and color of what stands on the shelf."""
_LEAVES = (
    (-372, 330, -2.2, 190),
    (-368, 330, -1.75, 240),
    (-360, 330, -1.35, 210),
    (-352, 335, -0.95, 150),
    (-378, 335, -2.65, 130),
)
"""Where a leaf grows, its direction in radians and its length."""
_LAMPS = (
    (352, -70, 30, 0.50),
    (304, 4, 16, 0.28),
    (286, 250, 20, 0.24),
    (-306, 270, 22, 0.14),
    (-352, 340, 30, 0.14),
    (330, 296, 26, 0.26),
    (366, 210, 17, 0.22),
    (-250, -420, 26, 0.10),
    (262, -330, 18, 0.16),
)
"""Middle, radius and brightness."""
_GRAIN = 0.0035
"""Noise against banding, in sRGB."""


def draw_background(canvas: Canvas, random: np.random.Generator) -> Float32:
    """Premultiplied linear RGBA, opaque."""
    right = np.clip((canvas.x + 420) / 840, 0, 1)[..., None]
    down = np.clip((canvas.y + 480) / 1200, 0, 1)[..., None]
    room = linear((0.80, 0.83, 0.84)) * (1 - right) + linear((0.42, 0.50, 0.57)) * right
    room = over(room * (1 - 0.42 * down**1.3), canvas.draw(_draw_room, 24))
    room = room + canvas.draw(_draw_lamps, 5.0)[..., :3] * 0.75
    room *= (0.80 + 0.26 * canvas.bump(-40, -20, 300, 330))[..., None]
    corner = np.clip(np.hypot(canvas.x / 560, (canvas.y - 40) / 800), 0, 1) ** 2.2
    room *= (1 - 0.32 * corner)[..., None]
    grain = _GRAIN * random.standard_normal(canvas.x.shape)[..., None]
    return np.dstack([linear(np.clip(to_srgb(room) + grain, 0, 1)), np.ones_like(canvas.x)])


def _draw_room(brush: Brush) -> None:
    for x in (-470, -330):
        brush.bar(x, -620, 118, 860, (1.0, 0.985, 0.95), 0.46)
    brush.bar(-196, -660, 22, 1800, (0.50, 0.55, 0.58), 0.35)
    brush.bar(150, -300, 330, 210, (0.16, 0.30, 0.40), 0.62)
    for y, wide, opacity in ((-276, 120, 0.55), (-236, 190, 0.35), (-206, 150, 0.30)):
        brush.bar(176, y, wide, 16, (0.56, 0.82, 0.90), opacity)
    brush.bar(120, 120, 420, 16, (0.60, 0.46, 0.34), 0.65)
    brush.bar(120, -40, 420, 14, (0.60, 0.46, 0.34), 0.50)
    for x, wide, high, color in _BOOKS:
        brush.bar(x, 120 - high, wide, high, color, 0.75)
    brush.bar(-620, 330, 1300, 900, (0.26, 0.30, 0.34), 0.30)
    for x, y, angle, length in _LEAVES:
        tip = x + length * math.cos(angle), y + length * math.sin(angle)
        middle = (x + tip[0]) / 2 - 8, (y + tip[1]) / 2
        leaf = spline([(x, y), middle, tip], 10)
        brush.stroke(leaf, [6, 34, 40, 24, 2], (0.26, 0.42, 0.34), 0.60)


def _draw_lamps(brush: Brush) -> None:
    for x, y, radius, opacity in _LAMPS:
        brush.disc(x, y, radius, (1, 0.86, 0.62), opacity)
