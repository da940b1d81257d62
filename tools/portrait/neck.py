"""Neck, chest and the one visible ear with its pearl."""

from __future__ import annotations

import numpy as np

from tools.portrait import light
from tools.portrait.anatomy import EAR, FACE, NECK
from tools.portrait.canvas import Brush, Canvas
from tools.portrait.curve import smooth, spline, symmetric
from tools.portrait.palette import SKIN, Float32, linear, mix, over, tint


def draw_neck(canvas: Canvas) -> tuple[Float32, Float32]:
    """Linear colors and coverage of neck, chest and ear."""
    skin = linear(SKIN) * np.float32([0.985, 0.97, 0.96]) * _light(canvas)
    ear, ear_mask = _draw_ear(canvas)
    cover = np.maximum(canvas.mask(symmetric(NECK), 0.6), ear_mask)
    return over(mix(skin, ear, ear_mask), canvas.draw(_draw_pearl, 0.25)), cover


def _light(canvas: Canvas) -> Float32:
    x, y, bump, bumps = canvas.x, canvas.y, canvas.bump, canvas.bumps
    half = 76 + 1.15 * np.clip(y - 264, 0, 300)
    height = 74 * np.sqrt(1 - np.clip(np.abs(x) / half, 0, 0.985) ** 2.3)
    height += 5.2 * bumps(84, 334, 56, 6.5, 0.10) - 4.2 * bumps(70, 348, 60, 9, 0.06)
    height += -2.5 * bumps(80, 318, 50, 8, 0.12) - 5 * bump(0, 331, 11, 11)
    height += 3.2 * bumps(33, 274, 8, 50, -0.36) - 2.2 * bumps(19, 274, 8, 44, -0.34)
    hidden = 0.30 * smooth((np.abs(x) - 46) / 40) * smooth((310 - y) / 50)
    hidden += 0.16 * bump(0, 331, 9, 9)
    normal = light.normals(canvas.blur(height.astype(np.float32), 2.4), canvas.scale)
    lit = light.on_skin(canvas, normal, np.clip(hidden, 0, 0.9), 1.3)
    far = canvas.mask(symmetric(FACE) * [0.98, 1] + [11, 42], 9.0)
    near = canvas.mask(symmetric(FACE) * [0.97, 1] + [4, 17], 6.0)
    hair = smooth((np.abs(x + 4) - 42) / 36) * smooth((304 - y) / 80)
    shade = np.clip(0.66 * far + 0.55 * near + 0.58 * hair, 0, 1)
    lit = lit * (1 - shade[..., None] * np.float32([0.54, 0.69, 0.73]))
    lit = lit * np.float32([0.95, 0.935, 0.925]) * (1 - 0.13 * smooth((y - 310) / 200)[..., None])
    return lit + (0.045 * light.shine(normal, 18, 60) * (1 - shade))[..., None]


def _draw_ear(canvas: Canvas) -> tuple[Float32, Float32]:
    outline = spline(EAR, 10, closed=True)
    height = 9 * canvas.blur(canvas.mask(outline), 4)
    normal = light.normals(height, canvas.scale)
    hidden = np.full_like(canvas.x, 0.30)
    skin = linear(SKIN) * np.float32([0.98, 0.86, 0.82])
    skin = skin * light.on_skin(canvas, normal, hidden, 0.6)
    skin = tint(skin, (0.62, 0.44, 0.38), 0.55 * smooth((148 - canvas.x) / 12))
    helix = spline([(144, -24), (153, -27), (159, -14), (158.5, 10), (153, 36), (148, 46)], 8)
    fold = spline([(146, -12), (151, -6), (151, 12), (147, 30)], 8)
    shell = [(139, 8), (145, 4), (149, 14), (148, 30), (143, 40), (138, 36)]
    edge = spline([(147, -32), (158, -27), (163, -8), (161.5, 18), (156, 42)], 8)

    def hollows(brush: Brush) -> None:
        brush.stroke(helix, [0.5, 2.6, 2.6, 2.4, 2.0, 0.4], (0.47, 0.22, 0.17), 0.48)
        brush.stroke(fold, [0.4, 2.2, 2.4, 0.5], (0.50, 0.25, 0.19), 0.30)
        brush.fill(spline(shell, 8, closed=True), (0.42, 0.19, 0.15), 0.42)

    def rim(brush: Brush) -> None:
        brush.stroke(edge, [0.3, 1.8, 2.0, 1.6, 0.3], (1, 0.86, 0.78), 0.38)

    skin = over(over(skin, canvas.draw(hollows, 1.7)), canvas.draw(rim, 1.0))
    return skin, canvas.mask(outline, 0.4)


def _draw_pearl(brush: Brush) -> None:
    brush.disc(146.5, 69.5, 4.6, (0.62, 0.44, 0.20))
    brush.disc(146.2, 69.1, 4.0, (0.93, 0.90, 0.86))
    brush.disc(147.0, 70.3, 2.6, (0.82, 0.77, 0.73), 0.7)
    brush.disc(144.9, 67.6, 1.3, (1, 1, 1), 0.95)
