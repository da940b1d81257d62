"""What was said once is said again at no cost, at its place in another text."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from app_core.cancel_scope import Stale, never
from app_core.speech.cached_voice import CachedVoice, SpeechCache
from app_core.speech.text.piece import Piece
from app_core.speech.text.reading import TextReader
from app_core.speech.voices.espeak import EspeakVoice
from app_core.types import PLAIN, Prosody, Speech


class Counted(EspeakVoice):
    def __init__(self) -> None:
        self.asked: list[str] = []

    def speak(
        self, piece: Piece, prosody: Prosody = PLAIN, stale: Stale = never
    ) -> Iterator[Speech]:
        self.asked.append(piece.said)
        yield from super().speak(piece, prosody, stale)


def cached(limit: int = 1 << 20) -> tuple[Counted, CachedVoice, SpeechCache]:
    voice, cache = Counted(), SpeechCache(limit)
    return voice, CachedVoice(voice, cache), cache


def said(voice: CachedVoice, text: str, prosody: Prosody = PLAIN) -> list[Speech]:
    pieces = TextReader().read(text, "en")
    return [speech for piece in pieces for speech in voice.speak(piece, prosody)]


def test_a_sentence_is_made_once_and_its_words_lie_where_they_are_written() -> None:
    counted, voice, _ = cached()
    first = said(voice, "Good morning to you. It costs 10 000 $ now.")
    again = said(voice, "Well, well. It costs 10 000 $ now.")
    assert [said for said in counted.asked if said.startswith("It")] == counted.asked[1:2]
    assert np.array_equal(first[1].pcm, again[1].pcm)
    assert [word.text for word in again[1].words] == ["It", "costs", "10 000 $", "now."]
    start = len("Well, well. ")
    assert [(w.start, w.end) for w in again[1].words][2] == (start + 9, start + 17)
    assert [w.start for w in first[1].words][0] == len("Good morning to you. ")
    assert again[1].index == 1


def test_what_sounds_otherwise_is_made_anew() -> None:
    counted, voice, _ = cached()
    for prosody in (PLAIN, Prosody(1.5), Prosody(pitch=3), PLAIN):
        said(voice, "One two three.", prosody)
    assert len(counted.asked) == 3
    said(voice, "And. One two three.")
    assert len(counted.asked) == 5, "the first piece has a lead, a later one has none"


def test_what_is_broken_off_is_not_kept() -> None:
    counted, voice, cache = cached()
    (piece,) = TextReader().read("One two three.", "en")
    speeches = voice.speak(piece)
    next(speeches)
    speeches.close()
    assert cache.nbytes == 0
    said(voice, "One two three.")
    assert len(counted.asked) == 2


def test_the_oldest_go_first_and_none_is_larger_than_a_quarter() -> None:
    counted, voice, cache = cached(limit=900_000)
    texts = ["This is one of them.", "This is two of them.", "This is three of them."] * 2
    for number, text in enumerate(texts):
        said(voice, text + " Yes." * number)
        assert cache.nbytes <= 900_000
    before = len(counted.asked)
    said(voice, "A very long sentence " * 12 + "ends.")
    said(voice, "A very long sentence " * 12 + "ends.")
    assert len(counted.asked) >= before + 2
    assert cache.nbytes <= 900_000
