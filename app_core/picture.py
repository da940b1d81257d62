"""Between planar YUV 4:2:0 (BT.601, tv range) and the BGR arrays of OpenCV."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from app_core.types import Picture

if TYPE_CHECKING:
    from app_core.types import UInt8

# ITU-R BT.601-7, 2.5.1 to 2.5.4, for 8 bits; columns are B, G, R and the offset.
_RGB_TO_LUMA = np.array([0.299, 0.587, 0.114])
_BLUE, _RED = np.array([0.0, 0.0, 1.0]), np.array([1.0, 0.0, 0.0])


def _row(rgb_weights: np.ndarray, span: float, offset: float) -> list[float]:
    return [*(rgb_weights[::-1] * span / 255), offset]


_TO_Y = np.array([_row(_RGB_TO_LUMA, 219, 16)])
_TO_UV = np.array(
    [
        _row((_BLUE - _RGB_TO_LUMA) / (2 * (1 - 0.114)), 224, 128),
        _row((_RED - _RGB_TO_LUMA) / (2 * (1 - 0.299)), 224, 128),
    ]
)


def to_bgr(picture: Picture) -> UInt8:
    """(height, width, 3) uint8, full range."""
    planes = [picture.y.ravel(), picture.u.ravel(), picture.v.ravel()]
    stacked = np.concatenate(planes).reshape(picture.height * 3 // 2, picture.width)
    return np.asarray(cv2.cvtColor(stacked, cv2.COLOR_YUV2BGR_I420), np.uint8)


def from_bgr(bgr: UInt8) -> Picture:
    """From (height, width, 3) uint8 with even sides; colour is the mean of each 2x2 pixels."""
    height, width = bgr.shape[:2]
    if height % 2 or width % 2:
        raise ValueError(f"{width}x{height} has an odd side")
    half = cv2.resize(bgr, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
    u, v = cv2.split(cv2.transform(half, _TO_UV))
    y = cv2.transform(bgr, _TO_Y).reshape(height, width)
    return Picture(np.asarray(y, np.uint8), np.asarray(u, np.uint8), np.asarray(v, np.uint8))
