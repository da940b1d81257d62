"""The open eyes: eyeball, iris, lids and lashes, in layers over the closed skin."""

from __future__ import annotations

import math

import cv2
import numpy as np

from tools.portrait.anatomy import (
    EYE_OUTER,
    IRIS,
    IRIS_RADIUS,
    LID_CREASE,
    PUPIL_RADIUS,
    lids,
)
from tools.portrait.canvas import Brush, Canvas
from tools.portrait.curve import Points, mirrored, resample, smooth, spline
from tools.portrait.palette import Float32, covering, linear, mix, over, stack

_LASHES = 42
_LOWER_LASHES = 20


def draw_eyes(canvas: Canvas, random: np.random.Generator) -> Float32:
    """Premultiplied linear RGBA of both eyes."""
    fibres = np.tile(random.standard_normal((1, 360)).astype(np.float32), (1, 3))
    fibres = cv2.GaussianBlur(fibres, (0, 0), 1.5)[0, 360:720]
    fibres /= fibres.std()
    layer = np.zeros((*canvas.x.shape, 4), np.float32)
    for side in (-1, 1):
        layer = stack(layer, _ball(canvas, side), _iris(canvas, side, fibres))
    lashes = [_lash(index, random) for index in range(_LASHES)]
    lower = [random.uniform(1.6, 3.0) for _ in range(_LOWER_LASHES)]
    return stack(layer, canvas.draw(_draw_lids, 0.8), _rims(canvas, lashes, lower))


def _opening(canvas: Canvas, side: int) -> Float32:
    upper, lower = lids()
    return canvas.mask(mirrored(np.concatenate([upper, lower[::-1]]), side), 0.35)


def _under_lid(canvas: Canvas, side: int) -> Float32:
    """The shadow that the upper lid and its lashes cast on the eye, 0..1."""
    upper, _ = lids()
    below = np.concatenate([upper + [0, 4.9], [(112, 70), (16, 70)]])
    return 1 - canvas.mask(mirrored(below, side), 2.5)


def _ball(canvas: Canvas, side: int) -> Float32:
    opening = _opening(canvas, side)
    out = np.clip(np.hypot((canvas.x - side * 63) / 37, (canvas.y - 1) / 23), 0, 1)
    white = np.broadcast_to(np.float32([0.85, 0.815, 0.79]), (*out.shape, 3))
    white = white * (1 - 0.48 * out[..., None] ** 2.4 * np.float32([0.72, 1, 1]))
    corner = 0.85 * canvas.bump(side * 33, 5.2, 3.8, 2.7)
    white = mix(white, linear((0.80, 0.50, 0.46)), corner)
    shade = _under_lid(canvas, side)[..., None]
    return covering(white * (1 - 0.70 * shade * np.float32([0.86, 1, 1])), opening)


def _iris(canvas: Canvas, side: int, fibres: Float32) -> Float32:
    middle = side * IRIS[0], IRIS[1]
    right, down = canvas.x - middle[0], canvas.y - middle[1]
    radius = np.hypot(right, down)
    out = np.clip(radius / IRIS_RADIUS, 0, 1)
    angles = np.linspace(-np.pi, np.pi, len(fibres))
    fibre = np.interp(np.arctan2(down, right), angles, fibres, period=2 * np.pi)
    ring = smooth((out - 0.38) / 0.36)[..., None]
    color = linear((0.47, 0.290, 0.175)) * (1 - ring) + linear((0.275, 0.160, 0.105)) * ring
    color = color * (1 + 0.28 * fibre * np.sin(np.clip(out, 0.2, 1) * np.pi))[..., None]
    # light from the key gathers on the opposite, lower side of the iris
    gathered = np.clip((right * 0.45 + down * 0.85) / IRIS_RADIUS, -0.6, 1)
    color = color * (1 + 1.05 * gathered * (1 - smooth((out - 0.6) / 0.3)))[..., None]
    color = mix(color, linear((0.085, 0.055, 0.048)), smooth((out - 0.76) / 0.24))
    color = mix(color, (0.006, 0.005, 0.005), smooth((PUPIL_RADIUS + 0.7 - radius) / 1.6))
    color = np.clip(color, 0, 2) * (1 - 0.70 * _under_lid(canvas, side)[..., None])
    x, y = middle
    window = [(x - 9.2, y - 8.0), (x - 3.4, y - 8.8), (x - 2.8, y - 3.2), (x - 8.2, y - 2.5)]

    def catchlights(brush: Brush) -> None:
        brush.fill(spline(window, 8, closed=True), (1, 1, 1), 0.94)
        brush.disc(x + 6.2, y + 6.0, 1.7, (0.90, 0.95, 1), 0.48)
        arc = spline([(x - 8.5, y + 8.0), (x - 2, y + 11.4), (x + 4, y + 11.0)], 8)
        brush.stroke(arc, [0.2, 1.6, 0.2], (1, 0.86, 0.70), 0.20)

    color = over(color, canvas.draw(catchlights, 0.35))
    edge = canvas.blur(smooth((IRIS_RADIUS - radius) / 1.6 + 0.5).astype(np.float32), 0.35)
    return covering(color, edge * _opening(canvas, side))


