"""What espeak-ng is given to read in place of a text that it would misread."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

PHONEMES = 0x100
"""espeakPHONEMES of speak_lib.h: what stands in ``[[ ]]`` is names of phonemes."""

_VOWELS = "аеёиоуыэюя"
_STRESSED = dict(zip(_VOWELS, "Ae8iouyEuA", strict=True))
_UNSTRESSED = dict(zip(_VOWELS, "ViiiVuyEuV", strict=True))
"""espeak-ng's Russian vowels. Unstressed о and а are one sound, е and я weaken."""
_VOWEL = re.compile(r"(['\"%,=]*)((?:iE2|(?<!@)[aAeEiIoOuUyV8])[#\d]*)")
LETTERS = re.compile(r"[^\W\d_]+")
"""A word."""
_PREPOSITION = re.compile(r"(?<!\S)([вксВКС])(?=[^\w\s]*\Z)")
_CONSONANTS = {"в": "v", "к": "k", "с": "s"}
"""At an end, before what goes on in another language, espeak-ng would say the letter's name."""
_SIGNS = {"ь": "", "Ь": "", "ъ": "й", "Ъ": "й"}
"""espeak-ng's Kazakh reads these letters of Russian words as a glottal stop."""


def spelling(
    said: str, language: str, stresses: Iterable[int], mnemonics: Callable[[str], str]
) -> tuple[str, list[int]]:
    """``said`` as espeak-ng should read it, and for each of its characters the index into ``said``
    that it comes from.

    ``stresses``: indices of vowels. ``mnemonics``: what espeak-ng makes of a word, as names of its
    phonemes. A word that it stresses as wanted stays as it is.
    """
    parts: list[tuple[str, int, int]] = []
    done = 0
    if language == "kk" and any(sign in said for sign in _SIGNS):
        return _without_signs(said)
    for at in stresses if language == "ru" else ():
        word = _word_at(said, at)
        if word is None or word.start() < done:
            continue
        moved = restressed(mnemonics(word.group()), word.group(), at - word.start())
        if moved is None:
            continue
        start = word.start()
        if start and not said[start - 1].isspace():
            start -= 1  # after a quote or a hyphen espeak-ng does not know the brackets
        parts.append((said[done:start], done, -1))
        if start < word.start():
            parts.append((" ", start, -1))
        parts.append((f"[[{moved}]]", word.start(), word.start()))
        done = word.end()
    preposition = _PREPOSITION.search(said, done) if language == "ru" else None
    if preposition:
        start = preposition.start()
        parts.append((said[done:start], done, -1))
        parts.append((f"[[{_CONSONANTS[said[start].lower()]}]]", start, start))
        done = preposition.end()
    parts.append((said[done:], done, -1))
    text = "".join(part for part, _, _ in parts)
    froms = [
        start + number if fixed < 0 else fixed
        for part, start, fixed in parts
        for number in range(len(part))
    ]
    return text, froms


def restressed(mnemonics: str, word: str, at: int) -> str | None:
    """The phonemes with the stress on the vowel letter ``word[at]``. None where it lies there
    already, and where letters and phonemes do not go together."""
    letters = [number for number, letter in enumerate(word.lower()) if letter in _VOWELS]
    vowels = list(_VOWEL.finditer(mnemonics))
    if len(letters) != len(vowels) or at not in letters or len(letters) < 2:
        return None
    wanted = letters.index(at)
    if "'" in vowels[wanted][1] and sum("'" in vowel[1] for vowel in vowels) == 1:
        return None
    made, done = [], 0
    for number, vowel in enumerate(vowels):
        made.append(mnemonics[done : vowel.start()])
        letter, phoneme = word[letters[number]].lower(), vowel[2]
        if number == wanted:
            phoneme = "'" + _kept(mnemonics, vowel, _STRESSED[letter])
        elif "'" in vowel[1]:
            phoneme = _kept(mnemonics, vowel, _UNSTRESSED[letter])
        made.append(phoneme)
        done = vowel.end()
    return "".join([*made, mnemonics[done:]])


def stressed_vowel(mnemonics: str, word: str) -> int | None:
    """The index into the Russian ``word`` of the vowel letter that its phonemes stress; None where
    letters and phonemes do not go together."""
    lower = word.lower()
    letters = [number for number, letter in enumerate(lower) if letter in _VOWELS]
    if len(letters) == 1 or "ё" in lower:
        return lower.index("ё") if "ё" in lower else letters[0]
    vowels = _VOWEL.findall(mnemonics)
    marked = [number for number, (marks, _) in enumerate(vowels) if "'" in marks]
    return letters[marked[0]] if len(vowels) == len(letters) and len(marked) == 1 else None


def _kept(mnemonics: str, vowel: re.Match[str], phoneme: str) -> str:
    """и after ж ш ц is ы, and unstressed е too."""
    hard = mnemonics[: vowel.start()].endswith(("Z", "S", "ts"))
    return "y" if hard and phoneme == "i" else phoneme


def _word_at(said: str, at: int) -> re.Match[str] | None:
    start = at
    while start and said[start - 1].isalpha():
        start -= 1
    return LETTERS.match(said, start)


def _without_signs(said: str) -> tuple[str, list[int]]:
    pairs = [(new, at) for at, char in enumerate(said) for new in _SIGNS.get(char, char)]
    return "".join(new for new, _ in pairs), [at for _, at in pairs]
