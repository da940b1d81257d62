"""Who speaks a request: chains of voices by the settings and what the request names."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from app_core.errors import BadInput, NotFound, SoyleError
from app_core.speech.speaker import Speaker
from app_core.speech.text.reading import LANGUAGES

if TYPE_CHECKING:
    from app_core.config import Config
    from app_core.request import RenderRequest
    from app_core.speech.registry import Voices
    from app_core.speech.text.reading import TextReader
    from app_core.speech.voice import Voice

logger = logging.getLogger(__name__)


class Speakers:
    def __init__(self, config: Config, voices: Voices, reader: TextReader) -> None:
        self._config, self._voices, self._reader = config, voices, reader
        self._closing = threading.Event()

    def close(self) -> None:
        """Ends ``warm`` soon."""
        self._closing.set()

    def warm(self) -> None:
        """Loads what the first texts would wait for: the readings, and the voices that speak first.
        Some seconds' work; a voice that cannot be loaded is left alone for a while."""
        self._reader.warm(self._closing.is_set)
        firsts = {v.id: v for name in LANGUAGES for v in self._firsts(name)}
        for voice in firsts.values():
            if self._closing.is_set():
                return
            try:
                voice.warm()
            except SoyleError as error:
                logger.warning("the voice %s cannot speak: %s", voice.id, error)
                self._voices.standing.failed(voice.id)

    def _firsts(self, language: str) -> list[Voice]:
        try:
            return self._voices.chain(language, self._config.voice)[:1]
        except NotFound:
            return []

    def of(self, request: RenderRequest) -> Speaker:
        """A voice that the request names speaks first where it knows the language, elsewhere the
        chain of the language speaks; VOICE is a preference. Raises NotFound, or BadInput for a
        pitch that the first voice has not got.
        """
        named = [request.voice] if request.voice else []
        for voice_id in named:
            self._voices.get(voice_id)

        def chain(language: str) -> list[Voice]:
            return self._voices.chain(language, *named, self._config.voice)

        reader = self._reader.knowing(request.dictionary)
        speaker = Speaker(
            reader, chain, request.language, self._voices.standing, self._config.voice_patience_s
        )
        if request.pitch and not any(voice.pitched for voice in speaker.first):
            name = speaker.first[0].id
            raise BadInput(f"The voice {name!r} speaks at its own pitch alone", field="pitch")
        return speaker
