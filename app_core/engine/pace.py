"""How fast the engine has been lately, and a line about it in the log while live renders run."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from typing import TYPE_CHECKING

from app_core.threads import start_thread

if TYPE_CHECKING:
    from collections.abc import Callable

    from app_core.engine.capacity import Capacity
    from app_core.engine.engine import Engine

logger = logging.getLogger(__name__)

WINDOW_S = 5.0
BETWEEN_LINES_S = 10.0


class Pace:
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


class Pulse:
    """Logs figures, never what is said."""

    def __init__(
        self, engine: Engine, capacity: Capacity, between_s: float = BETWEEN_LINES_S
    ) -> None:
        self._engine, self._capacity, self._between_s = engine, capacity, between_s
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="pulse", daemon=True)

    def start(self) -> None:
        """Raises Busy when no thread is left."""
        start_thread(self._thread)

    def close(self) -> None:
        self._closing.set()
        if self._thread.is_alive():
            self._thread.join(5.0)

    def _run(self) -> None:
        while not self._closing.wait(self._between_s):
            try:
                self._tell()
            except Exception:
                logger.exception("the engine's figures are not told this time")

    def _tell(self) -> None:
        engine = self._engine
        live, files = engine.jobs
        if not live:
            return
        logger.info(
            "%d live and %d file renders: %.0f frames/s in batches of %.1f, %d frames wait, "
            "%.1f %% late",
            live,
            files,
            engine.pace.frames_per_s,
            engine.pace.mean_batch,
            engine.depth,
            100 * self._capacity.snapshot().late,
        )
