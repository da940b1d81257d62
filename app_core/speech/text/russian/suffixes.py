"""Numbers with an ending of their own: ``1-й``, ``5-го``, ``3-х``, ``10-летний``, ``1990-е``."""

from __future__ import annotations

import re

from app_core.speech.text.russian.amounts import units
from app_core.speech.text.russian.grammar.government import ANY, before_word, governed
from app_core.speech.text.russian.grammar.morphology import forms, inflect
from app_core.speech.text.russian.grammar.numbers import cardinal, ordinal
from app_core.speech.text.span_text import SpanText

_DASH = "[-‐‑–]"
_ENDED = re.compile(
    rf"(?<![\w.,/])(?P<number>\d{{1,9}}) ?{_DASH}(?P<ending>[оыуеи]?"
    rf"(?:го|му|ми|ти|мя|й|я|е|ю|х|м)|юю|ью|а|у|и)(?!\w)"
)
_GLUED = re.compile(r"(?<![\w.,/])(?P<number>\d{1,9})(?P<ending>ый|ой|ий|ая|го|ому|ым)(?!\w)")
_RANGE_BEFORE = re.compile(
    r"(?<![\w.,/])(?P<first>\d{1,4}) ?[-–—] ?(?=\d{1,4}-(?:х|е|й|го|м|я|ти)(?!\w))"
)
_COMPOUND = re.compile(
    rf"(?<![\w.,/])(?P<number>\d{{1,7}})(?P<half>,5)?(?:{_DASH}(?:ти|х|и|ми|а|мя)?-?| ?{_DASH})"
    rf"(?P<word>[а-яё]{{3,}})"
)
_COMPOUND_GLUED = re.compile(
    r"(?<![\w.,/])(?P<number>\d{1,7})(?P<half>,5)?"
    r"(?P<word>(?:лет(?:ний|няя|него|ней|ие|ию|ия|ием)|этажн|комнатн|местн|кратн|дюймов)[а-яё]*)"
)
_COMPOUND_ENDS = tuple(
    "летие летия летию летием летии летий кратно летка летки летку этажка этажки этажке этажку"
    " комнатка комнатку"
    " дневка дневку дневки дневке классник классника классники классников классница"
    " курсник курсники"
    " курсников процентно клашки клашка миллиметровка летнего".split()
)
_CARDINAL = {
    "х": (2, 3, 4),
    "ех": (4,),
    "ти": range(5, 10_000),
    "и": range(5, 10_000),
    "ми": (7, 8),
    "мя": (2, 3),
    "ью": range(5, 31),
    "а": (40, 90, 100),
}


def suffixes(text: SpanText) -> SpanText:
    text = text.sub(_COMPOUND, _compound).sub(_COMPOUND_GLUED, _compound_glued)
    text = text.sub(_MEASURED, _measured).sub(_KILOMETRE, _kilometre).sub(_MINUTE, _minute)
    return text.sub(_RANGE_BEFORE, _range_start).sub(_ENDED, _ended).sub(_GLUED, _ended)


_MEASURED = re.compile(
    rf"(?<![\w.,])(?P<number>\d{{1,6}}) ?{_DASH} ?(?:е?х|ти|и|ю|мя) (?P<unit>{units.PATTERN})(?!\w)"
    r"(?:\.(?= ?[а-яё,;)\d]))?"
)


def _measured(match: re.Match[str]) -> str | None:
    """``в 2-х км``, ``до 5-ти кг``"""
    noun = units.unit(match["unit"].strip())
    if noun is None or len(match["unit"]) == 1 and match["unit"] not in "мгтлч":
        return None
    cases = governed(match.string, match.start())
    oblique = [case for case in cases if case not in ("nomn", "accs")]
    case = "gent" if cases is ANY or not oblique else oblique[0]
    number = int(match["number"])
    return f"{cardinal(number, case, noun.gender)} {noun.after(number, case)}"


_KILOMETRE = re.compile(r"(?<![\w.,])(\d{1,4})-?(го|м|й|му) км(?!\w|/)")
_KILOMETRES = {"го": "gent", "м": "loct", "й": "nomn", "му": "datv"}


def _kilometre(match: re.Match[str]) -> str:
    """``на 145-м км``"""
    case = _KILOMETRES[match[2]]
    return f"{ordinal(int(match[1]), case)} {inflect('километр', case)}"


_MINUTE = re.compile(r"(?<=на )(\d{1,3})-?(?:ой|й) мин(?!\w)\.?(?P<end>(?= ?$))?")


