"""The face's skin with mouth and nose, without eyes and brows."""

from __future__ import annotations

import numpy as np

from tools.portrait import anatomy, light, mouth
from tools.portrait.canvas import Brush, Canvas
from tools.portrait.curve import mirrored, smooth, spline, symmetric
from tools.portrait.palette import SKIN, Float32, linear, over, tint

_MIDDLE = -4.0
"""Height of the middle of the skull, face units."""


def draw_face(canvas: Canvas, random: np.random.Generator) -> tuple[Float32, Float32]:
    """Linear colors (height, width, 3) and the face's mask."""
    mask = canvas.mask(symmetric(anatomy.FACE))
    lips = mouth.find_lips(canvas, random)
    height = canvas.blur(_height(canvas), 1.3)
    normal = light.normals(height, canvas.scale)
    grain = canvas.noise(random, 1.15, 1.15)
    lit = light.on_skin(canvas, normal, np.clip(_hidden(canvas, mask), 0, 0.9))
    falloff = np.array([0.115, 0.145, 0.155], np.float32)
    lit *= 1.04 - falloff * smooth((canvas.x + 20) / 160)[..., None]
    skin = mouth.colored(_albedo(canvas, random), lips) * lit
    flush = 0.5 * canvas.bumps(20, 68, 7, 12) + 0.35 * canvas.bump(6, 52, 9, 18)
    skin *= 1 + np.clip(flush, 0, 1)[..., None] * np.array([0.05, -0.035, -0.05], np.float32)
    gloss = (_gloss(canvas) + mouth.gloss(canvas, lips)) * (1 + 0.17 * grain)
    gloss *= 1 + 0.16 * lips.grain * (lips.both > 0.3)
    shine = 0.108 * np.clip(gloss, 0, 4) * light.shine(normal, 20, 90)
    skin += shine[..., None] * np.array([1, 0.965, 0.92], np.float32)
    beside_nose = 0.50 * canvas.bump(24, 62, 7, 15, -0.25) + 0.15 * canvas.bump(15, 12, 7, 32, -0.1)
    skin = tint(skin, (0.84, 0.72, 0.68), beside_nose)
    skin = tint(skin, (0.86, 0.76, 0.73), 0.80 * canvas.bump(3, 92, 22, 5.5))
    skin = _draw_nostrils(canvas, skin)
    return mouth.draw_seam(canvas, skin), mask


def _height(canvas: Canvas) -> Float32:
    """The face's form over the picture's plane, face units: a skull and what sits on it."""
    bump, bumps = canvas.bump, canvas.bumps
    outline = symmetric(anatomy.FACE)
    angle = np.arctan2(outline[:, 0], -(outline[:, 1] - _MIDDLE))
    order = np.argsort(angle)
    radius = np.hypot(outline[:, 0], outline[:, 1] - _MIDDLE)[order]
    here = np.arctan2(canvas.x, -(canvas.y - _MIDDLE))
    edge = np.interp(here, angle[order], radius, period=2 * np.pi)
    out = np.clip(np.hypot(canvas.x, canvas.y - _MIDDLE) / edge, 0, 1.1).astype(np.float32)
    # a steep even slope beyond 0.955 turns the rim away without a bright line
    height = 122 * np.sqrt(1 - np.minimum(out, 0.955) ** 2.5) - 235 * np.maximum(out - 0.955, 0)
    height += 7 * bump(0, -112, 84, 46)
    height += 3.2 * bumps(58, -48, 34, 12) - 1.5 * bump(0, -36, 13, 16)
    height += -11 * bumps(60, -9, 37, 21) - 7.0 * bumps(26, -4, 11, 21)
    height += 10.0 * bumps(63, -2, 27, 15.5) + 2.3 * bumps(63, 17.5, 22, 4.2, -0.05)
    height += -1.0 * bumps(60, 26, 25, 6, 0.10)
    height += 6.4 * bump(0, -2, 13.5, 40) + 9.6 * bump(0, 42, 13.5, 25)
    height += 15.5 * bump(0, 68, 14.5, 13)
    height += 8.0 * bumps(18, 75, 8.0, 8) - 3.5 * bumps(33, 72, 8, 14)
    height += 12.5 * bumps(83, 44, 37, 30) - 3.6 * bumps(92, 104, 26, 30)
    height += 9 * bump(0, 124, 52, 36) - 4 * bump(0, 95, 15, 8)
    height += -2.2 * bump(0, 102, 4.4, 9) + 1.1 * bumps(9, 102, 4, 10)
    height += -5.0 * bump(0, 163, 30, 9) + 9 * bump(0, 192, 34, 22)
    height += -4.4 * bumps(59, 126, 6, 7) + 4.0 * bumps(73, 101, 15, 20)
    return height + mouth.lip_height(canvas)


