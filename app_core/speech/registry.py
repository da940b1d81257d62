"""The voices, one line a voice, those that are preferred first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app_core.errors import NotFound
from app_core.speech.voices.espeak import EspeakVoice

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from app_core.speech.voice import Voice

VOICES: Sequence[Callable[[], Voice]] = (EspeakVoice,)


def open_voices() -> Voices:
    """Each of VOICES."""
    return Voices(open_voice() for open_voice in VOICES)


class Voices:
    """The voices of this server in order of preference."""

    def __init__(self, voices: Iterable[Voice]) -> None:
        self._voices: dict[str, Voice] = {}
        for voice in voices:
            if voice.id in self._voices:
                raise ValueError(f"two voices are called {voice.id!r}")
            self._voices[voice.id] = voice

    def ids(self) -> list[str]:
        return list(self._voices)

    def get(self, voice_id: str | None, language: str) -> Voice:
        """The voice of that id, or the first that speaks ``language``.

        Raises NotFound (field ``voice``) when there is none, or when it lacks the language.
        """
        if voice_id is None:
            return self.chain(language)[0]
        voice = self._voices.get(voice_id)
        if voice is None or language not in voice.languages:
            raise self._none(f"The voice {voice_id!r} is not here or does not speak", language)
        return voice

    def chain(self, language: str, preferred: str = "") -> list[Voice]:
        """Every voice that speaks ``language``: the one with the id ``preferred``, if it does,
        then the others in their order. Raises NotFound (field ``voice``) when none does.
        """
        fitting = [voice for voice in self._voices.values() if language in voice.languages]
        if not fitting:
            raise self._none("No voice speaks", language)
        return sorted(fitting, key=lambda voice: voice.id != preferred)

    def _none(self, problem: str, language: str) -> NotFound:
        listed = "; ".join(
            f"{key} ({', '.join(voice.languages)})" for key, voice in self._voices.items()
        )
        return NotFound(f"{problem} {language!r}. Voices: {listed or 'none'}.", field="voice")

    def describe(self) -> list[dict[str, Any]]:
        return [
            {
                "id": key,
                "name": voice.name,
                "languages": list(voice.languages),
                "sample_rate": voice.sample_rate,
                "engine": voice.engine,
                "licence": voice.licence,
            }
            for key, voice in self._voices.items()
        ]
