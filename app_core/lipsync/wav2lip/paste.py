"""The drawn half of the face back into its picture, soft at its edge."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, cast

import cv2
import numpy as np

from app_core.lipsync.wav2lip.dimensions import HALF, SIDE
from app_core.picture import from_bgr
from app_core.types import Picture

if TYPE_CHECKING:
    from app_core.types import Float32, UInt8

_TOP, _BOTTOM = 12, 8
"""Rows of the 48 x 96 half over which it fades in."""
_WIDE, _HIGH, _SQUARE = 48.0, 51.0, 2.5
"""Half axes of the jaw's outline from the middle of the face, and how much it is like a box (2
would be an ellipse), so that hair and collar beside the jaw are left alone."""
_SOFT = 0.26
"""Part of the way out over which it fades."""
MASKS_BYTES = 16 << 20
"""Masks that stay: a clip whose face comes nearer has one for each size."""
_COLOURED = 3.0
"""A face that is off grey by so many levels, as a dark one in colours is, is in colours."""


def mask() -> Float32:
    """(48, 96), 0..1: how much of the drawn half is seen."""
    rows, columns = np.arange(HALF) + 0.5, np.arange(SIDE) + 0.5
    down = _smooth(rows / _TOP) * _smooth((HALF - rows) / _BOTTOM)
    beside = (np.abs(columns - SIDE / 2) / _WIDE) ** _SQUARE
    out = (beside[None] + ((rows / _HIGH) ** _SQUARE)[:, None]) ** (1 / _SQUARE)
    return np.asarray(down[:, None] * _smooth((1 - out) / _SOFT), np.float32)


def edge() -> Float32:
    """(48, 96), the sum is 1: where the drawn half and the picture are both seen."""
    seen = mask()
    ring = seen * (1 - seen)
    return np.asarray(ring / ring.sum(), np.float32)


def paste(picture: Picture, box: tuple[int, int, int, int], drawn: UInt8, weight: float) -> Picture:
    """A copy of ``picture`` with ``drawn`` (48, 96, 3) BGR over the lower half of ``box``.

    The box is (left, top, right, bottom) on even pixels; ``weight``, 0..1, is how much of it
    is seen.
    """
    left, top, right, bottom = box
    middle = (top + bottom) // 4 * 2
    patch = from_bgr(drawn)
    half = slice(middle // 2, bottom // 2), slice(left // 2, right // 2)
    part = min(_colour(picture.u[half], picture.v[half]) / _COLOURED, 1.0)
    target = Picture(picture.y.copy(), picture.u.copy(), picture.v.copy())
    _blend(target.y[middle:bottom, left:right], patch.y, weight)
    _blend(target.u[half], _pale(patch.u, part), weight)
    _blend(target.v[half], _pale(patch.v, part), weight)
    return target


def _colour(blue: UInt8, red: UInt8) -> float:
    """The mean of what U and V are off grey, levels."""
    return float(np.mean([np.abs(plane.astype(np.int16) - 128).mean() for plane in (blue, red)]))


def _pale(plane: UInt8, part: float) -> UInt8:
    """The network has learned colours, and draws them on a grey face too."""
    if part == 1.0:
        return plane
    return cast("UInt8", cv2.addWeighted(plane, part, plane, 0.0, 128.0 * (1.0 - part)))


def _blend(plane: UInt8, patch: UInt8, weight: float) -> None:
    high, wide = plane.shape
    larger = cv2.resize(patch, (wide, high), interpolation=cv2.INTER_CUBIC)
    shown = _MASKS.at(wide, high) * np.float32(weight)
    plane[:] = cv2.blendLinear(larger, np.ascontiguousarray(plane), shown, 1 - shown)


class _Masks:
    """The mask at the sizes in use. Thread-safe."""

    def __init__(self) -> None:
        self._made: OrderedDict[tuple[int, int], Float32] = OrderedDict()
        self._lock = threading.Lock()

    def at(self, width: int, height: int) -> Float32:
        """(height, width)"""
        with self._lock:
            found = self._made.get((width, height))
            if found is not None:
                self._made.move_to_end((width, height))
                return found
        scaled = cv2.resize(mask(), (width, height), interpolation=cv2.INTER_LINEAR)
        found = np.asarray(scaled, np.float32)
        with self._lock:
            self._made[width, height] = found
            while sum(made.nbytes for made in self._made.values()) > MASKS_BYTES:
                self._made.popitem(last=False)
        return found


_MASKS = _Masks()


def _smooth(t: np.ndarray) -> np.ndarray:
    t = np.clip(t, 0, 1)
    return np.asarray(t * t * (3 - 2 * t))
