"""Weights of the generator, from every container that they are published in.

The official ``wav2lip.pth`` and ``wav2lip_gan.pth`` are pickles of before PyTorch 1.6 with the
optimizer's state beside the weights; ``Wav2Lip-SD-GAN.pt`` and ``Wav2Lip-SD-NOGAN.pt`` are
TorchScript archives. All are brought once into a safetensors file, which loads in no time.
"""

from __future__ import annotations

import hashlib
import zipfile
from typing import TYPE_CHECKING, Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file

from app_core.errors import BadInput
from app_core.lipsync.wav2lip.network import Wav2Lip

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from torch import Tensor

_PREFIX = "module."
"""What training on several GPUs puts before each name."""


def load_network(path: Path) -> Wav2Lip:
    """On the CPU, for inference. Raises BadInput that names the first tensor that is wrong."""
    with torch.device("meta"):
        network = Wav2Lip()
    network.load_state_dict(read_state(path), assign=True)
    return network.eval().requires_grad_(False)


def read_state(path: Path) -> dict[str, Tensor]:
    """The tensors of the generator by name, float32. Raises OSError or BadInput."""
    with path.open("rb") as file:
        head = file.read(9)
    try:
        if head[8:] == b"{":
            found: Any = load_file(path)
        elif _is_torchscript(path):
            found = torch.jit.load(path, map_location="cpu").state_dict()  # type: ignore[no-untyped-call]
        else:
            found = torch.load(path, map_location="cpu", weights_only=True)
    except OSError:
        raise
    except Exception as error:  # the readers raise whatever the bytes of a foreign file lead to
        said = str(error).strip("' \n").partition("\n")[0].partition(". ")[0]
        reason = f"{type(error).__name__} {said}".strip()
        raise BadInput(f"{path.name} is no checkpoint, or is cut off: {reason}") from error
    if isinstance(found, dict) and isinstance(found.get("state_dict"), dict):
        found = found["state_dict"]
    if not isinstance(found, dict) or not found:
        raise BadInput(f"{path.name} holds no state dict but a {type(found).__name__}")
    return _checked(path.name, {str(n).removeprefix(_PREFIX): t for n, t in found.items()})


def save_state(state: Mapping[str, Tensor], path: Path, about: Mapping[str, str]) -> None:
    """As safetensors, with ``about`` in its header. A failure leaves nothing at ``path``."""
    beside = path.with_name(f".{path.name}.part")
    try:
        save_file({name: t.contiguous() for name, t in state.items()}, beside, dict(about))
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def read_about(path: Path) -> dict[str, str]:
    """What ``save_state`` was told. Raises OSError or BadInput."""
    try:
        with safe_open(path, "pt") as file:
            return dict(file.metadata() or {})
    except SafetensorError as error:
        raise BadInput(f"{path.name} is no safetensors file, or is cut off: {error}") from error


def tensors_sha256(state: Mapping[str, Tensor]) -> str:
    """Of names and values, in order."""
    found = hashlib.sha256()
    for name, tensor in state.items():
        found.update(name.encode())
        found.update(tensor.contiguous().numpy().tobytes())
    return found.hexdigest()


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


def _is_torchscript(path: Path) -> bool:
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return any(name.partition("/")[2].startswith("code/") for name in archive.namelist())
