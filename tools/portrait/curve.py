"""Smooth curves through control points, as polylines of (n, 2) points in face units."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]
Control = Sequence[tuple[float, float]]


def spline(points: Control | Points, samples: int = 16, closed: bool = False) -> Points:
    """The Catmull-Rom curve through ``points``, ``samples`` to each span."""
    knots = np.asarray(points, float)
    if closed:
        before, after, last = knots[-1:], knots[:2], knots[:1]
    else:
        before, after, last = knots[:1], knots[-1:], knots[-1:]
    padded = np.concatenate([before, knots, after])
    along = np.linspace(0, 1, samples, endpoint=False)[:, None, None]
    spans = cubic(*(padded[k : len(padded) - 3 + k] for k in range(4)), along)
    curve = spans.transpose(1, 0, 2).reshape(-1, knots.shape[1])
    return curve if closed else np.concatenate([curve, last])


def cubic(a: Points, b: Points, c: Points, d: Points, along: Points) -> Points:
    """Catmull-Rom between ``b`` and ``c`` at ``along`` (0..1), with neighbours ``a`` and ``d``."""
    return 0.5 * (
        2 * b
        + (c - a) * along
        + (2 * a - 5 * b + 4 * c - d) * along**2
        + (3 * b - a - 3 * c + d) * along**3
    )


def resample(curve: Points, count: int) -> Points:
    """``count`` points at equal distances along a polyline; its ends stay."""
    steps = np.hypot(*np.diff(curve, axis=0).T)
    along = np.concatenate([[0.0], np.cumsum(steps)])
    wanted = np.linspace(0, along[-1], count)
    return np.stack([np.interp(wanted, along, axis) for axis in curve.T], 1)


def mirrored(points: Control | Points, side: int) -> Points:
    """As given for ``side`` 1 (the viewer's right), mirrored at x = 0 for -1."""
    return np.asarray(points, float) * [side, 1]


def symmetric(half: Control, samples: int = 16) -> Points:
    """The closed contour of a right half that runs from top centre to bottom centre."""
    left = [(-x, y) for x, y in reversed(half) if abs(x) > 1e-6]
    return spline([*half, *left], samples, closed=True)


def across(half: Control, samples: int = 14) -> Points:
    """The curve from the left corner to the right one, of a half from centre to corner."""
    mirror = (-half[1][0], half[1][1])
    right = spline([mirror, *half], samples)[samples:]
    return np.concatenate([right[::-1] * [-1, 1], right[1:]])


def tapered(curve: Control | Points, widths: Sequence[float]) -> Points:
    """The outline of a stroke whose ``widths`` are spread evenly along it."""
    line = np.asarray(curve, float)
    tangent = np.gradient(line, axis=0)
    tangent /= np.maximum(np.hypot(*tangent.T), 1e-6)[:, None]
    normal = np.stack([-tangent[:, 1], tangent[:, 0]], 1)
    places = np.linspace(0, 1, len(widths))
    half = np.interp(np.linspace(0, 1, len(line)), places, widths)[:, None] / 2
    return np.concatenate([line + normal * half, (line - normal * half)[::-1]])


def smooth(t: NDArray[np.floating] | float) -> NDArray[np.floating]:
    """0 below 0, 1 above 1, and a smooth step between."""
    t = np.clip(t, 0, 1)
    return t * t * (3 - 2 * t)
