"""The visible label of pictures that are made: "AI GENERATED" on a dark plate, in a corner.

The EU's AI Act (art. 50) wants what looks like a person and is made to say so clearly and from the
first moment on, its icons the letters AI in the language of the viewer; China's GB 45438-2025
wants letters of at least a twentieth of the shorter side, in a corner, with the word generated.
"""

from __future__ import annotations

import threading
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from weakref import WeakKeyDictionary

import cv2
import numpy as np
from numpy.typing import NDArray

from app_core.landmarks import LIPS, POINTS
from app_core.types import Picture

_Parts = NDArray[np.uint16]
"""256ths of a level."""

if TYPE_CHECKING:
    from app_core.lipsync.model import Plate
    from app_core.types import FaceTrack, Float32, UInt8

_MASKS = Path(__file__).parent / "labels"
"""Drawn by tools/label."""
LANGUAGES = ("en", "ru", "kk")
"""Of the masks, the first for all others."""
SHARE = 0.062
"""The plate's height, of the shorter side: letters of 0.05, capitals of 0.037."""
SMALLEST = 12
"""Of the plate's height, pixels: capitals of seven are the smallest that are read easily."""
WIDEST = 0.75
"""Of the picture's width."""
_MARGIN = 0.025
_DARK, _GREY, _WHITE = 16, 128, 235
_OPACITY = 0.72
"""Of the plate, so that the letters stand out on any picture by over 4.5 to 1."""


class Corner(NamedTuple):
    """Pixels, all even."""

    left: int
    top: int
    width: int
    height: int

    def overlap(self, boxes: Float32) -> float:
        """Square pixels in common with ``boxes`` (n, 4: left, top, right, bottom), in all."""
        wide = np.minimum(boxes[:, 2], self.left + self.width) - np.maximum(boxes[:, 0], self.left)
        high = np.minimum(boxes[:, 3], self.top + self.height) - np.maximum(boxes[:, 1], self.top)
        return float((wide.clip(0) * high.clip(0)).sum())


class Label:
    """At one size and place; thread-safe."""

    def __init__(self, language: str, place: Corner) -> None:
        self.place = place
        mask = _mask(language if language in LANGUAGES else LANGUAGES[0])
        size = (place.width, place.height)
        scaled = cv2.resize(mask, size, interpolation=cv2.INTER_AREA)
        letters = np.float32(1 / 255) * np.asarray(scaled, np.float32)
        kept = _around(place.width, place.height)
        full = letters + (1 - letters) * kept * _OPACITY
        light = letters * _WHITE + (1 - letters) * kept * _OPACITY * _DARK
        half = (place.width // 2, place.height // 2)
        coloured = np.asarray(cv2.resize(full, half, interpolation=cv2.INTER_AREA), np.float32)
        self._luma = _parts(1 - full), _parts(light)
        self._chroma = _parts(1 - coloured), _parts(coloured * _GREY)

    def drawn(self, picture: Picture) -> Picture:
        """A picture of its own: the one that is given may be shared."""
        left, top, width, height = self.place
        whole = slice(top, top + height), slice(left, left + width)
        half = slice(top // 2, (top + height) // 2), slice(left // 2, (left + width) // 2)
        return Picture(
            _blended(picture.y, whole, *self._luma),
            _blended(picture.u, half, *self._chroma),
            _blended(picture.v, half, *self._chroma),
        )


class Labels:
    """Thread-safe; one is made for each plate and language, and goes with the plate."""

    def __init__(self, *, wanted: bool) -> None:
        self._wanted = wanted
        self._made: WeakKeyDictionary[Plate, dict[str, Label]] = WeakKeyDictionary()
        self._lock = threading.Lock()

    def of(self, plate: Plate, language: str) -> Label | None:
        """None when pictures stay without."""
        if not self._wanted:
            return None
        with self._lock:
            made = self._made.setdefault(plate, {})
            if language not in made:
                made[language] = Label(language, _place(plate, language))
            return made[language]


def _blended(plane: UInt8, where: tuple[slice, slice], keep: _Parts, add: _Parts) -> UInt8:
    made = plane.copy()
    made[where] = (made[where] * keep + add + 128) >> 8
    return made


def _parts(values: Float32) -> _Parts:
    return np.round(values * 256).astype(np.uint16)


@cache
def _mask(language: str) -> UInt8:
    """(height, width): how much of each pixel is a letter, 255: all. Raises OSError."""
    found = cv2.imread(str(_MASKS / f"{language}.png"), cv2.IMREAD_GRAYSCALE)
    if found is None:
        raise FileNotFoundError(_MASKS / f"{language}.png")
    return np.asarray(found, np.uint8)


def _around(width: int, height: int) -> Float32:
    """The plate (height, width), 0..1, with round corners."""
    plate = np.zeros((height * 4, width * 4), np.uint8)
    radius = height
    right, bottom = width * 4 - 1, height * 4 - 1
    cv2.rectangle(plate, (radius, 0), (right - radius, bottom), 255, -1)
    cv2.rectangle(plate, (0, radius), (right, bottom - radius), 255, -1)
    for at in ((x, y) for x in (radius, right - radius) for y in (radius, bottom - radius)):
        cv2.circle(plate, at, radius, 255, -1)
    made = cv2.resize(plate, (width, height), interpolation=cv2.INTER_AREA)
    return np.float32(1 / 255) * np.asarray(made, np.float32)


def _place(plate: Plate, language: str) -> Corner:
    """The corner that no mouth comes to; above, where faces have nothing that moves, before
    below."""
    mask = _mask(language if language in LANGUAGES else LANGUAGES[0])
    shorter, wide = min(plate.width, plate.height), plate.width
    height = max(SMALLEST, shorter * SHARE)
    height = min(height, wide * WIDEST * mask.shape[0] / mask.shape[1], plate.height / 2)
    width = _even(height * mask.shape[1] / mask.shape[0])
    high, margin = _even(height), _even(shorter * _MARGIN)
    right, bottom = plate.width - margin - width, plate.height - margin - high
    corners = [
        Corner(left, top, width, high)
        for top in (margin, max(bottom, 0))
        for left in (margin, max(right, 0))
    ]
    mouths = _mouths(plate.track)
    return min(corners, key=lambda place: place.overlap(mouths))


def _even(length: float) -> int:
    return max(2, round(length / 2) * 2)


def _mouths(track: FaceTrack) -> Float32:
    """(n, 4): left, top, right, bottom of the mouth in each picture that has one, with room to
    open by as much again as it is wide."""
    points = track.landmarks[:, POINTS[LIPS[0]].start : POINTS[LIPS[-1]].stop]
    seen = points[np.isfinite(points).all((1, 2))]
    if not seen.size:
        return np.zeros((0, 4), np.float32)
    boxes = np.concatenate([seen.min(1), seen.max(1)], 1)
    wide = (boxes[:, 2] - boxes[:, 0])[:, None]
    room = np.concatenate([-wide * 0.25, -wide * 0.25, wide * 0.25, wide], 1)
    return np.asarray(boxes + room, np.float32)
