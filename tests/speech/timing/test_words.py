from __future__ import annotations

import pytest

from app_core.speech.text.piece import Piece, read_words
from app_core.speech.text.span_text import SpanText
from app_core.speech.timing.words import words
from app_core.speech.voices.espeak import EspeakVoice
from app_core.types import Phoneme
from tests.fakes import spoken_by


def read(text: str) -> Piece:
    """Said as it is written."""
    return Piece(0, "en", text, text, read_words(text, SpanText.written(text)))


def test_marks_stay_beside_their_word_and_silence_after_it() -> None:
    text = "Well, 26 — yes!"
    events = [(0.0, 0), (0.5, 6), (0.7, 7), (0.9, 8), (1.2, 11)]
    phonemes = [
        Phoneme("wel", 0.0, 0.4),
        Phoneme("", 0.4, 0.5),
        Phoneme("twenti", 0.5, 0.7),
        Phoneme("siks", 0.7, 1.0),
        Phoneme("", 1.0, 1.2),
        Phoneme("jes", 1.2, 1.6),
        Phoneme("", 1.6, 2.0),
    ]
    found = [(w.text, w.start_s, w.end_s) for w in words(read(text), events, phonemes)]
    assert found == [("Well,", 0.0, 0.4), ("26", 0.5, 1.0), ("yes!", 1.2, 1.6)]


def test_positions_beyond_the_text_are_no_words() -> None:
    assert words(read("one"), [(0.0, 3), (0.1, 9)], []) == ()
    assert words(read("one"), [], []) == ()


def test_a_word_without_an_event_shares_the_time_of_the_one_it_is_said_with() -> None:
    phonemes = [Phoneme("a", 0.0, 0.8), Phoneme("b", 1.0, 1.6), Phoneme("", 1.6, 2.0)]
    found = [
        (w.text, round(w.start_s, 3), round(w.end_s, 3))
        for w in words(read("in the — south, too"), [(0.0, 3), (0.8, 7), (1.0, 16)], phonemes)
    ]
    assert found == [
        ("in", 0.0, 0.08 * 2),
        ("the", 0.08 * 2, 0.4),
        ("south,", 0.4, 0.8),
        ("too", 1.0, 1.6),
    ]


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("ru", "Привет, мир! Сегодня 26 ноября — обычный день."),
        ("kk", "Сәлем, әлем! Бүгін 25 қараша."),
        ("en", "Hello, world! Dr. Smith paid $3.50 in 2026."),
    ],
)
def test_espeak_names_every_word_in_order(language: str, text: str) -> None:
    said = []
    for speech in spoken_by(EspeakVoice(), text, language):
        ends = 0.0
        for word in speech.words:
            assert ends <= word.start_s < word.end_s <= len(speech.pcm) / speech.sample_rate
            ends = word.end_s
            said.append(word.text)
    assert said == [token for token in text.split() if token != "—"]
