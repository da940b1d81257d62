"""From the neutral mouth to the one that a picture really has.

The engine moves the lips of a closed mouth. A picture in which they are open, smile or talk has
its own table: for each place on the neutral lips, how far from it the picture's own lips are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from app_core.kernels import kernel
from app_core.landmarks import LIP_POINTS
from app_core.lipsync.viseme.curves import pchip, smoothstep, tap
from app_core.lipsync.viseme.geometry import (
    COLUMNS,
    OWN_ASIDE,
    OWN_CHIN,
    OWN_ROWS,
    OWN_UPPER_OUTER,
    Measures,
)

if TYPE_CHECKING:
    from app_core.types import Float32, UInt8

NO_TABLE = np.zeros((0, COLUMNS), np.float32)

_STEPS = 24
"""Looks between a lip's inner and outer edge, for teeth beyond the inner one."""
_DEEPEST = 0.6
"""The part of the lip that may turn out to be teeth."""
_FAINT = 5.0
"""Lips that are not redder than the teeth by more than this (of V) are not told from them."""
_TOUCHING = 0.006
"""A gap in chin heights that is none."""
_DARK = 0.55
"""The part of the lip's light below which it is the mouth's inside."""
_PALE = 0.75
"""The part of the lip's light from which on something may be teeth."""
_BREAK = 0.12
"""How much of the lip's thickness may look like lip between two places that do not."""
_FEW = 3
"""So many points with teeth are chance."""
_MARGIN = 0.04
"""How much further the lip begins than where its inside ends."""


@kernel
def own_table(lips: np.ndarray, curves: Float32, measures: Measures, chin: float) -> Float32:
    """(OWN_ROWS, COLUMNS). ``lips`` (4, LIP_POINTS, 2) and ``chin`` are the picture's own, in the
    frame of the neutral face, whose curves and measures the others are."""
    table = np.zeros((OWN_ROWS, COLUMNS), np.float32)
    w0, jaw = measures.half_width, measures.jaw
    left_x, left_y = lips[0, 0, 0], lips[0, 0, 1]
    right_x, right_y = lips[0, LIP_POINTS - 1, 0], lips[0, LIP_POINTS - 1, 1]
    left_x, right_x = min(left_x, -0.3 * w0), max(right_x, 0.3 * w0)
    rate = (right_x - left_x) / (2 * w0)
    center = 0.5 * (left_x + right_x)
    widest = max(w0, max(right_x, -left_x))
    reach = max(min(1.75 * w0, 0.80 * jaw), 1.25 * widest)
    fade = max(reach, 0.95 * jaw)
    places = np.empty(COLUMNS)
    for k in range(COLUMNS):
        x = measures.first_x + measures.column_step * k
        ax = abs(x)
        side = 1.0 if x > 0 else -1.0
        if ax <= w0:
            places[k] = center + rate * x
        elif ax < reach:
            t = (ax - w0) / (reach - w0)
            s = 1.0 - t
            off = (right_x if x > 0 else -left_x) - w0
            slope = min(max(rate, 0.7), 1.35) - 1.0
            off = off * (1 + 2 * t) * s * s + slope * (reach - w0) * t * s * s
            places[k] = side * (ax + off)
        else:
            places[k] = x
        table[OWN_ASIDE, k] = places[k] - x
        table[OWN_CHIN, k] = (chin - measures.chin) * smoothstep(
            1.0 - (ax - 0.42 * jaw) / (0.66 * jaw)
        )
    across, down = np.empty(LIP_POINTS), np.empty(LIP_POINTS)
    for row in range(4):
        count = 0
        for point in np.argsort(lips[row, :, 0]):
            if count == 0 or lips[row, point, 0] - across[count - 1] > 1e-3:
                across[count], down[count] = lips[row, point, 0], lips[row, point, 1]
                count += 1
        found = pchip(across[:count], down[:count], places)
        for k in range(COLUMNS):
            x = measures.first_x + measures.column_step * k
            ax = abs(x)
            if ax < w0:
                table[OWN_UPPER_OUTER + row, k] = found[k] - curves[row, k]
            elif ax < fade:
                corner = right_y if x > 0 else left_y
                away = smoothstep(1.0 - (ax - w0) / (fade - w0))
                table[OWN_UPPER_OUTER + row, k] = corner * away
    return table


@kernel
def peel(
    planes: tuple[UInt8, UInt8, UInt8],
    place: tuple[float, float, float, float],
    lips: np.ndarray,
    chin: float,
) -> float:
    """Moves the inner edges in ``lips`` to where the lips really end, and says how far they are
    parted, 0..1.

    Landmarks put the edge of an open lip some pixels into the teeth, which would then move with
    it; and they part closed lips, whose own dark line would then be lost between the edges.
    """
    widest = 0.0
    for point in range(2, LIP_POINTS - 2):
        widest = max(widest, lips[2, point, 1] - lips[1, point, 1])
    if widest < _TOUCHING * chin:
        return 0.0
    parted = smoothstep((widest / max(chin, 1.0) - 0.05) / 0.05)
    if parted < 1.0:
        _settle(planes, place, lips, 1.0 - parted)
    tooth = _least_red(planes, place, lips)
    deep = np.zeros((2, LIP_POINTS))
    teeth = 0
    for point in range(1, LIP_POINTS - 1):
        deep[0, point] = _teeth_beyond(planes, place, lips, 1, 0, point, tooth, parted)
        deep[1, point] = _teeth_beyond(planes, place, lips, 2, 3, point, tooth, parted)
        if max(deep[0, point], deep[1, point]) > 0.12:
            teeth += 1
    parted = max(parted, smoothstep((teeth - _FEW) / _FEW))
    for lip, inner, outer in ((0, 1, 0), (1, 2, 3)):
        for point in range(1, LIP_POINTS - 1):
            mean = 0.25 * deep[lip, point - 1] + 0.25 * deep[lip, point + 1]
            mean = parted * max(mean + 0.5 * deep[lip, point], 0.75 * deep[lip, point])
            for axis in range(2):
                lips[inner, point, axis] += mean * (
                    lips[outer, point, axis] - lips[inner, point, axis]
                )
    return parted


