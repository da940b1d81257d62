"""What is said is cut where sentences end, and nowhere inside what is written short."""

from __future__ import annotations

import pytest

from app_core.speech.text.reading import TextReader, _parts


def said(text: str) -> list[str]:
    return [piece.said for piece in TextReader().read(text, "en")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("We met at 5 p.m. Then we left.", ["We met at five P-M.", "Then we left."]),
        ("He lives in the U.S. It is big.", ["He lives in the U S.", "It is big."]),
        ("The U.S. Army came.", ["The U S Army came."]),
        ("J. R. R. Tolkien, Ph.D., wrote.", ["J R R Tolkien, P H D, wrote."]),
        ("It cost $5. No. 5 is mine.", ["It cost five dollars.", "Number five is mine."]),
        ("He said no. I left.", ["He said no.", "I left."]),
        ("See kaspi.kz. It works.", ["See kaspi dot K Z.", "It works."]),
        ("It is on Main St. We go.", ["It is on Main Street.", "We go."]),
        ("Tea, e.g. Assam, etc. Then cake.", ["Tea, for example Assam, et cetera.", "Then cake."]),
        ("Run 5 km. 10 lb is a lot.", ["Run five kilometers.", "Ten pounds is a lot."]),
        ("1. Go\n2. Wait 5 min.\n\nDone", ["One, Go.", "Two, Wait five minutes.", "Done."]),
        ("Open it\n2 cups\nof tea", ["Open it.", "Two cups of tea."]),
        ("Hello world.This is it.", ["Hello world.", "This is it."]),
        ("It ended in Nov. We left.", ["It ended in November.", "We left."]),
    ],
)
def test_english_is_cut_where_sentences_end(text: str, expected: list[str]) -> None:
    assert said(text) == expected


@pytest.mark.parametrize("inner", ["10 000 000", "А. С. Пушкин", "г. Алматы", "т. е. 50 %"])
def test_a_part_of_a_long_text_ends_between_words(inner: str) -> None:
    """Whatever stands where a part is full, it stays with its neighbours."""
    for shift in range(60):
        text = "слово " * 185 + "а" * shift + f" {inner} " + "слово " * 100
        parts = [part.text for part in _parts(text)]
        assert "".join(parts) == text.strip()
        assert any(inner in part for part in parts), shift


def test_a_comment_that_is_longer_than_a_part_is_silent() -> None:
    text = (
        "Before <!-- " + "Secret words! More of them. " * 200 + " --> after <b title='a! B'>it</b>."
    )
    assert said(text) == ["Before after it."]
    assert said("<script>" + "var x = 1; " * 300 + "</script>Hi") == ["Hi."]


@pytest.mark.parametrize("shift", range(0, 120, 7))
def test_the_words_of_one_number_are_in_one_piece(shift: int) -> None:
    number = "+7 (727) 250-00-00"
    text = "слово, " * 20 + "и " * shift + f"слово {number} слово слово слово, " + "слово " * 20
    pieces = list(TextReader().read(text, "ru"))
    assert sum("семьсот двадцать семь, двести пятьдесят" in piece.said for piece in pieces) == 1
    assert sum(word.written.startswith("+7") for piece in pieces for word in piece.words) == 1


@pytest.mark.parametrize(
    ("language", "text", "pieces"),
    [
        ("ru", "Всё. 5 человек.", ["Всё.", "Пять человек."]),
        ("ru", "Он умер. А. С. Пушкин родился.", ["Он умер.", "А эс Пушкин родился."]),
        ("ru", "Было 5. 6 ушли.", ["Было пять.", "Шесть ушли."]),
        (
            "ru",
            "Куплено в 2024 г. Цена высокая.",
            ["Куплено в две тысячи двадцать четвёртом году.", "Цена высокая."],
        ),
        (
            "ru",
            "В 2024 г. Алматы вырос.",
            ["В две тысячи двадцать четвёртом году Алматы вырос."],
        ),
        ("kk", "Мен 5. 6 кетті.", ["Мен бес.", "Алты кетті."]),
    ],
)
def test_a_sentence_may_begin_with_a_number_or_initials(
    language: str, text: str, pieces: list[str]
) -> None:
    assert [piece.said for piece in TextReader().read(text, language)] == pieces
