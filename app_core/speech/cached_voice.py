"""A voice that remembers what it said: the same sentence again costs nothing."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from app_core.cancel_scope import never
from app_core.types import PLAIN, Prosody, Speech

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app_core.cancel_scope import Stale
    from app_core.speech.text.piece import Piece
    from app_core.speech.voice import Voice

_OBJECT_BYTES = 100
"""Of a phoneme or a word, about."""


@dataclass(frozen=True, slots=True)
class _Sentence:
    """All that the sound and the places of its words depend on."""

    voice: str
    language: str
    said: str
    written: str
    places: tuple[tuple[int, int, int], ...]
    """Of the words: start and end from the piece's own start, and where they are said."""
    stresses: tuple[int, ...]
    first: bool
    joined: bool
    prosody: Prosody


class SpeechCache:
    """Sentences by who says them how; those that were not asked for longest go first.
    Thread-safe."""

    def __init__(self, limit: int) -> None:
        """``limit``: bytes."""
        self._limit = limit
        self._lock = threading.Lock()
        self._kept: OrderedDict[_Sentence, tuple[Speech, ...]] = OrderedDict()
        self.nbytes = 0

    def get(self, sentence: _Sentence) -> tuple[Speech, ...] | None:
        with self._lock:
            if sentence in self._kept:
                self._kept.move_to_end(sentence)
            return self._kept.get(sentence)

    def put(self, sentence: _Sentence, speeches: tuple[Speech, ...]) -> None:
        nbytes = _nbytes(speeches)
        if nbytes > self._limit // 4:
            return
        with self._lock:
            if sentence in self._kept:
                return
            self._kept[sentence] = speeches
            self.nbytes += nbytes
            while self.nbytes > self._limit:
                _, oldest = self._kept.popitem(last=False)
                self.nbytes -= _nbytes(oldest)


class CachedVoice:
    """``voice`` with a cache that it may share with others."""

    def __init__(self, voice: Voice, cache: SpeechCache) -> None:
        self._voice, self._cache = voice, cache
        self.id, self.name, self.engine = voice.id, voice.name, voice.engine
        self.languages, self.sample_rate = voice.languages, voice.sample_rate
        self.licence, self.weights_licence = voice.licence, voice.weights_licence
        self.pitched = voice.pitched

    def warm(self) -> None:
        self._voice.warm()

    def close(self) -> None:
        getattr(self._voice, "close", bool)()

    def speak(
        self, piece: Piece, prosody: Prosody = PLAIN, stale: Stale = never
    ) -> Iterator[Speech]:
        """As of the voice; what it says to the end is kept."""
        begin = piece.start
        sentence = _Sentence(
            self.id,
            piece.language,
            piece.said,
            piece.written,
            tuple((word.start - begin, word.end - begin, word.said_start) for word in piece.words),
            piece.stresses,
            piece.index == 0,
            piece.joined,
            prosody,
        )
        kept = self._cache.get(sentence)
        if kept is not None:
            for speech in kept:
                yield _moved(speech, begin, piece.index)
            return
        said = []
        for speech in self._voice.speak(piece, prosody, stale):
            said.append(_moved(speech, -begin, 0))
            yield speech
        self._cache.put(sentence, tuple(said))


def _moved(speech: Speech, characters: int, index: int) -> Speech:
    words = tuple(
        replace(word, start=word.start + characters, end=word.end + characters)
        for word in speech.words
    )
    return replace(speech, words=words, index=index)


def _nbytes(speeches: tuple[Speech, ...]) -> int:
    return sum(
        speech.pcm.nbytes + _OBJECT_BYTES * (len(speech.words) + len(speech.phonemes or ()))
        for speech in speeches
    )
