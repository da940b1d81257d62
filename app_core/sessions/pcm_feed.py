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

MOST_S, MOST_RATE = 60.0, 48_000
"""Sound that waits here at most, seconds at this rate; a writer that asks for ``room`` is kept
waiting beyond it."""
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
        elsewhere: Callable[[], int] = lambda: 0,
    ) -> None:
        """``elsewhere``: bytes that wait in other feeds and share the room with this one's."""
        self.utterance_id, self.sample_rate = utterance_id, sample_rate
        self._clock, self._silent_s, self._elsewhere = clock, silent_s, elsewhere
        self._changed = threading.Condition()
        self._waiting = bytearray()
        self._ended = False
        self._came_s = clock()
        self.dropped_s = 0.0
        """Seconds that came when there was no room, or after the end."""

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

    @property
    def waiting(self) -> int:
        """Bytes."""
        return len(self._waiting)

    def room(self) -> bool:
        """Whether ``push`` keeps what it is given. True of one that has ended."""
        return self._ended or self.waiting + self._elsewhere() < MOST_S * MOST_RATE * SAMPLE_BYTES

    def push(self, pcm: bytes) -> None:
        """16-bit little-endian mono samples, cut anywhere. Dropped where there is no room, and
        when it has ended."""
        with self._changed:
            self._came_s = self._clock()
            if self._ended or not self.room():
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
            if len(self._waiting) >= SAMPLE_BYTES:
                self._came_s = self._clock()  # it may have waited for room until now
            elif self.quiet_s > self._silent_s:
                self._ended = True
            most = int(most_s * self.sample_rate) * SAMPLE_BYTES
            size = min(len(self._waiting) // SAMPLE_BYTES * SAMPLE_BYTES, most)
            if not size:
                return None
            data = bytes(self._waiting[:size])
            del self._waiting[:size]
        return np.frombuffer(data, "<i2").astype(np.float32) / np.float32(FULL_SCALE)
