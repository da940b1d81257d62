"""The true peak of a whole sound, in parts, by the kernel of the limiter."""

from __future__ import annotations

import numpy as np

from app_core.speech.level.true_peak import AFTER, BEFORE, INTERPOLATOR, TAPS, peaks
from app_core.types import Float32


class TruePeak:
    """The highest peak of a sound so far, which comes in parts of any size."""

    def __init__(self) -> None:
        self._before = np.zeros(BEFORE, np.float32)
        self._peak = 0.0

    def push(self, pcm: Float32, *, last: bool = False) -> None:
        ending = np.zeros(AFTER if last else 0, np.float32)
        sound = np.concatenate([self._before, pcm, ending])
        if len(sound) >= TAPS + 1:
            floor = max(self._peak, float(np.abs(sound).max()))
            self._peak = max(self._peak, float(peaks(sound, INTERPOLATOR, floor).max()))
            sound = sound[len(sound) - BEFORE - AFTER + 1 :]
        self._before = sound.copy()

    def dbtp(self) -> float:
        """Decibels of full scale, at least -120."""
        return 20 * float(np.log10(max(self._peak, 1e-6)))
