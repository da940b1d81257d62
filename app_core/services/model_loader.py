"""A model opened, measured on a face, and given its thread."""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from app_core.avatars.records import BUILT_IN
from app_core.config import ROOT
from app_core.errors import BadInput, NotFound
from app_core.lipsync.model import ModelOptions
from app_core.lipsync.registry import Choice, open_model
from app_core.pipeline.calibration import frame_cost
from app_core.services.loaded_model import LoadedModel

if TYPE_CHECKING:
    from collections.abc import Callable

    from app_core.avatars.library import Avatar, AvatarLibrary
    from app_core.config import Config
    from app_core.engine.capacity import Capacity
    from app_core.lipsync.model import LipsyncModel, Plate
    from app_core.metrics import Metrics

logger = logging.getLogger(__name__)


class ModelLoader:
    """``given`` is loaded in place of those of the settings; ``plate`` and ``face`` are those of
    ``Backend``."""

    def __init__(
        self,
        config: Config,
        library: AvatarLibrary,
        metrics: Metrics,
        given: LipsyncModel | None,
        plate: Callable[[Avatar, tuple[int, int] | None, bool], Plate],
        face: Callable[[LipsyncModel, Plate], Any],
    ) -> None:
        self._config, self._library, self._metrics, self._given = config, library, metrics, given
        self._plate, self._face = plate, face

    @property
    def names(self) -> tuple[str, ...]:
        """Of the models to load, the default first; that of a given one is empty."""
        return self._config.model_names if self._given is None else ("",)

    def open(self, name: str, capacity: Capacity) -> LoadedModel:
        """``capacity`` is calibrated for it. Raises whatever keeps it from being opened."""
        model, why = self._choose(name)
        try:
            plate = self._sitter()
            cost = frame_cost(model, plate, self._face(model, plate), self._config.jpeg_quality)
            capacity.calibrate(
                cost.frame_ms, 512, 512, cost.network_ms, model_fps=model.frames_per_s
            )
            loaded = LoadedModel(model, why, capacity, self._metrics)
            loaded.start()
        except BaseException:
            model.close()
            raise
        logger.info(
            "%s is ready on %s, %.2f core-ms a 512x512 frame (%s)",
            model.name,
            model.device,
            sum(cost),
            why,
        )
        return loaded

    def open_clip(self, loaded: LoadedModel) -> None:
        """The default avatar's still, and its clip at the sizes of live routes and of films, ahead
        of their first reader. Raises NotFound or BadInput."""
        avatar = self._library.get(self._config.avatar)
        for size, static in (((512, 512), True), ((512, 512), False), (None, False)):
            self._face(loaded.model, self._plate(avatar, size, static))

    def _sitter(self) -> Plate:
        """Who is drawn to measure a model: the default avatar, else any other, else the one that is
        shipped. Raises NotFound or BadInput when not even that one is whole.
        """
        for name in dict.fromkeys((self._config.avatar, *self._library.ids())):
            with suppress(NotFound, BadInput):
                return self._plate(self._library.get(name), (512, 512), True)
        return self._plate(self._library.at(ROOT / "avatar" / BUILT_IN), (512, 512), True)

    def _choose(self, name: str) -> Choice:
        config = self._config
        if self._given is not None:
            self._given.warm_up()
            return Choice(self._given, "")
        options = ModelOptions(
            config.models_dir,
            config.model_runtime,
            config.model_precision,
            config.mouth_offset,
            config.work_dir,
        )
        return open_model(name, options)
