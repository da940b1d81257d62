"""Blinks for a still picture: the upper lid is drawn down over the eye.

The skin between brow and lid stretches; a band along the lid's edge (the lashes) moves rigidly,
because stretched lashes smear.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np

from app_core.landmarks import POINTS
from app_core.types import Picture

if TYPE_CHECKING:
    from app_core.types import Float32, UInt8

LID_CURVE = (0.20, 0.60, 0.92, 1.0, 0.88, 0.64, 0.38, 0.17, 0.05)
"""How far the lid is closed in each picture of a blink at 25 pictures a second, 0..1."""
BLINK_STARTS = (40, 118, 183)
"""Pictures of the 10 s cycle where blinks start: 1.6, 4.7 and 7.3 s."""

_TRAVEL = 0.94
"""The part of the eye's opening that a closed lid covers; the rest is the lower lashes."""
_LASHES = 0.13
"""Height of the rigid band, in eye widths."""
_SIDE = 0.35
"""How far beyond the eye's corners the skin follows, in eye widths."""


class Eye(NamedTuple):
    upper: Float32
    """(points, 2) from left to right, pixels."""
    lower: Float32
    brow: float
    """Height just under the eyebrow, pixels."""


def eyes_of(landmarks: Float32) -> tuple[Eye, Eye]:
    """Both eyes of one picture's (POINT_COUNT, 2) landmarks."""

    def eye(side: str) -> Eye:
        return Eye(
            landmarks[POINTS[f"eye_{side}_upper"]],
            landmarks[POINTS[f"eye_{side}_lower"]],
            float(landmarks[POINTS[f"brow_{side}"]][0, 1]),
        )

    return eye("left"), eye("right")


def closure(picture: int) -> float:
    """How far the lids are closed in a picture of the cycle, 0..1."""
    for start in BLINK_STARTS:
        if 0 <= picture - start < len(LID_CURVE):
            return LID_CURVE[picture - start]
    return 0.0


def close_lids(still: Picture, eyes: tuple[Eye, ...], closed: float) -> Picture:
    """A new picture with the lids ``closed`` (0..1)."""
    drawn = Picture(still.y.copy(), still.u.copy(), still.v.copy())
    for eye in eyes:
        _draw_lid(still.y, drawn.y, eye, closed, 1.0, 0.16 * closed)
        _draw_lid(still.u, drawn.u, eye, closed, 0.5, 0.0)
        _draw_lid(still.v, drawn.v, eye, closed, 0.5, 0.0)
    return drawn


def _draw_lid(
    source: UInt8, target: UInt8, eye: Eye, closed: float, scale: float, shadow: float
) -> None:
    """One plane of ``scale`` pixels a picture pixel; ``shadow`` darkens the lid's lower part."""
    upper, lower, brow = eye.upper * scale, eye.lower * scale, eye.brow * scale
    start, width = float(upper[0, 0]), float(upper[-1, 0] - upper[0, 0])
    left = max(int(start - _SIDE * width), 0)
    right = min(int(start + (1 + _SIDE) * width) + 1, source.shape[1])
    top = max(int(brow), 0)
    bottom = min(int(lower[:, 1].max() + 0.25 * width), source.shape[0])
    if right - left < 2 or bottom - top < 2:
        return
    x = (np.arange(left, right) + 0.5).astype(np.float32)
    y = (np.arange(top, bottom) + 0.5).astype(np.float32)[:, None]
    edge = np.interp(x, upper[:, 0], upper[:, 1])
    floor = np.interp(x, lower[:, 0], lower[:, 1])
    fade = _smooth((x - start) / (_SIDE * width) + 1) * _smooth(
        (start + width - x) / (_SIDE * width) + 1
    )
    travel = np.maximum(floor - edge, 0.0) * closed * _TRAVEL * fade
    lid = edge + travel
    stretch = np.clip((y - brow) / np.maximum(lid - _LASHES * width - brow, 1.0), 0.0, 1.0)
    from_y = y - travel * (0.65 * stretch + 0.35 * _smooth(stretch))
    moved = cv2.remap(
        source,
        np.broadcast_to(x - 0.5, from_y.shape).astype(np.float32),
        (from_y - 0.5).astype(np.float32),
        cv2.INTER_CUBIC if scale == 1.0 else cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    ).astype(np.float32)
    if shadow:
        depth = np.clip((y - edge) / np.maximum(travel, 1.0), 0.0, 1.0) * (travel > 0.5)
        moved = 16.0 + (moved - 16.0) * (1.0 - shadow * depth)
    cover = np.clip(lid + 1.5 * scale - y, 0.0, 1.0) * np.clip(travel * 4.0, 0.0, 1.0)
    patch = target[top:bottom, left:right]
    patch[:] = np.clip(patch + (moved - patch) * cover + 0.5, 0, 255).astype(np.uint8)


def _smooth(t: Float32) -> Float32:
    t = np.clip(t, 0.0, 1.0)
    return np.asarray(t * t * (3 - 2 * t), np.float32)
