"""Weights of the generator: every tensor that it has, of its shape, and no other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from app_core.errors import BadInput
from app_core.lipsync.wav2lip.network import Wav2Lip
from app_core.weights.containers import read_tensors

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor


def load_network(path: Path) -> Wav2Lip:
    """On the CPU, for inference. Raises BadInput that names the first tensor that is wrong."""
    with torch.device("meta"):
        network = Wav2Lip()
    network.load_state_dict(read_state(path), assign=True)
    return network.eval().requires_grad_(False)


def read_state(path: Path) -> dict[str, Tensor]:
    """The tensors of the generator by name, float32. Raises OSError or BadInput."""
    return _checked(path.name, read_tensors(path))


def _checked(file: str, found: dict[str, Any]) -> dict[str, Tensor]:
    with torch.device("meta"):
        wanted = Wav2Lip().state_dict()
    for name, like in wanted.items():
        shape = tuple(like.shape)
        if name not in found:
            raise BadInput(
                f"{file} is not Wav2Lip: it has no tensor {name} {shape}, "
                f"its first is {next(iter(found))}"
            )
        tensor = found[name]
        if not isinstance(tensor, torch.Tensor) or tuple(tensor.shape) != shape:
            has = tuple(tensor.shape) if isinstance(tensor, torch.Tensor) else type(tensor).__name__
            raise BadInput(f"{file}: {name} is {has}, expected {shape}")
        if like.is_floating_point() and not torch.isfinite(tensor).all():
            raise BadInput(f"{file}: {name} holds numbers that are not finite")
    extra = next((name for name in found if name not in wanted), None)
    if extra is not None:
        raise BadInput(f"{file} is not Wav2Lip: it has a tensor {extra} that is not expected")
    return {name: found[name].to(like.dtype) for name, like in wanted.items()}