def _minute(match: re.Match[str]) -> str:
    stop = "." if match["end"] is not None and match.group().endswith(".") else ""
    return f"{ordinal(int(match[1]), 'loct', 'femn')} минуте{stop}"


def joined(number: int) -> str:
    """The first part of a compound: двадцатипяти-, сто-, одно-."""
    special = {
        0: "ноль",
        1: "одно",
        100: "сто",
        1000: "тысяче",
        90: "девяносто",
        1_000_000: "миллионно",
    }
    if number in special:
        return special[number]
    if number % 1000 == 0 and number < 1_000_000:
        return joined(number // 1000).replace("одно", "") + "тысяче"
    if number > 1000 and number < 2000:
        return "тысяча" + joined(number - 1000)
    if number > 100 and number < 200:
        return "сто" + joined(number - 100)
    words = cardinal(number, "gent").split()
    if words[-1] == "одного":
        words[-1] = "одно"
    return "".join("девяносто" if word == "девяноста" else word for word in words)


def _compound(match: re.Match[str]) -> str | None:
    word = match["word"]
    if word.startswith(("летн", "лети", "летк")) or word.endswith(_COMPOUND_ENDS):
        return _joined(match)
    if any(form.part in ("ADJF", "PRTF") for form in forms(word)[:2]):
        return _joined(match)
    return None


def _compound_glued(match: re.Match[str]) -> str:
    return _joined(match)


def _joined(match: re.Match[str]) -> str:
    number = int(match["number"])
    if match["half"]:
        start = "полутора" if number == 1 else f"{cardinal(number, 'gent')} с половиной "
        return start + match["word"]
    return joined(number) + match["word"]


def _range_start(match: re.Match[str]) -> str:
    """The first of ``80–90-х``: with the ending of the second."""
    rest = match.string[match.end() :]
    ended = _ENDED.match(rest)
    if ended is None:
        return match.group()
    return (
        _said(
            int(match["first"]), ended["ending"], match.string, match.start(), rest[ended.end() :]
        )
        + "-"
    )


def _ended(match: re.Match[str]) -> str:
    rest = match.string[match.end() : match.end() + 60]
    return _said(int(match["number"]), match["ending"], match.string, match.start(), rest)


def _said(number: int, ending: str, text: str, at: int, rest: str) -> str:
    if number in _CARDINAL.get(ending, ()):
        case = {"мя": "ablt", "ью": "ablt"}.get(ending, "gent")
        cases = governed(text, at)
        if case == "gent" and cases is not ANY and cases[0] == "loct":
            case = "loct"
        return cardinal(number, case)
    if ending in ("ти", "и", "а", "мя", "ью"):
        return cardinal(number, "ablt" if ending in ("мя", "ью") else "gent")
    gender, plural = _noun_after(rest)
    if ending[-1:] == "е" and ending not in ("ое", "ее"):
        many = plural or (not gender and number % 10 == 0 and number >= 20)
        return ordinal(number, "nomn", "neut", plural=many or ending in ("ые", "ие"))
    if ending == "и":
        return ordinal(number, "nomn", plural=True)
    endings = {
        "го": ("gent", "masc"),
        "му": ("datv", "masc"),
        "я": ("nomn", "femn"),
        "ю": ("accs", "femn"),
        "у": ("datv", "masc"),
        "е": ("nomn", "neut"),
    }
    for end, (case, kind) in endings.items():
        if ending.endswith(end):
            return ordinal(number, case, kind)
    if ending.endswith("х"):
        return ordinal(number, "gent", plural=True)
    if ending.endswith("ми"):
        return ordinal(number, "ablt", plural=True)
    if ending.endswith("м"):
        asked = governed(text, at)
        if plural:
            return ordinal(number, "datv", plural=True)
        instrumental = ending in ("ым", "им") or before_word(text, at) in (
            "с",
            "со",
            "под",
            "перед",
        )
        if asked is not ANY and asked[0] == "ablt":
            instrumental = True
        return ordinal(number, "ablt" if instrumental else "loct")
    if gender == "femn" or (ending == "ой" and number % 10 not in (2, 6, 7, 8) and number != 40):
        return ordinal(number, "gent", "femn")
    return ordinal(number, "nomn")


def _noun_after(rest: str) -> tuple[str, bool]:
    """Gender and number of the noun that follows; an adjective may stand between."""
    for word in re.findall(r"[а-яё]+", rest.lower().partition(".")[0])[:2]:
        for form in forms(word):
            if form.part == "NOUN":
                return form.gender, form.plural
            if form.part not in ("ADJF", "PRTF"):
                return "", False
            break
    return "", False
