"""The seeded weights of Wav2Lip, made once for all tests."""

from __future__ import annotations

from functools import cache

import torch

from benchmarks.seeded_weights import seeded_state

SEED = 1


@cache
def state() -> dict[str, torch.Tensor]:
    """Read-only."""
    return seeded_state(SEED)
