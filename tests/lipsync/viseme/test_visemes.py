from __future__ import annotations

import pytest

from app_core.lipsync.viseme.visemes import (
    CLOSING,
    REST,
    TARGETS,
    TUCKING,
    VISEMES,
    VOWELS,
    letters,
)


def test_rows_are_in_range() -> None:
    for sound, viseme in {**VISEMES, "rest": REST}.items():
        assert len(viseme.targets) == len(viseme.dominance) == len(TARGETS), sound
        assert all(weight > 0 for weight in viseme.dominance), sound
        for name, target in zip(TARGETS, viseme.targets, strict=True):
            assert (-1 if name == "wide" else 0) <= target <= 1, (sound, name)


def test_lips_differ_where_speakers_do() -> None:
    def target(sound: str, name: str) -> float:
        return VISEMES[sound].targets[TARGETS.index(name)]

    assert target("a", "open") > target("e", "open") > target("i", "open") > target("m", "open")
    assert target("i", "wide") > 0 > target("u", "wide")
    assert target("u", "round") > target("o", "round") > target("ɨ", "round") == 0
    assert target("s", "teeth") > target("a", "teeth")
    assert set(CLOSING) | set(TUCKING) <= set(VISEMES) and not CLOSING & TUCKING
    assert set("aouiəɵ") <= VOWELS and not VOWELS & set("mbpfvsj")


@pytest.mark.parametrize(
    ("ipa", "expected"),
    [
        ("", ""),
        ("aː", "a"),
        ("tʃʲ", "tʃ"),
        ("ja", "ja"),
        ("ɔːɹ", "ɔɹ"),
        ("n̩", "n"),
        ("ã", "a"),
        ("ʙ", "ʙ"),
        ("Ы", "ə"),
        ("ǂ", "h"),
        ("ʲ", "h"),
        ("?!", "h"),
        ("你", "h"),
    ],
)
def test_phonemes_become_letters_of_the_table(ipa: str, expected: str) -> None:
    assert letters(ipa) == expected


def test_every_character_has_a_viseme() -> None:
    for code in [*range(0x20, 0x530), *range(0x1D00, 0x1DC0), 0x1F600]:
        assert all(letter in VISEMES for letter in letters(chr(code)))
