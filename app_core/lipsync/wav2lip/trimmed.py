"""The part of the generator that the mouth needs: batch norms folded in, the upper half left out.

Only rows 48..95 of the answer are pasted. Rows of the decoder that cannot reach them are cut off
as soon as they are no neighbour of one that can, which changes no bit of the rows that stay.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from app_core.lipsync.wav2lip.dimensions import HALF
from app_core.lipsync.wav2lip.network import ConvBlock, UpBlock

if TYPE_CHECKING:
    from app_core.lipsync.wav2lip.network import Wav2Lip

FIRST_ROW = HALF
"""Rows above it are black in what goes in and absent in what comes out."""

_KEPT_FROM = {3: 4, 4: 10, 5: 22, 6: 46}
"""First row that stays after each decoder block: 12, 24, 48 and 96 pixels high. A block's
3 x 3 layers spoil a row each at the cut, and the output block one more."""


class TrimmedWav2Lip(nn.Module):
    """Computes rows ``FIRST_ROW`` and below of what ``network`` computes."""

    def __init__(self, network: Wav2Lip) -> None:
        super().__init__()
        folded = fold_batch_norms(network)
        self.face_encoder_blocks = folded.face_encoder_blocks
        self.audio_encoder = folded.audio_encoder
        self.face_decoder_blocks = folded.face_decoder_blocks
        self.output_block = folded.output_block

    def forward(self, mel: Tensor, face: Tensor) -> Tensor:
        """As ``Wav2Lip.forward``; returns (n, 3, 48, 96)."""
        skips = []
        for block in self.face_encoder_blocks:
            face = block(face)
            skips.append(face)
        x = self.audio_encoder(mel)
        cut = 0  # of the map's full rows, those above are gone
        for number, block in enumerate(self.face_decoder_blocks):
            skip = skips[-1 - number]
            x = block(x)
            full = skip.shape[2]
            gone = full - x.shape[2]
            cut = _KEPT_FROM.get(number, 0)
            x = torch.cat([x[:, :, cut - gone :], skip[:, :, cut:]], 1)
        made: Tensor = self.output_block(x)
        return made[:, :, FIRST_ROW - cut :]


def fold_batch_norms(network: Wav2Lip) -> Wav2Lip:
    """A copy whose every convolution does the work of the batch norm after it."""
    folded = copy.deepcopy(network).eval()
    for block in folded.modules():
        if isinstance(block, (ConvBlock, UpBlock)):
            conv, norm = block.conv_block
            assert isinstance(conv, (nn.Conv2d, nn.ConvTranspose2d))
            assert isinstance(norm, nn.BatchNorm2d)
            upwards = isinstance(block, UpBlock)
            block.conv_block = nn.Sequential(fuse_conv_bn_eval(conv, norm, transpose=upwards))
    return folded
