"""A picture as JPEG, straight from its planes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
from simplejpeg import encode_jpeg_yuv_planes

if TYPE_CHECKING:
    from app_core.types import Picture, UInt8


def _widen(black: int, span: int, full_black: int) -> UInt8:
    """A 256-entry table that stretches ``span`` levels from ``black`` to 255 levels."""
    levels = (np.arange(256) - black) * 255 / span + full_black
    return np.clip(np.rint(levels), 0, 255).astype(np.uint8)


# JFIF (ITU-T T.871) is BT.601 like our planes, but full range.
_LUMA = _widen(16, 219, 0)
_CHROMA = _widen(128, 224, 128)


def encode(picture: Picture, quality: int = 85) -> bytes:
    """A 4:2:0 JPEG of ``quality`` 1..100. Works in native code without the GIL."""
    data: bytes = encode_jpeg_yuv_planes(
        cv2.LUT(picture.y, _LUMA),
        cv2.LUT(picture.u, _CHROMA),
        cv2.LUT(picture.v, _CHROMA),
        quality=quality,
        fastdct=True,
    )
    return data
