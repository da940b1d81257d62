"""Moves the skin and the lips of a picture by displacements that are linear between nodes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from app_core.kernels import inlined, kernel
from app_core.lipsync.viseme.curves import tap
from app_core.lipsync.viseme.displacement import (
    BELOW,
    FAINT,
    LOWER_X,
    LOWER_Y,
    SHADOW,
    UPPER_X,
    UPPER_Y,
)
from app_core.lipsync.viseme.shading import SHADOW_U, SHADOW_V, SHADOW_Y, shade_chroma

if TYPE_CHECKING:
    from app_core.lipsync.viseme.pose import Pose
    from app_core.types import Float32, UInt8

_STILL = 1e-3
"""A displacement in pixels that no pixel shows."""


@kernel
def warp_skin(
    source: tuple[UInt8, UInt8, UInt8],
    target: tuple[UInt8, UInt8, UInt8],
    pose: Pose,
    cell: int,
    nodes: Float32,
    colour: float,
) -> None:
    """``source`` and ``target`` are Y, U, V; ``target`` starts as a copy of ``source``.

    ``nodes`` is (rows, columns, 6), ``cell`` pixels apart, as ``displacement`` makes them;
    ``colour`` (0..1): how warm shadows are.
    """
    for row in range(nodes.shape[0] - 1):
        top = pose.top + row * cell
        bottom = min(top + cell, pose.bottom)
        for column in range(nodes.shape[1] - 1):
            left = pose.left + column * cell
            right = min(left + cell, pose.right)
            nw, ne = nodes[row, column], nodes[row, column + 1]
            sw, se = nodes[row + 1, column], nodes[row + 1, column + 1]
            if _is_still(nw) and _is_still(ne) and _is_still(sw) and _is_still(se):
                continue
            _warp_cell(source, target, nw, ne, sw, se, 1.0 / cell, left, top, right, bottom, colour)


@kernel
def _is_still(node: Float32) -> bool:
    moved = abs(node[UPPER_X]) + abs(node[LOWER_X])
    moved += max(abs(node[UPPER_Y]), abs(node[LOWER_Y]))
    return bool(moved < _STILL and node[SHADOW] < FAINT)


@kernel
def _warp_cell(
    source: tuple[UInt8, UInt8, UInt8],
    target: tuple[UInt8, UInt8, UInt8],
    nw: Float32,
    ne: Float32,
    sw: Float32,
    se: Float32,
    step: float,
    left: int,
    top: int,
    right: int,
    bottom: int,
    colour: float,
) -> None:
    luma, blue, red = source
    to_luma, to_blue, to_red = target
    lowest = min(min(nw[BELOW], ne[BELOW]), min(sw[BELOW], se[BELOW]))
    highest = max(max(nw[BELOW], ne[BELOW]), max(sw[BELOW], se[BELOW]))
    mixed = lowest < 0 < highest
    layer = LOWER_X if lowest >= 0 else UPPER_X
    shaded = max(max(nw[SHADOW], ne[SHADOW]), max(sw[SHADOW], se[SHADOW])) > FAINT
    for row in range(top, bottom, 2):
        fy = (row - top + 0.5) * step
        for col in range(left, right, 2):
            fx = (col - left + 0.5) * step
            if mixed:
                layer = LOWER_X if _mix(nw, ne, sw, se, BELOW, fx, fy) >= 0 else UPPER_X
            half_x = 0.5 * (col + _mix(nw, ne, sw, se, layer, fx, fy))
            half_y = 0.5 * (row + _mix(nw, ne, sw, se, layer + 1, fx, fy))
            u = tap(blue, half_x, half_y) - 128.0
            v = tap(red, half_x, half_y) - 128.0
            warmth = SHADOW_U * u + SHADOW_V * v
            block = 0.0
            for y in range(row, row + 2):
                at_y = (y - top) * step
                for x in range(col, col + 2):
                    at_x = (x - left) * step
                    if mixed:
                        under = _mix(nw, ne, sw, se, BELOW, at_x, at_y) >= 0
                        layer = LOWER_X if under else UPPER_X
                    value = tap(
                        luma,
                        x + _mix(nw, ne, sw, se, layer, at_x, at_y),
                        y + _mix(nw, ne, sw, se, layer + 1, at_x, at_y),
                    )
                    block += value
                    if shaded:
                        k = _mix(nw, ne, sw, se, SHADOW, at_x, at_y)
                        value -= k * (SHADOW_Y * (value - 16.0) + warmth)
                    to_luma[y, x] = np.uint8(value + 0.5)
            if shaded:
                k = _mix(nw, ne, sw, se, SHADOW, fx, fy)
                u, v = shade_chroma(0.25 * block - 16.0, u, v, k, colour)
            to_blue[row // 2, col // 2] = np.uint8(u + 128.5)
            to_red[row // 2, col // 2] = np.uint8(v + 128.5)


@inlined
def _mix(nw: Float32, ne: Float32, sw: Float32, se: Float32, k: int, fx: float, fy: float) -> float:
    top = nw[k] + (ne[k] - nw[k]) * fx
    bottom = sw[k] + (se[k] - sw[k]) * fx
    return float(top + (bottom - top) * fy)