def _draw_lids(brush: Brush) -> None:
    upper, lower = lids()
    crease = spline(LID_CREASE, 12)
    lid = np.concatenate([upper, resample(crease, 40)[::-1]])
    for side in (-1, 1):
        brush.fill(mirrored(lid, side), (0.52, 0.30, 0.24), 0.20)
        fold = [0.2, 1.6, 1.9, 1.9, 1.6, 0.3]
        brush.stroke(mirrored(crease, side), fold, (0.40, 0.21, 0.165), 0.52)
        under = mirrored(lower + [0, 2.6], side)
        brush.stroke(under, [0, 0.8, 1.7, 2.0, 1.6, 0.2], (0.50, 0.28, 0.23), 0.28)


def _lash(index: int, random: np.random.Generator) -> Points:
    """A lash of the viewer's right upper lid; they grow longer and lean outward."""
    upper, _ = lids()
    shifted = max(index + random.uniform(-0.55, 0.55), 0.0) / (_LASHES - 1)
    along = min(0.20 + 0.79 * shifted**0.9, 1.0)
    length = 1.2 + 4.9 * float(smooth((along - 0.2) * 1.3))
    length *= random.uniform(0.65, 1.15) * (1 - 0.25 * float(smooth((along - 0.93) / 0.07)))
    angle = -math.pi / 2 - 0.10 + 1.15 * along + random.normal(0, 0.06)
    root = upper[int(along * (len(upper) - 1))] - [0, 0.6]
    tip = root + length * np.array([math.cos(angle), math.sin(angle)])
    return spline(np.stack([root, (root + tip) / 2 + [0.7, 1.0], tip]), 5)


def _rims(canvas: Canvas, lashes: list[Points], lower_lashes: list[float]) -> Float32:
    upper, lower = lids()
    wing = [(EYE_OUTER[0] + 5.0, EYE_OUTER[1] - 2.8)]
    line = np.concatenate([upper - [0, 0.5], wing])

    def paint(brush: Brush) -> None:
        for side in (-1, 1):
            wet = mirrored(lower + [0, 0.35], side)
            brush.stroke(wet, [0.5, 1.3, 1.5, 1.4, 0.5], (0.90, 0.68, 0.62), 0.62)
            rim = mirrored(lower + [0, 1.3], side)
            brush.stroke(rim, [0.3, 0.5, 0.7, 1.0, 1.4], (0.30, 0.18, 0.15), 0.42)
            widths = [0.8, 1.8, 2.4, 2.8, 3.1, 3.2, 2.5, 0.2]
            brush.stroke(mirrored(line, side), widths, (0.085, 0.055, 0.048), 0.93)
            for lash in lashes:
                brush.stroke(mirrored(lash, side), [1.1, 0.8, 0.12], (0.085, 0.055, 0.048), 0.62)
            for index, length in enumerate(lower_lashes):
                along = 0.20 + 0.74 * index / (len(lower_lashes) - 1)
                root = lower[int(along * (len(lower) - 1))] + [0, 1.3]
                tip = root + [(along - 0.35) * 3.0, length]
                hair = mirrored(np.linspace(root, tip, 4), side)
                brush.stroke(hair, [0.5, 0.1], (0.16, 0.10, 0.09), 0.30)

    return canvas.draw(paint, 0.28)
