"""Moves the skin and the lips of a picture: one pass over the region that can change.

The displacement is computed at nodes, one every CELL pixels, and is bilinear in between. Above
the line between the lips a pixel follows the upper layer (nose to upper lip), below it the lower
layer (lower lip to neck), so each lip's edge is a cut and not a smear.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numba
import numpy as np

from app_core.lipsync.viseme.curves import bell, smoothstep, unit
from app_core.lipsync.viseme.geometry import (
    ASIDE,
    BY_LOWER_INNER,
    BY_LOWER_OUTER,
    BY_UPPER_INNER,
    BY_UPPER_OUTER,
    CHIN_DROP,
    COLUMNS,
    TO_LOWER_INNER,
    TO_LOWER_OUTER,
    TO_UPPER_INNER,
    TO_UPPER_OUTER,
    Measures,
    Shape,
)

if TYPE_CHECKING:
    from app_core.lipsync.viseme.rig import Pose
    from app_core.types import Float32, UInt8

CELL = 4
# Values of a node: where the source lies (x, y in pixels of the picture) for the upper and for
# the lower layer, how far below the line between the lips the node is, and its shadow 0..1.
_UPPER_X, _UPPER_Y, _LOWER_X, _LOWER_Y, _BELOW, _SHADOW = range(6)
_STILL = 1e-3
_FAINT = 2e-3

# A shadow k takes 0.72 k of R, 0.855 k of G and 0.90 k of B. In full-range YUV (BT.601) that is
# Y' = Y - k S, U' = U - 0.564 k (0.90 B - S), V' = V - 0.713 k (0.72 R - S) with
# S = 0.81977 Y + 0.00909 U - 0.0566 V. The factors below are the same for tv range.
SHADOW_Y, SHADOW_U, SHADOW_V = 0.819765, 0.00909 * 219 / 224, -0.0566 * 219 / 224
LUMA_SCALE = 255 / 219
CHROMA_SCALE = 255 / 224


@numba.njit(nogil=True, cache=True, fastmath=True)
def warp_skin(
    source: tuple[UInt8, UInt8, UInt8],
    target: tuple[UInt8, UInt8, UInt8],
    pose: Pose,
    measures: Measures,
    shape: Shape,
    table: Float32,
) -> None:
    """``source`` and ``target`` are Y, U, V; ``target`` starts as a copy of ``source``."""
    columns = (pose.right - pose.left + CELL - 1) // CELL + 1
    above = np.empty((columns, 6), np.float32)
    below = np.empty((columns, 6), np.float32)
    _fill_nodes(below, pose.top, pose, measures, shape, table)
    for top in range(pose.top, pose.bottom, CELL):
        above, below = below, above
        _fill_nodes(below, top + CELL, pose, measures, shape, table)
        bottom = min(top + CELL, pose.bottom)
        for column in range(columns - 1):
            if _is_still(above, below, column):
                continue
            left = pose.left + column * CELL
            right = min(left + CELL, pose.right)
            _warp_cell(source, target, above, below, column, left, top, right, bottom)


@numba.njit(nogil=True, fastmath=True, cache=True)
def _fill_nodes(
    nodes: Float32, row: int, pose: Pose, measures: Measures, shape: Shape, table: Float32
) -> None:
    shrink = 1.0 / (pose.cos * pose.cos + pose.sin * pose.sin)
    for column in range(nodes.shape[0]):
        x = pose.left + column * CELL + 0.5 - pose.x
        y = row + 0.5 - pose.y
        u = (pose.cos * x + pose.sin * y) * shrink
        v = (pose.cos * y - pose.sin * x) * shrink
        aside, upper, lower, line, shadow = _displace(u, v, measures, shape, table)
        nodes[column, _UPPER_X] = pose.cos * aside + pose.sin * upper
        nodes[column, _UPPER_Y] = pose.sin * aside - pose.cos * upper
        nodes[column, _LOWER_X] = pose.cos * aside + pose.sin * lower
        nodes[column, _LOWER_Y] = pose.sin * aside - pose.cos * lower
        nodes[column, _BELOW] = v - line
        nodes[column, _SHADOW] = shadow


@numba.njit(nogil=True, fastmath=True, cache=True)
def _displace(
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


@numba.njit(nogil=True, fastmath=True, cache=True)
def _within_contour(au: float, v: float, measures: Measures) -> float:
    """1 inside the face, fading to 0 short of its outline: an ellipse through jaw and chin."""
    h = measures.chin
    depth = (v + h) / (2 * h)
    jaw_depth = min((measures.jaw_level + h) / (2 * h), 0.95)
    spread = max(1 - depth * depth, 0.0) / (1 - jaw_depth * jaw_depth)
    edge = 0.85 * measures.jaw * np.sqrt(spread)
    return smoothstep((edge - au) / (0.6 * edge + 1e-3))


@numba.njit(nogil=True, fastmath=True, cache=True)
def _shadow(au: float, v: float, to_lo: float, measures: Measures, shape: Shape) -> float:
    h, w0, w1 = measures.chin, measures.half_width, shape.half_width
    across, down = (au - w1) / (0.10 * w0), (v - shape.corner) / (0.075 * h)
    shadow = bell(across * across + down * down) * (
        0.30 * shape.open + 0.10 * shape.round + 0.15 * shape.close
    )
    below_lip = 0.10 * shape.round + 0.05 * shape.close + 0.10 * shape.tuck
    if below_lip > _FAINT:
        across, down = au / (0.62 * w1), (v - to_lo - 0.07 * h) / (0.06 * h)
        shadow += below_lip * bell(across * across + down * down)
    crease = 0.10 * max(shape.wide, 0.0) + 0.05 * shape.open
    if crease > _FAINT:
        nose = measures.nose
        away = au - w0 * (0.80 + 0.42 * unit((v - nose) / (0.5 * h - nose)))
        away /= 0.085 * w0
        along = smoothstep((v - nose) / (-0.6 * nose)) * smoothstep((0.25 * h - v) / (0.4 * h))
        shadow += crease * along * bell(away * away)
    return min(shadow, 0.85)


@numba.njit(nogil=True, fastmath=True, cache=True)
def _is_still(above: Float32, below: Float32, column: int) -> bool:
    for corner in (above[column], above[column + 1], below[column], below[column + 1]):
        moved = abs(corner[_UPPER_X]) + abs(corner[_LOWER_X])
        moved += max(abs(corner[_UPPER_Y]), abs(corner[_LOWER_Y]))
        if moved > _STILL or corner[_SHADOW] > _FAINT:
            return False
    return True


@numba.njit(nogil=True, fastmath=True, cache=True)
def _warp_cell(
    source: tuple[UInt8, UInt8, UInt8],
    target: tuple[UInt8, UInt8, UInt8],
    above: Float32,
    below: Float32,
    column: int,
    left: int,
    top: int,
    right: int,
    bottom: int,
) -> None:
    luma, blue, red = source
    to_luma, to_blue, to_red = target
    nw, ne = above[column], above[column + 1]
    sw, se = below[column], below[column + 1]
    lowest = min(min(nw[_BELOW], ne[_BELOW]), min(sw[_BELOW], se[_BELOW]))
    highest = max(max(nw[_BELOW], ne[_BELOW]), max(sw[_BELOW], se[_BELOW]))
    mixed = lowest < 0 < highest
    layer = _LOWER_X if lowest >= 0 else _UPPER_X
    shaded = max(max(nw[_SHADOW], ne[_SHADOW]), max(sw[_SHADOW], se[_SHADOW])) > _FAINT
    for row in range(top, bottom, 2):
        for col in range(left, right, 2):
            fx, fy = (col + 0.5 - left) / CELL, (row + 0.5 - top) / CELL
            if mixed:
                layer = _LOWER_X if _mix(nw, ne, sw, se, _BELOW, fx, fy) >= 0 else _UPPER_X
            half_x = 0.5 * (col + _mix(nw, ne, sw, se, layer, fx, fy))
            half_y = 0.5 * (row + _mix(nw, ne, sw, se, layer + 1, fx, fy))
            u = _tap(blue, half_x, half_y) - 128.0
            v = _tap(red, half_x, half_y) - 128.0
            block = 0.0
            for y in range(row, row + 2):
                fy = (y - top) / CELL
                for x in range(col, col + 2):
                    fx = (x - left) / CELL
                    if mixed:
                        below_line = _mix(nw, ne, sw, se, _BELOW, fx, fy) >= 0
                        layer = _LOWER_X if below_line else _UPPER_X
                    from_x = x + _mix(nw, ne, sw, se, layer, fx, fy)
                    from_y = y + _mix(nw, ne, sw, se, layer + 1, fx, fy)
                    value = _tap(luma, from_x, from_y)
                    if shaded:
                        k = _mix(nw, ne, sw, se, _SHADOW, fx, fy)
                        block += value - 16.0
                        value -= k * (SHADOW_Y * (value - 16.0) + SHADOW_U * u + SHADOW_V * v)
                    to_luma[y, x] = np.uint8(max(value, 0.0) + 0.5)
            if shaded:
                k = _mix(
                    nw, ne, sw, se, _SHADOW, (col + 0.5 - left) / CELL, (row + 0.5 - top) / CELL
                )
                u, v = shade_chroma(0.25 * block, u, v, k)
            to_blue[row // 2, col // 2] = np.uint8(u + 128.5)
            to_red[row // 2, col // 2] = np.uint8(v + 128.5)


@numba.njit(nogil=True, fastmath=True, inline="always")
def shade_chroma(y: float, u: float, v: float, k: float) -> tuple[float, float]:
    """Centred U and V under a shadow ``k``; ``y`` above black, before the shadow."""
    full_y = LUMA_SCALE * y
    blue = full_y + 1.772 * CHROMA_SCALE * u
    red = full_y + 1.402 * CHROMA_SCALE * v
    taken = LUMA_SCALE * (SHADOW_Y * y + SHADOW_U * u + SHADOW_V * v)
    return (
        u - k * 0.564 / CHROMA_SCALE * (0.90 * blue - taken),
        v - k * 0.713 / CHROMA_SCALE * (0.72 * red - taken),
    )


@numba.njit(nogil=True, fastmath=True, inline="always")
def _mix(nw: Float32, ne: Float32, sw: Float32, se: Float32, k: int, fx: float, fy: float) -> float:
    top = nw[k] + (ne[k] - nw[k]) * fx
    return float(top + (sw[k] + (se[k] - sw[k]) * fx - top) * fy)


@numba.njit(nogil=True, fastmath=True, inline="always")
def _tap(plane: UInt8, x: float, y: float) -> float:
    """Linear; pixel centres are at whole numbers, outside the plane its edge goes on."""
    x = min(max(x, 0.0), plane.shape[1] - 1.001)
    y = min(max(y, 0.0), plane.shape[0] - 1.001)
    left, top = int(x), int(y)
    fx, fy = x - left, y - top
    upper = plane[top, left] * (1 - fx) + plane[top, left + 1] * fx
    lower = plane[top + 1, left] * (1 - fx) + plane[top + 1, left + 1] * fx
    return float(upper * (1 - fy) + lower * fy)
