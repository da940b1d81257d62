"""Colors, in sRGB 0..1, and the way from and to linear light, in which everything is mixed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Float32 = NDArray[np.float32]
Color = Sequence[float]

SKIN = (0.955, 0.785, 0.680)
LIP_UPPER = (0.735, 0.400, 0.395)
LIP_LOWER = (0.825, 0.485, 0.470)
BROW = (0.130, 0.082, 0.064)
HAIR_DEEP = (0.058, 0.037, 0.033)
HAIR_BASE = (0.158, 0.100, 0.080)
HAIR_SHEEN = (0.640, 0.450, 0.335)
JACKET = (0.125, 0.185, 0.310)
BLOUSE = (0.955, 0.935, 0.905)


def linear(color: Color | Float32) -> Float32:
    """sRGB to linear light (IEC 61966-2-1)."""
    value = np.asarray(color, np.float32)
    curved = ((np.maximum(value, 0) + 0.055) / 1.055) ** 2.4
    return np.where(value <= 0.04045, value / 12.92, curved).astype(np.float32)


def to_srgb(light: Float32) -> Float32:
    """Linear light, clipped to 0..1, to sRGB."""
    light = np.clip(light, 0, 1)
    curved = 1.055 * light ** (1 / 2.4) - 0.055
    return np.where(light <= 0.0031308, light * 12.92, curved).astype(np.float32)


def mix(pixels: Float32, color: Color | Float32, amount: Float32) -> Float32:
    """``pixels`` where ``amount`` (height, width) is 0, ``color`` (linear) where it is 1."""
    amount = np.clip(amount, 0, 1)[..., None]
    return pixels * (1 - amount) + np.asarray(color, np.float32) * amount


def tint(pixels: Float32, factor: Color, amount: Float32) -> Float32:
    """``pixels`` times ``factor`` where ``amount`` (height, width) is 1."""
    return pixels * (1 - np.clip(amount, 0, 1)[..., None] * (1 - np.asarray(factor, np.float32)))


def over(pixels: Float32, layer: Float32) -> Float32:
    """Opaque linear ``pixels`` under a premultiplied linear RGBA ``layer``."""
    return pixels * (1 - layer[..., 3:]) + layer[..., :3]


def covering(pixels: Float32, mask: Float32) -> Float32:
    """Linear ``pixels`` as a premultiplied layer with ``mask`` (height, width) as coverage."""
    return np.dstack([np.asarray(pixels, np.float32) * mask[..., None], mask]).astype(np.float32)


def stack(bottom: Float32, *layers: Float32) -> Float32:
    """Premultiplied layers over each other."""
    for layer in layers:
        bottom = layer + bottom * (1 - layer[..., 3:])
    return bottom
