"""The lip-sync models by name, one line a model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app_core.errors import BadInput
from app_core.lipsync.viseme.model import VisemeModel

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from app_core.lipsync.model import LipsyncModel

AUTO = "auto"
_PREFERRED = "viseme"

MODELS: Mapping[str, Callable[[], LipsyncModel]] = {
    "viseme": VisemeModel,
}


def open_model(name: str) -> LipsyncModel:
    """Raises BadInput with the names there are. ``auto`` is the best that runs here."""
    factory = MODELS.get(_PREFERRED if name == AUTO else name)
    if factory is None:
        known = ", ".join([AUTO, *MODELS])
        raise BadInput(f"There is no model {name!r}; there are: {known}.", field="model")
    return factory()
