"""The Wav2Lip generator (Prajwal et al., "A Lip Sync Expert Is All You Need", ACM MM 2020).

The names of its parameters are those of the published checkpoints.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from collections.abc import Iterable

# in, out, kernel, stride, padding, residual
_AUDIO = (
    (1, 32, 3, 1, 1, False),
    (32, 32, 3, 1, 1, True),
    (32, 32, 3, 1, 1, True),
    (32, 64, 3, (3, 1), 1, False),
    (64, 64, 3, 1, 1, True),
    (64, 64, 3, 1, 1, True),
    (64, 128, 3, 3, 1, False),
    (128, 128, 3, 1, 1, True),
    (128, 128, 3, 1, 1, True),
    (128, 256, 3, (3, 2), 1, False),
    (256, 256, 3, 1, 1, True),
    (256, 512, 3, 1, 0, False),
    (512, 512, 1, 1, 0, False),
)
# The first layer of each block, and how many residual ones of its width follow.
_FACE = (
    ((6, 16, 7, 1, 3, False), 0),
    ((16, 32, 3, 2, 1, False), 2),
    ((32, 64, 3, 2, 1, False), 3),
    ((64, 128, 3, 2, 1, False), 2),
    ((128, 256, 3, 2, 1, False), 2),
    ((256, 512, 3, 2, 1, False), 1),
)
# in, out, stride, padding and output padding, residual layers
_DECODER = (
    (1024, 512, 1, 0, 1),
    (1024, 512, 2, 1, 2),
    (768, 384, 2, 1, 2),
    (512, 256, 2, 1, 2),
    (320, 128, 2, 1, 2),
    (160, 64, 2, 1, 2),
)


class ConvBlock(nn.Module):
    """Convolution, batch norm, then the input added when residual, then ReLU."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int,
        stride: int | tuple[int, int],
        padding: int,
        residual: bool = False,
    ) -> None:
        super().__init__()
        conv = nn.Conv2d(inputs, outputs, kernel, stride, padding)
        self.conv_block = nn.Sequential(conv, nn.BatchNorm2d(outputs))
        self.residual = residual

    def forward(self, x: Tensor) -> Tensor:
        made = self.conv_block(x)
        return torch.relu(made + x if self.residual else made)


class UpBlock(nn.Module):
    """Transposed convolution, batch norm, ReLU."""

    def __init__(self, inputs: int, outputs: int, stride: int, padding: int) -> None:
        super().__init__()
        conv = nn.ConvTranspose2d(inputs, outputs, 3, stride, padding, output_padding=padding)
        self.conv_block = nn.Sequential(conv, nn.BatchNorm2d(outputs))

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(self.conv_block(x))


class Wav2Lip(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.face_encoder_blocks = nn.ModuleList(
            nn.Sequential(ConvBlock(*first), *_residuals(first[1], count)) for first, count in _FACE
        )
        self.face_encoder_blocks.append(
            nn.Sequential(ConvBlock(512, 512, 3, 1, 0), ConvBlock(512, 512, 1, 1, 0))
        )
        self.audio_encoder = nn.Sequential(*(ConvBlock(*row) for row in _AUDIO))
        self.face_decoder_blocks = nn.ModuleList([nn.Sequential(ConvBlock(512, 512, 1, 1, 0))])
        for inputs, outputs, stride, padding, count in _DECODER:
            up = UpBlock(inputs, outputs, stride, padding)
            self.face_decoder_blocks.append(nn.Sequential(up, *_residuals(outputs, count)))
        self.output_block = nn.Sequential(
            ConvBlock(80, 32, 3, 1, 1), nn.Conv2d(32, 3, 1), nn.Sigmoid()
        )

    def forward(self, mel: Tensor, face: Tensor) -> Tensor:
        """``mel`` (n, 1, 80, 16), -4..4; ``face`` (n, 6, 96, 96), 0..1: BGR with its lower half
        black, then BGR whole. Returns BGR (n, 3, 96, 96), 0..1.
        """
        skips = []
        for block in self.face_encoder_blocks:
            face = block(face)
            skips.append(face)
        x = self.audio_encoder(mel)
        for block, skip in zip(self.face_decoder_blocks, reversed(skips), strict=True):
            x = torch.cat([block(x), skip], 1)
        made: Tensor = self.output_block(x)
        return made


def _residuals(width: int, count: int) -> Iterable[ConvBlock]:
    return (ConvBlock(width, width, 3, 1, 1, residual=True) for _ in range(count))
