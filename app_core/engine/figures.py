"""A line about the engine in the log while live renders run."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app_core.engine.capacity import Capacity
    from app_core.engine.engine import Engine

logger = logging.getLogger(__name__)


def log_figures(engine: Engine, capacity: Capacity) -> None:
    """Figures, never what is said."""
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
        100 * capacity.snapshot().late,
        engine.name,
    )
