"""The generator by torch on the CPU, where OpenVINO is not installed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from app_core.lipsync.wav2lip.checkpoint import load_network
from app_core.lipsync.wav2lip.generator import MouthGenerator
from app_core.lipsync.wav2lip.network import MEL_BANDS, MEL_COLUMNS, SIDE

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from app_core.lipsync.wav2lip.runtime import FaceAt
    from app_core.types import Float32, UInt8


class TorchRuntime:
    name = "torch"
    device = "cpu"
    max_batch = 8

    def __init__(self, checkpoint: Path, threads: int) -> None:
        """``threads`` is torch's own number for the whole process. Raises BadInput or OSError."""
        torch.set_num_threads(threads)
        self._generator = MouthGenerator(load_network(checkpoint)).eval()
        self._generator.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def hold(self, crops: UInt8) -> UInt8:
        return crops

    def fill(self, held: UInt8, at: int, face: UInt8) -> None:
        held[at] = face

    def draw(self, mel: Float32, faces: Sequence[FaceAt]) -> UInt8:
        pixels = np.stack([face.crops[face.picture] for face in faces])
        return self._run(mel, pixels)[0].numpy()

    def answer(self, mel: Float32, faces: UInt8) -> Float32:
        return self._run(mel, faces)[1].numpy()

    def warm_up(self) -> None:
        mel = np.zeros((1, MEL_BANDS, MEL_COLUMNS), np.float32)
        self._run(mel, np.zeros((1, SIDE, SIDE, 3), np.uint8))

    @torch.inference_mode()
    def _run(self, mel: Float32, faces: UInt8) -> tuple[torch.Tensor, torch.Tensor]:
        made: tuple[torch.Tensor, torch.Tensor] = self._generator(
            torch.from_numpy(np.ascontiguousarray(mel)), torch.from_numpy(faces)
        )
        return made
