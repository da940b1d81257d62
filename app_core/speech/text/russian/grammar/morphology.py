"""Russian words and their forms, by the dictionary of pymorphy3 (OpenCorpora).

Cases are named as there: nomn gent datv accs ablt loct; genders masc femn neut.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pymorphy3 import MorphAnalyzer
    from pymorphy3.analyzer import Parse

_RUSSIAN = re.compile(r"[А-Яа-яЁё-]+")
_SECOND = {"gen1": "gent", "gen2": "gent", "acc2": "accs", "loc1": "loct", "loc2": "loct"}
_LEAST = 0.01
"""Of the readings of a form, the share below which one is not thought of."""

_LEAST_RIVAL = 0.07
"""The same for a form of another word than the likeliest: «урок» is no form of «урка»."""


@dataclass(frozen=True, slots=True)
class Form:
    """One way to understand a written word."""

    lemma: str
    part: str
    case: str
    plural: bool
    gender: str
    animate: bool
    fixed: bool
    """Does not change with its case, or is a name."""
    only_plural: bool


@cache
def _analyzer() -> MorphAnalyzer:
    from pymorphy3 import MorphAnalyzer

    return MorphAnalyzer()


def _parses(word: str) -> list[Parse]:
    """None of a word in other letters, some of which pymorphy3 fails at."""
    return _analyzer().parse(word) if _RUSSIAN.fullmatch(word) else []


_NEVER_NOUNS = frozenset("из по с в к о под и при про об со ли".split())
"""Which the dictionary knows as names and letters too: ``Иза``."""


@lru_cache(maxsize=4096)
def forms(word: str) -> tuple[Form, ...]:
    """What ``word`` can be, likely readings first; only words with a case."""
    if word in _NEVER_NOUNS:
        return ()
    found: list[Form] = []
    for parse in _parses(word):
        tag = parse.tag
        rival = bool(found) and parse.normal_form != found[0].lemma
        if tag.case is None or (parse.score < (_LEAST_RIVAL if rival else _LEAST) and found):
            continue
        found.append(
            Form(
                parse.normal_form,
                str(tag.POS),
                _SECOND.get(str(tag.case), str(tag.case)),
                tag.number == "plur",
                str(tag.gender or ""),
                tag.animacy == "anim",
                bool({"Fixd", "Geox", "Name", "Surn", "Abbr"} & set(tag.grammemes)),
                "Pltm" in tag,
            )
        )
    return tuple(found)


@lru_cache(maxsize=4096)
def known(word: str) -> bool:
    """Whether the dictionary has it, and not as an abbreviation."""
    parses = _parses(word)
    return any(parse.is_known and "Abbr" not in parse.tag for parse in parses)


def has_word(word: str) -> bool:
    """Whether the dictionary has ``word``, in small letters, in any form."""
    return bool(_analyzer().word_is_known(word))


@lru_cache(maxsize=4096)
def is_name(word: str) -> bool:
    """Whether it can be somebody's name: as one, or as a word that nobody knows."""
    names = {"Name", "Surn", "Patr"}
    if not _RUSSIAN.fullmatch(word):
        return True
    return any(names & set(p.tag.grammemes) or not p.is_known for p in _parses(word))


@lru_cache(maxsize=4096)
def takes_object(word: str) -> bool:
    """Whether it is a verb with a direct object, by its likeliest reading."""
    parses = _parses(word)
    if not parses:
        return False
    tag = parses[0].tag
    if tag.POS == "GRND" and any(parse.tag.POS == "NOUN" for parse in parses):
        return False  # пеня
    return tag.POS in ("VERB", "INFN", "GRND") and "tran" in tag


@lru_cache(maxsize=4096)
def is_place(word: str) -> bool:
    """Whether it can be the name of a city, a river or a country."""
    return any("Geox" in parse.tag for parse in _parses(word))


@lru_cache(maxsize=4096)
def inflect(word: str, case: str, plural: bool = False, gender: str = "") -> str:
    """``word``, given in its first form, in another; as it is where the dictionary has none."""
    wanted = {"plur" if plural else "sing", case}
    if gender and not plural:
        wanted.add(gender)
    for parse in _parses(word):
        if parse.tag.case != "nomn" or not ({"NOUN", "ADJF", "PRTF"} & set(parse.tag.grammemes)):
            continue
        changed = parse.inflect(frozenset(wanted))
        if changed is not None:
            return str(changed.word)
    return word
