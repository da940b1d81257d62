"""The generator by torch on the CPU, where OpenVINO is not installed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from app_core.lipsync.wav2lip.checkpoint import load_network
from app_core.lipsync.wav2lip.cpu_runtime import CpuRuntime
from app_core.lipsync.wav2lip.generator import MouthGenerator

if TYPE_CHECKING:
    from pathlib import Path

    from app_core.types import Float32, UInt8


class TorchRuntime(CpuRuntime):
    name = "torch"

    def __init__(self, checkpoint: Path, threads: int, device: str = "cpu") -> None:
        """``threads`` is torch's own number for the whole process. Raises BadInput or OSError."""
        self.device = device
        torch.set_num_threads(threads)
        self._generator = MouthGenerator(load_network(checkpoint)).eval()
        self._generator.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    @torch.inference_mode()
    def run(self, mel: Float32, faces: UInt8) -> tuple[UInt8, Float32]:
        patches, answers = self._generator(
            torch.from_numpy(np.ascontiguousarray(mel)), torch.from_numpy(faces)
        )
        return patches.numpy(), answers.numpy()
