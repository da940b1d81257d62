"""Words in Latin letters that are not said as they are spelled, in Cyrillic letters."""

from __future__ import annotations

from functools import cache
from pathlib import Path

_LIST = Path(__file__).with_name("words.txt")

_LETTER_NAMES = dict(
    pair.split("=")
    for pair in (
        "a=эй b=би c=си d=ди e=и f=эф g=джи h=эйч i=ай j=джей k=кей l=эл m=эм n=эн o=о p=пи q=кью"
        " r=ар s=эс t=ти u=ю v=ви w=дабл-ю x=икс y=уай z=зет"
    ).split()
)
"""In an abbreviation."""
_ALONE = dict(
    pair.split("=")
    for pair in (
        "a=а b=бэ c=цэ d=дэ e=е f=эф g=джи h=аш i=ай j=джей k=ка l=эль m=эм n=эн o=о p=пэ q=кью"
        " r=эр s=эс t=тэ u=у v=вэ w=дубль-вэ x=икс y=игрек z=зет"
    ).split()
)
"""Of a vitamin, a class, a variable."""
LONGEST_ABBREVIATION = 5


def known(word: str) -> str | None:
    """How a word of the list is said."""
    words = _words()
    return words.get(word) or words.get(word.lower().replace("’", "'"))


def letter(name: str) -> str:
    return _ALONE[name.lower()]


def letters(abbreviation: str) -> str:
    """Name by name."""
    return "-".join(_LETTER_NAMES[name] for name in abbreviation.lower())


@cache
def _words() -> dict[str, str]:
    found = {}
    for line in _LIST.read_text(encoding="utf-8").splitlines():
        for entry in () if line.startswith("#") else line.split(";"):
            word, _, said = entry.partition("=")
            if said:
                found[word.strip()] = said.strip()
    return found
