"""Abbreviations that are said the same wherever they stand, and adjectives cut short."""

from __future__ import annotations

import re

from app_core.speech.text.matching import any_of
from app_core.speech.text.russian.grammar.government import before_word, case_of_noun
from app_core.speech.text.russian.grammar.morphology import forms, inflect
from app_core.speech.text.russian.short_adjectives import ADJECTIVES
from app_core.speech.text.russian.shortenings import (
    HYPHENED,
    PHRASES,
    SCIENCES,
    SLASHED,
)
from app_core.speech.text.span_text import SpanText


def _pattern(names: object, ending: str) -> re.Pattern[str]:
    written = []
    for name in sorted(map(str, names), key=len, reverse=True):  # type: ignore[call-overload]
        one = re.escape(name).replace(r"\.", r"\. ?").replace(r"\ ", r" ?\b")
        written.append(one)
    return re.compile(rf"(?<![\w/-])(?P<name>{any_of(written, any_case=True)})" + ending)


_PHRASE = _pattern(PHRASES, r"\." + r"(?P<stop>(?= ?(?:$|\n)| [А-ЯЁӘҒҚҢӨҰҮҺІ]))?")
_SLASH = _pattern(SLASHED, r"(?![\w/])")
_HYPHEN = _pattern(HYPHENED, r"(?![\w-])")
_ADJECTIVE = _pattern(
    ADJECTIVES, r"(?:\.|(?<=/.)) ?(?P<quote>«?)(?P<noun>(?=[а-яё])[а-яё-]{3,})(?!\w|\.\w)"
)
_DEGREE = re.compile(
    r"(?<!\w)(?P<who>[кдКД])\. ?(?P<what>ф\.?-м|филол|филос|психол|с\.-х|г\.-м|[тэпмбхюиг])\. ?н"
    r"(?P<dot>\.)?(?!\w)"
)
_FEW = re.compile(r"(?<!1)[2-4] ?$")
_MAY_END = frozenset("и т.д|и т.п|и др|и пр|и т.д и т.п|вкл|с.г|т.г".split("|"))
_TIGHT = re.compile(r" ?\. ?")


def abbreviations(text: SpanText) -> SpanText:
    text = text.sub(_TEMPERATURE, _temperature).sub(_DEGREE, _degree).sub(_ADJECTIVE, _adjective)
    text = text.sub(_PHRASE, _phrase).sub(_SLASH, lambda match: SLASHED[match[1].lower()])
    return text.sub(_HYPHEN, lambda match: HYPHENED[match[1].lower()])


_TEMPERATURE = re.compile(r"(?<!\w)t ?°(?![CС\w])")


def _temperature(match: re.Match[str]) -> str:
    return inflect("температура", case_of_noun(match.string, match.start()))


def _key(written: str) -> str:
    return _TIGHT.sub(".", written.lower())


def _phrase(match: re.Match[str]) -> str | None:
    name = _key(match["name"])
    name = re.sub(r"^(и|в) ?(?=т\.)", r"\1 ", name).replace("д.и", "д и")
    text = match.string
    before = text[max(0, match.start() - 3) : match.start()]
    if name in ("см", "мин", "ср") and before.strip()[-1:].isdecimal():
        return None  # a unit
    said = PHRASES.get(name)
    if said is None or not match["name"][1:].islower():
        return None
    if match["name"][0].isupper():
        said = said[0].upper() + said[1:]
    glued = text[match.end() : match.end() + 1].isalpha()
    return said + ("." if match["stop"] is not None and name in _MAY_END else " " * glued)


def _adjective(match: re.Match[str]) -> str | None:
    """An adjective in the case, gender and number of its noun."""
    name, noun = _key(match["name"]), match["noun"]
    after_number = match.string[max(0, match.start() - 2) : match.start()].strip()[-1:].isdecimal()
    if after_number and name in ("мин", "ср", "сот", "дом", "ст"):
        return None  # a unit
    adjective = ADJECTIVES[name]
    if name == "сл" and "масл" not in noun:
        return None
    if name in ("кв", "куб") and "метр" not in noun or name == "кал" and noun[:2] != "дн":
        return None
    asked = case_of_noun(match.string, match.start())
    ways = [form for form in forms(noun) if form.part == "NOUN"]
    if not ways:
        return None
    before = before_word(match.string, match.start())
    if asked == "nomn" and before and any(f.part == "NOUN" for f in forms(before)[:1]):
        asked = "gent"  # граммов сливочного масла
    way = next((form for form in ways if form.case == asked), ways[0])
    words = adjective.split(" ")
    if _FEW.search(match.string[: match.start()][-4:]) and (way.case, way.plural) == (
        "gent",
        False,
    ):
        words[-1] = inflect(words[-1], "nomn" if way.gender == "femn" else "gent", plural=True)
        return f"{' '.join(words)} {match['quote']}{noun}"
    words[-1] = inflect(words[-1], way.case, way.plural, way.gender)
    if way.case == "accs" and not way.animate and way.gender != "femn":
        words[-1] = inflect(adjective.split(" ")[-1], "nomn", way.plural, way.gender)
    return f"{' '.join(words)} {match['quote']}{noun}"


def _degree(match: re.Match[str]) -> str:
    who = {"к": "кандидат", "д": "доктор"}[match["who"].lower()]
    return f"{who} {SCIENCES[match['what'].lower()]} наук"
