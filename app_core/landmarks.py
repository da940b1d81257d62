"""The named points of a face that the models need, in one array."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from app_core.types import Float32

LIP_POINTS = 17
"""Points of each lip curve, left corner to right corner, both corners included."""
LID_POINTS = 11
LIPS = ("lip_upper_outer", "lip_upper_inner", "lip_lower_inner", "lip_lower_outer")
"""Their curves, from above downwards."""

_COUNTS = {
    "lip_upper_outer": LIP_POINTS,
    "lip_upper_inner": LIP_POINTS,
    "lip_lower_inner": LIP_POINTS,
    "lip_lower_outer": LIP_POINTS,
    "nose_base": 1,
    "chin": 1,
    "jaw_left": 1,
    "jaw_right": 1,
    "eye_left_upper": LID_POINTS,
    "eye_left_lower": LID_POINTS,
    "eye_right_upper": LID_POINTS,
    "eye_right_lower": LID_POINTS,
    "brow_left": 1,
    "brow_right": 1,
    "forehead": 1,
}


def _slices() -> dict[str, slice]:
    found, at = {}, 0
    for name, count in _COUNTS.items():
        found[name] = slice(at, at + count)
        at += count
    return found


POINTS: Mapping[str, slice] = _slices()
"""Where each part lies in ``FaceTrack.landmarks[picture]``. Left and right are the viewer's.

Lip and lid curves run from left to right in the picture; ``jaw_left`` and ``jaw_right`` are the
jaw's outline at the height between mouth and chin; ``brow`` is a point just under the eyebrow.
"""
POINT_COUNT = sum(_COUNTS.values())


def pack(parts: Mapping[str, Sequence[Sequence[float]] | Float32]) -> Float32:
    """Named curves to one (POINT_COUNT, 2) row; curves are resampled to the counts above."""
    row = np.empty((POINT_COUNT, 2), np.float32)
    for name, where in POINTS.items():
        row[where] = resample(np.atleast_2d(np.asarray(parts[name], np.float32)), _COUNTS[name])
    return row


def resample(curve: Float32, count: int) -> Float32:
    """``count`` points evenly spread along a polyline (n, 2); its ends stay."""
    if len(curve) == count:
        return curve
    steps = np.hypot(*np.diff(curve, axis=0).T)
    along = np.concatenate([[0.0], np.cumsum(steps)])
    wanted = np.linspace(0.0, along[-1], count)
    return np.stack([np.interp(wanted, along, curve[:, axis]) for axis in (0, 1)], 1).astype(
        np.float32
    )
