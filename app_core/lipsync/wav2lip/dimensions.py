"""The sizes of what goes into the network and comes out of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from app_core.types import Float32, UInt8

SIDE = 96
"""Pixels of the square face."""
HALF = SIDE // 2
"""Rows of its lower half, which is what is drawn."""
BANDS = 80
"""Of the mel scale."""
COLUMNS = 16
"""Mel columns of a window: 0.2 s of sound."""


def blank_mels(count: int) -> Float32:
    """(count, 80, 16) zeros."""
    return np.zeros((count, BANDS, COLUMNS), np.float32)


def blank_faces(count: int) -> UInt8:
    """(count, 96, 96, 3) zeros."""
    return np.zeros((count, SIDE, SIDE, 3), np.uint8)
