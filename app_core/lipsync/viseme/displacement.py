"""Where each part of a face goes for one mouth: displacements at the nodes of a coarse grid.

Above the line between the lips a pixel follows the upper layer (nose to upper lip), below it the
lower layer (lower lip to neck), so each lip's edge is a cut and not a smear.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from app_core.kernels import kernel
from app_core.lipsync.viseme.curves import bell, smoothstep, unit
from app_core.lipsync.viseme.geometry import (
    ASIDE,
    BY_LOWER_INNER,
    BY_LOWER_OUTER,
    BY_UPPER_INNER,
    BY_UPPER_OUTER,
    CHIN_DROP,
    COLUMNS,
    LOWER_INNER,
    LOWER_OUTER,
    OWN_ASIDE,
    OWN_CHIN,
    OWN_LOWER_INNER,
    OWN_LOWER_OUTER,
    OWN_UPPER_INNER,
    OWN_UPPER_OUTER,
    TO_LOWER_INNER,
    TO_LOWER_OUTER,
    TO_UPPER_INNER,
    TO_UPPER_OUTER,
    UPPER_INNER,
    UPPER_OUTER,
    Measures,
    Shape,
)

if TYPE_CHECKING:
    from app_core.lipsync.viseme.pose import Pose
    from app_core.types import Float32

# Values of a node: where the source lies (x, y in pixels of the picture) for the upper and for
# the lower layer, how far below the line between the lips the node is, and its shadow 0..1.
UPPER_X, UPPER_Y, LOWER_X, LOWER_Y, BELOW, SHADOW = range(6)
FAINT = 2e-3
"""A shadow that no pixel shows."""


@kernel
def displace(
    pose: Pose,
    cell: int,
    measures: Measures,
    shape: Shape,
    table: Float32,
    curves: Float32,
    own: Float32,
    strength: float,
) -> Float32:
    """(rows, columns, 6): the nodes, ``cell`` pixels apart from the region's first pixel on.

    ``strength`` (0..1) is how much of the way from the picture's own mouth to the neutral one,
    whose ``curves`` are given, is gone; ``own`` is empty where there is none to go.
    """
    rows = (pose.bottom - pose.top + cell - 1) // cell + 1
    columns = (pose.right - pose.left + cell - 1) // cell + 1
    nodes = np.empty((rows, columns, 6), np.float32)
    shrink = 1.0 / (pose.cos * pose.cos + pose.sin * pose.sin)
    has_own = own.shape[0] > 0
    for row in range(rows):
        y = pose.top + row * cell + 0.5 - pose.y
        for column in range(columns):
            x = pose.left + column * cell + 0.5 - pose.x
            u = (pose.cos * x + pose.sin * y) * shrink
            v = (pose.cos * y - pose.sin * x) * shrink
            aside, upper, lower, line, shadow = _at(u, v, measures, shape, table)
            upper_aside, lower_aside = aside, aside
            if has_own:
                more, down = _own_upper(u + aside, v - upper, measures, curves, own)
                upper_aside += strength * more
                upper -= strength * down
                more, down = _own_lower(u + aside, v - lower, measures, curves, own)
                lower_aside += strength * more
                lower -= strength * down
            node = nodes[row, column]
            node[UPPER_X] = pose.cos * upper_aside + pose.sin * upper
            node[UPPER_Y] = pose.sin * upper_aside - pose.cos * upper
            node[LOWER_X] = pose.cos * lower_aside + pose.sin * lower
            node[LOWER_Y] = pose.sin * lower_aside - pose.cos * lower
            node[BELOW] = v - line
            node[SHADOW] = shadow
    return nodes


@kernel
def _own_upper(
    u: float, v: float, measures: Measures, curves: Float32, own: Float32
) -> tuple[float, float]:
    """How far aside and down a point of the neutral face's upper layer is in the picture."""
    h, w0, au = measures.chin, measures.half_width, abs(u)
    at = min(max((u - measures.first_x) / measures.column_step, 0.0), COLUMNS - 1.001)
    k = int(at)
    f = at - k
    outer = curves[UPPER_OUTER, k] * (1 - f) + curves[UPPER_OUTER, k + 1] * f
    down = own[OWN_UPPER_OUTER, k] * (1 - f) + own[OWN_UPPER_OUTER, k + 1] * f
    if v <= outer:
        cheek = smoothstep((au - 0.40 * w0) / (0.75 * w0))
        roof = 0.97 * measures.nose * (1 - cheek) - 0.98 * h * cheek
        down *= smoothstep((v - roof) / (outer - roof))
    else:
        inner = curves[UPPER_INNER, k] * (1 - f) + curves[UPPER_INNER, k + 1] * f
        inner_down = own[OWN_UPPER_INNER, k] * (1 - f) + own[OWN_UPPER_INNER, k + 1] * f
        down += (inner_down - down) * unit((v - outer) / max(inner - outer, 1e-3))
    return _own_aside(u, v, k, f, measures, own), down


