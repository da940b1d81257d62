"""Pictures of one size in one piece of memory, which the system has back as soon as they go.

Each in its own piece would lie in the heap between what jobs allocate, and a heap with holes is
not given back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from app_core.types import Picture

if TYPE_CHECKING:
    from app_core.types import UInt8


class Slab:
    """Room for ``count`` pictures of an even (width, height). Memory is taken as it fills."""

    def __init__(self, count: int, size: tuple[int, int]) -> None:
        self._rows: UInt8 = np.empty((count, picture_bytes(size)), np.uint8)

    def put(self, index: int, picture: Picture) -> Picture:
        """A copy of ``picture`` in the place ``index``; its planes are views of the slab."""
        row, at, planes = self._rows[index], 0, []
        for plane in picture.planes:
            view = row[at : at + plane.size].reshape(plane.shape)
            view[:] = plane
            planes.append(view)
            at += plane.size
        return Picture(*planes)


def picture_bytes(size: tuple[int, int]) -> int:
    """Of one picture of an even (width, height)."""
    return size[0] * size[1] * 3 // 2


def array_bytes(*arrays: np.ndarray) -> int:
    """What arrays take in memory; one that repeats a value takes nothing."""
    return sum(array.nbytes for array in arrays if 0 not in array.strides)
