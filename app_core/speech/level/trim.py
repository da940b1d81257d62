"""A sentence without the silence at its ends, which fade."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from app_core.speech.level.weighting import HopEnergies

if TYPE_CHECKING:
    from app_core.types import Float32

_HOP_S = 0.005
_BELOW_DB = 34.0
"""Under the voice's loudness: above soft consonants' ends and breath, below them a vocoder's
noise."""
_BEFORE_S, _AFTER_S = 0.03, 0.06
"""Kept of what is quiet: the closure before a plosive, and a last consonant that dies away."""
FADE_S = 0.005


class Trim:
    """One sentence in parts of any size, on which the result does not depend.

    What is quiet at the beginning is dropped; later it waits until more comes or the sentence
    ends. Nothing comes of a sentence that is quiet all through.
    """

    def __init__(self, sample_rate: int, level_lufs: float) -> None:
        """``level_lufs``: of the voice in the sound that is pushed."""
        self._hop = round(_HOP_S * sample_rate)
        self._before, self._after = round(_BEFORE_S * sample_rate), round(_AFTER_S * sample_rate)
        self._energies = HopEnergies(sample_rate, self._hop)
        self._loud = 10 ** ((level_lufs - _BELOW_DB) / 10)
        fade = np.arange(1, round(FADE_S * sample_rate) + 1) / (round(FADE_S * sample_rate) + 1)
        self._fade = (0.5 - 0.5 * np.cos(np.pi * fade)).astype(np.float32)
        self._fading = self._fade
        """What of the beginning's fade is still to come."""
        self._held = np.zeros(0, np.float32)
        self._given = 0
        """Samples that were given or dropped: where ``_held`` begins."""
        self._hops = 0
        self._stop = 0
        """Where the sentence would end if no more came."""
        self.dropped: int | None = None
        """Samples at the beginning; None until something is heard."""

    def push(self, pcm: Float32, *, last: bool = False) -> Float32:
        """More sound. ``last``: the end comes out too, and nothing may be pushed after."""
        self._held = np.concatenate([self._held, pcm])
        self._listen(pcm)
        if self.dropped is None:
            self._take(max(self._hops * self._hop - self._before, 0))
            return np.zeros(0, np.float32)
        stop = min(self._stop, self._given + len(self._held))
        if not last:
            return self._faded_in(self._take(stop - len(self._fade)))
        rest = self._faded_in(self._take(stop))
        falling = self._fade[::-1][max(len(self._fade) - len(rest), 0) :]
        rest[len(rest) - len(falling) :] *= falling
        return rest

    def _listen(self, pcm: Float32) -> None:
        loud = np.flatnonzero(self._energies.push(pcm) > self._loud)
        if len(loud):
            if self.dropped is None:
                first = (self._hops + int(loud[0])) * self._hop
                self.dropped = max(first - self._before, 0)
                self._take(self.dropped)
            self._stop = (self._hops + int(loud[-1]) + 1) * self._hop + self._after
        self._hops = (self._given + len(self._held)) // self._hop

    def _take(self, stop: int) -> Float32:
        """The sound up to ``stop``, which is held no longer."""
        count = max(stop - self._given, 0)
        taken, self._held = self._held[:count].copy(), self._held[count:]
        self._given += len(taken)
        return taken

    def _faded_in(self, pcm: Float32) -> Float32:
        count = min(len(self._fading), len(pcm))
        pcm[:count] *= self._fading[:count]
        self._fading = self._fading[count:]
        return pcm
