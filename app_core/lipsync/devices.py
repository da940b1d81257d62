"""The devices that networks run on, by name: cpu, cuda:0, cuda:1."""

from __future__ import annotations

import importlib.util

from app_core.errors import BadInput


def is_gpu(device: str) -> bool:
    return device.startswith("cuda")


def gpus() -> tuple[str, ...]:
    """Of the GPUs that torch finds; empty where it is not installed."""
    if importlib.util.find_spec("torch") is None:
        return ()
    import torch

    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    return tuple(f"cuda:{index}" for index in range(count))


def check_device(device: str) -> None:
    """Raises BadInput for a GPU that torch does not find. There is always a CPU: its number is but
    a name."""
    if is_gpu(device) and device not in (found := gpus()):
        there = ", ".join(found) or "none"
        raise BadInput(f"There is no GPU {device}; torch finds: {there}", field="model")


def title(device: str) -> str:
    """With what it is called by its maker. Raises BadInput as ``check_device``."""
    check_device(device)
    if not is_gpu(device):
        return device
    import torch

    return f"{device} ({torch.cuda.get_device_name(device)})"
