"""Says a text: reads it, and has each piece said by the first voice of its language that works."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Self

import numpy as np
import soxr

from app_core import turns
from app_core.cancel_scope import never
from app_core.errors import Cancelled, NotFound, Unsayable, VoiceFailed, VoiceUnreachable
from app_core.speech.patience import Patience
from app_core.speech.standing import Standing
from app_core.speech.text.reading import LANGUAGES, TextReader
from app_core.speech.text.spoken_text import something
from app_core.types import PLAIN, Prosody, VoiceFallback

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from app_core.cancel_scope import Stale
    from app_core.speech.text.piece import Piece
    from app_core.speech.voice import Voice
    from app_core.types import Speech

logger = logging.getLogger(__name__)

PATIENCE_S = 3.0
"""For the first sound of a piece that somebody waits for."""


class Speaker:
    """For one render and its thread. All that it says has the sample rate of one voice.

    A voice that fails or is late is left within the piece: the next of the chain goes on from the
    first word that was not said. It is not asked again for this text, and by others only after a
    rest, unless it was this piece alone that it could not say. The last of a chain may take its
    time, and what it raises is raised.
    """

    def __init__(
        self,
        reader: TextReader,
        chain: Callable[[str], Sequence[Voice]],
        language: str,
        standing: Standing | None = None,
        patience_s: float = PATIENCE_S,
    ) -> None:
        """``chain(language)``: the voices that may speak, the preferred one first; raises NotFound
        where there is none. Raises what it raises for ``language``; of AUTO any will do."""
        self._reader, self._language = reader, language
        self._standing, self._patience_s = standing or Standing(), patience_s
        self._chains: dict[str, list[Voice]] = {}
        missing: dict[str, NotFound] = {}
        for name in LANGUAGES:
            try:
                self._chains[name] = self._able(chain(name))
            except NotFound as error:
                missing[name] = error
        if language in missing or not self._chains:
            raise missing.get(language) or next(iter(missing.values()))
        rates = [voices[0].sample_rate for voices in self._chains.values()]
        own = self._chains.get(language)
        self.sample_rate = own[0].sample_rate if own else max(rates)
        self._said_s = 0.0

    @classmethod
    def alone(cls, voice: Voice, language: str, reader: TextReader | None = None) -> Self:
        """One voice for all that it is asked to say."""
        return cls(reader or TextReader(), lambda _: [voice], language)

    @property
    def first(self) -> Sequence[Voice]:
        """Who begins: one voice, or where the language is found out the first one of each."""
        own = self._chains.get(self._language)
        return [voices[0] for voices in ([own] if own else self._chains.values())]

    def speak(
        self,
        text: str,
        prosody: Prosody = PLAIN,
        stale: Stale = never,
        on_fallback: Callable[[VoiceFallback], None] = lambda _: None,
    ) -> Iterator[Speech]:
        """Pieces of speech in order, each made when it is asked for; none of a text in which there
        is nothing to say. ``on_fallback`` hears of each voice that takes over. Raises what the last
        voice of a chain raises."""
        return self.say(self._pieces(text), prosody, stale, on_fallback)

    def read(self, text: str) -> Iterator[Piece]:
        """What ``say`` takes. Raises BadInput for a text in which there is nothing to say; the
        work before the first piece does not grow with the text."""
        return something(self._pieces(text))

    def say(
        self,
        pieces: Iterator[Piece],
        prosody: Prosody = PLAIN,
        stale: Stale = never,
        on_fallback: Callable[[VoiceFallback], None] = lambda _: None,
    ) -> Iterator[Speech]:
        """As ``speak``."""
        index = 0
        for piece in pieces:
            if stale():
                raise Cancelled("Nobody waits for the speech any more")
            for speech in self._said(piece, prosody, stale, on_fallback):
                self._said_s += len(speech.pcm) / speech.sample_rate
                yield replace(speech, index=index)
                index += 1

    def _pieces(self, text: str) -> Iterator[Piece]:
        return self._reader.read(text, self._language, self._chains)

    def _able(self, voices: Sequence[Voice]) -> list[Voice]:
        """Without those that rest; all of them where nobody else is left."""
        return [v for v in voices if not self._standing.resting(v.id)] or list(voices)

    def _said(
        self,
        piece: Piece,
        prosody: Prosody,
        stale: Stale,
        on_fallback: Callable[[VoiceFallback], None],
    ) -> Iterator[Speech]:
        voices, skipped = self._chains[piece.language], 0
        rest: Piece | None = piece
        while rest is not None:
            try:
                last = len(voices) == skipped + 1
                yield from self._by(voices[skipped], rest, prosody, stale, last=last)
            except _Failed as failed:
                rest = rest.part(failed.words) if failed.words < len(rest.words) else None
                voice = voices[skipped]
                if failed.text_only:
                    skipped += 1
                else:
                    voices.pop(skipped)
                    self._standing.failed(voice.id)
                following = voices[skipped]
                # An engine's own words may hold what was to be said, so they are not logged.
                logger.warning(
                    "the voice %s failed (%s): %s speaks", voice.id, failed.reason, following.id
                )
                on_fallback(VoiceFallback(voice.id, following.id, failed.reason, self._said_s))
            else:
                self._standing.worked(voices[skipped].id)
                return

    def _by(
        self, voice: Voice, piece: Piece, prosody: Prosody, stale: Stale, *, last: bool
    ) -> Iterator[Speech]:
        """By one voice. Raises _Failed, but of the ``last`` one its own errors."""
        words = 0
        patience = Patience(stale, self._patience_s, live=turns.live.get())
        own = prosody if voice.pitched else Prosody(prosody.speed)
        pulse, unwanted = self._standing.pulse_of(voice.id), stale if last else patience.stale

        def asked() -> bool:
            pulse.beat()
            return unwanted()

        speeches = voice.speak(piece, own, asked)
        try:
            while True:
                patience.wait()
                try:
                    with self._standing.speaking(pulse):
                        speech = next(speeches, None)
                except (VoiceFailed, VoiceUnreachable) as error:
                    if last:
                        raise
                    raise _Failed(error.code, words, isinstance(error, Unsayable)) from error
                except Cancelled as error:
                    if stale() or last or not patience.over:
                        raise
                    raise _Failed("voice_late", words) from error
                if speech is None:
                    return
                patience.said(len(speech.pcm) / speech.sample_rate)
                words += len(speech.words)
                yield replace(_at_rate(speech, self.sample_rate), voice=voice.id)
        finally:
            getattr(speeches, "close", bool)()


class _Failed(Exception):
    """A voice that is not the last one, after ``words`` of the piece."""

    def __init__(self, reason: str, words: int, text_only: bool = False) -> None:
        """``text_only``: it may be asked again for other pieces."""
        super().__init__(reason)
        self.reason, self.words, self.text_only = reason, words, text_only


def _at_rate(speech: Speech, rate: int) -> Speech:
    """The same sound at another rate, as long to one sample."""
    if speech.sample_rate == rate:
        return speech
    samples = -(-len(speech.pcm) * rate // speech.sample_rate)
    pcm = np.zeros(samples, np.float32)
    made = soxr.resample(speech.pcm, speech.sample_rate, rate)[:samples]
    pcm[: len(made)] = made
    return replace(speech, pcm=pcm, sample_rate=rate)
