"""Who speaks a request: chains of voices by the settings and what the request names."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from app_core.errors import BadInput, NotFound, SoyleError
from app_core.speech.speaker import Speaker
from app_core.speech.text.reading import LANGUAGES
from app_core.threads import start_thread

if TYPE_CHECKING:
    from app_core.config import Config
    from app_core.request import RenderRequest
    from app_core.speech.registry import Voices
    from app_core.speech.text.reading import TextReader
    from app_core.speech.voice import Voice

logger = logging.getLogger(__name__)

WARM_S = 0.8
"""What a server whose model is loaded waits for its voices: a start is not much longer for them."""
CLOSE_S = 10.0
CHAINED = 3
"""Voices of each chain that are loaded before somebody waits for them."""


class Speakers:
    def __init__(self, config: Config, voices: Voices, reader: TextReader) -> None:
        self._config, self._voices, self._reader = config, voices, reader
        self._closing, self._warm = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="voices", daemon=True)

    def start(self) -> None:
        """Loads what the first texts would wait for: the readings and the voices that speak first,
        then those that speak where these fail. Some seconds' work, which begins when the models
        are loaded: beside them it would hold both up. Returns when the first texts need not wait
        any more, or after WARM_S. Raises Busy."""
        if not self._closing.is_set():
            start_thread(self._thread)
            self._warm.wait(WARM_S)

    def close(self) -> None:
        """Ends what ``start`` began soon; a voice may be at its weights."""
        self._closing.set()
        if self._thread.is_alive():
            self._thread.join(CLOSE_S)

    def warm(self) -> None:
        """Every voice that may be asked. One that cannot be loaded is left alone for a while."""
        for place in range(CHAINED):
            self._load(place)

    def _run(self) -> None:
        try:
            self._reader.warm(self._closing.is_set)
            self._load(0)
        finally:
            self._warm.set()
        for place in range(1, CHAINED):
            self._load(place)

    def _load(self, place: int) -> None:
        """The voice of that place in the chain of each language."""
        voices = {v.id: v for name in LANGUAGES for v in self._chain(name)[place : place + 1]}
        for voice in voices.values():
            if self._closing.is_set() or self._voices.standing.resting(voice.id):
                continue
            try:
                voice.warm()
            except SoyleError as error:
                logger.warning("the voice %s cannot speak: %s", voice.id, error)
                self._voices.standing.failed(voice.id)
            except Exception:
                logger.exception("the voice %s cannot be loaded", voice.id)

    def _chain(self, language: str) -> list[Voice]:
        try:
            return self._voices.chain(language, self._config.voice)
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
