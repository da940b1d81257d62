"""The generator as the server runs it: 8-bit faces in, mouth halves to paste out, one graph."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from app_core.lipsync.wav2lip.network import Wav2Lip
from app_core.lipsync.wav2lip.paste import edge
from app_core.lipsync.wav2lip.trimmed import FIRST_ROW, TrimmedWav2Lip


class MouthGenerator(nn.Module):
    edge: Tensor

    def __init__(self, network: Wav2Lip) -> None:
        super().__init__()
        self.trimmed = TrimmedWav2Lip(network)
        self.register_buffer("edge", torch.from_numpy(edge())[None, None])

    def forward(self, mel: Tensor, faces: Tensor) -> tuple[Tensor, Tensor]:
        """``mel`` (n, 80, 16), -4..4; ``faces`` (n, 96, 96, 3) uint8 BGR.

        Returns the patch, (n, 48, 96, 3) uint8 BGR, shifted to the mean colour of the face where
        it will fade into it; and the lower half as the network answers, (n, 3, 48, 96), 0..1.
        """
        whole = faces.permute(0, 3, 1, 2).to(mel.dtype) / 255
        upper = nn.functional.pad(whole[:, :, :FIRST_ROW], (0, 0, 0, FIRST_ROW))
        made = self.trimmed(mel[:, None], torch.cat([upper, whole], 1))
        # In single precision: products of the edge's weights are too small for half.
        answer = made.float()
        apart = (whole[:, :, FIRST_ROW:].float() - answer) * self.edge.float()
        patch = (answer + apart.sum((2, 3), keepdim=True)) * 255 + 0.5
        return patch.clamp(0, 255).permute(0, 2, 3, 1).to(torch.uint8), made
