"""Flats, floors, houses and school classes whose numbers carry letters or shapes of their own."""

from __future__ import annotations

import re

from app_core.speech.text.russian.grammar.government import ANY, before_word, governed, is_object
from app_core.speech.text.russian.grammar.morphology import forms, inflect
from app_core.speech.text.russian.grammar.numbers import cardinal, ordinal
from app_core.speech.text.russian.letters import CYRILLIC
from app_core.speech.text.russian.suffixes import joined
from app_core.speech.text.span_text import SpanText

_ROOMS = re.compile(
    r"(?<![\w.,])(?P<number>\d)(?: ?- ?| )?(?:х[ -]{1,2})?(?:комн|к|ком)(?P<point>\.?)"
    r"(?: (?P<flat>кв(?!\w)\.?(?! ?м)|квартир[аыуе]))?(?!\w)"
)
_FLAT = re.compile(
    r"(?<![\w.-])(?<!\d )кв(?!\w)(?P<point>\.)?+(?! ?\d| ?(?:м|км|см|мм|дм)(?!\w)"
    r"| ?(?:метр|километр|санти|№))"
)
_GENDERS = {"nomn": "ая", "accs": "ую"}
_TRADES = frozenset("сдаю сдам сдаём продам продаю куплю сниму снимем ищу ищем меняю".split())
_FLOORS = re.compile(
    r"(?P<word>этаж[аеу]?:? )(?P<one>\d{1,2}) ?(?:/|из) ?(?P<all>\d{1,2})(?!\w)"
    r"|(?<![\w.,])(?P<one2>\d{1,2})/(?P<all2>\d{1,2}) (?:этаж[аеу]?|эт)(?!\w)\.?"
)
_HOUSE_LETTER = re.compile(
    r"(?<![\w.,])(?P<number>\d{1,4}) ?[-«\"]?(?P<letter>[А-ИК-Я]|(?<=\d)[абвгде])[»\"]?"
    r"(?= класс)|(?<![\w.,])(?P<number2>\d{1,4})-?(?P<letter2>[А-ИК-Яабвгдежк])(?!\w)|(?<![\w.,])"
    r"(?P<number3>\d{1,2}) [«\"](?P<letter3>[А-ИК-Я])[»\"]"
)


_GRADE = re.compile(r"(?<![\w.,])(?P<start>\d{1,2} ?[«\"]?[А-Г][»\"]?) кл(?!\w)\.?")
_FROM_GRADE = re.compile(
    r"(?<!\w)(?P<with>[Сс]о?) (?P<first>\d{1,2}) по (?P<last>\d{1,2})"
    r"(?= (?:класс|курс|этаж|урок)(?!\w))"
)
_GRADES = re.compile(r"(?<![\w.,])(\d{1,2}) ?[-–—] ?(\d{1,2}) кл(?!\w)\.?")


def _grade(match: re.Match[str]) -> str:
    return f"{match['start']} {inflect('класс', _where(match))}"


def _grades(match: re.Match[str]) -> str:
    case = _where(match)
    word = before_word(match.string, match.start())
    if word and any(form.plural and form.case == "gent" for form in forms(word)[:1]):
        case = "gent"  # учащихся 1–4 кл.
    first, last = (ordinal(int(part), case, plural=True) for part in match.groups())
    return f"{first}-{last} {inflect('класс', case, plural=True)}"


def _where(match: re.Match[str]) -> str:
    """The case that the words before ask for; where, rather than whither."""
    cases = governed(match.string, match.start())
    return "nomn" if cases is ANY else "loct" if "loct" in cases else cases[0]


def rooms(text: SpanText) -> SpanText:
    """``2-комн. кв.``, ``5/9 эт.``"""
    text = (
        text.sub(_FROM_GRADE, _from_grade)
        .sub(_GRADE, _grade)
        .sub(_GRADES, _grades)
        .sub(_ROOMS, _rooms)
        .sub(_FLAT, _flat)
    )
    return text.sub(_FLOORS, _floors).sub(_FLOOR_OF, _floor_of)


def _from_grade(match: re.Match[str]) -> str:
    first, last = int(match["first"]), int(match["last"])
    joint = "Со" if first == 2 else "С"
    joint = joint.lower() if match["with"][0].islower() else joint
    return f"{joint} {ordinal(first, 'gent')} по {ordinal(last, 'accs')}"


