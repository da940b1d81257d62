"""Two rows of teeth, drawn once for all faces.

A sprite is RGBA float32 with premultiplied alpha. Across it runs -REACH..REACH half mouth
widths; down it one tooth height. The upper row's edges are at the bottom, the lower's at the top.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app_core.types import Float32

REACH = 1.15
UPPER_HEIGHT = 0.50
"""In half mouth widths."""
LOWER_HEIGHT = 0.40

_WIDTH, _HEIGHT = 920, 260
_ARCH = 1.02
"""Radius of the dental arch seen from the front: x = _ARCH * sin(angle)."""
_UPPER = ((0.335, 0.265, 0.295, 0.27, 0.27, 0.30), (0.97, 0.90, 0.95, 0.86, 0.82, 0.78), 0.20)
_LOWER = (
    (0.215, 0.225, 0.26, 0.27, 0.28, 0.30, 0.30),
    (0.93, 0.94, 0.97, 0.90, 0.88, 0.80, 0.80),
    0.14,
)
"""Widths along the arch and heights from the middle outwards, and how round the edges are."""


def teeth(half_width: float) -> tuple[Float32, Float32]:
    """The upper and the lower row for a mouth of ``half_width`` pixels, about 1.3 times as fine."""
    upper, lower = _rows()
    fine = 1.3 * half_width
    width = max(16, round(2 * REACH * fine))
    return (
        _scaled(upper, width, max(6, round(UPPER_HEIGHT * fine))),
        _scaled(lower, width, max(6, round(LOWER_HEIGHT * fine))),
    )


def _scaled(sprite: Float32, width: int, height: int) -> Float32:
    scaled = cv2.resize(sprite, (width, height), interpolation=cv2.INTER_AREA)
    return np.asarray(scaled, np.float32)


@lru_cache(maxsize=1)
def _rows() -> tuple[Float32, Float32]:
    return _row(*_UPPER), np.ascontiguousarray(_row(*_LOWER)[::-1])


def _row(widths: Sequence[float], heights: Sequence[float], roundness: float) -> Float32:
    x = np.abs((np.arange(_WIDTH) + 0.5) / _WIDTH * 2 * REACH - REACH)
    y = ((np.arange(_HEIGHT) + 0.5) / _HEIGHT)[:, None]
    edges = _ARCH * np.sin(np.clip(np.concatenate([[0.0], np.cumsum(widths)]) / _ARCH, 0, 1.35))
    tooth = np.clip(np.searchsorted(edges, x, side="right") - 1, 0, len(widths) - 1)
    wide = edges[tooth + 1] - edges[tooth]
    across = np.clip((x - edges[tooth]) / np.maximum(wide, 1e-3), 0, 1)
    off_middle = np.abs(2 * across - 1)
    height = np.asarray(heights)[tooth]
    edge = height - roundness * 0.30 * off_middle**5 - 0.012 * (1 - off_middle)

    arch = np.cos(np.arcsin(np.clip(x / _ARCH, 0, np.sin(1.4)))) ** 0.9
    round_shade = (1 - 0.20 * off_middle**2.4) * (0.36 + 0.64 * arch)
    line = 0.010 + 0.030 * np.clip((y - 0.62 * height) / 0.4, 0, 1) ** 2
    between = np.clip(np.minimum(across, 1 - across) * wide / line, 0, 1)
    root = np.clip(1 - y / 0.55, 0, 1)[..., None]
    tip = np.clip((y - edge + 0.10) / 0.10, 0, 1)[..., None]
    enamel = np.array([0.94, 0.915, 0.86]) * (1 - root * np.array([0.03, 0.07, 0.16]))
    enamel = enamel * (1 - tip * np.array([0.11, 0.09, 0.06]))
    color = enamel * round_shade[:, None] * (0.76 + 0.24 * between)[..., None]
    shine = np.exp(-(((across - 0.42) / 0.16) ** 2)) * np.exp(-(((y - 0.52 * height) / 0.16) ** 2))
    color = color + (0.10 * shine * arch)[..., None]
    gum = np.clip((0.16 - 0.10 * (1 - off_middle**2) - y) / 0.04 + 0.5, 0, 1)[..., None]
    color = color * (1 - gum) + gum * np.array([0.66, 0.34, 0.36]) * round_shade[:, None]
    cover = np.clip((1.05 - x) / 0.08, 0, 1) / (1 + np.exp(np.clip((y - edge) * 90, -60, 60)))
    return np.concatenate([color * cover[..., None], cover[..., None]], 2).astype(np.float32)