@kernel
def _own_lower(
    u: float, v: float, measures: Measures, curves: Float32, own: Float32
) -> tuple[float, float]:
    h = measures.chin
    at = min(max((u - measures.first_x) / measures.column_step, 0.0), COLUMNS - 1.001)
    k = int(at)
    f = at - k
    chin = own[OWN_CHIN, k] * (1 - f) + own[OWN_CHIN, k + 1] * f
    floor = 0.93 * h
    if v > floor:
        down = chin * (1 - smoothstep((v - floor) / (measures.neck - floor)))
        return _own_aside(u, v, k, f, measures, own), down
    outer = curves[LOWER_OUTER, k] * (1 - f) + curves[LOWER_OUTER, k + 1] * f
    down = own[OWN_LOWER_OUTER, k] * (1 - f) + own[OWN_LOWER_OUTER, k + 1] * f
    if v > outer:
        down += (chin - down) * smoothstep((v - outer) / max(floor - outer, 1.0))
    else:
        inner = curves[LOWER_INNER, k] * (1 - f) + curves[LOWER_INNER, k + 1] * f
        inner_down = own[OWN_LOWER_INNER, k] * (1 - f) + own[OWN_LOWER_INNER, k + 1] * f
        down = inner_down + (down - inner_down) * unit((v - inner) / max(outer - inner, 1e-3))
    return _own_aside(u, v, k, f, measures, own), down


@kernel
def _own_aside(u: float, v: float, k: int, f: float, measures: Measures, own: Float32) -> float:
    h, w0, au = measures.chin, measures.half_width, abs(u)
    aside = own[OWN_ASIDE, k] * (1 - f) + own[OWN_ASIDE, k + 1] * f
    if v < 0:
        cheek = smoothstep((au - 0.40 * w0) / (0.75 * w0))
        roof = 0.97 * measures.nose * (1 - cheek) - 0.98 * h * cheek
        aside *= 1 - smoothstep(v / roof)
    else:
        aside *= 1 - smoothstep((v - 0.32 * h) / (0.62 * h))
    if aside != 0.0:
        aside *= _within_contour(au, v, measures)
    return float(aside)


