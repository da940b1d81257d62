"""Runs one batch on the model. Called by the engine's thread alone."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import numpy as np

from app_core.errors import ModelFailed
from app_core.types import Mouth

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from app_core.lipsync.model import LipsyncModel
    from app_core.types import MouthTask

logger = logging.getLogger(__name__)


def broken(name: str, error: BaseException) -> ModelFailed:
    """What the job is told when the model called ``name`` raised."""
    return ModelFailed(f"The model {name} failed: {str(error) or type(error).__name__}")


class Runner:
    def __init__(
        self, model: LipsyncModel, beat: Callable[[], object] = bool, name: str = ""
    ) -> None:
        """``beat`` is called between two tries of one batch; ``name``: what logs call the model;
        empty: as it does."""
        self._model, self._beat, self._name = model, beat, name or model.name

    def run(self, tasks: Sequence[MouthTask]) -> list[Mouth | ModelFailed]:
        """One answer for each task. A failing batch is tried again one task at a time."""
        try:
            self._beat()
            return list(self._checked(tasks))
        except BaseException as error:  # also what would end a thread on purpose
            if len(tasks) == 1:
                logger.exception("%s failed on a frame", self._name, extra={"job": tasks[0].job_id})
                return [broken(self._model.name, error)]
            logger.warning("%s failed on a batch of %d", self._name, len(tasks))
        return [answer for task in tasks for answer in self.run([task])]

    def _checked(self, tasks: Sequence[MouthTask]) -> list[Mouth]:
        mouths = self._model.draw(tasks)
        if len(mouths) != len(tasks):
            raise ValueError(f"{len(mouths)} mouths for {len(tasks)} frames")
        for task, mouth in zip(tasks, mouths, strict=True):
            if not isinstance(mouth, Mouth) or not isinstance(mouth.drawing, np.ndarray):
                raise TypeError(f"frame {task.index} has no mouth")
            if (mouth.index, mouth.picture) != (task.index, task.picture):
                raise ValueError(f"the mouth of frame {mouth.index} for frame {task.index}")
            _check_numbers(mouth.drawing)
        return mouths


def _check_numbers(drawing: NDArray[Any]) -> None:
    """Raises ValueError unless every field holds real, finite numbers."""
    for name in drawing.dtype.names or ():
        _check_numbers(drawing[name])
    if drawing.dtype.names is None:
        if drawing.dtype.kind not in "fiub":
            raise ValueError(f"a mouth of {drawing.dtype}")
        if drawing.dtype.kind == "f" and not np.isfinite(drawing).all():
            raise ValueError("a mouth holds numbers that are not finite")
