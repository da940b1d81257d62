"""Curves through points, and the small functions that the kernels share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from app_core.kernels import inlined, kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from app_core.types import Float32, UInt8

    Float64 = NDArray[np.float64]


@kernel
def pchip(x: Float64, y: Float64, at: Float64) -> Float32:
    """Monotone cubic interpolation; outside the points the end values hold.

    ``x`` rises strictly. Slopes after F. N. Fritsch and J. Butland, "A method for constructing
    local monotone piecewise cubic interpolants", SIAM J. Sci. Stat. Comput. 5 (1984), with the
    one-sided three-point rule at the ends.
    """
    count = len(x)
    width, secant, slope = np.empty(count - 1), np.empty(count - 1), np.empty(count)
    for k in range(count - 1):
        width[k] = x[k + 1] - x[k]
        secant[k] = (y[k + 1] - y[k]) / width[k]
    if count == 2:
        slope[0] = slope[1] = secant[0]
    else:
        for k in range(1, count - 1):
            before, after = secant[k - 1], secant[k]
            slope[k] = 0.0
            if before * after > 0:
                weight_before = 2 * width[k] + width[k - 1]
                weight_after = width[k] + 2 * width[k - 1]
                total = weight_before + weight_after
                slope[k] = total / (weight_before / before + weight_after / after)
        slope[0] = _end_slope(width[0], width[1], secant[0], secant[1])
        last = count - 2
        slope[count - 1] = _end_slope(width[last], width[last - 1], secant[last], secant[last - 1])
    curve = np.empty(len(at), np.float32)
    piece = 0
    for k in range(len(at)):
        place = min(max(at[k], x[0]), x[count - 1])
        while piece > 0 and place < x[piece]:
            piece -= 1
        while piece < count - 2 and place >= x[piece + 1]:
            piece += 1
        step = width[piece]
        t = (place - x[piece]) / step
        s = 1 - t
        curve[k] = (
            y[piece] * (1 + 2 * t) * s * s
            + slope[piece] * step * t * s * s
            + y[piece + 1] * t * t * (3 - 2 * t)
            + slope[piece + 1] * step * t * t * (t - 1)
        )
    return curve


@kernel
def _end_slope(near: float, next_: float, secant: float, next_secant: float) -> float:
    slope = ((2 * near + next_) * secant - near * next_secant) / (near + next_)
    if slope * secant <= 0:
        return 0.0
    if secant * next_secant <= 0 and abs(slope) > 3 * abs(secant):
        return 3 * secant
    return slope


@inlined
def unit(t: float) -> float:
    """``t`` held to 0..1."""
    return min(max(t, 0), 1)


@inlined
def smoothstep(t: float) -> float:
    t = min(max(t, 0), 1)
    return t * t * (3 - 2 * t)


@inlined
def bell(squared: float) -> float:
    """exp(-squared) within 0.04, and exactly 0 from 8 on."""
    t = max(1 - squared * 0.125, 0)
    t *= t
    t *= t
    return t * t


@inlined
def tap(plane: UInt8, x: float, y: float) -> float:
    """A plane between its pixels, whose centres are at whole numbers; linear. Outside the plane
    its edge goes on."""
    x = min(max(x, 0.0), plane.shape[1] - 1.001)
    y = min(max(y, 0.0), plane.shape[0] - 1.001)
    left, top = int(x), int(y)
    fx, fy = x - left, y - top
    upper = plane[top, left] * (1 - fx) + plane[top, left + 1] * fx
    lower = plane[top + 1, left] * (1 - fx) + plane[top + 1, left + 1] * fx
    return float(upper * (1 - fy) + lower * fy)
