"""A lip-sync model on one device, ready to draw, with the one thread that touches its weights."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from app_core.engine.engine import Engine
from app_core.engine.figures import log_figures
from app_core.types import Placement

if TYPE_CHECKING:
    from app_core.engine.capacity import Capacity
    from app_core.lipsync.model import LipsyncModel
    from app_core.metrics import Metrics

logger = logging.getLogger(__name__)


class LoadedModel:
    """``why``: a sentence on why it was chosen. ``capacity``: calibrated for this model on this
    device. ``device``: its name where the model is loaded on others too; empty: it is not."""

    def __init__(
        self,
        model: LipsyncModel,
        why: str,
        capacity: Capacity,
        metrics: Metrics | None = None,
        device: str = "",
    ) -> None:
        self.model, self.why, self.capacity = model, why, capacity
        self.placement = Placement(model.name, device)
        self.title = f"{model.name} on {device}" if device else model.name
        """For logs, and for whoever mends it."""
        self.engine = Engine(model, metrics, self.title)

    @property
    def name(self) -> str:
        """What a request asks for: the same on each of its devices."""
        return self.model.name

    @property
    def device(self) -> str:
        """Its name; where the settings name none, what the model says."""
        return self.placement.device or self.model.device

    def start(self) -> None:
        """Raises Busy when no thread is left."""
        self.engine.start()

    def log_figures(self) -> None:
        """A line, while live renders run."""
        log_figures(self.engine, self.capacity)

    def revive(self) -> None:
        """Starts the engine's thread when it has ended. Raises Busy when no thread is left."""
        if not self.engine.alive:
            logger.error("the thread of %s has ended; it is started again", self.title)
            self.engine.start()

    def close(self) -> None:
        self.engine.close()
        self.model.close()
