from __future__ import annotations

import random

import pytest

from app_core.speech.text.cleaning import clean
from app_core.speech.text.kazakh import normalise
from app_core.speech.text.kazakh.harmony import possessed, with_ending, with_written
from app_core.speech.text.kazakh.numbers import ordinals, quantity
from app_core.speech.text.span_text import SpanText


@pytest.mark.parametrize(
    ("word", "dative", "ablative", "genitive", "instrumental"),
    [
        ("екі", "екіге", "екіден", "екінің", "екімен"),
        ("үш", "үшке", "үштен", "үштің", "үшпен"),
        ("тоғыз", "тоғызға", "тоғыздан", "тоғыздың", "тоғызбен"),
        ("он", "онға", "оннан", "онның", "онмен"),
        ("елу", "елуге", "елуден", "елудің", "елумен"),
        ("мың", "мыңға", "мыңнан", "мыңның", "мыңмен"),
        ("миллиард", "миллиардқа", "миллиардтан", "миллиардтың", "миллиардпен"),
        ("метр", "метрге", "метрден", "метрдің", "метрмен"),
        ("килограмм", "килограмға", "килограмнан", "килограмның", "килограммен"),
        ("градус", "градусқа", "градустан", "градустың", "градуспен"),
        ("минут", "минутқа", "минуттан", "минуттың", "минутпен"),
        ("рубль", "рубльге", "рубльден", "рубльдің", "рубльмен"),
    ],
)
def test_endings_follow_the_vowels_and_the_last_sound(
    word: str, dative: str, ablative: str, genitive: str, instrumental: str
) -> None:
    assert with_ending(word, "dative") == dative
    assert with_ending(word, "ablative") == ablative
    assert with_ending(word, "genitive") == genitive
    assert with_ending(word, "instrumental") == instrumental


@pytest.mark.parametrize(
    ("phrase", "ending", "said"),
    [
        ("екі", "еуі", "екеуі"),
        ("алты", "ауына", "алтауына"),
        ("жиырма бес", "інде", "жиырма бесінде"),
        ("жүз", "ден", "жүзден"),
        ("он", "дагы", "он дагы"),  # no ending: it is left as a word
        ("елу", "ші", "елуінші"),
        ("қырық", "қа", "қырыққа"),
        ("он", "тен", "оннан"),  # written wrongly, said rightly
    ],
)
def test_a_written_ending_is_said_in_the_form_of_the_number(
    phrase: str, ending: str, said: str
) -> None:
    assert with_written(phrase, ending) == said


def test_after_a_possessive_the_endings_are_others() -> None:
    assert possessed("қазақстан республикасы", "да") == "қазақстан республикасында"
    assert possessed("министрлігі", "ден") == "министрлігінен"


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("20", "жиырмасыншы"),
        ("40", "қырқыншы"),
        ("30", "отызыншы"),
        ("60", "алпысыншы"),
        ("1000", "мыңыншы"),
        ("2026", "екі мың жиырма алтыншы"),
        ("7-8", "жетінші сегізінші"),
    ],
)
def test_ordinals(written: str, said: str) -> None:
    assert ordinals(written) == said


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("10 000", "он мың"),
        ("-5", "минус бес"),
        ("1 000 000", "бір миллион"),
        ("3,05", "үш бүтін жүзден бес"),
        ("2 1/3", "екі бүтін үштен бір"),
        ("-10…-5", "минус он минус бес"),
        ("007", "нөл нөл жеті"),
        (
            "1234567890123456",
            "бір екі үш төрт бес алты жеті сегіз тоғыз нөл бір екі үш төрт бес алты",
        ),
    ],
)
def test_quantities(written: str, said: str) -> None:
    assert quantity(written) == said


_PIECES = [
    *"0123456789 .,-–:/%№₸$+=()«»°²½IVXХІабдетқшыкмгсж\n'",
    "км",
    "млн",
    "-да",
    " жыл",
    "т.б.",
]


@pytest.mark.parametrize("seed", range(300))
def test_whatever_is_written_no_digit_is_left_or_lost_and_spans_cover(seed: int) -> None:
    chance = random.Random(seed)
    written = "".join(chance.choices(_PIECES, k=chance.randint(1, 60)))
    said = normalise(clean(SpanText.written(written)))
    assert not any(map(str.isdigit, said.text))
    assert any(map(str.isalpha, said.text)) or not any(map(str.isalnum, written))
    for at in range(len(said)):
        start, end = said.span(at, at + 1)
        assert 0 <= start < end <= len(written)


def test_words_stand_for_the_written_number() -> None:
    written = "Бағасы 10 000 ₸, ал бұл 5 км-ден."
    said = normalise(SpanText.written(written))
    at = said.text.index("он мың теңге")
    start, end = said.span(at, at + len("он мың теңге"))
    assert written[start:end] == "10 000 ₸"
    at = said.text.index("бес километрден")
    start, end = said.span(at, at + len("бес километрден"))
    assert written[start:end] == "5 км-ден"
