"""The stress of Russian words in the phonemes that Piper's espeak-ng makes of a text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_LETTERS = "аеёиоуыэюя"
_STRESSED = dict(zip(_LETTERS, "ɑeɵiouyɛuɑ", strict=True))
_UNSTRESSED = dict(zip(_LETTERS, "ʌiiiʌuyɛuʌ", strict=True))
_VOWELS = re.compile("[aɑæeɛəiɪoɵɔuʉʊyɨʌɐ]")
_STRESS = "ˈ"
_HARD = ("ʃ", "ʒ", "s")
"""After ш, ж and ц the letters и, and е without stress, are ы; ё is о."""
_AFTER_HARD = {"i": "y", "ɵ": "o"}
_WORD = re.compile(r"[^\W\d_]+")

Sentences = list[list[str]]
"""Of phonemes: one character each, a space between words."""


def with_stresses(
    said: str, stresses: Iterable[int], phonemize: Callable[[str], Sentences]
) -> Sentences:
    """``phonemize(said)`` with the stress on the vowels ``said[at]`` of ``stresses``.

    espeak-ng knows a word by what stands around it, so the whole text is turned into phonemes,
    and so is what comes before: as many words of sounds that has, so far into the whole is the
    word. A word whose vowels are not as many as its letters say stays as it is.
    """
    sentences = phonemize(said)
    wanted = sorted(set(stresses))
    if not wanted:
        return sentences
    for at in wanted:
        word = next(
            (word for word in _WORD.finditer(said) if word.start() <= at < word.end()), None
        )
        if word is None:
            continue
        index = sum(len(_words(sounds)) for sounds in phonemize(said[: word.end()])) - 1
        groups = [
            (number, first, end)
            for number, sounds in enumerate(sentences)
            for first, end in _words(sounds)
        ]
        if not 0 <= index < len(groups):
            continue
        number, first, end = groups[index]
        moved = restressed("".join(sentences[number][first:end]), word.group(), at - word.start())
        if moved is not None:
            sentences[number][first:end] = list(moved)
    return sentences


def restressed(sounds: str, word: str, at: int) -> str | None:
    """``sounds`` with the stress on the vowel letter ``word[at]``; None where it lies there
    already, and where letters and sounds do not go together."""
    letters = [number for number, letter in enumerate(word.lower()) if letter in _LETTERS]
    bare = sounds.replace(_STRESS, "")
    vowels = [vowel.start() for vowel in _VOWELS.finditer(bare)]
    if len(letters) != len(vowels) or at not in letters or len(letters) < 2:
        return None
    marks = [len(_VOWELS.findall(sounds[: mark.start()])) for mark in re.finditer(_STRESS, sounds)]
    wanted = letters.index(at)
    if marks == [wanted]:
        return None
    made = list(bare)
    for number, (place, letter) in enumerate(zip(vowels, letters, strict=True)):
        if number != wanted and number not in marks:
            continue
        table = _STRESSED if number == wanted else _UNSTRESSED
        sound = table[word[letter].lower()]
        if bare[:place].endswith(_HARD):
            sound = _AFTER_HARD.get(sound, sound)
        made[place] = _STRESS + sound if number == wanted else sound
    return "".join(made)


def _words(sounds: list[str]) -> list[tuple[int, int]]:
    """Where the words of a sentence's phonemes begin and end."""
    found, start = [], 0
    for place, sound in enumerate([*sounds, " "]):
        if sound == " ":
            if any(sound.isalpha() for sound in sounds[start:place]):
                found.append((start, place))
            start = place + 1
    return found
