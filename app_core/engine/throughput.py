"""How fast the engine has been lately."""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


WINDOW_S = 5.0


class Throughput:
    """Frames and batches of the last ``WINDOW_S``. Thread-safe."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._batches: deque[tuple[float, int]] = deque()
        self._lock = threading.Lock()

    def add(self, frames: int) -> None:
        with self._lock:
            self._batches.append((self._clock(), frames))
            self._forget()

    @property
    def frames_per_s(self) -> float:
        return self._sums()[0] / WINDOW_S

    @property
    def batches_per_s(self) -> float:
        return self._sums()[1] / WINDOW_S

    @property
    def mean_batch(self) -> float:
        frames, batches = self._sums()
        return frames / batches if batches else 0.0

    def _sums(self) -> tuple[int, int]:
        with self._lock:
            self._forget()
            return sum(frames for _, frames in self._batches), len(self._batches)

    def _forget(self) -> None:
        begins = self._clock() - WINDOW_S
        while self._batches and self._batches[0][0] < begins:
            self._batches.popleft()
