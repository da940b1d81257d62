"""A picture as the face networks see it: turned squares of it, in RGB.

Inside the networks the centre of a picture's first pixel is at 0, as it is in OpenCV; everywhere
else in this program it is at 0.5 (``landmarks.py``).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from app_core.types import Float32, Picture, UInt8

Float64 = NDArray[np.float64]

THUMBNAIL = 32
"""Side of the picture by which cuts are seen."""
CUT = 20.0
"""Mean difference of two thumbnails: at most 8.3 within shots, 55 and more at cuts."""

# ITU-R BT.601-7, inverted: RGB in full range from Y, U, V in tv range; the last column is added.
_TO_RGB = np.array(
    [
        [255 / 219, 0.0, 1.402 * 255 / 224],
        [255 / 219, -0.344136 * 255 / 224, -0.714136 * 255 / 224],
        [255 / 219, 1.772 * 255 / 224, 0.0],
    ]
)
_TO_RGB = np.column_stack([_TO_RGB, -_TO_RGB @ [16.0, 128.0, 128.0]])


@dataclass(frozen=True, slots=True)
class Region:
    """A turned square of a picture, pixels."""

    x: float
    """Centre."""
    y: float
    side: float
    angle: float = 0.0
    """Radians, clockwise on the screen."""

    def axes(self, pixels: int) -> Float64:
        """(2, 2): one step in a crop of ``pixels`` a side, in picture pixels."""
        turn = [
            [math.cos(self.angle), -math.sin(self.angle)],
            [math.sin(self.angle), math.cos(self.angle)],
        ]
        return np.asarray(np.array(turn) * (self.side / pixels))

    def origin(self, pixels: int) -> Float64:
        """(2,): where the first pixel of that crop lies."""
        return np.asarray(np.array([self.x, self.y]) - self.axes(pixels) @ np.full(2, pixels / 2))


class View(Protocol):
    width: int
    height: int

    def crop(self, region: Region, pixels: int, *, repeat: bool) -> UInt8:
        """(pixels, pixels, 3) RGB. Beyond the picture: its edge when ``repeat``, else black."""

    def thumbnail(self) -> Float32:
        """(THUMBNAIL, THUMBNAIL), grey, 0..255."""


class RgbView:
    def __init__(self, rgb: UInt8) -> None:
        """(height, width, 3)"""
        self.height, self.width = rgb.shape[:2]
        self._rgb = rgb

    def crop(self, region: Region, pixels: int, *, repeat: bool) -> UInt8:
        return _warp(
            self._rgb, region.axes(pixels), region.origin(pixels), pixels, repeat, (0,) * 3
        )

    def thumbnail(self) -> Float32:
        return _shrink(self._rgb[..., 1])


class YuvView:
    """The planes are warped and only the crop is converted: a third of the work."""

    def __init__(self, picture: Picture) -> None:
        self.height, self.width = picture.height, picture.width
        self._picture = picture

    def crop(self, region: Region, pixels: int, *, repeat: bool) -> UInt8:
        axes, origin = region.axes(pixels), region.origin(pixels)
        middle = (origin - 0.5) / 2  # a colour lies between the four pixels that share it
        planes = [
            _warp(self._picture.y, axes, origin, pixels, repeat, (16,)),
            _warp(self._picture.u, axes / 2, middle, pixels, repeat, (128,)),
            _warp(self._picture.v, axes / 2, middle, pixels, repeat, (128,)),
        ]
        return np.asarray(cv2.transform(cv2.merge(planes), _TO_RGB), np.uint8)

    def thumbnail(self) -> Float32:
        return _shrink(self._picture.y)


def _warp(
    plane: UInt8, axes: Float64, origin: Float64, pixels: int, repeat: bool, border: tuple[int, ...]
) -> UInt8:
    # Linear and without antialiasing, as the networks were trained; warpAffine rounds otherwise.
    placed = np.vstack([np.column_stack([axes, origin]), [0.0, 0.0, 1.0]])
    return np.asarray(
        cv2.warpPerspective(
            plane,
            placed,
            (pixels, pixels),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE if repeat else cv2.BORDER_CONSTANT,
            borderValue=border,
        ),
        np.uint8,
    )


def _shrink(plane: UInt8) -> Float32:
    step = max(min(plane.shape) // (4 * THUMBNAIL), 1)
    small = np.ascontiguousarray(plane[::step, ::step])
    size = (THUMBNAIL, THUMBNAIL)
    return cv2.resize(small, size, interpolation=cv2.INTER_AREA).astype(np.float32)
