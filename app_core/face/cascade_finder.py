"""The last resort: OpenCV's frontal cascade finds a box, and a mean face is put into it.

The mouth is then only about where it should be; its points are to be moved by hand.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from app_core.face.detection import FaceDetection, by_size
from app_core.face.per_frame_tracker import PerFrameTracker
from app_core.landmarks import pack

if TYPE_CHECKING:
    from app_core.face.detection import Point
    from app_core.types import Float32, Picture, UInt8

_LONG_SIDE = 640
"""Pixels of the picture that is searched."""
_LEAST = 0.06
"""Of its long side: smaller boxes are mostly something else."""
_NEIGHBOURS = 6
_OUTLINE = (0.08, 0.08, 0.92, 1.02)
"""Of a face from hairline to chin, in the cascade's square."""


class CascadeFinder:
    name = "cascade"
    sees_turned = False

    def photo(self, rgb: UInt8) -> FaceDetection | None:
        return next(iter(self.faces(rgb)), None)

    def faces(self, rgb: UInt8) -> list[FaceDetection]:
        grey = np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), np.uint8)
        return by_size(_Cascades().faces(grey))

    def tracker(self, near: Point | None = None) -> PerFrameTracker:
        cascades = _Cascades()

        def look(picture: Picture, before: FaceDetection | None) -> list[FaceDetection]:
            return cascades.faces(picture.y)

        return PerFrameTracker(look, near)


class _Cascades:
    """One thread's own."""

    def __init__(self) -> None:
        self._face = _open("haarcascade_frontalface_default.xml")
        self._eye = _open("haarcascade_eye.xml")

    def faces(self, grey: UInt8) -> list[FaceDetection]:
        scale = min(_LONG_SIDE / max(grey.shape), 1.0)
        size = (round(grey.shape[1] * scale), round(grey.shape[0] * scale))
        small = cv2.equalizeHist(cv2.resize(grey, size, interpolation=cv2.INTER_AREA))
        least = max(round(_LEAST * max(size)), 24)
        boxes = self._face.detectMultiScale(small, 1.1, _NEIGHBOURS, minSize=(least, least))
        return [
            put(left / scale, top / scale, side / scale)
            for left, top, side, _ in boxes
            if self._has_eye(small[top : top + side * 3 // 5, left : left + side])
        ]

    def _has_eye(self, upper: np.ndarray) -> bool:
        least = max(upper.shape[1] // 10, 8)
        if upper.shape[1] < 80:  # the eye's own cascade needs 20 pixels of an eye
            upper, least = cv2.resize(upper, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC), 16
        return len(self._eye.detectMultiScale(upper, 1.05, 2, minSize=(least, least))) > 0


def put(left: float, top: float, side: float) -> FaceDetection:
    """The mean face in a square, pixels."""
    corner = np.array([left, top], np.float32)
    box = (np.array(_OUTLINE).reshape(2, 2) * side + corner).reshape(4).astype(np.float32)
    landmarks = (mean_face() * np.float32(side) + corner).astype(np.float32)
    return FaceDetection(landmarks, box, yaw=0.0, pitch=0.0, presence=0.5, exact=False)


@cache
def mean_face() -> Float32:
    """(POINT_COUNT, 2) in the cascade's square, 0..1.

    Upper and lower lids are one line: a lid drawn down in the wrong place would be worse than an
    avatar that never blinks.
    """
    mouth = {
        "lip_upper_outer": [(-0.143, 0.772), (-0.07, 0.733), (0, 0.726), (0.07, 0.733)],
        "lip_upper_inner": [(-0.128, 0.771), (-0.064, 0.771), (0, 0.772), (0.064, 0.771)],
        "lip_lower_outer": [(-0.143, 0.772), (-0.075, 0.82), (0, 0.834), (0.075, 0.82)],
        "nose_base": [(0, 0.646)],
        "chin": [(0, 1.02)],
        "jaw_right": [(0.295, 0.857)],
        "brow_right": [(0.21, 0.305)],
        "forehead": [(0, 0.085)],
        "eye_right_upper": [(0.098, 0.406), (0.172, 0.4), (0.252, 0.406)],
    }
    mirror = np.array([-1, 1], np.float32)
    parts: dict[str, Float32] = {
        name: np.array(points, np.float32) for name, points in mouth.items()
    }
    for name in ("lip_upper_outer", "lip_upper_inner", "lip_lower_outer"):
        parts[name] = np.concatenate([parts[name], parts[name][:1] * mirror])
    parts["lip_lower_inner"] = parts["lip_upper_inner"]
    parts["eye_right_lower"] = parts["eye_right_upper"]
    for name in ("jaw", "brow", "eye_{}_upper", "eye_{}_lower"):
        right, left = (
            name.format(side) if "{" in name else f"{name}_{side}" for side in ("right", "left")
        )
        parts[left] = parts[right][::-1] * mirror
    return np.asarray(pack(parts) + np.array([0.5, 0.0], np.float32), np.float32)


def _open(name: str) -> cv2.CascadeClassifier:
    return cv2.CascadeClassifier(str(Path(cv2.__file__).parent / "data" / name))
