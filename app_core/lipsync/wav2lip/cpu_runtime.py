"""What the runtimes on the CPU share: faces stay where they are, a batch is stacked."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

import numpy as np

from app_core.lipsync.wav2lip.dimensions import blank_faces, blank_mels

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app_core.lipsync.wav2lip.runtime import FaceAt
    from app_core.types import Float32, UInt8

MAX_BATCH = 8
"""A larger batch is no faster on a CPU, and others wait for it."""


class CpuRuntime(ABC):
    """A ``Runtime`` but for its name and what ``run`` does."""

    device: str
    max_batch = MAX_BATCH
    face_room = 0

    @abstractmethod
    def run(self, mel: Float32, faces: UInt8) -> tuple[UInt8, Float32]:
        """``mel`` (n, 80, 16), ``faces`` (n, 96, 96, 3). Returns the patches (n, 48, 96, 3) BGR
        and what the network itself answers (n, 3, 48, 96), 0..1."""

    def hold(self, crops: UInt8) -> UInt8:
        return crops

    def fill(self, held: UInt8, at: int, face: UInt8) -> None:
        held[at] = face

    def draw(self, mel: Float32, faces: Sequence[FaceAt]) -> UInt8:
        return self.run(mel, np.stack([face.crops[face.picture] for face in faces]))[0]

    def answer(self, mel: Float32, faces: UInt8) -> Float32:
        return self.run(mel, faces)[1]

    def warm_up(self) -> None:
        for batch in (1, MAX_BATCH):
            self.run(blank_mels(batch), blank_faces(batch))
