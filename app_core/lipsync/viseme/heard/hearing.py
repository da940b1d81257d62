"""A running measure of the voice, so that neither gain nor microphone changes what is heard."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from app_core.kernels import kernel
from app_core.lipsync.viseme.heard.spectrum import HOPS

if TYPE_CHECKING:
    from app_core.types import Float32

QUIETEST_VOICE_DB = -50.0

_FORGET_DB = np.float32(3.0 / HOPS)
"""A row: how fast the loudest moment so far stops being the measure."""
_VOICE_DB = np.float32(20.0)
"""A row that is less than this below the measure tells how the voice and its channel sound."""
_SURE_ROWS = np.float32(50.0)
"""Of a voice, until its own mean counts as much as the usual one."""
_MEMORY_ROWS = np.float32(400.0)
_MURMUR_BANDS, _HISS_BAND = 6, 31
"""About 350 Hz and 4 kHz."""
_UNIT_DB = np.float32(10.0)
_LEAST, _MOST = np.float32(-4.0), np.float32(3.0)


class Hearing:
    """Looks at no row to come."""

    def __init__(self, usual: Float32, present: int, loudest_db: float) -> None:
        """``usual`` (bands,): decibels of a voice's mean against its loudest moment; ``present``
        how many of the bands, from the lowest, the sound has; ``loudest_db`` what came before.
        """
        self._present = present
        self._mean = usual.astype(np.float32)
        self._state = np.array([max(loudest_db, QUIETEST_VOICE_DB), _SURE_ROWS], np.float32)

    def push(self, levels: Float32) -> tuple[Float32, Float32]:
        """Of rows of decibels (rows, bands): what the network takes, same shape, and the loudness
        (rows, 2), decibels against the loudest moment of late: of the whole sound, and of what
        lips that close take away from it, which is neither the murmur below nor the hiss above.
        """
        heard = np.zeros_like(levels)
        loudness = np.zeros((len(levels), 2), np.float32)
        follow(levels, self._present, self._mean, self._state, heard, loudness)
        return heard, loudness


@kernel
def follow(
    levels: Float32,
    present: int,
    mean: Float32,
    state: Float32,
    heard: Float32,
    loudness: Float32,
) -> None:
    loudest, sure = state[0], state[1]
    for row in range(levels.shape[0]):
        whole = mouth = np.float32(1e-12)
        for band in range(present):
            power = np.float32(10) ** (levels[row, band] / np.float32(10))
            whole += power
            if _MURMUR_BANDS <= band < _HISS_BAND:
                mouth += power
        level = np.float32(10) * np.log10(whole)
        loudest = max(loudest - _FORGET_DB, level, np.float32(QUIETEST_VOICE_DB))
        loudness[row, 0] = level - loudest
        loudness[row, 1] = np.float32(10) * np.log10(mouth) - loudest
        voice = level > loudest - _VOICE_DB
        if voice:
            sure = min(sure + np.float32(1), _MEMORY_ROWS)
        for band in range(present):
            against = levels[row, band] - loudest
            if voice:
                mean[band] += (against - mean[band]) / sure
            heard[row, band] = min(max((against - mean[band]) / _UNIT_DB, _LEAST), _MOST)
    state[0], state[1] = loudest, sure
