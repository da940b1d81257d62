"""The part of a recording that is looked at: its sound, its bands, and where it pauses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from app_core.speech.timing.bands import BANDS, HOPS, Bands
from app_core.speech.timing.retiming import Pause
from app_core.types import Float32, first_sample

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Hops = NDArray[np.int64]

PAUSE, EDGE = 15, 4
"""Columns from which on silence is a pause, and what is kept of it at either end."""
_LONGEST = 60 * HOPS
"""Columns that one sentence is looked for in."""
_QUIETEST_VOICE = -12.0
_FORGET = 0.002
"""Of its level a column: the loudest moment so far stops being the measure, by 0.9 dB a second."""
_SILENT, _NOISE, _LEAST_CONTRAST = -8.75, 1.4, -2.8
"""Natural logarithms of power: 38 dB below the voice is silent, so is what is 6 dB above the
background, unless that is less than 12 dB below the voice."""


class Window:
    """The recording from the first moment on that is not given out, as sound and as levels."""

    def __init__(self, blocks: Iterator[Float32], rate: int, other_rate: int = 0) -> None:
        """``other_rate``: of the sound that it is compared with, where that is lower."""
        self.rate, self.ended = rate, False
        self._blocks = blocks
        self._bands = Bands(rate, other_rate or rate)
        self._pcm = np.zeros(0, np.float32)
        self._levels = np.zeros((0, BANDS), np.float32)
        self._taken = 0
        self._voice = _QUIETEST_VOICE

    @property
    def columns(self) -> int:
        return len(self._levels)

    def fill(self, columns: int) -> bool:
        """Until there are so many columns, or no more sound. False: there is none at all."""
        while self.columns < columns and not self.ended:
            pcm = next(self._blocks, None)
            self.push(np.zeros(0, np.float32) if pcm is None else pcm, last=pcm is None)
        return len(self._pcm) > 0

    def push(self, pcm: Float32, *, last: bool) -> None:
        """More sound than ``blocks`` give; ``last``: no more comes."""
        levels = self._bands.push(pcm, last=last)
        self._pcm = np.concatenate([self._pcm, pcm])
        self._levels = np.concatenate([self._levels, levels])
        self.ended = last

    def fill_kept(self, columns: int) -> None:
        """Until so many columns are no pause, within _LONGEST."""
        while self.columns < _LONGEST and not self.ended:
            short = columns - len(self.kept()[1])
            if short <= 0:
                return
            self.fill(min(self.columns + max(short, HOPS), _LONGEST))

    def kept(self) -> tuple[Float32, Hops]:
        """The columns without the inside of pauses, and which ones they are."""
        inside = np.zeros(self.columns, bool)
        for start, stop in self._runs():
            inside[start + EDGE : stop - EDGE] = True
        places = np.flatnonzero(~inside)
        return self._levels[places], places

    def leading(self) -> int:
        """Columns of bands that are silent at the beginning of the recording."""
        runs = self._runs()
        return runs[0][1] if runs and runs[0][0] == 0 else 0

    def silent_from(self, column: int) -> bool:
        """Nothing but silence is left, but for a breath."""
        runs = self._runs()
        return column >= self.columns or bool(runs and runs[-1][0] <= column + 2 * PAUSE)

    def pauses(self, stop: int) -> list[Pause]:
        """Those before the column ``stop``, in seconds, without the voice's last breath."""
        return [
            Pause(start / HOPS, min(end, stop) / HOPS)
            for start, end in self._runs()
            if min(end, stop) - start >= PAUSE // 2
        ]

    def break_near(self, column: int) -> int:
        """The middle of the first pause from ``column`` on, else twice as far."""
        self.fill(2 * column)
        for start, stop in self._runs():
            if (start + stop) // 2 >= column:
                return (start + stop) // 2
        return min(2 * column, self.columns)

    def peek(self, column: int) -> Float32:
        """The sound before ``column``; all of it when that is the end."""
        if self.ended and column >= self.columns:
            return self._pcm
        first = first_sample(self._taken, self.rate, HOPS)
        return self._pcm[: max(first_sample(self._taken + column, self.rate, HOPS) - first, 0)]

    def take(self, column: int) -> Float32:
        pcm = self.peek(column)
        self._taken += min(column, self.columns)
        self._voice -= column * _FORGET
        self._pcm, self._levels = self._pcm[len(pcm) :], self._levels[column:]
        return pcm

    def _runs(self) -> list[tuple[int, int]]:
        """(first, stop) of each pause."""
        if not self.columns:
            return []
        power = np.log(np.exp(self._levels, dtype=np.float64).sum(1) + 1e-10)
        loud, noise = np.percentile(power, [95, 5])
        self._voice = max(float(loud), self._voice, _QUIETEST_VOICE)
        limit = max(self._voice + _SILENT, float(noise) + _NOISE)
        silent = power < min(limit, self._voice + _LEAST_CONTRAST)
        edges = np.flatnonzero(np.diff(np.concatenate([[0], silent.astype(np.int8), [0]])))
        pairs = edges.reshape(-1, 2).tolist()
        return [(start, stop) for start, stop in pairs if stop - start >= PAUSE]
