"""The voices as clients see them: those that speak, with a sample of each, and those that could."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app_core.services.voices.pulls import VoicePulls
from app_core.services.voices.samples import VoiceSamples
from app_core.weights.voices import NOTES, installed

if TYPE_CHECKING:
    from pathlib import Path

    from app_core.cancel_scope import Gone
    from app_core.speech.registry import Voices
    from app_core.speech.text.reading import TextReader
    from app_core.weights.voices import VoiceWeights

_FREE = {"MIT", "Apache-2.0", "GPL-3.0-or-later", "CC0-1.0", "CC-BY-4.0", "public domain"}
"""Licences of weights that allow commercial use."""


class VoiceOffer:
    """Thread-safe."""

    def __init__(self, models: Path, voices: Voices, reader: TextReader, reserve: int = 0) -> None:
        """``reserve``: bytes of the disk that voices do not fill."""
        self._models, self._voices = models, voices
        self.pulls = VoicePulls(models, reserve=reserve)
        self.samples = VoiceSamples(reader)

    def describe(self) -> dict[str, Any]:
        # In this order: one that comes meanwhile is among the speaking, or still on its way.
        offered = [(voice, self._available(voice)) for voice in self.pulls.catalogue]
        speaking = [self._speaking(record) for record in self._voices.describe()]
        ids = [record["id"] for record in speaking]
        available = [
            record for voice, record in offered if not any(voice.owns(voice_id) for voice_id in ids)
        ]
        return {"voices": speaking, "available": available}

    def sample(self, voice_id: str, language: str | None, gone: Gone) -> bytes:
        """As ``VoiceSamples.wav``, of the first language that it speaks where none is named.
        Raises NotFound too."""
        voice = self._voices.get(voice_id)
        language = language or voice.languages[0]
        self._voices.get(voice_id, language)
        return self.samples.wav(voice, language, gone)

    def close(self) -> None:
        self.pulls.close()

    def _speaking(self, record: dict[str, Any]) -> dict[str, Any]:
        voice = self._voices.get(record["id"], record["languages"][0])
        weights = [weights for weights in self.pulls.catalogue if weights.owns(voice.id)]
        licence = voice.weights_licence
        return {
            "weights_licence": licence,
            "commercial": weights[0].commercial if weights else _permits(licence),
            "pitched": voice.pitched,
            "ready": True,
            "mend": None,
            **record,
        }

    def _available(self, voice: VoiceWeights) -> dict[str, Any]:
        return {
            "id": voice.id,
            "name": voice.name,
            "languages": list(voice.languages),
            "engine": voice.engine,
            "licence": voice.licence,
            "weights_licence": voice.weights_licence,
            "commercial": voice.commercial,
            "notes": [{"code": note, "sentence": NOTES[note]} for note in voice.notes],
            "size": voice.size,
            "ready": False,
            "mend": self._mend(voice),
            "pull": None if voice.how else self.pulls.describe(voice.id),
        }

    def _mend(self, voice: VoiceWeights) -> str:
        if voice.how:
            return voice.how
        if not installed(voice, self._models):
            return f"python app.py models pull {voice.id}"
        return voice.missing_module() or "start the server again"


def _permits(licence: str) -> bool | None:
    """None where the name alone does not tell."""
    if licence in _FREE:
        return True
    return False if "NC" in licence.split("-") else None
