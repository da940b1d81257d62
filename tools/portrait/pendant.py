"""A chain with an enamel disc that shows the ram's horn of Kazakh ornament (koshkar muiz)."""

from __future__ import annotations

import numpy as np

from tools.portrait.canvas import Brush, Canvas
from tools.portrait.curve import mirrored, resample, spline
from tools.portrait.palette import Float32, stack

_MIDDLE, _RADIUS = np.array([0.0, 404.0]), 13.5
_HORN = [
    (0, 0.62), (0.02, 0.30), (0.04, 0.02), (0.16, -0.32), (0.42, -0.46), (0.66, -0.28),
    (0.64, 0.02), (0.44, 0.12), (0.32, -0.04), (0.42, -0.17),
]  # fmt: skip
"""One half, in radii of the disc, as is the diamond above it."""
_DIAMOND = [(0, -0.78), (0.13, -0.62), (0, -0.46), (-0.13, -0.62)]
_BRIGHT = (0.98, 0.83, 0.52)


def draw_pendant(canvas: Canvas) -> Float32:
    """Premultiplied linear RGBA, with the shadow on the skin."""
    return stack(canvas.draw(_draw_shadow, 1.6), canvas.draw(_draw_metal, 0.15))


def _draw_shadow(brush: Brush) -> None:
    x, y = _MIDDLE
    brush.disc(x + 3, y + 4, _RADIUS, (0.30, 0.14, 0.10), 0.50)
    chain = [(88, 300), (70, 338), (40, 370), (3, y - _RADIUS + 2)]
    for side in (-1, 1):
        line = spline(mirrored(chain, side), 12) + [1.6, 2.4]
        brush.line(line, 1.6, (0.35, 0.17, 0.12), 0.35)


def _draw_metal(brush: Brush) -> None:
    x, y = _MIDDLE
    chain = [(88, 296), (70, 334), (40, 368), (0, y - _RADIUS - 1)]
    for side in (-1, 1):
        links = resample(spline(mirrored(chain, side), 14), 90)
        brush.line(links, 1.3, (0.60, 0.42, 0.18), 0.9)
        for link in links[::2]:
            brush.disc(float(link[0]), float(link[1]) - 0.2, 0.55, (1, 0.90, 0.66), 0.85)
    brush.ring(x, y - _RADIUS - 0.6, 2.4, 1.2, (0.62, 0.44, 0.20))
    gold = [(1, 0.90, 0.64), (0.86, 0.64, 0.32), (0.52, 0.34, 0.14)]
    brush.shaded_disc(x, y, _RADIUS, gold)
    brush.disc(x, y, 0.86 * _RADIUS, (0.13, 0.30, 0.38))
    brush.disc(x - 3, y - 4, 0.5 * _RADIUS, (0.30, 0.55, 0.62), 0.35)
    for side in (-1, 1):
        horn = spline(mirrored(_HORN, side), 8) * _RADIUS + _MIDDLE
        brush.line(horn, 1.7, _BRIGHT)
    brush.fill(np.array(_DIAMOND) * _RADIUS + _MIDDLE, _BRIGHT)
    brush.ring(x, y, 0.93 * _RADIUS, 1.2, (0.98, 0.84, 0.55), 0.9)
