"""Which checkpoint, on which device, by which runtime."""

from __future__ import annotations

import importlib.util
import logging
import math
from typing import TYPE_CHECKING

from app_core.cores import core_count
from app_core.errors import BadInput
from app_core.lipsync.devices import check_device, gpus, is_gpu
from app_core.lipsync.wav2lip.model import Wav2LipModel

if TYPE_CHECKING:
    from pathlib import Path

    from app_core.lipsync.model import ModelOptions
    from app_core.lipsync.wav2lip.runtime import Runtime

logger = logging.getLogger(__name__)

PREFERRED = ("wav2lip_gan", "wav2lip")
"""Names of checkpoints, the sharper one first."""
RUNTIMES = ("auto", "cuda", "openvino", "torch")


def open_wav2lip(options: ModelOptions, folder: str) -> Wav2LipModel:
    """Raises BadInput that says what is missing."""
    checkpoint = find_checkpoint(options.models_dir / folder)
    runtime = open_runtime(checkpoint, options.runtime, options.precision, device=options.device)
    return Wav2LipModel(runtime, options.offset, options.work_dir)


def wav2lip_devices(options: ModelOptions, folder: str) -> tuple[str, ...]:
    """Every GPU, where there are weights and the settings leave them to one; else none is named:
    ``open_runtime`` chooses."""
    weights = any((options.models_dir / folder).glob("*.safetensors"))
    return gpus() if weights and options.runtime in ("auto", "cuda") else ()


def find_checkpoint(folder: Path) -> Path:
    """Of those that were imported. Raises BadInput when there is none."""
    found = {path.stem: path for path in sorted(folder.glob("*.safetensors"))}
    for name in (*PREFERRED, *found):
        if name in found:
            return found[name]
    raise BadInput(
        f"There are no weights of Wav2Lip in {folder}: bring a file that you have with "
        "'python app.py models import FILE'",
        field="model",
    )


def open_runtime(
    checkpoint: Path,
    name: str = "auto",
    precision: str = "auto",
    threads: int = 0,
    device: str = "",
) -> Runtime:
    """``auto`` takes the GPU if there is one, else OpenVINO, else torch; half precision on a GPU.
    ``threads`` of the CPU; 0: all cores but one, which JPEG, x264 and speech share. ``device``: by
    its name; empty: the first GPU for cuda, else the CPU.

    Raises BadInput for a runtime that is not installed or does not work here, or not on the
    ``device``.
    """
    if name == "auto":
        on_gpu = is_gpu(device) if device else _has_gpu()
        name = "cuda" if on_gpu else "openvino" if _installed("openvino") else "torch"
    if name not in RUNTIMES or not _installed("torch" if name == "cuda" else name):
        raise BadInput(f"The runtime {name} is not installed: pip install -r requirements.txt")
    if device and is_gpu(device) != (name == "cuda"):
        raise BadInput(f"The runtime {name} does not run on the device {device}", field="model")
    if name == "cuda":
        if not _has_gpu():
            raise BadInput("The runtime cuda needs an NVIDIA GPU, and torch finds none")
        check_device(device)
        from app_core.lipsync.wav2lip.cuda_runtime import CudaRuntime

        return CudaRuntime(checkpoint, device or "cuda:0", half=precision != "full")
    device, threads = device or "cpu", threads or _threads()
    if name == "openvino":
        from app_core.lipsync.wav2lip.openvino_runtime import OpenVinoRuntime

        return OpenVinoRuntime(checkpoint, threads, precision == "half", device)
    from app_core.lipsync.wav2lip.torch_runtime import TorchRuntime

    return TorchRuntime(checkpoint, threads, device)


def _threads() -> int:
    return max(1, math.floor(core_count()) - 1)


def _installed(package: str) -> bool:
    return importlib.util.find_spec(package) is not None


def _has_gpu() -> bool:
    return bool(gpus())
