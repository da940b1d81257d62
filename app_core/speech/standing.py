"""Which voices failed of late, and which are being asked: those that failed are left alone for a
while, then tried again."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from app_core.threads import Pulse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

REST_S = 30.0
"""After a failure; twice as long after each further one in a row."""
LONGEST_REST_S = 300.0
STUCK_S = 150.0
"""For one piece of sound, from when it is made: to wait for a turn does not count."""


class Standing:
    """Thread-safe."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._failures: dict[str, tuple[int, float]] = {}
        """In a row, and until when the voice rests."""
        self._asked: set[Pulse] = set()

    def failed(self, voice_id: str) -> None:
        with self._lock:
            count, until_s = self._failures.get(voice_id, (0, 0.0))
            if self._clock() < until_s:
                return  # a render that had begun before the others heard of it
            rest_s = min(REST_S * 2**count, LONGEST_REST_S)
            self._failures[voice_id] = (count + 1, self._clock() + rest_s)

    @property
    def asked(self) -> list[Pulse]:
        """Of the threads that a voice is speaking to."""
        return list(self._asked)

    @staticmethod
    def pulse_of(voice_id: str) -> Pulse:
        """For one piece. It beats when the voice asks whether that is still wanted, as it does
        while it waits for its turn."""
        return Pulse(f"voice-{voice_id}", STUCK_S)

    @contextmanager
    def speaking(self, pulse: Pulse) -> Iterator[None]:
        """The voice speaks to this thread in the block."""
        pulse.follow(threading.current_thread())
        self._asked.add(pulse)
        try:
            yield
        finally:
            self._asked.discard(pulse)
            pulse.end()

    def worked(self, voice_id: str) -> None:
        with self._lock:
            self._failures.pop(voice_id, None)

    def resting(self, voice_id: str) -> bool:
        with self._lock:
            return self._clock() < self._failures.get(voice_id, (0, 0.0))[1]
