"""What people and language models write beside words: markup, links, emoji, control characters."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from app_core.speech.text.characters import invisible, plain, superscript
from app_core.speech.text.latex import without_latex
from app_core.speech.text.list_numbers import list_numbers
from app_core.speech.text.markup import without_markup, without_terminal

if TYPE_CHECKING:
    from app_core.speech.text.span_text import SpanText

_NEW_LINES = re.compile(r"\r\n?")
_COMPOSED = re.compile(r"[^\W\d_][\u0300-\u036f]+")
_ACCENTS = re.compile(
    r"(?<![аеёиоуыэюяәіөұүАЕЁИОУЫЭЮЯӘІӨҰҮaeiouyAEIOUY])\u0301|[\u0300\u0302-\u036f]"
)
_SPACES = re.compile("  +")
_NEW_LINE = re.compile(r"(?<!\n)\n(?=[^\sa-zа-яёәғқңөұүһі])")
"""A line that begins with no small letter does not go on with the one before: this must be known
when its number is a word."""
_BEFORE_MARK = re.compile(r"(?<=[\w)»”]) (?=[.,!?;:…](?:\s|$))")
_AROUND_LINE = re.compile(r"\s*\n\s*")

_ARROW = re.compile(r" ?(?:<?[-=]{1,9}>(?!=)|(?<=\s)<-{1,9}(?=\s)|→++) ?")
_OPERATORS = re.compile(r"&&+|<=|>=|!=|==+|<>|\+/-|\+-|(?<=\d) ?\*\*? ?(?=[\d(])|<<|>>")
_OPERATOR = {
    "&&": "&",
    "<=": "≤",
    ">=": "≥",
    "!=": "≠",
    "<>": "≠",
    "+/-": "±",
    "+-": "±",
    "<<": "«",
    ">>": "»",
}
_TIMES = re.compile(
    r"(?<=[\w)²³])(?:\*| \* )(?=[\w(])|(?<=\d) ?(?<!\b0)[xхXХ] ?(?=\d)|(?<=\w) [xхXХ] (?=\d)"
)
_POWER = re.compile(r"(?<=[\w)])\^\(?([-+]?\d{1,4})\)?")
_ABOUT = re.compile(r"(?<=\d)~(?=\d)|~ ?(?=[\d$€₸])")
_SMILE = re.compile(
    r"(?<![^\s\w.!?,»\")])[:;=]['’]?-?(?:\)+|\(+)|(?<!\S)[:;=xXхХ][-oо]?[DdPpРрOo3*|/\\](?!\w)"
    r"|(?<=[^\W\d_]{2} )<3+(?!\w)|(?<![\w:]):[a-z+][a-z0-9_+-]{0,30}:(?![\w:])"
    r"|\^[_.-]*\^|(?<!\S)[xхXХ]D+(?!\w)|¯\\_\(ツ\)_/¯|\b[тТTоОoO]_+[тТTоОoO]\b"
)
_SMILES = re.compile(r"(?<=[^\s(])\){2,}")
_LOOK_BACK = 200
_POINT_TIMES = re.compile(r"(?<=[^\W\d_])\.(?= ?× ?\d)")
"""``3 шт. × 5``: no sentence ends there."""
_BULLET = re.compile(r"(?<=[^\s\d.,!?;:]) ?• ?(?=\w)")
_PATH = re.compile(r"(?<=[^\W\d_]{2})[»”\"]? ?> ?(?=[«“\"]?[^\W\d_]{2})")
_ANGLES = re.compile(r"<(?=[^\d\s<>])([^<>\n]{2,80}?)>")
_LONELY = re.compile(
    r"[\\^`{}\[\]|~*]|\$\$+"
    r"|(?<!\w)_+|_+(?!\w)|(?<!\w)#+(?![\w.])|(?<!\S)(?!(?<=[A-Za-z] )@ [\d$€₸])@+(?!\w)"
    r"|[<>](?!\s?[-+−\w$€£₸₽.(])|(?<![\w)\s°%²³])=+(?=\s|$)|(?<!\S)=+(?!\s?[-+−±≈∞\w(√½¼?$€£₸₽])"
)
_FOOTNOTE = re.compile(
    r"(?:(?<=[^\W\d_]{4})|(?<=[^\W\d_][.,!?»]))[¹²³⁴⁵⁶⁷⁸⁹][⁰¹²³⁴⁵⁶⁷⁸⁹]?(?!\w)"
    r"|\([cCсСrR]\)(?= ?\d{4}\b)"
)
_KEYCAP = re.compile(r"(?<=^\d)\u20e3", re.MULTILINE)
_DASHES = re.compile(r"(?<=\s)-{2,}(?=\s)|(?<=[^\W\d_])-{2,}(?=[^\W\d_])|[–—]{2,}")
_GLUED = re.compile(
    r"(?<=[а-яёәғқңөұүһі%°»)₸₽])([.!?…]+)(?=[А-ЯЁӘҒҚҢӨҰҮҺІ])"
    r"|(?<=[^\W\d_]{2})([!?…]+)(?=[^\W\d_])"
    r"|(?<=[a-z]{2})(\.+)(?=(?!Com\b|Kz\b|Ru\b|Org\b|Net\b)(?:[A-Z][a-z]|[IA]\b))"
)
_GLUED_SHORT = re.compile(r"(?<![\w.])((?:[^\W\d_]\.){2,3})(?=\1)")
"""``т.е.т.е.``"""
_GLUED_COMMA = re.compile(r"(?<=[^\W\d_]),(?=[^\W\d_])|(?<=[а-яёәғқңөұүһі]{2})[:;](?=\w)")
_MARKS = re.compile(r"([!?])[!?]*\1+")
_DOTS = re.compile(r"\.{2,}|…+\.*")
_COMMAS = re.compile(
    r"((?: ?,){2,}|(?<=\w) ,(?=\s))|,(?= ?[.!?…;:\n](?!\w))|(?<=[!?…;:\n]) ?,|^ ?,"
)


def clean(text: SpanText) -> SpanText:
    """``text`` without what a voice would spell out. Lines stay
    lines; other runs of spaces become one space. What is written in other signs than usual is
    written in the usual ones: ``*`` and ``x`` between numbers as ``×``, ``^2`` as ``²``, ``<=``
    as ``≤``, ``~5`` as ``≈5``, ``1.`` before an item of a list as ``1,``: no sentence ends there.
    """
    text = without_terminal(text.sub(_NEW_LINES, "\n"))
    text = text.translate({ord(char): "" for char in set(text.text) if invisible(char)})
    text = text.sub(_COMPOSED, lambda match: unicodedata.normalize("NFC", match.group()))
    text = without_markup(without_latex(text)).sub(_KEYCAP, ".")
    text = text.translate(
        {ord(char): new for char in set(text.text) if (new := plain(char)) != char}
    )
    text = text.sub(_ACCENTS, "").sub(_SPACES, " ")
    text = _signs(text)
    text = list_numbers(text)
    text = text.sub(_GLUED_SHORT, lambda match: match.group() + " ")
    text = text.sub(_GLUED, lambda match: match.group() + " ")
    text = text.sub(_GLUED_COMMA, lambda match: match.group() + " ")
    text = text.sub(_MARKS, lambda match: match[1]).sub(_DOTS, "…").sub(_SPACES, " ")
    text = text.sub(_COMMAS, lambda match: "," if match[1] else "")
    text = text.sub(_BEFORE_MARK, "").sub(_SPACES, " ")
    return text.sub(_AROUND_LINE, _line_end).sub(_NEW_LINE, "\n\n").strip()


def _signs(text: SpanText) -> SpanText:
    """Signs between what they belong to, in their usual form; none that stand alone."""
    text = text.sub(_SMILE, " ").sub(_FOOTNOTE, "").sub(_SMILES, _brackets)
    text = text.sub(_ARROW, ", ")
    text = text.sub(_OPERATORS, _operator).sub(_TIMES, _times)
    text = text.sub(_POINT_TIMES, "").sub(_BULLET, ", ")
    text = text.sub(_POWER, lambda match: superscript(match[1]))
    text = text.sub(_ABOUT, lambda match: "–" if _digit_before(match) else "≈")
    text = text.unwrap(_ANGLES).sub(_PATH, ", ")
    return text.sub(_LONELY, " ").sub(_DASHES, " — ")


def _digit_before(match: re.Match[str]) -> bool:
    return match.string[max(0, match.start() - 1)].isdecimal()


def _times(match: re.Match[str]) -> str | None:
    """``10 cm x 15 cm``, but not ``the x 5``."""
    before = match.string[max(0, match.start() - 6) : match.start()]
    if "*" not in match.group() and not any(map(str.isdigit, before)):
        return None
    return re.sub(r"[^ ]", "×", match.group())


def _brackets(match: re.Match[str]) -> str:
    """``)))`` after what opened no bracket is a smile."""
    before = match.string[max(0, match.start() - _LOOK_BACK) : match.start()]
    return ")" * max(0, min(before.count("(") - before.count(")"), len(match.group())))


def _operator(match: re.Match[str]) -> str:
    sign = match.group().strip()
    if sign in ("*", "**"):
        return match.group().replace("*", "×") if sign == "*" else "^"
    return _OPERATOR.get(sign, "=")


def _line_end(match: re.Match[str]) -> str:
    """An empty line parts paragraphs; more of them say nothing more."""
    return "\n\n" if match.group().count("\n") > 1 else "\n"
