"""Shortened words in full."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from app_core.speech.text.english.acronyms import STARTERS
from app_core.speech.text.english.points import closes_sentence
from app_core.speech.text.matching import any_of

if TYPE_CHECKING:
    from app_core.speech.text.span_text import SpanText

_TITLES = {
    "Mr": "Mister", "Mrs": "Missus", "Ms": "Miz", "Dr": "Doctor", "Prof": "Professor",
    "Gen": "General", "Col": "Colonel", "Maj": "Major", "Capt": "Captain", "Lt": "Lieutenant",
    "Sgt": "Sergeant", "Rev": "Reverend", "Hon": "Honorable", "Gov": "Governor", "Sen": "Senator",
    "Rep": "Representative", "Pres": "President", "Mt": "Mount", "Ft": "Fort", "St": "Saint",
    "Messrs": "Messieurs", "Fr": "Father", "Sr": "Sister", "Assoc": "Associate",
    "Asst": "Assistant",
}  # fmt: skip
"""Before a name."""
_STREETS = {
    "St": "Street", "Ave": "Avenue", "Av": "Avenue", "Blvd": "Boulevard", "Rd": "Road",
    "Dr": "Drive", "Ln": "Lane", "Hwy": "Highway", "Sq": "Square", "Pl": "Place", "Ct": "Court",
    "Pkwy": "Parkway", "Jr": "Junior", "Sr": "Senior", "Inc": "Incorporated", "Ltd": "Limited",
    "Corp": "Corporation", "Co": "Company", "Bros": "Brothers", "Univ": "University",
    "Inst": "Institute",
}  # fmt: skip
"""After a name."""
_BEFORE_NUMBER = {
    "No": "number", "no": "number", "Nos": "numbers", "nos": "numbers", "Nr": "number",
    "N": "number", "p": "page", "P": "page", "pp": "pages", "pg": "page", "Fig": "Figure",
    "fig": "figure", "Figs": "Figures", "figs": "figures", "Vol": "Volume", "vol": "volume",
    "Ch": "Chapter", "ch": "chapter", "Sec": "Section", "sec": "section", "Art": "Article",
    "art": "article", "Eq": "Equation", "eq": "equation", "Apt": "Apartment", "apt": "apartment",
    "Ste": "Suite", "ste": "suite", "Rm": "Room", "rm": "room", "Bldg": "Building",
    "bldg": "building", "fl": "floor", "Fl": "Floor", "ext": "extension", "Ext": "Extension",
    "ver": "version", "Ver": "Version", "ca": "circa", "c": "circa", "Tab": "Table",
    "tab": "table", "Ex": "Exercise", "ex": "exercise", "Op": "Opus", "op": "opus", "Pt": "Part",
    "pt": "part", "par": "paragraph", "para": "paragraph", "paras": "paragraphs", "cl": "clause",
    "approx": "approximately", "Approx": "Approximately",
    "Lot": "Lot", "bld": "building", "Bld": "Building",
}  # fmt: skip
_ANYWHERE = {
    "vs": "versus", "v.s": "versus", "e.g": "for example", "eg": "for example", "i.e": "that is",
    "ie": "that is", "etc": "et cetera", "approx": "approximately", "dept": "department",
    "est": "established", "cf": "compare", "incl": "including", "excl": "excluding",
    "min": "minimum", "max": "maximum", "avg": "average", "temp": "temperature",
    "tel": "telephone", "govt": "government", "gov't": "government", "viz": "namely",
    "resp": "respectively", "misc": "miscellaneous", "appt": "appointment", "apt": "apartment",
    "ave": "avenue", "blvd": "boulevard", "lbs": "pounds",
    "hrs": "hours", "hr": "hour", "mins": "minutes", "secs": "seconds", "yrs": "years",
    "wks": "weeks", "w/o": "without", "ft": "feet", "qty": "quantity", "mgr": "manager",
    "orig": "original", "prof": "professor", "dr": "doctor", "mr": "mister", "mrs": "missus",
    "bldg": "building", "ext": "extension", "fig": "figure", "vol": "volume", "ca": "circa",
    "a.k.a": "also known as", "assoc": "associate", "asst": "assistant", "inc": "incorporated",
    "ltd": "limited", "corp": "corporation", "tbsp": "tablespoons", "tsp": "teaspoons",
    "oz": "ounces", "thurs": "Thursday", "tues": "Tuesday", "jr": "junior",
    "sr": "senior", "univ": "university", "mtg": "meeting", "intl": "international",
    "p.a": "per annum", "fl": "floor", "pax": "people", "acct": "account",
    "sq": "square", "dist": "district",
    "mkr": "microdistrict", "obl": "oblast", "pop": "population",
    "y.o": "years old", "cont'd": "continued",
}  # fmt: skip
"""With their point; some also without, below."""
_WITHOUT_POINT = frozenset(
    "vs eg ie etc approx dept incl excl avg govt gov't tel qty hrs mins secs yrs wks appt ave blvd"
    " a.k.a bldg".split()
)
_SLASHED = {
    "y/y": "year over year",
    "m/m": "month over month",
    "q/q": "quarter over quarter",
    "w/o": "without",
    "w/": "with ",
    "b/c": "because",
    "c/o": "care of",
    "n/a": "N A",
    "N/A": "N A",
}
_BEFORE_NAME = re.compile(rf"(?<![\w.])({'|'.join(_TITLES)})(\.? |\.(?=[A-Z]))(?=[\"“]?[A-Z])")
_NEEDS_POINT = frozenset("Gen Col Maj Hon Rep Fr Sr Ft Sen Pres Rev Mt".split())
_AFTER_NAME = re.compile(
    rf"(?<=[a-z\d] |[a-z],| [A-Z]) ?({'|'.join(_STREETS)})(\.|(?=[\s,;:!?)]|$))"
)
_NUMBERED = re.compile(
    rf"(?<![\w.'’])({'|'.join(sorted(_BEFORE_NUMBER, key=len, reverse=True))})\. ?(?=#?\d|\(\d"
    rf"|[A-Z]{{1,3}}-?\d"
    rf"|[IVXLC]{{2,}}\b|[VX]\b)|№№? ?|§§ ?|(?<![\w&#])#(?=\d)"
)
_POINTLESS = re.compile(
    r"(?<![\w.'’-])([Aa]pt|[Ss]te|[Rr]m|[Bb]ldg|[Ee]xt|[Ff]ig|[Vv]ol|pp|pg|No|Nos)(?= \d)"
)
_ANYWHERE_WRITTEN = map(re.escape, sorted(_ANYWHERE, key=len, reverse=True))
_POINTED = re.compile(
    rf"(?<![\w./])({any_of(_ANYWHERE_WRITTEN, any_case=True)})"
    r"(\.(?![A-Za-z\d])|(?![\w.'’/]))",
    re.IGNORECASE,
)
_BEFORE_MORE = frozenset("e.g i.e vs approx cf viz ca".split())
"""Never the last word of a sentence."""
_NO_NAMES = frozenset("The In At On And Meet Dear See Hi Hello".split())
_ORDINAL_BEFORE = re.compile("(?:st|nd|rd|th) $")
_WORD_BEFORE = re.compile(r"([\w'’-]+),? ?$")
_SAINT = re.compile(
    r" ?(?:Albans|Andrew|Ann|Anthony|Augustine|Barts|Basil|Bernard|Catherine|Francis|Gallen|George"
    r"|Helen|James|Joan|John|Joseph|Kitts|Louis|Lucia|Luke|Mark|Martin|Mary|Michael|Moritz|Nicholas"
    r"|Pancras|Patrick|Paul|Peter|Petersburg|Regis|Sophia|Stephen|Thomas|Tropez|Valentine|Vincent)"
)
_DOCTOR = re.compile(rf" (?!(?:{'|'.join(sorted(STARTERS))})\b)[A-Z][a-z]")
_SLASH = re.compile(
    r"(?<![\w/])(?:w/o\b|w/ ?(?=\w)|b/c\b|c/o\b|[nN]/[aA]\b"
    r"|(?<=percent )(?:y/y|m/m|q/q)\b)"
)


_TABLETS = re.compile(r"(?<=\d )tabs?\.?(?= [a-z\d]|,|$)")


def abbreviations(text: SpanText) -> SpanText:
    """``Dr. Smith``: Doctor Smith; ``Main St.``: Main Street; ``No. 5``: number 5; ``e.g.``: for
    example. A point that ends the sentence too stays."""
    text = text.sub(_TABLETS, _tablets)
    text = text.sub(_SLASH, _slashed)
    text = text.sub(_AFTER_NAME, _after_name).sub(_BEFORE_NAME, _before_name)
    text = text.sub(
        _NUMBERED, lambda match: f"{_BEFORE_NUMBER[match[1]] if match[1] else _number(match)} "
    )
    text = text.sub(_POINTLESS, lambda match: _BEFORE_NUMBER[match[1]])
    return text.sub(_POINTED, _pointed)


def _slashed(match: re.Match[str]) -> str:
    return _SLASHED.get(match.group().strip(), "with ")


def _tablets(match: re.Match[str]) -> str:
    one = re.search(r"(?<![\d.,])1 $", match.string[max(0, match.start() - 4) : match.start()])
    return "tablet" if one else "tablets"


def _number(match: re.Match[str]) -> str:
    double = {"№№": "numbers", "§§": "sections"}
    return double.get(match.group().strip(), "number")


def _before_name(match: re.Match[str]) -> str | None:
    if match[1] in _NEEDS_POINT and "." not in match[2]:
        return None
    return _TITLES[match[1]] + " "


def _after_name(match: re.Match[str]) -> str | None:
    """``Main St.``, ``Apple Inc.``; a saint where a name follows and no house number precedes."""
    text, start, short = match.string, match.start(), match[1]
    before = _WORD_BEFORE.search(text[max(0, start - 30) : start])
    if (
        not before
        or before[1] in _NO_NAMES
        or not (before[1][0].isupper() or before[1].isdecimal())
    ):
        return None
    if not match[2] and short in ("Pl", "Ct", "Sr", "Co"):
        return None
    if short == "St" and _SAINT.match(text, match.end()):
        return None
    if short == "Dr" and _DOCTOR.match(text, match.end()):
        return None
    lead = " " if match.group().startswith(" ") else ""
    return lead + _STREETS[short] + ("." if closes_sentence(match) else "")


def _pointed(match: re.Match[str]) -> str | None:
    word = match[1]
    if not match[2] and (word.lower() not in _WITHOUT_POINT or word.isupper()):
        return None
    said = _ANYWHERE[word.lower()]
    if word.lower() == "min" and _ORDINAL_BEFORE.search(match.string[: match.start()][-3:]):
        said = "minute"
    if word[0].isupper() and "." not in word:
        said = said[0].upper() + said[1:]
    return said + ("." if word.lower() not in _BEFORE_MORE and closes_sentence(match) else "")
