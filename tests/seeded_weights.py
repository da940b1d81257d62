"""The seeded weights of Wav2Lip, made once for all tests."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import torch

from app_core.weights.containers import save_state
from benchmarks.seeded_weights import seeded_state

SEED = 1


@cache
def state() -> dict[str, torch.Tensor]:
    """Read-only."""
    return seeded_state(SEED)


def written(folder: Path) -> Path:
    """A checkpoint with them."""
    path = folder / "seeded.safetensors"
    save_state(state(), path, {})
    return path
