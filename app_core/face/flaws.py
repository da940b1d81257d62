"""What is wrong with the picture of a face, as a person with a camera could mend it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import cv2
import numpy as np

from app_core.face.detection import width

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app_core.face.detection import FaceDetection
    from app_core.types import Float32, UInt8

SECOND_FACE, SMALL, DARK, TURNED, BLURRED = "second_face", "small", "dark", "turned", "blurred"

SECOND = 0.4
"""Of the face's width: a smaller one beside it is taken for somebody in the background."""
LEAST_WIDTH = 80.0
"""Pixels: of a smaller face the mouth has fewer than 25."""
LEAST_LUMA = 42.0
"""Mean luma of a face, 0..255: 106 to 166 in usual light, 53 to 83 at half of it, 26 to 41 at a
quarter."""
LEAST_DETAIL = 0.01
"""Sharp faces have 0.02 to 0.46, faces blurred by 2 % of their width 0.004 to 0.007."""
MOST_YAW = math.radians(25)

_DETAIL_SIDE = 96
"""Pixels of the face across which detail is looked for."""


def flaws(bgr: UInt8, box: Float32, yaw: float) -> list[str]:
    """Of an upright face in a picture (height, width, 3): those of SMALL, DARK, TURNED and
    BLURRED that it has. ``yaw`` in radians.
    """
    grey = np.asarray(cv2.cvtColor(_inside(bgr, box), cv2.COLOR_BGR2GRAY), np.uint8)
    small = float(box[2] - box[0]) < LEAST_WIDTH
    found = {
        SMALL: small,
        DARK: float(grey.mean()) < LEAST_LUMA,
        TURNED: abs(yaw) > MOST_YAW,
        BLURRED: not small and detail(grey) < LEAST_DETAIL,
    }
    return [flaw for flaw, has in found.items() if has]


def rivals(chosen: FaceDetection, faces: Sequence[FaceDetection], least: float = SECOND) -> int:
    """How many other faces are so large, by their width, that one of them may have been meant."""
    return sum(width(face) >= least * width(chosen) for face in faces if face is not chosen)


def detail(grey: UInt8) -> float:
    """The variance of the Laplacian as a part of all variance, at one size of the face."""
    scale = _DETAIL_SIDE / grey.shape[1]
    size = (_DETAIL_SIDE, max(round(grey.shape[0] * scale), 8))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    even = cv2.resize(grey, size, interpolation=how).astype(np.float32)
    return float(cv2.Laplacian(even, cv2.CV_32F).var() / max(float(even.var()), 1.0))


def _inside(bgr: UInt8, box: Float32) -> UInt8:
    """Without hair and background; never empty."""
    high, wide = bgr.shape[:2]
    left, top, right, bottom = (float(edge) for edge in box)
    across, down = right - left, bottom - top
    x = int(min(max(left + across / 8, 0), wide - 1))
    y = int(min(max(top + down / 5, 0), high - 1))
    end_x, end_y = math.ceil(right - across / 8), math.ceil(bottom - down / 10)
    return bgr[y : max(end_y, y + 1), x : max(end_x, x + 1)]
