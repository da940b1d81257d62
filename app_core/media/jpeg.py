"""A picture as JPEG, straight from its planes."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from simplejpeg import encode_jpeg_yuv_planes

from app_core.kernels import kernel

if TYPE_CHECKING:
    from app_core.types import Picture, UInt8


_BITS = 16
_HALF = 1 << (_BITS - 1)


class _Widening(NamedTuple):
    """``levels * gain + offset``, in units of 1 / 2 ** _BITS."""

    gain: int
    offset: int


def _widening(black: int, span: int, full_black: int) -> _Widening:
    """Stretches ``span`` levels from ``black`` to 255 levels from ``full_black``."""
    gain = 255 / span
    unit = 1 << _BITS
    return _Widening(round(gain * unit), round((full_black - black * gain) * unit) + _HALF)


# JFIF (ITU-T T.871) is BT.601 like our planes, but full range.
_LUMA = _widening(16, 219, 0)
_CHROMA = _widening(128, 224, 128)


# Not OpenCV's LUT: that wakes its threads for a plane of 512x512, which costs more than the plane.
@kernel
def _widen(source: UInt8, target: UInt8, gain: int, offset: int) -> None:
    """Of flat planes; what leaves 0..255 is clipped."""
    for at in range(source.size):
        level = (np.int32(source[at]) * np.int32(gain) + np.int32(offset)) >> np.int32(_BITS)
        target[at] = np.uint8(min(max(level, np.int32(0)), np.int32(255)))


def _full_range(plane: UInt8, by: _Widening) -> UInt8:
    made = np.empty(plane.shape, np.uint8)
    _widen(plane.reshape(-1), made.reshape(-1), by.gain, by.offset)
    return made


def encode(picture: Picture, quality: int = 85) -> bytes:
    """A 4:2:0 JPEG of ``quality`` 1..100. Works in native code without the GIL."""
    data: bytes = encode_jpeg_yuv_planes(
        _full_range(picture.y, _LUMA),
        _full_range(picture.u, _CHROMA),
        _full_range(picture.v, _CHROMA),
        quality=quality,
        fastdct=True,
    )
    return data
