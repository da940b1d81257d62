"""What holds of the reading of any text."""

from __future__ import annotations

import random
import re
import sys
import unicodedata
from typing import TYPE_CHECKING

import pytest

from app_core.speech.text import matching, span_text
from app_core.speech.text.cleaning import clean
from app_core.speech.text.reading import LANGUAGES, TextReader
from app_core.speech.text.span_text import SpanText
from tests.text.tables import languages, lines

if TYPE_CHECKING:
    from collections.abc import Iterator

SPOKEN_MARKS = frozenset(".,!?…:;—–-'’‘‚‹›\"()«»“”„‟ \n\u0301")
WORDS = {
    "ru": "и в цена дом ул. г. тг кг Алматы Абая т.е. АО XX млн",
    "kk": "және бұл үй көш. ж. тг кг Алматы Абай т.б. АҚ XX млн",
    "en": "and in price house St. Dr. tg kg Almaty Abay e.g. LLC XX bn",
}
FORMS = (
    "5 10 000 -5 3.14 3,14 1/2 ½ 5% $5 €20 15,500 10–15 2026 1990s 25.11.2026 2026-11-25 10:30"
    " 5-7 №5 #1 +7(727)250-00-00 4400430123456789 v2.0.1 5° -5°C x² 2×3 IV 18+ 24/7 4K A4 007 1:0"
    " H2O ₸5"
).split()
STUFF = (
    "<b> </b> ** * _ ` ~~ [a](b) | # > - \n \t \xa0 \u200b 😀 ❤️ &amp; &nbsp; « » ( ) … ?! // \\ ^ ="
    " + ~"
).split(" ")


def mixture(language: str, seed: int, size: int = 400) -> str:
    """Words, numbers of every form, signs and remains of markup, at random."""
    rng = random.Random(seed)
    pool = WORDS[language].split(" ") + FORMS + STUFF
    text = ""
    while len(text) < size:
        text += rng.choice(pool) + rng.choice(["", " ", " ", " ", ". ", ", "])
    return text


def anything(seed: int, size: int) -> str:
    """Characters of all of Unicode, half of them ASCII."""
    rng = random.Random(seed)
    return "".join(
        chr(rng.randrange(32, 127) if rng.random() < 0.5 else rng.randrange(1, 0x1FAFF))
        for _ in range(size)
    ).replace("\ud800", "")


@pytest.mark.parametrize("language", sorted(LANGUAGES))
@pytest.mark.parametrize("seed", range(40))
def test_every_word_knows_what_it_stands_for(language: str, seed: int) -> None:
    text = mixture(language, seed) if seed % 4 else anything(seed, 600)
    last = (0, 0)
    for piece in TextReader().read(text, language):
        said, before = 0, 0
        for word in piece.words:
            assert before <= word.start < word.end <= len(text)
            # What is written without a space may be said in two pieces.
            assert last[0] <= word.start and last[1] <= word.end
            assert text[word.start : word.end] == word.written
            between = piece.said[said : word.said_start]
            assert not any(map(str.isalnum, between))
            assert piece.said.startswith(word.said, word.said_start)
            last, before = (word.start, word.end), word.end
            said = word.said_start + len(word.said)
        assert not any(map(str.isalnum, piece.said[said:]))


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize("seed", range(40))
def test_no_digit_and_no_sign_is_left_to_the_voice(language: str, seed: int) -> None:
    said = LANGUAGES[language](clean(SpanText.written(mixture(language, seed)))).text
    assert not [char for char in said if not char.isalpha() and char not in SPOKEN_MARKS]


@pytest.mark.parametrize("language", languages())
def test_no_character_of_unicode_is_named(language: str) -> None:
    """What is neither a letter nor a mark that makes a pause is a word or nothing."""
    for first in range(0x20, 0x1FB00, 512):
        chars = [chr(code) for code in range(first, first + 512) if not 0xD800 <= code < 0xE000]
        said = LANGUAGES[language](clean(SpanText.written(" a ".join(chars)))).text
        kept = {char for char in said if char not in SPOKEN_MARKS and not char.isalpha()}
        assert not [char for char in kept if unicodedata.category(char)[0] != "M"], hex(first)


@pytest.mark.parametrize("language", languages())
def test_no_number_is_lost(language: str) -> None:
    """Each digit of each line of the table belongs to a word that is said."""
    for line in lines(language):
        if re.search(r"https?://|[<\[&`]", line.written):
            continue
        said = line.spans()
        spoken = set()
        for at, char in enumerate(said.text):
            if char.isalpha():
                spoken.update(range(*said.span(at, at + 1)))
        silent = [at for at, char in enumerate(line.written) if char.isdigit() and at not in spoken]
        assert not silent, line.written


@pytest.mark.parametrize("language", sorted(LANGUAGES))
@pytest.mark.parametrize(
    "unit", ["цена 10 000 тг, ", "a<b>1</b> ", "[a](", "5-", "1/", "т.е. ", "$"]
)
def test_the_work_grows_with_the_length(language: str, unit: str) -> None:
    def calls(size: int) -> int:
        count = 0

        def seen(*_: object) -> None:
            nonlocal count
            count += 1

        text = (unit * size)[:size]
        sys.setprofile(seen)
        try:
            for _ in TextReader().read(text, language):
                pass
        finally:
            sys.setprofile(None)
        return count

    calls(2400)
    assert calls(9600) < 5 * calls(2400) + 5000


@pytest.mark.parametrize("language", sorted(LANGUAGES))
@pytest.mark.parametrize(
    ("unit", "most"), [("x1", 120), ("1/1/", 120), ("-5 -5 ", 60), ("1½", 200), ("007 ", 60)]
)
def test_few_patterns_look_at_a_text_of_few_characters(
    language: str, unit: str, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``most``: of the patterns of all steps, by each character of the text. Those that look in
    vain cost most of a reading."""
    looked = 0

    def counted(pattern: re.Pattern[str], text: str) -> Iterator[re.Match[str]]:
        nonlocal looked
        if not matching.cannot_match(pattern, text):
            looked += len(text)
        return matching.matches(pattern, text)

    monkeypatch.setattr(span_text, "matches", counted)
    text = (unit * 1000)[:1000]
    for _ in TextReader().read(text, language):
        pass
    assert looked < most * len(text)


def test_a_raised_digit_after_an_at_sign_is_no_number() -> None:
    assert list(TextReader().read("пишите @²x", "ru"))
