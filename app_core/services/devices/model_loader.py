"""A model opened, measured on a face, and given its thread."""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from app_core.avatars.records import BUILT_IN
from app_core.config import ROOT
from app_core.errors import BadInput, NotFound
from app_core.lipsync.model import ModelOptions
from app_core.lipsync.registry import Choice, devices_of, open_model
from app_core.pipeline.calibration import frame_cost
from app_core.services.devices.loaded_model import LoadedModel

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

    def open(self, name: str, capacity: Capacity, device: str = "") -> LoadedModel:
        """``capacity`` is calibrated for it. ``device``: the one that is meant; empty: the first of
        its devices that can be used. Raises whatever keeps it from being opened."""
        model, why, device = self._choose(name, device)
        alone = len(self._devices_of(model.name)) == 1
        try:
            plate = self._sitter()
            cost = frame_cost(model, plate, self._face(model, plate), self._config.jpeg_quality)
            loaded = LoadedModel(model, why, capacity, self._metrics, "" if alone else device)
            loaded.start()
            capacity.calibrate(
                cost.frame_ms, 512, 512, cost.network_ms, model_fps=model.frames_per_s
            )
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

    def others(self, first: LoadedModel) -> list[str]:
        """The devices that the model is yet to be opened on."""
        devices = self._devices_of(first.name)
        there = first.placement.device
        return [device for device in devices if device != there] if len(devices) > 1 else []

    def open_twin(self, first: LoadedModel, device: str) -> LoadedModel:
        """The same model on another device. Raises as ``open``."""
        loaded = self.open(first.name, first.capacity.twin(), device)
        loaded.why = first.why
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

    def _choose(self, name: str, device: str) -> Choice:
        if self._given is not None:
            self._given.warm_up()
            return Choice(self._given, "")
        return open_model(name, replace(self._options, device=device))

    def _devices_of(self, name: str) -> tuple[str, ...]:
        return devices_of(name, self._options) if self._given is None else ("",)

    @property
    def _options(self) -> ModelOptions:
        config = self._config
        return ModelOptions(
            config.models_dir,
            config.model_runtime,
            config.model_precision,
            config.mouth_offset,
            config.work_dir,
            config.device_names,
        )
