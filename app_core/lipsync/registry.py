"""The lip-sync models by name, one line a model, the best first."""

from __future__ import annotations

import importlib.util
import logging
from typing import TYPE_CHECKING, NamedTuple

from app_core.errors import BadInput
from app_core.lipsync.viseme.model import VisemeModel
from app_core.weights.checkpoints import WAV2LIP_FOLDER

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from app_core.lipsync.model import LipsyncModel, ModelOptions

logger = logging.getLogger(__name__)

AUTO = "auto"
REAL_TIME_FPS = 30.0
"""What a model has to sustain to be chosen for live pictures at 25 a second."""


def _wav2lip(options: ModelOptions) -> LipsyncModel:
    missing = [name for name in ("soxr",) if importlib.util.find_spec(name) is None]
    if missing:
        raise BadInput(
            f"Wav2Lip needs {', '.join(missing)}: pip install -r requirements.txt", field="model"
        )
    from app_core.lipsync.wav2lip.load import open_wav2lip

    return open_wav2lip(options, WAV2LIP_FOLDER)


MODELS: Mapping[str, Callable[[ModelOptions], LipsyncModel]] = {
    "wav2lip": _wav2lip,
    "viseme": lambda _: VisemeModel(),
}


class Choice(NamedTuple):
    model: LipsyncModel
    """Warmed up."""
    why: str
    """A sentence for the log and for /api/health."""


def open_model(name: str, options: ModelOptions) -> Choice:
    """``auto`` is the best that runs in real time on this machine.

    Raises BadInput with the names there are, or with what a named model lacks.
    """
    if name != AUTO:
        factory = MODELS.get(name)
        if factory is None:
            known = ", ".join([AUTO, *MODELS])
            raise BadInput(f"There is no model {name!r}; there are: {known}.", field="model")
        model = factory(options)
        model.warm_up()
        return Choice(model, f"{name}: named in the settings")
    passed_over = []
    for known, factory in MODELS.items():
        try:
            model = factory(options)
            model.warm_up()
        except (BadInput, OSError, RuntimeError) as error:
            passed_over.append(f"not {known}: {error}")
            continue
        if model.frames_per_s < REAL_TIME_FPS:
            passed_over.append(f"not {known}: {model.frames_per_s:.0f} frames/s are too few")
            continue
        return Choice(model, "; ".join([f"{known}: the best that runs here", *passed_over]))
    raise BadInput("; ".join(passed_over), field="model")
