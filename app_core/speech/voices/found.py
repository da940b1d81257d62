"""What an engine has on this machine: the voices that can speak, and why others cannot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app_core.speech.synthesizer import Synthesizer


@dataclass(frozen=True, slots=True)
class Missing:
    id: str
    """Of the voice, or of the engine when none of its voices is here."""
    why: str
    """A sentence for a person, with what mends it."""


@dataclass(frozen=True, slots=True)
class Found:
    """Nothing of the voices is loaded yet."""

    voices: tuple[Synthesizer, ...] = ()
    missing: tuple[Missing, ...] = ()
