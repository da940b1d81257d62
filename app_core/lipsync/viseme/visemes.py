"""What the lips do for each speech sound: targets and how strongly each sound insists on them."""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from typing import NamedTuple

TARGETS = ("jaw", "open", "wide", "round", "teeth", "tongue")
"""0..1, except wide: -1..1 (narrow..spread)."""


class Viseme(NamedTuple):
    """Targets and dominances in the order of TARGETS; dominances are above 0."""

    targets: tuple[float, ...]
    dominance: tuple[float, ...]


CLOSING = frozenset("mbpɓʙ")
"""The lips meet."""
TUCKING = frozenset("fvɱ")
"""The lower lip goes under the upper teeth."""

_VOWEL_ROWS = (
    # sounds           jaw  open  wide round teeth tongue  dominance of jaw+open, wide+round, rest
    ("a ɑ ɶ",         (.80, .85, .05, .00, .35, .00), (1.0, 1.0, 1.0)),
    ("ʌ ɐ",           (.60, .65, .05, .00, .30, .00), (0.8, 0.8, 0.8)),
    ("æ",             (.72, .78, .35, .00, .45, .05), (1.0, 1.0, 1.0)),
    ("e ɛ",           (.45, .52, .40, .00, .50, .15), (1.0, 1.0, 1.0)),
    ("ɜ ɝ ɞ",         (.38, .42, .00, .20, .35, .10), (1.0, 1.0, 1.0)),
    ("ɚ",             (.28, .32, .00, .25, .30, .20), (0.6, 0.6, 0.6)),
    ("ə ɘ ɤ",         (.30, .36, .08, .05, .35, .10), (.45, .45, .45)),
    ("i",             (.16, .28, .75, .00, .65, .20), (1.0, 1.0, 1.0)),
    ("ɪ ᵻ",           (.22, .32, .50, .00, .55, .20), (.75, .75, .75)),
    ("ɨ ɯ",           (.22, .32, .30, .00, .50, .10), (0.8, 0.8, 0.8)),
    ("o ɔ",           (.50, .50, -.40, .65, .15, .00), (1.0, 1.0, 1.0)),
    ("ɒ",             (.60, .58, -.20, .40, .20, .00), (1.0, 1.0, 1.0)),
    ("u",             (.18, .22, -.75, 1.0, .00, .00), (1.0, 1.0, 1.0)),
    ("ʊ ᵿ",           (.24, .28, -.55, .80, .05, .00), (0.8, 0.8, 0.8)),
    ("ʉ y ʏ",         (.22, .26, -.60, .85, .05, .10), (1.0, 1.0, 1.0)),
    ("ø ɵ œ",         (.34, .36, -.50, .75, .10, .10), (1.0, 1.0, 1.0)),
)  # fmt: skip
_CONSONANT_ROWS = (
    ("m b p ɓ ʙ",     (.06, .00, .00, .00, .00, .00), (1.2, .25, 0.9)),
    ("f v ɱ",         (.10, .14, .05, .00, .75, .00), (0.8, 0.8, 0.8)),
    ("ʋ β ɸ",         (.12, .15, -.10, .10, .50, .00), (0.8, 0.8, 0.8)),
    ("w ʍ ɥ",         (.14, .14, -.70, .95, .00, .00), (0.9, 0.9, 0.9)),
    ("s z c",         (.06, .22, .32, .00, .90, .25), (1.0, 0.5, 0.8)),
    ("ʃ ʒ ɕ ʑ ʂ ʐ",   (.10, .30, -.30, .55, .90, .10), (0.9, 0.9, 0.9)),
    ("t d n ɲ ɳ ʈ ɖ", (.12, .22, .12, .00, .60, .65), (.55, 0.2, 0.5)),
    ("l ɫ ɭ ɬ ɮ ʎ",   (.24, .32, .08, .00, .40, .90), (0.6, .25, 0.6)),
    ("θ ð",           (.14, .26, .12, .00, .70, 1.0), (0.8, 0.4, 0.7)),
    ("r ɾ ʀ",         (.22, .28, .05, .00, .45, .60), (.45, 0.2, 0.4)),
    ("ɹ ɻ",           (.20, .26, -.15, .40, .35, .30), (0.6, 0.6, 0.6)),
    ("j",             (.14, .26, .55, .00, .60, .20), (0.6, 0.6, 0.6)),
    ("k ɡ g ŋ ɴ x ɣ h ɦ ħ q ɢ χ ʁ ç ɟ ʔ",
                      (.22, .28, .08, .00, .40, .05), (0.3, .12, 0.3)),
)  # fmt: skip

VISEMES = {
    sound: Viseme(targets, tuple(weight for weight in weights for _ in range(2)))
    for sounds, targets, weights in _VOWEL_ROWS + _CONSONANT_ROWS
    for sound in sounds.split()
}
VOWELS = frozenset(sound for sounds, *_ in _VOWEL_ROWS for sound in sounds.split())
REST = Viseme((0.0,) * 6, (0.8,) * 6)

_VOWEL, _CONSONANT = "ə", "h"
"""What an unknown sound looks like."""
_VOWEL_LETTERS = frozenset("aeiouyаеёиоуыэюяәіөұү")


@lru_cache(maxsize=1024)
def letters(ipa: str) -> str:
    """The letters of a phoneme that have a viseme each: ``tʃʲ`` is ``tʃ``, silence is ``""``.

    Length, stress and other modifiers are dropped. A letter that is not in VISEMES becomes a weak
    vowel or consonant, and a phoneme without any letter a weak consonant.
    """
    if not ipa:
        return ""
    return "".join(filter(None, map(_letter, ipa))) or _CONSONANT


def _letter(char: str) -> str:
    if char in VISEMES:
        return char
    if not unicodedata.category(char).startswith("L") or unicodedata.category(char) == "Lm":
        return ""
    plain = unicodedata.normalize("NFD", char)[0].lower()
    if plain in VISEMES:
        return plain
    return _VOWEL if plain in _VOWEL_LETTERS else _CONSONANT
