"""Curves through points, and the small functions that the kernels share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from app_core.kernels import inlined

if TYPE_CHECKING:
    from app_core.types import Float32


def pchip(x: Float32, y: Float32, at: Float32) -> Float32:
    """Monotone cubic interpolation; outside the points the end values hold.

    ``x`` rises strictly. Slopes after F. N. Fritsch and J. Butland, "A method for constructing
    local monotone piecewise cubic interpolants", SIAM J. Sci. Stat. Comput. 5 (1984), with the
    one-sided three-point rule at the ends.
    """
    x, y = np.asarray(x, float), np.asarray(y, float)
    at = np.clip(np.asarray(at, float), x[0], x[-1])
    width, rise = np.diff(x), np.diff(y)
    secant = rise / width
    slope = np.empty_like(y)
    if len(x) == 2:
        slope[:] = secant[0]
    else:
        before, after = secant[:-1], secant[1:]
        weight_before = 2 * width[1:] + width[:-1]
        weight_after = width[1:] + 2 * width[:-1]
        turning = before * after <= 0
        with np.errstate(divide="ignore", invalid="ignore"):
            inner = (weight_before + weight_after) / (weight_before / before + weight_after / after)
        slope[1:-1] = np.where(turning, 0.0, inner)
        slope[0] = _end_slope(width[0], width[1], secant[0], secant[1])
        slope[-1] = _end_slope(width[-1], width[-2], secant[-1], secant[-2])
    piece = np.clip(np.searchsorted(x, at, side="right") - 1, 0, len(width) - 1)
    step = width[piece]
    t = (at - x[piece]) / step
    return np.asarray(
        y[piece] * (1 + 2 * t) * (1 - t) ** 2
        + slope[piece] * step * t * (1 - t) ** 2
        + y[piece + 1] * t * t * (3 - 2 * t)
        + slope[piece + 1] * step * t * t * (t - 1),
        np.float32,
    )


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
