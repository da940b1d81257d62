from __future__ import annotations

from pathlib import Path

import pytest

from app_core.config import ConfigError
from app_core.speech.text.dictionary import Dictionary, read_dictionary
from app_core.speech.text.reading import TextReader
from app_core.speech.text.span_text import SpanText

OWN = Dictionary({"Kaspi": "к+аспи", "C#": "си шарп", "Kaspi Gold": "каспи г+олд", "Qwe": "кве"})


def said(text: str, reader: TextReader | None = None) -> str:
    return " ".join(piece.said for piece in (reader or TextReader(OWN)).read(text, "ru"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Мой Kaspi, KASPI и kaspi.", "Мой каспи, каспи и каспи."),
        ("Пишу на C# и C#.", "Пишу на си шарп и си шарп."),
        ("Это Kaspi Gold!", "Это каспи голд!"),
        ("Qwerty и Qwe", "Кверти и кве."),
    ],
)
def test_whole_words_in_any_case_the_longest_first(text: str, expected: str) -> None:
    assert said(text).replace("г+олд", "голд").replace("+", "") == expected


def test_part_of_an_address_is_no_word() -> None:
    dictionary = Dictionary({"kaspi": "икс", "kz": "игрек"})
    for text in ("kaspi.kz", "me@kaspi.kz", "kaspi_kz", "kaspi7"):
        assert dictionary.after_cleaning(SpanText.written(text)).text == text
    assert dictionary.after_cleaning(SpanText.written("(kaspi)-kz.")).text == "(икс)-игрек."


def test_a_number_is_no_word_in_a_longer_one() -> None:
    dictionary = Dictionary({"10": "дюжина"})
    for text in ("10 000", "5 10", "10.5", "10:30", "5-10", "-10", "$10", "10 ₸", "10%", "10-й"):
        assert dictionary.after_cleaning(SpanText.written(text)).text == text
    for text in ("Их 10.", "10, 20", "10 книг", "(10)"):
        assert "10" not in dictionary.after_cleaning(SpanText.written(text)).text
    assert said("Цена 10 000, их 10.", TextReader(dictionary)) == "Цена десять тысяч, их дюжина."


def test_a_reading_may_carry_a_stress() -> None:
    pieces = list(TextReader(OWN).read("Мой Kaspi.", "ru"))
    assert [pieces[0].said[at] for at in pieces[0].stresses] == ["а"]
    assert pieces[0].words[1].written == "Kaspi."


def test_the_request_comes_before_the_server() -> None:
    reader = TextReader(OWN).knowing({"kaspi": "банк", "Halyk": "халык"})
    assert said("Kaspi и Halyk на C#", reader) == "банк и халык на си шарп."
    assert said("Kaspi") == "каспи."


def test_spans_are_of_what_is_written() -> None:
    text = "Банк  Kaspi Gold, вот."
    words = [word for piece in TextReader(OWN).read(text, "ru") for word in piece.words]
    assert [word.written for word in words] == ["Банк", "Kaspi Gold,", "вот."]


def test_a_file_of_readings(tmp_path: Path) -> None:
    path = tmp_path / "words.txt"
    path.write_text("# readings\nKaspi = к+аспи\n\nC# = си шарп\nx=икс\n", encoding="utf-8")
    reader = TextReader(read_dictionary(path))
    assert said("Kaspi, C#, x", reader) == "каспи, си шарп, икс."
    assert said("Kaspi", TextReader(read_dictionary(None))) == "Каспи."


@pytest.mark.parametrize("line", ["no sign", "= reading", "word =", "word = !!"])
def test_a_bad_line_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "words.txt"
    path.write_text(f"a = б\n{line}\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"DICTIONARY=.*line 2"):
        read_dictionary(path)
    with pytest.raises(ConfigError, match="DICTIONARY="):
        read_dictionary(tmp_path / "nowhere.txt")
