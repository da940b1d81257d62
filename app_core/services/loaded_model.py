"""A lip-sync model that is ready to draw, with the one thread that touches its weights."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from app_core.engine.engine import Engine
from app_core.engine.figures import log_figures

if TYPE_CHECKING:
    from app_core.engine.capacity import Capacity
    from app_core.lipsync.model import LipsyncModel
    from app_core.metrics import Metrics

logger = logging.getLogger(__name__)


class LoadedModel:
    """``why``: a sentence on why it was chosen. ``capacity``: calibrated for this model."""

    def __init__(
        self, model: LipsyncModel, why: str, capacity: Capacity, metrics: Metrics | None = None
    ) -> None:
        self.model, self.why, self.capacity = model, why, capacity
        self.engine = Engine(model, metrics)

    @property
    def name(self) -> str:
        return self.model.name

    def start(self) -> None:
        """Raises Busy when no thread is left."""
        self.engine.start()

    def log_figures(self) -> None:
        """A line, while live renders run."""
        log_figures(self.engine, self.capacity)

    def revive(self) -> None:
        """Starts the engine's thread when it has ended. Raises Busy when no thread is left."""
        if not self.engine.alive:
            logger.error("the thread of %s has ended; it is started again", self.name)
            self.engine.start()

    def close(self) -> None:
        self.engine.close()
        self.model.close()
