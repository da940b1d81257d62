"""Words of one language in a text of another, by what is said and by what espeak-ng makes of it."""

from __future__ import annotations

import ctypes
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from app_core.speech.text.letters.lookalikes import unmixed
from app_core.speech.text.piece import Piece
from app_core.speech.text.reading import TextReader
from app_core.speech.text.span_text import SpanText
from app_core.speech.voices import espeak
from app_core.speech.voices.espeak import EspeakVoice

ACUTE = "\u0301"


def read(text: str, language: str, **kwargs: object) -> list[Piece]:
    return list(TextReader().read(text, language, **kwargs))  # type: ignore[arg-type]


def said(text: str, language: str) -> str:
    """Without marks and capitals, language by language: ``ru: ... | en: ...``."""
    found: list[tuple[str, list[str]]] = []
    for piece in read(text, language):
        words = re.sub(r"[^\w\s-]", "", piece.said).lower().split()
        if found and found[-1][0] == piece.language:
            found[-1][1].extend(words)
        else:
            found.append((piece.language, words))
    return " // ".join(f"{name}: {' '.join(words)}" for name, words in found)


def mnemonics(text: str, language: str) -> str:
    """What espeak-ng says, as names of phonemes; a change of language shows as ``(en)``."""
    list(EspeakVoice().speak(Piece(0, language, "а", "а", ())))
    library = espeak._LIBRARY
    with library._turns.turn(1):
        library._library.espeak_ng_SetVoiceByName(espeak._VOICES[language][0].encode())
        data = ctypes.create_string_buffer(text.encode())
        rest, found = ctypes.c_void_p(ctypes.addressof(data)), []
        while rest.value:
            part = library._library.espeak_TextToPhonemes(ctypes.byref(rest), 1, 0)
            found.append((part or b"").decode())
    return " ".join(found)


FILE = Path(__file__).with_name("mixed_lines.txt")


def lines() -> Iterator[tuple[str, str, str]]:
    """Language of the text, what is written, what is said."""
    language = ""
    for line in FILE.read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            language = line[3:]
        elif line and not line.startswith("#"):
            written, _, expected = line.partition(" | ")
            yield language, written, expected


LINES = list(lines())


@pytest.mark.parametrize(("language", "text", "expected"), LINES)
def test_words_of_another_language(language: str, text: str, expected: str) -> None:
    assert said(text, language) == expected


@pytest.mark.parametrize(("language", "text", "_"), LINES)
def test_nothing_is_spelled_and_no_voice_changes_inside(language: str, text: str, _: str) -> None:
    for piece in read(text, language):
        heard = mnemonics(piece.said, piece.language)
        assert not re.search(r"\([a-z]|_\|", heard), (piece.said, heard)


@pytest.mark.parametrize(("language", "text", "_"), LINES)
def test_every_word_said_has_its_place_in_the_text(language: str, text: str, _: str) -> None:
    for piece in read(text, language):
        for word in piece.words:
            assert word.written == text[word.start : word.end]
            assert any(map(str.isalnum, word.written))


def test_no_pause_stands_before_what_goes_on_in_another_language() -> None:
    joined = [(p.language, p.joined) for p in read("Он поёт Shape of You сегодня, да.", "ru")]
    assert joined == [("ru", True), ("en", True), ("ru", False)]
    stopped = [(p.language, p.joined) for p in read("Он поёт: «Shape of You», да.", "ru")]
    assert stopped == [("ru", False), ("en", False), ("ru", False)]


def test_a_language_without_a_voice_is_said_in_the_nearest_letters() -> None:
    found = read("Он сказал: «I will be back», «Менің атым Айгерім».", "ru", spoken=("ru",))
    assert {piece.language for piece in found} == {"ru"}
    words = " ".join(piece.said for piece in found).lower()
    assert "бэк" in words or "бак" in words
    assert "менин атым айгерим" in words


def test_every_word_that_is_said_has_its_time() -> None:
    for language, text, _ in LINES:
        for piece in read(text, language):
            speech = next(EspeakVoice().speak(piece))
            assert [word.text for word in speech.words] == [word.written for word in piece.words]
            ends = [word.end_s for word in speech.words]
            assert ends == sorted(ends)


def test_letters_that_look_alike_are_told_by_those_that_do_not() -> None:
    for written, meant in {
        "бiз": "біз",
        "Əлия": "Әлия",
        "Гауhар": "Гауһар",
        "Kazахстан": "Kazахстан",
        "Tом": "Том",
        "сat": "cat",
        "м/с²": "м/с²",
        "5см2": "5см2",
        "iPhoneға": "iPhoneға",
    }.items():
        assert unmixed(SpanText.written(written)).text == meant
