"""Sound from outside, as it comes: a microphone, or speech that was made elsewhere."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import numpy as np

from app_core.audio import FULL_SCALE, SAMPLE_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable

    from app_core.types import Float32

MOST_S = 60.0
"""Sound that waits here at most; a writer that asks for ``room`` is kept waiting beyond it."""
SILENT_S = 30.0
"""Without sound for this long, a sound that was to go on has ended."""


class PcmFeed:
    """Written by whoever brings the sound, read by the thread that says it."""

    def __init__(
        self,
        utterance_id: str,
        sample_rate: int,
        silent_s: float = SILENT_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.utterance_id, self.sample_rate = utterance_id, sample_rate
        self._clock, self._silent_s = clock, silent_s
        self._changed = threading.Condition()
        self._waiting = bytearray()
        self._ended = False
        self._came_s = clock()
        self.dropped_s = 0.0
        """Seconds that came when there was no room."""

    @property
    def ended(self) -> bool:
        """Nothing more comes."""
        return self._ended

    @property
    def over(self) -> bool:
        """Nothing more comes, and all is taken."""
        return self._ended and len(self._waiting) < SAMPLE_BYTES

    @property
    def quiet_s(self) -> float:
        """Since the last sound came."""
        return self._clock() - self._came_s

    def room(self) -> bool:
        """Whether ``push`` keeps what it is given. True of one that has ended."""
        return self._ended or len(self._waiting) < MOST_S * self.sample_rate * SAMPLE_BYTES

    def push(self, pcm: bytes) -> None:
        """16-bit little-endian mono samples, cut anywhere. Dropped where there is no room, and
        when it has ended."""
        with self._changed:
            self._came_s = self._clock()
            if self._ended:
                return
            if not self.room():
                self.dropped_s += len(pcm) / SAMPLE_BYTES / self.sample_rate
                return
            self._waiting += pcm
            self._changed.notify()

    def end(self) -> None:
        with self._changed:
            self._ended = True
            self._changed.notify()

    def take(self, timeout_s: float, most_s: float = 1.0) -> Float32 | None:
        """The next samples, -1..1, or None when none come within the time."""
        with self._changed:
            if len(self._waiting) < SAMPLE_BYTES and not self._ended:
                self._changed.wait(timeout_s)
            if self.quiet_s > self._silent_s:
                self._ended = True
            most = int(most_s * self.sample_rate) * SAMPLE_BYTES
            size = min(len(self._waiting) // SAMPLE_BYTES * SAMPLE_BYTES, most)
            if not size:
                return None
            data = bytes(self._waiting[:size])
            del self._waiting[:size]
        return np.frombuffer(data, "<i2").astype(np.float32) / np.float32(FULL_SCALE)
