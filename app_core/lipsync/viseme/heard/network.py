"""The network that hears articulation: dilated convolutions over time that look only back.

``articulation.npz`` was made by ``tools/articulation_net`` from the output of synthesisers
(espeak-ng, hibari, and flite's voices awb, kal16 and rms) with the articulation that their own
phoneme times give. No recording and no weights of others are in it. It is part of this project,
under its licence (MIT).
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from app_core.kernels import kernel
from app_core.lipsync.viseme.articulation import TRACKS

if TYPE_CHECKING:
    from app_core.types import Float32

LOOKAHEAD = 8
"""Rows after a moment that its output waits for."""
DILATIONS = (1, 1, 2, 4, 8, 4, 2)
"""Of the layers, the first one (which takes the bands) included."""
TAPS = 3
SEAL = len(TRACKS)
"""The output beside the tracks: how likely the lips are sealed, before the sigmoid."""

_BLOCK = 128
"""Rows at once: a long recording needs no more memory than a short one."""
WEIGHTS = Path(__file__).parent / "articulation.npz"


class HearingWeights(NamedTuple):
    usual: Float32
    """(bands,): see ``Hearing``."""
    threshold: float
    """Of the seal's probability."""
    kernels: tuple[Float32, ...]
    """One a layer, (TAPS, inputs, channels): the oldest row first."""
    biases: tuple[Float32, ...]
    hidden: tuple[Float32, Float32]
    """(inputs, outputs) and bias."""
    output: tuple[Float32, Float32]


@cache
def weights(path: Path = WEIGHTS) -> HearingWeights:
    """Those of a file of ``tools/articulation_net``, read-only, read once."""
    with np.load(path, allow_pickle=False) as file:
        arrays = {name: file[name].astype(np.float32) for name in file.files}
    for array in arrays.values():
        array.setflags(write=False)
    return HearingWeights(
        arrays["usual"],
        float(arrays["threshold"]),
        tuple(arrays[f"kernel{layer}"] for layer in range(len(DILATIONS))),
        tuple(arrays[f"bias{layer}"] for layer in range(len(DILATIONS))),
        (arrays["hidden"], arrays["hidden_bias"]),
        (arrays["output"], arrays["output_bias"]),
    )


class HearingNetwork:
    """Rows in, rows out, in blocks of any size; the result does not depend on them."""

    def __init__(self, trained: HearingWeights) -> None:
        self._weights = trained
        self._pasts = [
            np.zeros(((TAPS - 1) * dilation, kernel_.shape[1]), np.float32)
            for dilation, kernel_ in zip(DILATIONS, trained.kernels, strict=True)
        ]

    def push(self, heard: Float32) -> Float32:
        """(rows, bands) -> (rows, SEAL + 1). Row k tells of the moment LOOKAHEAD rows before."""
        found = [np.zeros((0, SEAL + 1), np.float32)]
        for at in range(0, len(heard), _BLOCK):
            found.append(self._block(heard[at : at + _BLOCK]))
        return np.concatenate(found)

    def _block(self, rows: Float32) -> Float32:
        trained = self._weights
        for layer, dilation in enumerate(DILATIONS):
            sound = np.concatenate([self._pasts[layer], rows])
            self._pasts[layer] = sound[len(rows) :].copy()
            rows = convolve(
                sound, trained.kernels[layer], trained.biases[layer], dilation, layer > 0
            )
        rows = convolve(rows, trained.hidden[0][None], trained.hidden[1], 1, False)
        return weigh(rows, *trained.output)


@kernel
def convolve(
    rows: Float32, weights: Float32, bias: Float32, dilation: int, residual: bool
) -> Float32:
    """SiLU of a convolution; with ``residual`` the newest row is added. Not by a product of
    matrices, whose threads would wait for busy cores."""
    taps, inputs, channels = weights.shape
    past = (taps - 1) * dilation
    count = rows.shape[0] - past
    out = np.empty((count, channels), np.float32)
    sums = np.empty((4, channels), np.float32)
    for first in range(0, count, 4):
        several = min(4, count - first)
        for place in range(4):
            sums[place] = bias
        for tap in range(taps):
            at = first + tap * dilation
            second, third, fourth = (
                at + min(1, several - 1),
                at + min(2, several - 1),
                at + min(3, several - 1),
            )
            for channel in range(inputs):
                a, b = rows[at, channel], rows[second, channel]
                c, d = rows[third, channel], rows[fourth, channel]
                for to in range(channels):
                    weight = weights[tap, channel, to]
                    sums[0, to] += a * weight
                    sums[1, to] += b * weight
                    sums[2, to] += c * weight
                    sums[3, to] += d * weight
        for place in range(several):
            for to in range(channels):
                value = sums[place, to]
                value /= np.float32(1) + np.exp(-value)
                if residual:
                    value += rows[first + place + past, to]
                out[first + place, to] = value
    return out


@kernel
def weigh(rows: Float32, weights: Float32, bias: Float32) -> Float32:
    out = np.empty((rows.shape[0], weights.shape[1]), np.float32)
    for row in range(rows.shape[0]):
        for to in range(weights.shape[1]):
            total = bias[to]
            for channel in range(rows.shape[1]):
                total += rows[row, channel] * weights[channel, to]
            out[row, to] = total
    return out
