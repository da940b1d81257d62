"""A line about the engine in the log while live renders run."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from app_core.threads import start_thread

if TYPE_CHECKING:
    from app_core.engine.capacity import Capacity
    from app_core.engine.engine import Engine

logger = logging.getLogger(__name__)

BETWEEN_LINES_S = 10.0


class StatsLogger:
    """Logs figures, never what is said."""

    def __init__(
        self, engine: Engine, capacity: Capacity, between_s: float = BETWEEN_LINES_S
    ) -> None:
        self._engine, self._capacity, self._between_s = engine, capacity, between_s
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="stats_logger", daemon=True)

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
            "%.1f %% late (%s)",
            live,
            files,
            engine.throughput.frames_per_s,
            engine.throughput.mean_batch,
            engine.depth,
            100 * self._capacity.snapshot().late,
            engine.name,
        )
