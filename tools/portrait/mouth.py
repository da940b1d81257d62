"""The closed mouth: lips, and the seam between them that a lip warp opens."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from tools.portrait.anatomy import LIP_LINE, LOWER_OUTER, MOUTH_CORNER, UPPER_OUTER, lips
from tools.portrait.canvas import Brush, Canvas
from tools.portrait.curve import across, mirrored, spline
from tools.portrait.palette import LIP_LOWER, LIP_UPPER, Float32, linear, mix, over


class Lips(NamedTuple):
    """Masks (height, width), 0..1."""

    upper: Float32
    lower: Float32
    grain: Float32
    """Fine upright wrinkles, unit variance."""

    @property
    def both(self) -> Float32:
        return np.clip(self.upper + self.lower, 0, 1)


def find_lips(canvas: Canvas, random: np.random.Generator) -> Lips:
    upper, lower = lips()
    return Lips(canvas.mask(upper, 1.0), canvas.mask(lower, 1.1), canvas.noise(random, 1.5, 9))


def lip_height(canvas: Canvas) -> Float32:
    """What the lips add to the face's height, face units."""
    bump, bumps = canvas.bump, canvas.bumps
    height = 4.6 * bumps(17, 119.5, 15, 4.6) + 3.4 * bump(0, 120, 6, 5)
    height += 6.0 * bumps(14, 139, 17, 7) + 1.6 * bump(0, 139, 8, 7)
    seam = np.interp(np.abs(canvas.x), *np.array(LIP_LINE).T).astype(np.float32)
    within = np.clip(1 - np.abs(canvas.x) / MOUTH_CORNER[0], 0, 1) ** 0.5
    return height - 4.2 * np.exp(-0.5 * ((canvas.y - seam) / 2.6) ** 2) * within


def colored(skin: Float32, lips: Lips) -> Float32:
    """The skin's albedo with the lips' colors."""
    skin = mix(skin, linear(LIP_UPPER), 0.90 * lips.upper)
    skin = mix(skin, linear(LIP_LOWER), 0.90 * lips.lower)
    return skin * (1 + (0.026 * lips.grain * lips.both)[..., None])


def gloss(canvas: Canvas, lips: Lips) -> Float32:
    """How much more the lips shine than the skin around them."""
    wet = np.exp(-0.5 * ((canvas.y - 138.5) / 3.6) ** 2) * np.exp(-0.5 * ((canvas.x + 6) / 22) ** 2)
    return 0.55 * lips.upper + lips.lower * (0.35 + 2.3 * wet)


def draw_seam(canvas: Canvas, pixels: Float32) -> Float32:
    """The line between the lips, the shadow under the lower one, light along the upper one."""
    seam = across(LIP_LINE)
    corner = spline([(48.5, 124.1), (53.0, 121.9), (56.0, 120.0)], 8)

    def soft(brush: Brush) -> None:
        brush.stroke(seam + [0, 1.6], [0.3, 3.4, 4.4, 3.4, 0.3], (0.36, 0.13, 0.13), 0.55)
        under = across(LOWER_OUTER) + [0, 1.2]
        brush.stroke(under, [0, 0.4, 2.6, 0.4, 0], (0.42, 0.20, 0.17), 0.26)

    def line(brush: Brush) -> None:
        brush.stroke(seam, [0.6, 1.5, 1.25, 1.9, 1.25, 1.5, 0.6], (0.27, 0.085, 0.085), 0.86)
        for side in (-1, 1):
            brush.stroke(mirrored(corner, side), [1.5, 1.3, 0.2], (0.32, 0.12, 0.11), 0.44)

    def border(brush: Brush) -> None:
        edge = across(UPPER_OUTER) - [0, 1.4]
        brush.stroke(edge, [0, 0.5, 1.7, 1.4, 1.7, 0.5, 0], (1, 0.93, 0.88), 0.34)

    for paint, blur in ((soft, 1.3), (line, 0.45), (border, 0.7)):
        pixels = over(pixels, canvas.draw(paint, blur))
    return pixels
