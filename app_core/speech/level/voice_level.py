"""The gain that brings a voice to the loudness of all: one for all that it says, so that a whisper
stays softer than a shout."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from app_core.speech.level.loudness import Blocks

if TYPE_CHECKING:
    from collections.abc import Mapping

TARGET_LUFS = -18.0
_LEAST_DB, _MOST_DB = -12.0, 24.0
_START_DB = 4.0
"""Before anything is known: most engines speak between -20 and -26 LUFS."""
GATE_LUFS = TARGET_LUFS - _MOST_DB
"""Of the sound as it comes: what is softer no gain would bring up to the others."""
_STEP_DB = 1.0
"""From one sentence to the next."""
_REMEMBERED = 600.0
"""Blocks, a minute of speech: what was heard earlier weighs less and less."""
MEASURED_DB: Mapping[tuple[str, str], float] = {
    ("espeak", "ru"): 2.9,
    ("espeak", "kk"): 1.7,
    ("espeak", "en"): 2.3,
    ("hibari", "en"): 8.0,
}
"""By voice and language, for voices that are always the same: against the integrated loudness of
ten sentences (those of tests/speech/level/sentences.py)."""


class VoiceLevel:
    """Of one voice in one language, kept for as long as the voice. Thread-safe."""

    def __init__(self, measured_db: float | None = None) -> None:
        """``measured_db``: the gain, where it is known for good."""
        self._measured = measured_db is not None
        self._gain = measured_db
        self._heard = Blocks()
        self._lock = threading.Lock()

    @classmethod
    def of(cls, voice: str, language: str) -> VoiceLevel:
        return cls(MEASURED_DB.get((voice, language)))

    @property
    def learns(self) -> bool:
        """Whether it is of use to tell what was heard."""
        return not self._measured

    @property
    def gain_db(self) -> float | None:
        """For the next sentence; None before the first one."""
        with self._lock:
            return self._gain

    def first(self, lufs: float | None) -> float:
        """The gain, decibels, of a sentence that began before there was one, by its own loudness
        so far; None: nobody knows. Where another was first, that one's.
        """
        with self._lock:
            if self._gain is None:
                if lufs is None:
                    return _START_DB
                self._gain = _bounded(TARGET_LUFS - lufs)
            return self._gain

    def heard(self, blocks: Blocks) -> None:
        """A sentence has ended; ``blocks`` are of its sound as it came."""
        with self._lock:
            if self._measured or self._gain is None:
                return
            self._heard.merge(blocks)
            self._heard.fade(_REMEMBERED)
            lufs = self._heard.lufs()
            if lufs is not None:
                apart = _bounded(TARGET_LUFS - lufs) - self._gain
                self._gain += min(max(apart, -_STEP_DB), _STEP_DB)


def _bounded(gain_db: float) -> float:
    return min(max(gain_db, _LEAST_DB), _MOST_DB)
