"""The lip-sync models by name, one line a model, the best first."""

from __future__ import annotations

import importlib.util
import logging
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from app_core.errors import BadInput
from app_core.lipsync.viseme.model import VisemeModel
from app_core.weights.checkpoints import WAV2LIP_FOLDER

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from app_core.lipsync.model import LipsyncModel, ModelOptions

logger = logging.getLogger(__name__)

AUTO = "auto"
_UNUSABLE = (BadInput, OSError, RuntimeError)
REAL_TIME_FPS = 30.0
"""What a model has to sustain to be chosen for live pictures at 25 a second."""


def _missing() -> list[str]:
    return [name for name in ("soxr",) if importlib.util.find_spec(name) is None]


def _wav2lip(options: ModelOptions) -> LipsyncModel:
    if missing := _missing():
        raise BadInput(
            f"Wav2Lip needs {', '.join(missing)}: pip install -r requirements.txt", field="model"
        )
    from app_core.lipsync.wav2lip.load import open_wav2lip

    return open_wav2lip(options, WAV2LIP_FOLDER)


def _wav2lip_devices(options: ModelOptions) -> Sequence[str]:
    if _missing():
        return ()
    from app_core.lipsync.wav2lip.load import wav2lip_devices

    return wav2lip_devices(options, WAV2LIP_FOLDER)


MODELS: Mapping[str, Callable[[ModelOptions], LipsyncModel]] = {
    "wav2lip": _wav2lip,
    "viseme": lambda _: VisemeModel(),
}
DEVICES: Mapping[str, Callable[[ModelOptions], Sequence[str]]] = {"wav2lip": _wav2lip_devices}
"""Of the models that run on a device of their own: which ones, where the settings name none.
Empty: the model chooses."""


class Choice(NamedTuple):
    model: LipsyncModel
    """Warmed up."""
    why: str
    """A sentence for the log and for /api/health."""
    device: str = ""
    """The one of ``devices_of`` that it is on."""


def devices_of(name: str, options: ModelOptions) -> tuple[str, ...]:
    """Those that a model is opened on, each with its own weights. An empty one: the model chooses,
    or has none of its own."""
    chosen = DEVICES.get(name)
    if chosen is None or options.device:
        return (options.device,)
    return options.devices or tuple(chosen(options)) or ("",)


def open_model(name: str, options: ModelOptions) -> Choice:
    """On the first of its devices that can be used. ``auto`` is the best that runs in real time on
    this machine.

    Raises BadInput with the names there are, or with what a named model lacks.
    """
    if name != AUTO:
        if name not in MODELS:
            known = ", ".join([AUTO, *MODELS])
            raise BadInput(f"There is no model {name!r}; there are: {known}.", field="model")
        return _opened(name, options)._replace(why=f"{name}: named in the settings")
    passed_over = []
    for known in MODELS:
        try:
            choice = _opened(known, options)
        except _UNUSABLE as error:
            passed_over.append(f"not {known}: {error}")
            continue
        if choice.model.frames_per_s < REAL_TIME_FPS:
            few = f"{choice.model.frames_per_s:.0f} frames/s are too few"
            passed_over.append(f"not {known}: {few}")
            continue
        return choice._replace(why="; ".join([f"{known}: the best that runs here", *passed_over]))
    raise BadInput("; ".join(passed_over), field="model")


def _opened(name: str, options: ModelOptions) -> Choice:
    """Raises what keeps it from the last of its devices."""
    *others, last = devices_of(name, options)
    for device in others:
        try:
            return _warm(name, options, device)
        except _UNUSABLE as error:
            logger.warning("%s cannot be opened on %s: %s", name, device, error)
    return _warm(name, options, last)


def _warm(name: str, options: ModelOptions, device: str) -> Choice:
    model = MODELS[name](replace(options, device=device))
    model.warm_up()
    return Choice(model, "", device)
