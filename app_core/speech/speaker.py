"""Says a text: reads it, and has each piece said by the first voice of its language that works."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Self

import numpy as np

from app_core.errors import Cancelled, NotFound, VoiceFailed, VoiceUnreachable
from app_core.speech.text.reading import LANGUAGES, Reader
from app_core.speech.text.spoken_text import something
from app_core.speech.voice import never
from app_core.types import PLAIN, Prosody

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from app_core.speech.text.piece import Piece
    from app_core.speech.voice import Stale, Voice
    from app_core.types import Speech

logger = logging.getLogger(__name__)


class Speaker:
    """For one render and its thread. All that it says has the sample rate of one voice.

    A voice that fails before it has said anything of a piece is not asked again; one that fails
    later ends the text.
    """

    def __init__(
        self, reader: Reader, chain: Callable[[str], Sequence[Voice]], language: str
    ) -> None:
        """``chain(language)``: the voices that may speak, the preferred one first; raises NotFound
        where there is none. Raises what it raises for ``language``; of AUTO any will do."""
        self._reader, self._language = reader, language
        self._chains: dict[str, list[Voice]] = {}
        missing: dict[str, NotFound] = {}
        for name in LANGUAGES:
            try:
                self._chains[name] = list(chain(name))
            except NotFound as error:
                missing[name] = error
        if language in missing or not self._chains:
            raise missing.get(language) or next(iter(missing.values()))
        rates = [voices[0].sample_rate for voices in self._chains.values()]
        own = self._chains.get(language)
        self.sample_rate = own[0].sample_rate if own else max(rates)

    @classmethod
    def alone(cls, voice: Voice, language: str, reader: Reader | None = None) -> Self:
        """One voice for all that it is asked to say."""
        return cls(reader or Reader(), lambda _: [voice], language)

    def speak(self, text: str, prosody: Prosody = PLAIN, stale: Stale = never) -> Iterator[Speech]:
        """Pieces of speech in order, each made when it is asked for; none of a text in which there
        is nothing to say. Raises what the last voice of a chain raises."""
        return self.say(self._pieces(text), prosody, stale)

    def read(self, text: str) -> Iterator[Piece]:
        """What ``say`` takes. Raises BadInput for a text in which there is nothing to say; the
        work before the first piece does not grow with the text."""
        return something(self._pieces(text))

    def say(
        self, pieces: Iterator[Piece], prosody: Prosody = PLAIN, stale: Stale = never
    ) -> Iterator[Speech]:
        """As ``speak``."""
        index = 0
        for piece in pieces:
            if stale():
                raise Cancelled("Nobody waits for the speech any more")
            for speech in self._said(piece, prosody, stale):
                yield replace(_at_rate(speech, self.sample_rate), index=index)
                index += 1

    def _pieces(self, text: str) -> Iterator[Piece]:
        return self._reader.read(text, self._language, self._chains)

    def _said(self, piece: Piece, prosody: Prosody, stale: Stale) -> Iterator[Speech]:
        voices = self._chains[piece.language]
        while True:
            speeches = voices[0].speak(piece, prosody, stale)
            try:
                first = next(speeches, None)
                break
            except (VoiceFailed, VoiceUnreachable) as error:
                if len(voices) == 1:
                    raise
                failed = voices.pop(0)
                # An engine's own words may hold what was to be said, so they are not logged.
                logger.warning(
                    "the voice %s failed (%s): %s speaks", failed.id, error.code, voices[0].id
                )
        try:
            if first is not None:
                yield first
                yield from speeches
        finally:
            getattr(speeches, "close", bool)()


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
