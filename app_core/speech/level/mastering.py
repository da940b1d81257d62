"""The sound of a voice made ready to be heard after any other: level, ends, peaks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from app_core.speech.level.limiter import Limiter
from app_core.speech.level.loudness import LoudnessMeter
from app_core.speech.level.trim import Trim
from app_core.speech.level.voice_level import GATE_LUFS, TARGET_LUFS, VoiceLevel

if TYPE_CHECKING:
    from app_core.types import Float32

_FIRST_BLOCKS = 4
"""Of 0.4 s, each 0.1 s later than the one before."""
_DECLINE_DB = 1.0
"""By which a sentence is softer than its beginning: 2.3 in a natural voice, 0 in espeak-ng's
(measured, ten sentences)."""


class Mastering:
    """One sentence in parts of any size: at -18 LUFS as far as its voice is, trimmed, its ends
    faded, no true peak above -1 dB.

    The gain is the same for the whole sentence. The result does not depend on the parts, but for
    the very first sentence of a voice that was not measured: its gain is that of what has come
    when there is enough, 0.7 s of voice, or all.
    """

    def __init__(self, level: VoiceLevel, sample_rate: int) -> None:
        self._level = level
        self._gain_db = level.gain_db
        self._begun = Trim(sample_rate, GATE_LUFS)
        self._beginning = LoudnessMeter(sample_rate, GATE_LUFS)
        self._trim = Trim(sample_rate, TARGET_LUFS)
        self._loudness = LoudnessMeter(sample_rate, GATE_LUFS)
        self._limiter = Limiter(sample_rate)
        self._held = np.zeros(0, np.float32)
        """As it came, while there is no gain."""

    @property
    def dropped(self) -> int:
        """Samples of silence at the beginning that are left out."""
        return self._trim.dropped or 0

    def push(self, pcm: Float32, *, last: bool = False) -> Float32:
        """More sound as the engine gave it. ``last``: the end comes out too, what was heard is
        told to the voice's level, and nothing may be pushed after.
        """
        if self._gain_db is None:
            self._held = np.concatenate([self._held, pcm])
            self._gain_db = self._first(pcm, last=last)
            if self._gain_db is None:
                return np.zeros(0, np.float32)
            pcm, self._held = self._held, np.zeros(0, np.float32)
        gain = np.float32(10 ** (self._gain_db / 20))
        kept = self._trim.push(pcm * gain, last=last)
        if self._level.learns:
            self._loudness.push(kept / gain)
            if last:
                self._level.heard(self._loudness.blocks)
        return self._limiter.push(kept, last=last)

    def _first(self, pcm: Float32, *, last: bool) -> float | None:
        self._beginning.push(self._begun.push(pcm, last=last))
        blocks = self._beginning.blocks
        if last:
            return self._level.first(blocks.lufs())
        lufs = blocks.lufs() if blocks.count >= _FIRST_BLOCKS else None
        return None if lufs is None else self._level.first(lufs - _DECLINE_DB)


def warm() -> None:
    """Compiles what the first sentence would wait for."""
    tone = np.tile(np.array([1, 1, -1, -1], np.float32), 2000)
    Mastering(VoiceLevel(), 8000).push(4 * tone, last=True)
