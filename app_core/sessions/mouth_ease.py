"""How a mouth goes into speech and out of it: within EASE_S, so that nothing jumps."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app_core.lipsync.model import LipsyncModel
    from app_core.types import Mouth

EASE_S = 0.08


class MouthEase:
    """For the session's thread, one call a frame."""

    def __init__(self, fps: int) -> None:
        self._step = 1 / max(1, int(EASE_S * fps))
        self._weight = 0.0
        self._last: Mouth | None = None

    def mouth(self, said: Mouth | None, picture: int, model: LipsyncModel) -> Mouth:
        """The mouth that ``picture`` of the plate wears. ``said``: what speech asks for; None while
        nobody speaks."""
        if said is not None:
            self._last, self._weight = said, min(1.0, self._weight + self._step)
        else:
            self._weight = max(0.0, self._weight - self._step)
        if self._last is None or self._weight <= 1e-6:
            self._last = None
            return model.rest(0, picture)
        worn = replace(self._last, picture=picture)
        return worn if self._weight >= 1 else model.eased(worn, self._weight)

    def forget(self) -> None:
        """The face is another one: its mouth begins at rest."""
        self._last, self._weight = None, 0.0
