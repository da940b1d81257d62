"""Runs one batch on the model. Called by the engine's thread alone."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from app_core.errors import ModelFailed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app_core.lipsync.model import LipsyncModel
    from app_core.types import Mouth, MouthTask

logger = logging.getLogger(__name__)


class Runner:
    def __init__(self, model: LipsyncModel) -> None:
        self._model = model

    def run(self, tasks: Sequence[MouthTask]) -> list[Mouth | ModelFailed]:
        """One answer for each task. A failing batch is tried again one task at a time."""
        try:
            return list(self._checked(tasks))
        except Exception as error:
            if len(tasks) == 1:
                logger.exception(
                    "%s failed on a frame", self._model.name, extra={"job": tasks[0].job_id}
                )
                return [ModelFailed(f"The model {self._model.name} failed: {error}")]
            logger.warning("%s failed on a batch of %d", self._model.name, len(tasks))
        return [answer for task in tasks for answer in self.run([task])]

    def _checked(self, tasks: Sequence[MouthTask]) -> list[Mouth]:
        mouths = self._model.draw(tasks)
        if len(mouths) != len(tasks):
            raise ValueError(f"{len(mouths)} mouths for {len(tasks)} frames")
        return mouths
