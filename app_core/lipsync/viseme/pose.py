"""Where a face is in a picture."""

from __future__ import annotations

from typing import NamedTuple


class Pose(NamedTuple):
    """Where the face's frame is in a picture, and the part of the picture that can change."""

    x: float
    """The origin, pixels from the picture's left edge."""
    y: float
    cos: float
    """Of the roll, times the scale against the rig."""
    sin: float
    left: int
    """The region that can change: left <= column < right, all four even."""
    top: int
    right: int
    bottom: int
