"""What a finder of faces says about one picture."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from app_core.types import Float32, Picture, UInt8

Point = tuple[float, float]
"""x, y in pixels, the first pixel's centre at 0.5."""

CHOSEN_REACH = 1.5
"""Of its size: this far from where a person pointed at it a chosen face may be seen first."""


@dataclass(frozen=True, slots=True, eq=False)
class FaceDetection:
    """One face in one picture."""

    landmarks: Float32
    """(POINT_COUNT, 2) pixels, the first pixel's centre at 0.5."""
    box: Float32
    """(4,): left, top, right, bottom of the face from hairline to chin, pixels."""
    yaw: float
    """Radians, an estimate; 0 is frontal, positive when the nose points to the picture's right."""
    pitch: float
    """Radians, an estimate; 0 is frontal, positive when the face looks down."""
    presence: float
    """0..1"""
    roll: float = 0.0
    """Radians, clockwise on the screen; beyond a quarter of pi the picture lies on its side."""
    exact: bool = True
    """False when the points are those of a mean face put into a box."""


def middle(box: Float32) -> Point:
    return float(box[0] + box[2]) / 2, float(box[1] + box[3]) / 2


def apart(one: Point, other: Point) -> float:
    """Pixels."""
    return math.hypot(one[0] - other[0], one[1] - other[1])


def width(detection: FaceDetection) -> float:
    """Of a face, pixels, also of one that lies on its side."""
    lying = round(detection.roll / (math.pi / 2)) % 2
    return float(detection.box[2 + lying] - detection.box[lying])


def by_size(faces: Iterable[FaceDetection]) -> list[FaceDetection]:
    """The largest first."""
    return sorted(faces, key=lambda f: -float(np.prod(f.box[2:] - f.box[:2])))


class FaceTracker(Protocol):
    """One face through the pictures of one clip, in order. Used by one thread."""

    cut: bool
    """The last picture begins a new shot."""
    disowned: int
    """How many detections before the last picture have turned out to be none."""

    def next(self, picture: Picture) -> FaceDetection | None: ...


class FaceFinder(Protocol):
    """Thread-safe."""

    name: str
    sees_turned: bool
    """It finds faces that lie on their side, and says so by their roll."""

    def photo(self, rgb: UInt8) -> FaceDetection | None:
        """The main face of one picture (height, width, 3)."""

    def faces(self, rgb: UInt8) -> list[FaceDetection]:
        """All faces of one picture, the largest first."""

    def tracker(self, near: Point | None = None) -> FaceTracker:
        """Of the face that is at ``near`` in the pictures, else of the main one."""
