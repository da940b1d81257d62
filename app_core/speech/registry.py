"""Which voices there are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app_core.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Iterable

    from app_core.speech.voice import Voice


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
            fitting = (voice for voice in self._voices.values() if language in voice.languages)
        else:
            fitting = (voice for key, voice in self._voices.items() if key == voice_id)
        voice = next(fitting, None)
        if voice is None or language not in voice.languages:
            wanted = "No voice" if voice_id is None else f"The voice {voice_id!r} is not here or"
            listed = "; ".join(
                f"{key} ({', '.join(voice.languages)})" for key, voice in self._voices.items()
            )
            problem = "speaks" if voice_id is None else "does not speak"
            raise NotFound(
                f"{wanted} {problem} {language!r}. Voices: {listed or 'none'}.", field="voice"
            )
        return voice

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
