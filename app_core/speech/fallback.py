"""Several voices as one: where the first fails, the next one speaks."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from app_core.errors import VoiceFailed, VoiceUnreachable
from app_core.speech.voice import never

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from app_core.speech.voice import Stale, Voice
    from app_core.types import Speech

logger = logging.getLogger(__name__)


class FallbackVoice:
    """The voices of a chain for one render: the first that works speaks, at the rate of the first.

    A voice that fails before its first piece is not asked again; one that fails later ends the
    text, as it would alone. For one thread.
    """

    def __init__(self, chain: Sequence[Voice]) -> None:
        """``chain``: at least one voice, in order of preference."""
        first = chain[0]
        self.id, self.name, self.engine, self.licence = (
            first.id,
            first.name,
            first.engine,
            first.licence,
        )
        self.languages, self.sample_rate = first.languages, first.sample_rate
        self._chain = list(chain)

    def speak(
        self, text: str, language: str, speed: float = 1.0, stale: Stale = never
    ) -> Iterator[Speech]:
        """As a voice. Raises what the last voice of the chain raises."""
        first, pieces = self._begun(text, language, speed, stale)
        try:
            if first is not None:
                yield _at_rate(first, self.sample_rate)
            for speech in pieces:
                yield _at_rate(speech, self.sample_rate)
        finally:
            getattr(pieces, "close", bool)()

    def _begun(
        self, text: str, language: str, speed: float, stale: Stale
    ) -> tuple[Speech | None, Iterator[Speech]]:
        """The first piece of the first voice that works, None when there is nothing to say, and
        the others."""
        while True:
            voice = self._chain[0]
            pieces = voice.speak(text, language, speed, stale)
            try:
                return next(pieces, None), pieces
            except (VoiceFailed, VoiceUnreachable) as error:
                if len(self._chain) == 1:
                    raise
                del self._chain[0]
                # An engine's own words may hold what was to be said, so they are not logged.
                logger.warning(
                    "the voice %s failed (%s): %s speaks", voice.id, error.code, self._chain[0].id
                )


def _at_rate(speech: Speech, rate: int) -> Speech:
    """The same sound at another rate, as long to one sample, band-limited by its spectrum."""
    if speech.sample_rate == rate:
        return speech
    samples = -(-len(speech.pcm) * rate // speech.sample_rate)
    if not samples:
        return replace(speech, sample_rate=rate)
    spectrum = np.fft.rfft(speech.pcm)
    pcm = np.fft.irfft(spectrum, samples) * (samples / len(speech.pcm))
    return replace(speech, pcm=pcm.astype(np.float32), sample_rate=rate)
