"""What the utterances of a session are made with."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from app_core.engine.engine import Engine
    from app_core.lipsync.model import LipsyncModel
    from app_core.metrics import Metrics


@dataclass(slots=True)
class Spoken:
    """What a session has said so far, without the words; written under its queue's lock."""

    owner: str = ""
    """The client that it is made for; empty: this program itself."""
    avatars: list[str] = field(default_factory=list)
    """Ids of those it was shown with, each once."""
    voices: list[str] = field(default_factory=list)
    """Ids of those that spoke, each once."""
    seconds: float = 0.0
    """Of speech that has left."""

    def add(self, seconds: float, voices: Sequence[str]) -> None:
        self.seconds += seconds
        self.voices += [voice for voice in voices if voice not in self.voices]

    def showed(self, avatar: str) -> None:
        if avatar not in self.avatars:
            self.avatars.append(avatar)


class Stage(NamedTuple):
    model: LipsyncModel
    engine: Engine
    metrics: Metrics
    spoke: Callable[[float, Sequence[str]], None] = lambda seconds, voices: None
    """Called at the end of each utterance, with the seconds of it that have left."""
