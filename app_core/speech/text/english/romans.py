"""Roman numerals: ``Chapter IV`` is four, ``Henry VIII`` the eighth, ``XIX century`` nineteenth."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from app_core.speech.text.english.numbers import DASH, cardinal, ordinal

if TYPE_CHECKING:
    from app_core.speech.text.span_text import SpanText

_VALID = re.compile(r"M{0,3}(?:CM|CD|D?C{0,3})(?:XC|XL|L?X{0,3})(?:IX|IV|V?I{0,3})")
_VALUES = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100, "D": 500, "M": 1000}
_NAMES = (
    "Henry|Louis|Charles|George|William|James|Edward|Richard|Elizabeth|Mary|Philip|Francis|Frederick|Peter|Paul"
    "|Nicholas|Alexander|Catherine|John|Benedict|Pius|Leo|Gregory|Clement|Innocent|Napoleon|Ivan|Vasily|Wilhelm"
    "|Ferdinand|Leopold|Joseph|Umberto|Felipe|Juan|Carlos|Harald|Olaf|Margrethe|Gustav|Ramses|Ptolemy|Mehmed"
    "|Selim|Murad|Suleiman|Darius|Cyrus|Xerxes|Otto|Albert|Robert|Stephen|Urban|Boniface|Sixtus|Julius|Victoria"
    "|Haakon|Christian|Alfonso|Pope [A-Z][a-z]+|King [A-Z][a-z]+|Queen [A-Z][a-z]+|Tsar"
    " [A-Z][a-z]+|Emperor [A-Z][a-z]+"
)
_KING = re.compile(rf"\b({_NAMES})( ([IVX]{{1,6}})(?![\w-]|['’](?!s)))")
_COUNTED = (
    "Chapter|Part|Volume|Section|Act|Scene|Book|Article|Appendix|Phase|Class|Type|Level|Grade|Stage|Title|Figure"
    "|Table|War|Bowl|Episode|Season|Round|Group|Unit|Lesson|Module|Step|Division|Category|Symphony|Opus|Annex"
    "|Schedule|Clause|Rule|Fantasy|Rocky|Mark|Paragraph|Page|Quarter|Tier|Tome|Canto|Psalm|Factor|Games"
)
_AFTER_WORD = re.compile(
    rf"\b(?:{_COUNTED}|{_COUNTED.lower()})s? ([MDCLXVI]{{1,8}})(?:{DASH}([MDCLXVI]{{1,8}})"
    rf"|( and | to )([MDCLXVI]{{1,8}}))?(?![\w'’])"
)
_CENTURY = re.compile(
    r"(?<![\w-])([XVI]{1,6})(?:th|st|nd|rd)?(?:([-–—]| and | to )([XVI]{1,6}))?"
    r"(?= (?:century|centuries|cc?\.|Olympic|Congress|anniversary|dynasty|International|Winter"
    r"|Summer|Annual|session|edition|Forum))"
)
_CENTURY_POINT = re.compile(r"(?<=(?:[\dXVI](?:st|nd|rd|th)|.[XVI][XVI])) ?(cc?)\.(?=[ ,)]|$)")
_AFTER_DASH = re.compile(r"(?<=\d)-([IVX]{1,6})(?![\w-])")
_WORLD_WAR = re.compile(r"\bWW ?(II?)\b")
_BARE = re.compile(r"(?<![\w.&/-])(?=[IVX]{2,6}(?![\w]))([IVX]{2,6})(?![\w&/]|-\w)")
_LIST_ITEM = re.compile(r"(?:(?<=\n)|^)([IVX]{1,5})([.)]) (?=\w)")


def romans(text: SpanText) -> SpanText:
    text = text.sub(_WORLD_WAR, lambda match: f"World War {'one' if match[1] == 'I' else 'two'}")
    text = text.sub(_AFTER_DASH, lambda m: f" {_cardinal(m[1])}" if _value(m[1]) else None)
    text = text.sub(
        _LIST_ITEM, lambda match: f"{_cardinal(match[1])}, " if _value(match[1]) else None
    )
    text = (
        text.sub(_CENTURY_POINT, lambda m: " centuries" if m[1] == "cc" else " century")
        .sub(_CENTURY, _century)
        .sub(_KING, _king)
        .sub(_AFTER_WORD, _after_word)
    )
    return text.sub(_BARE, lambda match: cardinal(_value(match[1])) if _value(match[1]) else None)


def _value(roman: str) -> int:
    """0 of what is no Roman numeral."""
    if not roman or not _VALID.fullmatch(roman):
        return 0
    values = [_VALUES[char] for char in roman]
    return sum(-v if v < after else v for v, after in zip(values, [*values[1:], 0], strict=True))


def _cardinal(roman: str) -> str:
    return cardinal(_value(roman))


def _king(match: re.Match[str]) -> str | None:
    number = _value(match[3])
    if (
        match[3] == "I"
        and re.match(r" [a-z]", match.string[match.end() : match.end() + 2])
        and _says_i(match)
    ):
        return None
    return f"{match[1]} the {ordinal(number)}" if number else None


def _says_i(match: re.Match[str]) -> bool:
    """``Today with Peter I went``: a verb follows."""
    return bool(
        re.match(
            r" (?:am|have|will|would|went|think|want|know|like|can|could|do|did|met"
            r"|saw|must)\b",
            match.string[match.end() : match.end() + 8],
        )
    )


def _after_word(match: re.Match[str]) -> str | None:
    first, dashed, joint, joined = match.groups()
    if not _value(first) or first == "I" and _says_i(match):
        return None
    second = dashed or joined
    if second and not _value(second):
        return None
    said = match.group()[: match.start(1) - match.start()] + _cardinal(first)
    return f"{said}{joint or ' to '}{_cardinal(second)}" if second else said


def _century(match: re.Match[str]) -> str | None:
    first, joint, second = match.groups()
    if not _value(first) or second and not _value(second):
        return None
    said = ordinal(_value(first))
    if not second:
        return said
    return f"{said}{joint if ' ' in joint else ' to '}{ordinal(_value(second))}"
