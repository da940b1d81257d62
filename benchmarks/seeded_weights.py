"""Weights of Wav2Lip that anyone can make again: each tensor from its name and a seed alone.

They say nothing about lips; they show whether a network computes what the published one does.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

import numpy as np
import torch

from app_core.lipsync.wav2lip.dimensions import BANDS, COLUMNS, SIDE
from app_core.lipsync.wav2lip.network import Wav2Lip

if TYPE_CHECKING:
    from numpy.typing import NDArray


def seeded_state(seed: int) -> dict[str, torch.Tensor]:
    """The whole state dict of the generator, in the order of the published files."""
    with torch.device("meta"):
        shapes = {name: tuple(t.shape) for name, t in Wav2Lip().state_dict().items()}
    return {name: torch.from_numpy(_tensor(name, shape, seed)) for name, shape in shapes.items()}


def seeded_input(count: int, seed: int) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Faces (count, 96, 96, 3) uint8 BGR, blurred noise, and mels (count, 80, 16), -4..4."""
    random = np.random.Generator(np.random.PCG64([777, seed]))
    faces = random.integers(0, 256, (count, SIDE, SIDE, 3), dtype=np.uint8)
    for _ in range(6):
        wide: NDArray[np.floating] = faces.astype(np.float32)
        shifted = [np.roll(wide, step, axis) for axis in (1, 2) for step in (1, -1)]
        wide = (wide + shifted[0] + shifted[1] + shifted[2] + shifted[3]) / 5
        faces = wide.astype(np.uint8)
    return faces, random.uniform(-4, 4, (count, BANDS, COLUMNS)).astype(np.float32)


def _tensor(name: str, shape: tuple[int, ...], seed: int) -> NDArray[np.generic]:
    random = np.random.Generator(np.random.PCG64([zlib.crc32(name.encode()), seed]))
    if name.endswith("num_batches_tracked"):
        return np.array(1000, np.int64)
    if name.endswith("running_var"):
        return random.uniform(0.5, 1.5, shape).astype(np.float32)
    if name.endswith("running_mean"):
        return random.normal(0.0, 0.1, shape).astype(np.float32)
    if len(shape) == 4:
        # Keeps the scale of what passes through, and the last sigmoid where it is steep.
        gain = 0.02 if name.startswith("output_block.1") else 1.0
        spread = gain * (1.5 / _fan_in(name, shape)) ** 0.5
        return random.normal(0.0, spread, shape).astype(np.float32)
    if name.endswith("weight"):
        return random.uniform(0.8, 1.2, shape).astype(np.float32)
    return random.normal(0.0, 0.05, shape).astype(np.float32)


def _fan_in(name: str, shape: tuple[int, ...]) -> float:
    part, block, layer = name.split(".")[:3]
    if part == "face_decoder_blocks" and block != "0" and layer == "0":  # transposed: (in, out, ..)
        return shape[0] * shape[2] * shape[3] / 4
    return shape[1] * shape[2] * shape[3]
