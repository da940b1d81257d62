"""A part of a piece is said as it would be within the whole."""

from __future__ import annotations

import pytest

from app_core.speech.text.piece import Piece, ReadWord
from app_core.speech.text.reading import TextReader
from app_core.speech.text.sentences import ends_sentence


def read(text: str, language: str = "ru") -> Piece:
    (piece,) = TextReader().read(text, language)
    return piece


def test_a_part_has_its_words_their_places_and_its_marks() -> None:
    text = "  «Да — нет», 10 000 ₸ и замо́к!"
    piece = read(text)
    assert [word.written for word in piece.words] == ["«Да", "нет»,", "10 000 ₸", "и", "замо́к!"]
    head, tail = piece.part(0, 3), piece.part(3, None)
    assert head.said == "«Да — нет», десять тысяч тенге"
    assert (tail.said, tail.written) == ("и замок!", "и замо́к!")
    assert head.written == "«Да — нет», 10 000 ₸"
    assert head.words == piece.words[:3]
    for part in (head, tail, piece.part(1, 2)):
        assert text[part.start : part.start + len(part.written)] == part.written
        for word in part.words:
            assert part.said.startswith(word.said, word.said_start)
    (stress,) = tail.stresses
    assert tail.said[stress] == "о" and tail.said[:stress] == "и зам"
    assert [head.said[at - 4 : at + 1] for at in head.stresses] == ["тенге"]


def test_a_whole_piece_is_its_own_part() -> None:
    piece = read("Дом, 5 м. и замо́к.")
    assert piece.part(0, None) == piece.part(0, len(piece.words)) == piece


@pytest.mark.parametrize(
    ("text", "language", "count", "said"),
    [
        ("He lives in the U.S. Army base.", "en", 5, "He lives in the U S"),
        ("Да, может быть.", "ru", 1, "Да,"),
        ("See (p. 5) now.", "en", 3, "See (page five)"),
    ],
)
def test_a_cut_inside_of_a_sentence_is_no_end(
    text: str, language: str, count: int, said: str
) -> None:
    piece = read(text, language)
    head = piece.part(0, count)
    assert head.said == said and not ends_sentence(head.said)
    assert piece.part(count, None).said.endswith(piece.said[-1])


@pytest.mark.parametrize("end", [".", "...", ".»"])
def test_a_point_within_a_sentence_does_not_end_its_part(end: str) -> None:
    said = f"Ну{end} да."
    words = (ReadWord("Ну", 0, 2, f"Ну{end}", 0), ReadWord("да.", 3, 6, "да.", len(said) - 3))
    head = Piece(0, "ru", said, "Ну да.", words).part(0, 1)
    assert head.said == "Ну" + end.lstrip(".")
    assert not ends_sentence(head.said)


def test_only_the_last_part_is_joined_to_what_follows() -> None:
    first, *_ = TextReader().read("Мой новый Hello my dear friend, вот так.", "ru")
    assert first.joined and first.language == "ru"
    assert not first.part(0, 1).joined and first.part(1, None).joined


def test_a_part_has_a_word() -> None:
    with pytest.raises(ValueError, match="word"):
        read("Да, нет.").part(1, 1)
