"""The voices of this server, and which of them speaks a language."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from app_core.errors import NotFound
from app_core.speech.standing import Standing
from app_core.speech.voices.espeak import EspeakVoice

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from app_core.speech.voice import Voice

    Finder = Callable[[], Iterable[Voice]]
    """The voices of an engine that are here now, those that are preferred first."""

LAST = EspeakVoice.id
"""Ends every chain: it needs nothing and is always there."""


class Voices:
    """In order of preference, those of one engine beside each other. Thread-safe."""

    def __init__(
        self,
        voices: Iterable[Voice] = (),
        chains: Mapping[str, Sequence[str]] | None = None,
        finders: Sequence[Finder] = (),
    ) -> None:
        """``chains``: ids by language, as the settings name them; ``finders`` are asked again by
        ``look``. Raises ValueError when two voices have one id."""
        self._fixed, self._finders = list(voices), finders
        self._chains = chains or {}
        self.standing = Standing()
        self._lock = threading.Lock()
        self._voices: dict[str, Voice] = {}
        self.look()

    def look(self) -> None:
        """Finds the voices that are here now. Those that were here stay the same objects."""
        found: dict[str, Voice] = {}
        with self._lock:
            for voice in [*self._fixed, *(v for finder in self._finders for v in finder())]:
                if voice.id in found:
                    raise ValueError(f"two voices are called {voice.id!r}")
                found[voice.id] = self._voices.get(voice.id, voice)
            self._voices = found

    def close(self) -> None:
        """Ends what voices keep open, such as connections to a server."""
        for voice in list(self._voices.values()):
            getattr(voice, "close", bool)()

    def ids(self) -> list[str]:
        return list(self._voices)

    def get(self, voice_id: str, language: str | None = None) -> Voice:
        """Raises NotFound (field ``voice``), also for a voice that does not speak ``language``."""
        voice = self._voices.get(self._whole(voice_id, language))
        if voice is None:
            raise self._none(f"There is no voice {voice_id!r} here")
        if language is not None and language not in voice.languages:
            raise self._none(f"The voice {voice_id!r} does not speak {language!r}")
        return voice

    def knows(self, voice_id: str) -> bool:
        return self._whole(voice_id) in self._voices

    def missing(self) -> list[tuple[str, str]]:
        """The language and the id of those of the settings' chains that are not here, or do not
        speak it."""
        return [
            (language, voice_id)
            for language, ids in self._chains.items()
            for voice_id in ids
            if not self._speaks(voice_id, language)
        ]

    def chain(self, language: str, *preferred: str) -> list[Voice]:
        """Who speaks ``language``: of the ids ``preferred`` those that do, then the chain of the
        settings or, where they name none, the first voice of each engine, and LAST. Raises NotFound
        (field ``voice``) when nobody does."""
        named = self._chains.get(language)
        if not named:
            firsts: dict[str, str] = {}
            for key, voice in self._voices.items():
                if language in voice.languages:
                    firsts.setdefault(voice.engine, key)
            named = list(firsts.values())
        ids = dict.fromkeys(
            self._whole(key, language)
            for key in (*preferred, *named, LAST)
            if self._speaks(key, language)
        )
        if not ids:
            raise self._none(f"No voice speaks {language!r}")
        return [self._voices[key] for key in ids]

    def _whole(self, voice_id: str, language: str | None = None) -> str:
        """The id of a voice; one of several speakers without a speaker means the first of them
        that speaks ``language``."""
        begun = (
            key
            for key, voice in self._voices.items()
            if key.startswith(f"{voice_id}:") and (language is None or language in voice.languages)
        )
        return voice_id if voice_id in self._voices or not voice_id else next(begun, voice_id)

    def _speaks(self, voice_id: str, language: str) -> bool:
        voice = self._voices.get(self._whole(voice_id, language))
        return voice is not None and language in voice.languages

    def _none(self, problem: str) -> NotFound:
        listed = "; ".join(
            f"{key} ({', '.join(voice.languages)})" for key, voice in self._voices.items()
        )
        return NotFound(f"{problem}. Voices: {listed or 'none'}.", field="voice")

    def describe(self) -> list[dict[str, Any]]:
        return [
            {
                "id": key,
                "name": voice.name,
                "languages": list(voice.languages),
                "sample_rate": voice.sample_rate,
                "engine": voice.engine,
                "licence": voice.licence,
                "weights_licence": voice.weights_licence,
                "pitched": voice.pitched,
            }
            for key, voice in self._voices.items()
        ]
