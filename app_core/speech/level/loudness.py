"""Integrated loudness of a voice by ITU-R BS.1770-5, growing while the voice speaks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from app_core.speech.level.weighting import HopEnergies

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from app_core.types import Float32

_OFFSET = -0.691
"""LUFS of a weighted mean square of 1."""
_ABSOLUTE_GATE, _RELATIVE_GATE = -70.0, -10.0
_STEPS_S, _STEPS = 0.1, 4
"""A block of 0.4 s every 0.1 s."""
_BIN_LU, _LOUDEST = 0.1, 30.0
_BINS = round((_LOUDEST - _ABSOLUTE_GATE) / _BIN_LU)


class Blocks:
    """Blocks of 0.4 s by their loudness: a histogram, so that its size does not grow with the
    sound. Each bin knows its energy, so only the relative gate is as coarse as a bin."""

    def __init__(self) -> None:
        self._counts = np.zeros(_BINS)
        self._energies = np.zeros(_BINS)

    @property
    def count(self) -> float:
        return float(self._counts.sum())

    def add(self, energies: NDArray[np.float64], gate_lufs: float = _ABSOLUTE_GATE) -> None:
        """Weighted mean squares of blocks; those not above the gate do not count."""
        loud = energies[energies > _energy(max(gate_lufs, _ABSOLUTE_GATE))]
        levels = _OFFSET + 10 * np.log10(loud)
        bins = np.clip(((levels - _ABSOLUTE_GATE) / _BIN_LU).astype(int), 0, _BINS - 1)
        np.add.at(self._counts, bins, 1)
        np.add.at(self._energies, bins, loud)

    def merge(self, other: Blocks) -> None:
        self._counts += other._counts
        self._energies += other._energies

    def fade(self, most: float) -> None:
        """Old and new blocks alike weigh less, so that all count as ``most``."""
        share = most / max(self.count, most)
        self._counts *= share
        self._energies *= share

    def lufs(self) -> float | None:
        """None of silence, and of less than a block."""
        if not self._counts.any():
            return None
        gate = _lufs(float(self._energies.sum() / self._counts.sum())) + _RELATIVE_GATE
        first = max(int((gate - _ABSOLUTE_GATE) / _BIN_LU), 0)
        return _lufs(float(self._energies[first:].sum() / self._counts[first:].sum()))


class LoudnessMeter:
    """Of one sound, mono, in parts of any size, on which the result does not depend."""

    def __init__(self, sample_rate: int, gate_lufs: float = _ABSOLUTE_GATE) -> None:
        """``gate_lufs``: blocks not above it do not count; the standard's or higher."""
        self.blocks = Blocks()
        self._gate = gate_lufs
        self._steps = HopEnergies(sample_rate, round(_STEPS_S * sample_rate))
        self._before = np.zeros(0)

    def push(self, pcm: Float32) -> None:
        steps = np.concatenate([self._before, self._steps.push(pcm)])
        if len(steps) >= _STEPS:
            sums = np.convolve(steps, np.full(_STEPS, 1 / _STEPS), "valid")
            self.blocks.add(sums, self._gate)
        self._before = steps[max(0, len(steps) - _STEPS + 1) :].copy()

    def lufs(self) -> float | None:
        """So far. None of silence, and of less than 0.4 s."""
        return self.blocks.lufs()


def _lufs(energy: float) -> float:
    return _OFFSET + 10 * float(np.log10(energy))


def _energy(lufs: float) -> float:
    return float(10 ** ((lufs - _OFFSET) / 10))
