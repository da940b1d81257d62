"""Finds faces with face-alignment when it is installed and its weights lie in torch's hub folder.

It is never asked to download anything. Install it with ``pip install --no-deps face-alignment``
and its needs (scipy, scikit-image, tqdm, packaging) by hand: what it asks pip for puts an OpenCV
with windows over ours.
"""

from __future__ import annotations

import importlib.util
import math
import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from app_core.face.detection import FaceDetection, by_size
from app_core.face.mesh_points import jaw_at_mouth
from app_core.face.per_frame_tracker import PerFrameTracker
from app_core.landmarks import pack
from app_core.picture import to_bgr

if TYPE_CHECKING:
    from app_core.face.detection import Point
    from app_core.types import Float32, Picture, UInt8

WEIGHTS = ("s3fd-619a316812.pth", "2DFAN4-11f355bf06.pth.tar")

_LONG_SIDE = 512
"""Pixels of the picture that its detector searches: 2.5 s on two cores."""
_FACES = 3
"""The largest, as each costs most of a second."""
_MIN_SCORE = 0.2
"""Of the points' own certainty: a face that is followed is lost below it."""

# Of the 68 points, left to right in the picture.
_CURVES = {
    "lip_upper_outer": (48, 49, 50, 51, 52, 53, 54),
    "lip_upper_inner": (60, 61, 62, 63, 64),
    "lip_lower_inner": (60, 67, 66, 65, 64),
    "lip_lower_outer": (48, 59, 58, 57, 56, 55, 54),
    "eye_left_upper": (36, 37, 38, 39),
    "eye_left_lower": (36, 41, 40, 39),
    "eye_right_upper": (42, 43, 44, 45),
    "eye_right_lower": (42, 47, 46, 45),
}
_NOSE_TIP, _NOSE_BASE, _CHIN = 30, 33, 8


def hub_folder() -> Path:
    """Where torch keeps downloaded weights (torch.hub.get_dir, without importing torch)."""
    cache = os.environ.get("XDG_CACHE_HOME", "~/.cache")
    home = os.environ.get("TORCH_HOME", str(Path(cache) / "torch"))
    try:
        return Path(home).expanduser() / "hub" / "checkpoints"
    except RuntimeError:  # a user without a home
        return Path("/nonexistent")


def has_alignment() -> bool:
    installed = all(importlib.util.find_spec(name) for name in ("face_alignment", "torch"))
    return installed and all((hub_folder() / name).is_file() for name in WEIGHTS)


class AlignmentFinder:
    name = "face-alignment"
    sees_turned = False

    def __init__(self, net: Any = None) -> None:
        self._net = net
        self._lock = threading.Lock()

    def photo(self, rgb: UInt8) -> FaceDetection | None:
        return next(iter(self.faces(rgb)), None)

    def faces(self, rgb: UInt8) -> list[FaceDetection]:
        return by_size(self._faces(rgb, None))

    def tracker(self, near: Point | None = None) -> PerFrameTracker:
        def look(picture: Picture, before: FaceDetection | None) -> list[FaceDetection]:
            rgb = np.asarray(cv2.cvtColor(to_bgr(picture), cv2.COLOR_BGR2RGB), np.uint8)
            return self._faces(rgb, before)

        return PerFrameTracker(look, near)

    def _faces(self, rgb: UInt8, before: FaceDetection | None) -> list[FaceDetection]:
        """With ``before`` the detector is asked only when the face is no longer there."""
        with self._lock:
            if self._net is None:
                self._net = _open()
            if before is not None:
                detection = self._fit(rgb, _box_of(before))
                if detection is not None:
                    return [detection]
            scale = min(_LONG_SIDE / max(rgb.shape[:2]), 1.0)
            size = (round(rgb.shape[1] * scale), round(rgb.shape[0] * scale))
            small = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
            boxes = self._net.face_detector.detect_from_image(small)
            corners = [np.asarray(box[:4], float) / scale for box in boxes]
            corners.sort(key=lambda box: box[0] - box[2])
            found = [self._fit(rgb, box) for box in corners[:_FACES]]
        return [detection for detection in found if detection is not None]

    def _fit(self, rgb: UInt8, box: np.ndarray) -> FaceDetection | None:
        landmarks, scores, _ = self._net.get_landmarks_from_image(
            rgb, detected_faces=[box], return_landmark_score=True
        )
        sure = float(np.mean(scores[0]))
        if sure < _MIN_SCORE:
            return None
        return from_68(np.asarray(landmarks[0], np.float32) + np.float32(0.5), min(sure, 1.0))


def from_68(points: Float32, presence: float) -> FaceDetection:
    """The 68 points of the iBUG scheme, pixels, the first pixel's centre at 0.5."""
    parts: dict[str, Float32] = {
        name: _rounded(points[list(curve)]) for name, curve in _CURVES.items()
    }
    parts["nose_base"], parts["chin"] = points[_NOSE_BASE], points[_CHIN]
    corners = points[48], points[54]
    parts["jaw_left"] = jaw_at_mouth(points[_CHIN::-1], corners, points[_CHIN])
    parts["jaw_right"] = jaw_at_mouth(points[_CHIN:17], corners, points[_CHIN])
    for name, brow, lid in (("brow_left", 19, (37, 38)), ("brow_right", 24, (43, 44))):
        parts[name] = points[brow] + 0.35 * (points[list(lid)].mean(0) - points[brow])
    brows = points[17:27].mean(0)
    parts["forehead"] = brows + 0.8 * (brows - points[_NOSE_BASE])
    outline = np.concatenate([points[:17], parts["forehead"][None]])
    box = np.concatenate([outline.min(0), outline.max(0)]).astype(np.float32)
    across = points[45] - points[36]
    half = float(np.hypot(*(points[16] - points[0]))) / 2
    aside = (points[_NOSE_TIP] - (points[0] + points[16]) / 2) @ across
    yaw = math.asin(min(max(float(aside) / max(float(np.hypot(*across)) * half, 1e-6), -1), 1))
    roll = math.atan2(float(across[1]), float(across[0]))
    return FaceDetection(pack(parts), box, yaw=yaw, pitch=0.0, presence=presence, roll=roll)


def _rounded(curve: Float32, steps: int = 6) -> Float32:
    """A Catmull-Rom curve through a few points: lips are no polygons."""
    ends = [2 * curve[0] - curve[1], *curve, 2 * curve[-1] - curve[-2]]
    found = []
    for a, b, c, d in zip(ends, ends[1:], ends[2:], ends[3:], strict=False):
        for t in np.arange(steps) / steps:
            turn = (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3
            found.append(b + 0.5 * ((c - a) * t + turn))
    return np.array([*found, curve[-1]], np.float32)


def _box_of(detection: FaceDetection) -> np.ndarray:
    """The detector's box for a face that was found: from the brows to the chin."""
    left, top, right, bottom = (float(edge) for edge in detection.box)
    return np.array([left, top + 0.1 * (bottom - top), right, bottom])


def _open() -> Any:
    from face_alignment import FaceAlignment, LandmarksType

    # With compile it would spend minutes at its first picture.
    return FaceAlignment(LandmarksType.TWO_D, device="cpu", compile=False)
