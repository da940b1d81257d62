"""Tensors by name in the containers that checkpoints are published in, and in our own.

The official ``wav2lip.pth`` and ``wav2lip_gan.pth`` are pickles of before PyTorch 1.6 with the
optimizer's state beside the weights; ``Wav2Lip-SD-GAN.pt`` and ``Wav2Lip-SD-NOGAN.pt`` are
TorchScript archives. Our own is a safetensors file, which loads in no time. Nothing here knows
which network the tensors are for.
"""

from __future__ import annotations

import hashlib
import zipfile
from typing import TYPE_CHECKING, Any

from app_core.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

Tensors = dict[str, Any]
"""Tensors of torch by name, on the CPU."""

_PREFIX = "module."
"""What training on several GPUs puts before each name."""


def read_tensors(path: Path) -> Tensors:
    """The state dict in any of the containers. Raises OSError or BadInput.

    In a foreign file some values may be no tensors.
    """
    import torch
    from safetensors.torch import load_file

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
    return {str(name).removeprefix(_PREFIX): value for name, value in found.items()}


def save_state(state: Tensors, path: Path, about: Mapping[str, str]) -> None:
    """As safetensors, with ``about`` in its header. A failure leaves nothing at ``path``."""
    from safetensors.torch import save_file

    beside = path.with_name(f".{path.name}.part")
    try:
        save_file({name: t.contiguous() for name, t in state.items()}, beside, dict(about))
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def read_about(path: Path) -> dict[str, str]:
    """What ``save_state`` was told. Raises OSError or BadInput."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "pt") as file:
            return dict(file.metadata() or {})
    except SafetensorError as error:
        raise BadInput(f"{path.name} is no safetensors file, or is cut off: {error}") from error


def tensors_sha256(state: Tensors) -> str:
    """Of names and values, in order."""
    found = hashlib.sha256()
    for name, tensor in state.items():
        found.update(name.encode())
        found.update(tensor.contiguous().numpy().tobytes())
    return found.hexdigest()


def _is_torchscript(path: Path) -> bool:
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return any(name.partition("/")[2].startswith("code/") for name in archive.namelist())
