"""What a finder of faces says about one picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from app_core.types import Float32, Picture, UInt8


@dataclass(frozen=True, slots=True, eq=False)
class Sighting:
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


class Follower(Protocol):
    """The main face through the pictures of one clip, in order. Used by one thread."""

    cut: bool
    """The last picture begins a new shot."""
    disowned: int
    """How many sightings before the last picture have turned out to be none."""

    def next(self, picture: Picture) -> Sighting | None: ...


class FaceFinder(Protocol):
    """Thread-safe."""

    name: str

    def photo(self, rgb: UInt8) -> Sighting | None:
        """The main face of one picture (height, width, 3)."""

    def follower(self) -> Follower: ...
