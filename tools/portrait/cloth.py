"""Woven cloth over a height field, and the folds in it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from tools.portrait.canvas import Brush, Canvas
from tools.portrait.curve import Control, mirrored, spline
from tools.portrait.light import FILL, KEY, normals
from tools.portrait.palette import Color, Float32, linear


class Fold(NamedTuple):
    line: Control
    width: float
    """Face units, as is ``height``; negative heights are furrows."""
    height: float


def fold_height(canvas: Canvas, folds: Sequence[Fold], side: int, soft: float) -> Float32:
    """What the folds add to a cloth's height, face units."""
    height = np.zeros_like(canvas.x)
    for fold in folds:
        line = spline(mirrored(fold.line, side), 12)

        def paint(brush: Brush, line: Control = line, width: float = fold.width) -> None:
            brush.stroke(line, [0.1, width, 1.2 * width, 0.8 * width, 0.1], (1, 1, 1))

        height += fold.height * canvas.draw(paint, soft)[..., 3]
    return height


def woven(
    canvas: Canvas,
    color: Color,
    height: Float32,
    random: np.random.Generator,
    weave: float = 0.03,
    sheen: float = 0.03,
) -> Float32:
    """Linear colors (height, width, 3). ``weave``: contrast of the threads; ``sheen``: of naps."""
    normal = normals(canvas.blur(height.astype(np.float32), 1.8), canvas.scale)
    direct = np.clip((normal @ KEY + 0.22) / 1.22, 0, 1) ** 1.6
    fill = np.clip((normal @ FILL + 0.3) / 1.3, 0, 1)
    light = direct[..., None] * np.float32([1.16, 1.13, 1.08])
    light = light + fill[..., None] * np.float32([0.10, 0.12, 0.15]) + 0.055
    threads = canvas.noise(random, 0.9, 2.8) + canvas.noise(random, 2.8, 0.9)
    slubs = canvas.noise(random, 1.2, 14) + canvas.noise(random, 9, 9)
    pattern = 1 + 0.7 * weave * threads + 0.35 * weave * slubs
    nap = sheen * (1 - normal[..., 2]) ** 1.5 * direct
    return linear(color) * light * pattern[..., None] + nap[..., None] * linear((0.7, 0.78, 0.9))
