"""A picture as JPEG, straight from its planes."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from simplejpeg import encode_jpeg_yuv_planes

from app_core.kernels import inlined, kernel

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


@inlined
def _stretch(source: UInt8, target: UInt8, by: _Widening) -> None:
    """A flat plane; what leaves 0..255 is clipped."""
    gain, offset = np.int32(by[0]), np.int32(by[1])
    for at in range(source.size):
        level = (np.int32(source[at]) * gain + offset) >> np.int32(_BITS)
        target[at] = np.uint8(min(max(level, np.int32(0)), np.int32(255)))


# Not OpenCV's LUT: that wakes its threads for a plane of 512x512, which costs more than the plane.
# One call for all planes: each one has to wait for Python's lock when it comes back.
@kernel
def _widen(
    y: UInt8,
    u: UInt8,
    v: UInt8,
    wide_y: UInt8,
    wide_u: UInt8,
    wide_v: UInt8,
    luma: _Widening,
    chroma: _Widening,
) -> None:
    _stretch(y, wide_y, luma)
    _stretch(u, wide_u, chroma)
    _stretch(v, wide_v, chroma)


def full_range(picture: Picture) -> Picture:
    """The same in the levels of JFIF."""
    y, u, v = (np.empty(plane.shape, np.uint8) for plane in picture.planes)
    _widen(
        picture.y.reshape(-1),
        picture.u.reshape(-1),
        picture.v.reshape(-1),
        y.reshape(-1),
        u.reshape(-1),
        v.reshape(-1),
        _LUMA,
        _CHROMA,
    )
    return type(picture)(y, u, v)


def encode(picture: Picture, quality: int = 85) -> bytes:
    """A 4:2:0 JPEG of ``quality`` 1..100. Works in native code without the GIL."""
    wide = full_range(picture)
    data: bytes = encode_jpeg_yuv_planes(wide.y, wide.u, wide.v, quality=quality, fastdct=True)
    return data