@kernel
def _at(
    u: float, v: float, measures: Measures, shape: Shape, table: Float32
) -> tuple[float, float, float, float, float]:
    """How far aside the source of (u, v) lies, how far down the content of each layer moved,
    the height of the line between the lips and the shadow."""
    h, w0, au = measures.chin, measures.half_width, abs(u)
    at = (u - measures.first_x) / measures.column_step
    at = min(max(at, 0.0), COLUMNS - 1.001)
    k = int(at)
    f = at - k
    to_uo = table[TO_UPPER_OUTER, k] * (1 - f) + table[TO_UPPER_OUTER, k + 1] * f
    to_ui = table[TO_UPPER_INNER, k] * (1 - f) + table[TO_UPPER_INNER, k + 1] * f
    to_li = table[TO_LOWER_INNER, k] * (1 - f) + table[TO_LOWER_INNER, k + 1] * f
    to_lo = table[TO_LOWER_OUTER, k] * (1 - f) + table[TO_LOWER_OUTER, k + 1] * f

    cheek = smoothstep((au - 0.40 * w0) / (0.75 * w0))
    roof = 0.97 * measures.nose * (1 - cheek) - 0.98 * h * cheek
    by_uo = table[BY_UPPER_OUTER, k] * (1 - f) + table[BY_UPPER_OUTER, k + 1] * f
    if v <= to_uo:
        upper = by_uo * smoothstep((v - roof) / (to_uo - roof))
    else:
        by_ui = table[BY_UPPER_INNER, k] * (1 - f) + table[BY_UPPER_INNER, k + 1] * f
        upper = by_uo + (by_ui - by_uo) * unit((v - to_uo) / max(to_ui - to_uo, 1e-3))

    drop = table[CHIN_DROP, k] * (1 - f) + table[CHIN_DROP, k + 1] * f
    floor = 0.93 * h + drop
    if v > floor:
        lower = drop * (1 - smoothstep((v - floor) / (measures.neck - floor)))
    else:
        by_lo = table[BY_LOWER_OUTER, k] * (1 - f) + table[BY_LOWER_OUTER, k + 1] * f
        if v > to_lo:
            lower = by_lo + (drop - by_lo) * smoothstep((v - to_lo) / max(floor - to_lo, 1.0))
        else:
            by_li = table[BY_LOWER_INNER, k] * (1 - f) + table[BY_LOWER_INNER, k + 1] * f
            lower = by_li + (by_lo - by_li) * unit((v - to_li) / max(to_lo - to_li, 1e-3))

    aside = table[ASIDE, k] * (1 - f) + table[ASIDE, k + 1] * f
    if v < 0:
        aside *= 1 - smoothstep(v / roof)
    else:
        aside *= 1 - smoothstep((v - 0.32 * h) / (0.62 * h))
    if aside != 0.0:
        aside *= _within_contour(au, v, measures)
    return aside, upper, lower, 0.5 * (to_ui + to_li), _shadow(au, v, to_lo, measures, shape)


@kernel
def _within_contour(au: float, v: float, measures: Measures) -> float:
    """1 inside the face, fading to 0 short of its outline: an ellipse through jaw and chin."""
    h = measures.chin
    depth = (v + h) / (2 * h)
    jaw_depth = min((measures.jaw_level + h) / (2 * h), 0.95)
    spread = max(1 - depth * depth, 0.0) / (1 - jaw_depth * jaw_depth)
    edge = 0.85 * measures.jaw * np.sqrt(spread)
    return smoothstep((edge - au) / (0.6 * edge + 1e-3))


@kernel
def _shadow(au: float, v: float, to_lo: float, measures: Measures, shape: Shape) -> float:
    h, w0, w1 = measures.chin, measures.half_width, shape.half_width
    across, down = (au - w1) / (0.10 * w0), (v - shape.corner) / (0.075 * h)
    shadow = bell(across * across + down * down) * (
        0.30 * shape.open + 0.10 * shape.round + 0.15 * shape.close
    )
    below_lip = 0.10 * shape.round + 0.05 * shape.close + 0.10 * shape.tuck
    if below_lip > FAINT:
        across, down = au / (0.62 * w1), (v - to_lo - 0.07 * h) / (0.06 * h)
        shadow += below_lip * bell(across * across + down * down)
    crease = 0.10 * max(shape.wide, 0.0) + 0.05 * shape.open
    if crease > FAINT:
        nose = measures.nose
        away = au - w0 * (0.80 + 0.42 * unit((v - nose) / (0.5 * h - nose)))
        away /= 0.085 * w0
        along = smoothstep((v - nose) / (-0.6 * nose)) * smoothstep((0.25 * h - v) / (0.4 * h))
        shadow += crease * along * bell(away * away)
    return min(shadow, 0.85)