@kernel
def _least_red(
    planes: tuple[UInt8, UInt8, UInt8],
    place: tuple[float, float, float, float],
    lips: np.ndarray,
) -> float:
    """V of the palest thing between the lips that is about as light as they are; 255 if none."""
    tooth = 255.0
    for point in range(2, LIP_POINTS - 2):
        x = 0.5 * (lips[0, point, 0] + lips[1, point, 0])
        y = 0.5 * (lips[0, point, 1] + lips[1, point, 1])
        light = _PALE * (_value(planes[0], 1.0, place, x, y) - 16.0) + 16.0
        for step in range(9):
            part = 1.5 * step / 8 - 0.25
            if _between(planes[0], 1.0, place, lips, point, part) >= light:
                tooth = min(tooth, _between(planes[2], 0.5, place, lips, point, part))
    return tooth


@kernel
def _settle(
    planes: tuple[UInt8, UInt8, UInt8],
    place: tuple[float, float, float, float],
    lips: np.ndarray,
    share: float,
) -> None:
    """Draws both inner edges ``share`` of the way to the darkest line between them."""
    found = np.full(LIP_POINTS, 0.5)
    light = np.empty(_STEPS + 1)
    for point in range(1, LIP_POINTS - 1):
        total, weighed = 1e-6, 0.5e-6
        darkest, lightest = 255.0, 0.0
        for step in range(_STEPS + 1):
            part = 1.6 * step / _STEPS - 0.3
            light[step] = _between(planes[0], 1.0, place, lips, point, part)
            darkest, lightest = min(darkest, light[step]), max(lightest, light[step])
        for step in range(_STEPS + 1):
            part = 1.6 * step / _STEPS - 0.3
            depth = max(lightest - light[step] - 0.6 * (lightest - darkest), 0.0) ** 2
            total += depth
            weighed += depth * part
        trust = min((lightest - darkest) / 12.0, 1.0)
        found[point] = 0.5 + trust * (weighed / total - 0.5)
    for point in range(1, LIP_POINTS - 1):
        near, mean = 0.0, 0.0
        for other in range(max(point - 2, 0), min(point + 3, LIP_POINTS)):
            weight = 3.0 - abs(other - point)
            near += weight
            mean += weight * found[other]
        mean /= near
        for axis in range(2):
            line = lips[1, point, axis] * (1 - mean) + lips[2, point, axis] * mean
            lips[1, point, axis] += share * (line - lips[1, point, axis])
            lips[2, point, axis] += share * (line - lips[2, point, axis])


@kernel
def _between(
    plane: UInt8,
    scale: float,
    place: tuple[float, float, float, float],
    lips: np.ndarray,
    point: int,
    part: float,
) -> float:
    x = lips[1, point, 0] * (1 - part) + lips[2, point, 0] * part
    y = lips[1, point, 1] * (1 - part) + lips[2, point, 1] * part
    return _value(plane, scale, place, x, y)


@kernel
def _teeth_beyond(
    planes: tuple[UInt8, UInt8, UInt8],
    place: tuple[float, float, float, float],
    lips: np.ndarray,
    inner: int,
    outer: int,
    point: int,
    tooth: float,
    parted: float,
) -> float:
    """The part of the way from the inner to the outer edge that is not lip. ``tooth``: V of the
    least red part of the mouth's inside."""
    x, y = lips[inner, point]
    to_x, to_y = lips[outer, point, 0] - x, lips[outer, point, 1] - y
    red, luma = 0.0, 0.0
    for part in (0.45, 0.55, 0.65, 0.75):
        at_x, at_y = x + part * to_x, y + part * to_y
        red = max(red, _value(planes[2], 0.5, place, at_x, at_y))
        luma = max(luma, _value(planes[0], 1.0, place, at_x, at_y))
    faint = _FAINT + (1.0 - parted) * _FAINT
    pale = 0.0 if red - tooth < faint else 0.40 * tooth + 0.60 * red
    light, dark = 16.0 + _PALE * (luma - 16.0), 16.0 + _DARK * parted * (luma - 16.0)
    last = -1.0
    for step in range(_STEPS + 1):
        part = _DEEPEST * step / _STEPS
        if part - max(last, 0.0) > _BREAK:
            break
        at_x, at_y = x + part * to_x, y + part * to_y
        here = _value(planes[0], 1.0, place, at_x, at_y)
        if here < dark or (here >= light and _value(planes[2], 0.5, place, at_x, at_y) < pale):
            last = part
    return last + _MARGIN if last > 0.0 else 0.0


@kernel
def _value(
    plane: UInt8, scale: float, place: tuple[float, float, float, float], x: float, y: float
) -> float:
    """Of a plane with ``scale`` pixels a picture pixel, at a point of the face's frame."""
    left, top, cos, sin = place
    column = scale * (left + cos * x - sin * y) - 0.5
    row = scale * (top + sin * x + cos * y) - 0.5
    return tap(plane, column, row)
