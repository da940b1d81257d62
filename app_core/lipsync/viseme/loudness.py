"""How loud a voice is from moment to moment, against itself."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from app_core.types import Float32, first_sample

HOPS = 100
"""Levels a second."""
REACH_S = 0.06
"""Half of the window that one value looks at."""

_FORGET_DB = 3.0
"""A second: how fast the loudest moment so far stops being the measure."""
_FLOOR_DB = -90.0
_QUIETEST_VOICE_DB = -50.0
_TYPICAL_DB = -8.0
"""A vowel's level below the loudest moment."""
_SPAN_DB = 8.0


class Loudness:
    """Levels of a sound that arrives in blocks of any size; the result does not depend on them."""

    def __init__(self, sample_rate: int) -> None:
        self._rate = sample_rate
        self._rest = np.zeros(0, np.float32)
        self._hops = 0
        self._loudest = _QUIETEST_VOICE_DB
        self._relative = np.zeros(0)
        self._dropped = 0

    @property
    def loudest_db(self) -> float:
        """The measure now, decibels of a full-scale square wave."""
        return self._loudest

    def push(self, pcm: Float32, *, last: bool = False) -> None:
        """More sound; ``last`` also counts the hop that is not full."""
        sound = np.concatenate([self._rest, pcm])
        origin = first_sample(self._hops, self._rate, HOPS)
        count = (origin + len(sound)) * HOPS // self._rate - self._hops
        edges = [
            first_sample(self._hops + hop, self._rate, HOPS) - origin for hop in range(count + 1)
        ]
        if last and edges[-1] < len(sound):
            edges.append(len(sound))
        self._rest = sound[edges[-1] :].copy()  # a view would hold the whole piece
        if len(edges) < 2:
            return
        power = np.add.reduceat(np.square(sound[: edges[-1]], dtype=np.float64), edges[:-1])
        levels = 10 * np.log10(power / np.diff(edges) + 10 ** (_FLOOR_DB / 10))
        self._follow(levels)

    def gain(self, moments: NDArray[np.float64]) -> NDArray[np.float64]:
        """-1 (soft) .. 1 (as loud as the loudest of late) at moments in seconds, same shape."""
        if not len(self._relative):
            return np.zeros_like(moments)
        half = round(REACH_S * HOPS)
        offsets = np.arange(-half, half + 1)
        weights = np.cos(offsets / (half + 1) * np.pi / 2) ** 2
        hops = np.floor(moments * HOPS + 1e-6).astype(int)[:, None] + offsets - self._dropped
        values = self._relative[np.clip(hops, 0, len(self._relative) - 1)]
        gains: NDArray[np.float64] = values @ (weights / weights.sum())
        return gains

    def forget(self, before_s: float) -> None:
        """Nothing before this moment will be asked for."""
        old = min(int((before_s - REACH_S) * HOPS) - 1 - self._dropped, len(self._relative) - 1)
        if old > 0:
            self._relative = self._relative[old:]
            self._dropped += old

    def _follow(self, levels: NDArray[np.float64]) -> None:
        fade = _FORGET_DB / HOPS * np.arange(1, len(levels) + 1)
        loudest = np.maximum.accumulate(np.maximum(levels + fade, self._loudest)) - fade
        self._loudest = float(loudest[-1])
        self._hops += len(levels)
        gains = np.clip((levels - loudest - _TYPICAL_DB) / _SPAN_DB, -1, 1)
        self._relative = np.concatenate([self._relative, gains])