_FLOOR_OF = re.compile(r"(?<=, )(?P<one>\d{1,2})/(?P<all>\d{1,2})(?=,|\.?$|\. [А-ЯЁ])")
_FLAT_BEFORE = re.compile(r"комнат|квартир|студи")


def _floor_of(match: re.Match[str]) -> str | None:
    """``2-комнатная, 9/12, 64 м²``"""
    before = match.string[max(0, match.start() - 80) : match.start()].lower()
    if int(match["one"]) > int(match["all"]) or not _FLAT_BEFORE.search(before):
        return None
    return f"{match['one']} из {cardinal(int(match['all']), 'gent')}"


_NOUN_NEXT = re.compile(r" ?([а-яё]{3,20})(?!\w)")


def _rooms(match: re.Match[str]) -> str | None:
    flat = match["flat"] or ""
    if not flat and "комн" not in match.group():
        return None
    if not flat and "-" not in match.group():
        return None
    if flat.startswith("квартир"):
        case = next((form.case for form in forms(flat) if not form.plural), "nomn")
    else:
        case = _case(match.string, match.start())
        flat = inflect("квартира", case) if flat else ""
    following = _NOUN_NEXT.match(match.string, match.end())
    ways = forms(following[1]) if following and not flat else ()
    if ways and ways[0].part == "NOUN" and ways[0].gender in ("masc", "neut"):
        said = inflect("комнатный", case, gender=ways[0].gender)
        if case == "accs":
            said = inflect("комнатный", "nomn", gender=ways[0].gender)
        return joined(int(match["number"])) + said
    adjective = f"{joined(int(match['number']))}комнатн{_GENDERS.get(case, 'ой')}"
    return f"{adjective} {flat}".rstrip()


def _flat(match: re.Match[str]) -> str:
    rest = match.string[match.end() :].lstrip(" ")
    stop = "." if match["point"] and (not rest or rest[0].isupper()) else ""
    if rest[:1].isalnum() and not match.string[match.end()].isspace():
        stop += " "
    cases = governed(match.string, match.start())
    case = _case(match.string, match.start())
    return inflect("квартира", "loct" if "loct" in cases and cases is not ANY else case) + stop


def _case(text: str, at: int) -> str:
    """Of a flat: what is sold or sought, or whose ``аренда`` it is; as the adjective before."""
    cases = governed(text, at)
    if cases is not ANY:
        return cases[0]
    word = before_word(text, at)
    ways = forms(word) if word else ()
    adjectives = [form for form in ways if form.part == "ADJF" and form.gender == "femn"]
    if adjectives:
        start = at - len(word) - 1
        if adjectives[0].case == "accs" or is_object(text, start):
            return "accs"
        return adjectives[0].case
    if is_object(text, at) or before_word(text, at - len(word) - 1) in _TRADES:
        return "accs"
    return "gent" if ways and ways[0].part == "NOUN" and not ways[0].fixed else "nomn"


def _floors(match: re.Match[str]) -> str:
    if match["word"]:
        return f"{match['word']}{match['one']} из {cardinal(int(match['all']), 'gent')}"
    cases = governed(match.string, match.start())
    case = "nomn" if cases is ANY else "loct" if "loct" in cases else cases[0]
    floor = f"{ordinal(int(match['one2']), case)} {inflect('этаж', case)}"
    return f"{floor} из {cardinal(int(match['all2']), 'gent')}"


def letters_after(text: SpanText) -> SpanText:
    """``15А``, ``5 «Б» класс``, ``7-А``."""
    return text.sub(_HOUSE_LETTER, _house_letter)


def _house_letter(match: re.Match[str]) -> str | None:
    number = match["number"] or match["number2"] or match["number3"]
    letter = (match["letter"] or match["letter2"] or match["letter3"]).upper()
    rest = match.string[match.end() : match.end() + 12]
    grade = re.match(r" (класс(?:а|е|у|ом|ы|ов)?)(?!\w)", rest)
    if grade or match["number3"]:
        case = next((form.case for form in forms(grade[1])), "nomn") if grade else _where(match)
        cases = governed(match.string, match.start())
        for form in forms(grade[1]) if grade else ():
            if form.case in cases:
                case = form.case
                break
        return f"{ordinal(int(number), case)} {CYRILLIC[letter]}"
    return f"{number} {CYRILLIC[letter]}"
