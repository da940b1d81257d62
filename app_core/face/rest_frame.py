"""The picture of a clip in which the face rests: its still."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from app_core.landmarks import POINTS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from app_core.types import FaceTrack

    Array = NDArray[Any]

_CLOSED = 0.02
"""Between the lips, in eye distances: no mouth is more closed than this."""
_WIDE_OPEN = 0.85
"""Lids nearer than this part of their usual distance are in a blink."""
_OPEN_COST, _BLINK_COST, _FADED_COST = 4.0, 3.0, 2.0


def rest_frame(track: FaceTrack) -> int | None:
    """The mouth most closed, the head most frontal, eyes open, and still; None without a face."""
    found = np.isfinite(track.landmarks).all((1, 2)) & np.isfinite(track.boxes).all(1)
    if not found.any():
        return None
    points = track.landmarks.astype(float)
    left, right = (_middle(points, f"eye_{side}") for side in ("left", "right"))
    across = right - left
    distance = np.maximum(np.hypot(*across.T), 1e-6)
    gap = _opening(points, "lip_upper_inner", "lip_lower_inner") / distance
    nose = points[:, POINTS["nose_base"]].mean(1) - (left + right) / 2
    turned = np.abs((nose * across).sum(1)) / distance**2
    lids = sum(
        _opening(points, f"eye_{side}_upper", f"eye_{side}_lower") for side in ("left", "right")
    )
    usual = max(float(np.median(np.asarray(lids)[found])), 1e-6)
    middle = (left + right) / 2
    moved = np.nan_to_num(np.hypot(*np.gradient(middle, axis=0).T)) if len(middle) > 1 else 0.0
    cost = (
        _OPEN_COST * np.maximum(gap - _CLOSED, 0.0)
        + turned
        + _BLINK_COST * np.maximum(_WIDE_OPEN - lids / usual, 0.0)
        + _FADED_COST * (1.0 - track.strength)
        + moved / distance
    )
    return int(np.argmin(np.where(found, cost, np.inf)))


def _middle(points: Array, eye: str) -> Array:
    lids = [points[:, POINTS[f"{eye}_{lid}"]] for lid in ("upper", "lower")]
    return np.asarray(np.concatenate(lids, 1).mean(1))


def _opening(points: Array, upper: str, lower: str) -> Array:
    """Between the middle thirds of two curves, pixels."""
    one, other = points[:, POINTS[upper]], points[:, POINTS[lower]]
    third = one.shape[1] // 3
    between = (other - one)[:, third:-third]
    return np.asarray(np.hypot(between[..., 0], between[..., 1]).mean(1))
