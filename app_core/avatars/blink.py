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

_BEYOND = 0.035
"""How far past the points of the lower lid a closed lid comes, in eye widths: they lie on the
white as often as on the skin, and no white may stay."""
_RIM = 0.02
"""What lies so little above the points of the upper lid, in eye widths, may be white as well: a
closed lid ends with what is above that."""
_LASHES = 0.13
"""Height of the rigid band, in eye widths."""
_SIDE = 0.35
"""How far beyond the eye's corners the skin follows, in eye widths."""


_LEAST_WIDTH = 6.0
"""Pixels of an eye that can blink."""
_MOST_TURNED = 1.8
"""How much wider one eye may look than the other."""
_LEAST_OPEN, _MOST_OPEN = 0.10, 0.75
"""Openings of an eye that is neither closed nor a mistake, in eye widths."""
_LEAST_ROOM = 0.25
"""Height of the lid's skin below the brow, in openings of the eye."""
_NO_SKIN, _MOST_COVERED = 0.6, 0.12
"""What is darker than this part of the lid is no skin; more of it than this is in the way."""


class Eye(NamedTuple):
    upper: Float32
    """(points, 2) from left to right, pixels."""
    lower: Float32
    brow: float
    """Height just under the eyebrow, pixels."""
    tilt: float
    """How far the face's own horizontal falls a pixel to the right."""


def eyes_of(landmarks: Float32) -> tuple[Eye, Eye]:
    """Both eyes of one picture's (POINT_COUNT, 2) landmarks."""
    outer = landmarks[[POINTS["eye_left_upper"].start, POINTS["eye_right_upper"].stop - 1]]
    across = outer[1] - outer[0]
    tilt = float(across[1] / across[0]) if across[0] > 0 else 0.0

    def eye(side: str) -> Eye:
        return Eye(
            landmarks[POINTS[f"eye_{side}_upper"]],
            landmarks[POINTS[f"eye_{side}_lower"]],
            float(landmarks[POINTS[f"brow_{side}"]][0, 1]),
            tilt,
        )

    return eye("left"), eye("right")


def can_blink(still: Picture, eyes: tuple[Eye, ...]) -> bool:
    """Whether lids can be drawn so that it looks like a blink.

    Not with eyes that are closed, turned away, tiny or unknown, nor where something other than
    skin (a frame of glasses, hair, the brow itself) lies between brow and lid: it would come down
    with the lid.
    """
    if not all(np.isfinite(points).all() for eye in eyes for points in (*eye[:2], eye.brow)):
        return False
    widths = [float(eye.upper[-1, 0] - eye.upper[0, 0]) for eye in eyes]
    if min(widths) < _LEAST_WIDTH or max(widths) > _MOST_TURNED * min(widths):
        return False
    return all(_has_lid(still.y, eye, width) for eye, width in zip(eyes, widths, strict=True))


def _has_lid(luma: UInt8, eye: Eye, width: float) -> bool:
    x = np.linspace(eye.upper[0, 0], eye.upper[-1, 0], 40)[6:-6].astype(np.float32)
    edge = np.interp(x, eye.upper[:, 0], eye.upper[:, 1])
    opening = float((np.interp(x, eye.lower[:, 0], eye.lower[:, 1]) - edge).max())
    if not _LEAST_OPEN * width < opening < _MOST_OPEN * width:
        return False
    brow = _brow_line(eye, x)
    room = edge - _LASHES * width - brow
    if np.median(room) < _LEAST_ROOM * opening:
        return False
    down = np.linspace(0.1, 0.9, 12, dtype=np.float32)[:, None]
    rows = np.clip((brow + down * np.maximum(room, 1.0)).astype(int), 0, luma.shape[0] - 1)
    columns = np.clip(x.astype(int), 0, luma.shape[1] - 1)
    skin = luma[rows, np.broadcast_to(columns, rows.shape)].astype(np.float32) - 16.0
    return bool((skin < _NO_SKIN * np.median(skin)).mean() < _MOST_COVERED)


def _brow_line(eye: Eye, x: Float32) -> Float32:
    middle = float(eye.upper[0, 0] + eye.upper[-1, 0]) / 2
    return np.asarray(eye.brow + eye.tilt * (x - middle), np.float32)


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
    slant = abs(eye.tilt) * (0.5 + _SIDE) * width
    top = max(int(brow - slant), 0)
    bottom = min(int(lower[:, 1].max() + 0.25 * width), source.shape[0])
    if right - left < 2 or bottom - top < 2:
        return
    x = (np.arange(left, right) + 0.5).astype(np.float32)
    y = (np.arange(top, bottom) + 0.5).astype(np.float32)[:, None]
    under = brow + eye.tilt * (x - start - 0.5 * width)
    edge = np.interp(x, upper[:, 0], upper[:, 1])
    floor = np.interp(x, lower[:, 0], lower[:, 1])
    fade = _smooth((x - start) / (_SIDE * width) + 1) * _smooth(
        (start + width - x) / (_SIDE * width) + 1
    )
    inside = np.sin(np.pi * np.clip((x - start) / width, 0.0, 1.0))
    travel = (np.maximum(floor - edge, 0.0) + _BEYOND * width * inside) * closed * fade
    lid, rim = edge + travel, _RIM * width * closed * inside
    stretch = np.clip((y - under) / np.maximum(lid - _LASHES * width - under, 1.0), 0.0, 1.0)
    from_y = y - travel * (0.65 * stretch + 0.35 * _smooth(stretch))
    from_y = np.where(y > lid - 0.5 * _LASHES * width, np.minimum(from_y, edge - rim), from_y)
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
