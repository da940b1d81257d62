"""A short sound of each voice, made when somebody first asks for it."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import numpy as np

from app_core.errors import Busy, Cancelled, VoiceFailed
from app_core.media.wav import header, pcm16
from app_core.speech.speaker import Speaker

if TYPE_CHECKING:
    from app_core.cancel_scope import Gone
    from app_core.speech.text.reading import TextReader
    from app_core.speech.voice import Voice
    from app_core.types import Float32

SENTENCES = {
    "ru": "Здравствуйте! Так звучит мой голос.",
    "kk": "Сәлеметсіз бе! Менің дауысым осылай естіледі.",
    "en": "Hello! This is what my voice sounds like.",
}
KEPT = 32
"""Samples that stay ready, about 200 KB each; those that nobody asked for longest go."""
LONGEST_S = 15.0
"""Of a sample; what a voice says beyond it is left out."""
PATIENCE_S = 30.0
"""For one voice to speak, or for others who ask."""
_LOOK_S = 0.1


class VoiceSamples:
    """Thread-safe: one is made at a time."""

    def __init__(self, reader: TextReader) -> None:
        self._reader = reader
        self._made: dict[tuple[str, str], bytes] = {}
        self._making = threading.Lock()

    def wav(self, voice: Voice, language: str, gone: Gone) -> bytes:
        """A WAV file, 16 bit, mono, at the voice's own rate. ``language`` is one that it speaks.

        Raises what a voice raises, Busy when it takes too long, and Cancelled when ``gone``.
        """
        until_s = time.monotonic() + PATIENCE_S
        while not self._making.acquire(timeout=_LOOK_S):
            if gone():
                raise Cancelled("Nobody waits for the sample any more")
            if time.monotonic() > until_s:
                raise Busy("Other samples are being made; try again soon", retry_after_s=5)
        try:
            key = voice.id, language
            found = self._made.pop(key, None) or self._make(voice, language, gone)
            self._made[key] = found  # as the last, so that it stays longest
            while len(self._made) > KEPT:
                del self._made[next(iter(self._made))]
            return found
        finally:
            self._making.release()

    def forget(self) -> None:
        """A voice may be another one now."""
        with self._making:
            self._made.clear()

    def _make(self, voice: Voice, language: str, gone: Gone) -> bytes:
        until_s = time.monotonic() + PATIENCE_S
        speaker = Speaker.alone(voice, language, self._reader)
        parts: list[Float32] = []
        seconds = 0.0

        def stale() -> bool:
            return gone() or time.monotonic() > until_s

        try:
            for speech in speaker.speak(SENTENCES[language], stale=stale):
                parts.append(speech.pcm)
                seconds += len(speech.pcm) / speech.sample_rate
                if seconds >= LONGEST_S:
                    break
        except Cancelled as error:
            if gone():
                raise
            raise Busy("This voice takes too long; try again", retry_after_s=5) from error
        if not parts:
            raise VoiceFailed(f"The voice {voice.id} says nothing")
        pcm = np.concatenate(parts)[: int(LONGEST_S * speaker.sample_rate)]
        return header(speaker.sample_rate, len(pcm)) + pcm16(pcm)
