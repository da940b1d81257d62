"""Sentences to say: those of the tables of readings, and words and syllables in random order."""

from __future__ import annotations

import zlib

import numpy as np

from benchmarks.texts import TEXTS
from tests.text.tables import lines

LANGUAGES = ("ru", "kk", "en")
_WORDS = (3, 16)
_HELD_OUT = 8
"""One of so many sentences is never trained on."""
_CONSONANTS = {
    "ru": "б п м в ф д т з с ж ш ч щ ц г к х л н р бр пл см мп",
    "kk": "б п м д т з с ж ш қ к г ғ л н р ң у",
    "en": "b p m v f d t z s sh ch j k g l n r th w br pl sp",
}
_VOWELS = {
    "ru": "а о у ы э я ю и е",
    "kk": "а ә е о ө ұ ү ы і",
    "en": "a ee oo o ay ah ow i u e",
}
_CLOSING = 4
"""How many consonants of a list close the lips: about a third of all said begin with one."""


def sentences(language: str) -> list[str]:
    """Of the tables, each once, in their order."""
    found = [sentence.strip() + "." for sentence in TEXTS[language].split(".") if sentence.strip()]
    for line in lines(language):
        reading = line.readings[0] if line.readings else ""
        words = reading.split()
        for at in range(0, len(words), _WORDS[1]):
            part = words[at : at + _WORDS[1]]
            if len(part) >= _WORDS[0]:
                found.append(" ".join(part).rstrip(".") + ".")
    return list(dict.fromkeys(found))


def held_out(sentence: str) -> bool:
    return zlib.crc32(sentence.encode()) % _HELD_OUT == 0


def shuffled_words(known: list[str], count: int, random: np.random.Generator) -> list[str]:
    """Sentences of the words of others: sounds meet that do not meet in the tables."""
    words = sorted({word.strip(".,!?") for sentence in known for word in sentence.split()})
    return [" ".join(random.choice(words, 7)) + "." for _ in range(count)]


def syllables(language: str, count: int, random: np.random.Generator) -> list[str]:
    """Words of no language, in which m, b and p are many."""
    consonants, vowels = _CONSONANTS[language].split(), _VOWELS[language].split()
    found = []
    for _ in range(count):
        words = []
        for _ in range(7):
            word = ""
            for _ in range(random.integers(1, 4)):
                some = consonants[:_CLOSING] if random.random() < 0.25 else consonants
                word += str(random.choice(some)) + str(random.choice(vowels))
            words.append(word)
        found.append(" ".join(words) + ".")
    return found
