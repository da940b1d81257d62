"""What the utterances of a session are made with."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from app_core.engine.engine import Engine
    from app_core.lipsync.model import LipsyncModel
    from app_core.metrics import Metrics


class Stage(NamedTuple):
    model: LipsyncModel
    engine: Engine
    metrics: Metrics