def _albedo(canvas: Canvas, random: np.random.Generator) -> Float32:
    """Linear color of the skin under even light: flush, make-up, mottling, freckles."""
    bump, bumps = canvas.bump, canvas.bumps
    skin = np.broadcast_to(linear(SKIN), (*canvas.x.shape, 3)).astype(np.float32)

    def shade(amount: Float32, red: float, green: float, blue: float) -> None:
        nonlocal skin
        skin = skin * (1 - np.clip(amount, 0, 1)[..., None] * np.float32([red, green, blue]))

    cheeks = 0.80 * bumps(87, 47, 32, 23, -0.25) + 0.32 * bump(0, 70, 18, 14)
    shade(cheeks + 0.32 * bump(0, 194, 30, 16) + 0.22 * bumps(66, -28, 30, 9), 0.015, 0.20, 0.165)
    shade(0.5 * bump(0, 146, 76, 62), 0.0, 0.065, 0.055)
    shade(0.5 * bump(0, -112, 90, 46), -0.01, -0.035, -0.02)
    shade(0.40 * bumps(56, 24, 25, 7, 0.12), 0.06, 0.13, 0.10)
    shade(0.52 * bumps(69, -17, 28, 7.5, 0.06) + 0.42 * bumps(91, -9, 12, 7), 0.13, 0.21, 0.20)
    contour = 0.75 * bumps(112, 84, 34, 13, -0.75) + 0.40 * bumps(128, -96, 18, 60, 0.15)
    shade(contour, 0.09, 0.15, 0.16)
    for grain, depth in ((14, 0.012), (5, 0.011), (1.3, 0.013)):
        mottle = depth * canvas.noise(random, grain, grain)
        skin = skin * (1 + mottle[..., None] * np.float32([0.4, 1, 1]))
    where = np.clip(bumps(62, 42, 40, 20) + bump(0, 44, 24, 20), 0, 1)
    pores = np.clip(canvas.noise(random, 2.0, 2.0) - 1.7, 0, 1) * where
    shade(0.16 * pores, 0.5, 1.0, 1.1)
    freckles = canvas.blur(np.clip(canvas.noise(random, 3.4, 3.0) - 2.0, 0, 1), 0.5) * where
    shade(0.62 * freckles, 0.16, 0.30, 0.36)
    return skin


def _hidden(canvas: Canvas, mask: Float32) -> Float32:
    """Ambient occlusion, 0..1."""
    bump, bumps = canvas.bump, canvas.bumps
    hidden = 0.23 * bumps(26, -9, 9, 17, -0.15) + 0.17 * bumps(62, -33, 33, 9)
    hidden += 0.40 * bump(0, 87, 17, 4.5) + 0.26 * bumps(29.5, 78, 4.5, 8, 0.3)
    hidden += 0.32 * bump(0, 157, 24, 5) + 0.28 * bumps(56, 126, 5, 5)
    hidden += 0.12 * bumps(46, 96, 7, 17, -0.62)
    hidden += 0.36 * np.clip(1 - canvas.blur(mask, 9), 0, 1)
    hidden += 0.20 * smooth((np.abs(canvas.x) - 90) / 46) * smooth((canvas.y + 10) / 90)
    return hidden + 0.22 * smooth((canvas.y - 196) / 22)


def _gloss(canvas: Canvas) -> Float32:
    bump, bumps = canvas.bump, canvas.bumps
    gloss = 0.36 + 0.34 * bumps(72, 40, 24, 16, -0.4) + 0.52 * bump(-4, 34, 8, 34)
    gloss += 1.5 * bump(-3.5, 64, 4.8, 4.8) + 0.55 * bumps(86, 27, 22, 11, -0.3)
    return gloss + 0.45 * bump(-22, -112, 48, 26) + 0.24 * bump(-2, 190, 16, 10)


def _draw_nostrils(canvas: Canvas, skin: Float32) -> Float32:
    wing = spline([(27.5, 66), (30.3, 72), (29.3, 79), (24.5, 82.5)], 8)
    base = spline([(4.5, 85.0), (9, 87.2), (17, 86.6), (23, 83.5)], 8)
    hole = [(6.2, 83.6), (10, 81.2), (16, 80.8), (19.8, 82.8), (15.5, 85.0), (9.5, 85.6)]

    def creases(brush: Brush) -> None:
        for side in (-1, 1):
            brush.stroke(mirrored(wing, side), [0.4, 2.2, 2.4, 0.6], (0.50, 0.26, 0.20), 0.34)
            brush.stroke(mirrored(base, side), [0.3, 1.8, 1.8, 0.3], (0.50, 0.26, 0.20), 0.40)

    def holes(brush: Brush) -> None:
        for side in (-1, 1):
            outline = spline(mirrored(hole, side), 8, closed=True)
            brush.fill(outline, (0.26, 0.11, 0.09), 0.86)

    return over(over(skin, canvas.draw(creases, 1.2)), canvas.draw(holes, 0.8))
