"""Cuts what is said into pieces that a voice can say one at a time."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app_core.speech.text.span_text import SpanText

LONGEST = 220
"""Characters of a piece; a longer sentence is cut at its clauses."""
LONGEST_FIRST = 80
"""Characters of a first sentence that is said whole; a longer one is cut after its first clause."""
FEWEST_WORDS = 3
"""Words on either side of the cut in the first sentence, so that its melody survives."""

_LOOK_BACK = 400
"""Characters before a mark that can say whether it ends a sentence; two words at most matter."""

_CLOSERS = "\"'»”’)]}"
_OPENERS = "\"'«“„‘([{"
_ABBREVIATIONS = {
    "ru": "ул пер пл пр просп бул д кв корп стр обл р-н проф акад доц св гр г-н г-жа тов"
    " т тт см ср напр рис табл гл тыс млн млрд руб коп дж н э",
    "kk": "ул көш даң ауд обл проф акад доц қ тыс мың млн млрд т б мыс қар сур",
    "en": "mr mrs ms dr prof st sr jr gen col capt lt sgt rev gov sen vs nos vol"
    " pp approx dept mt ave blvd e.g i.e cf",
}
_KEEPERS = {language: frozenset(words.split()) for language, words in _ABBREVIATIONS.items()}
# Possessive, and only from where a run of marks begins: a long run is looked at once.
_END = re.compile(rf"(?<![.!?…])[.!?…]++[{re.escape(_CLOSERS)}]*+(?=\s)")
_FINISHED = re.compile(rf"[.!?…][{re.escape(_CLOSERS)}]*$")
_CLAUSE = re.compile(rf"[,;:][{re.escape(_CLOSERS)}]*(?=\s)|(?<=\s)[—–-](?=\s)")
_BEFORE_NEXT = re.compile(rf"[{re.escape(_OPENERS)} —–\-\xa0]*")
_SPACE = re.compile(" +")
_WRAPPED = re.compile(r"(?<![.!?…:;\s])[ \t]*\n[ \t]*(?=[^\W\d_A-ZА-ЯЁӘҒҚҢӨҰҮҺІ])")


def pieces(text: SpanText, language: str, first: bool = True) -> list[SpanText]:
    """The sentences of ``text``, or the clauses of a long one, in order.

    No piece is longer than LONGEST. A piece that ends a sentence ends in ``. ! ?`` or ``…`` (and
    closing quotes or brackets); a line without a mark of its own gets a full stop. With ``first``
    the first piece is short where its sentence allows it. A text without a letter or digit
    gives [].
    """
    found: list[SpanText] = []
    for line in lines(text):
        for sentence in sentences(line, language):
            if not any(map(str.isalnum, sentence.text)):
                continue
            cut = _opening(sentence) if first and not found else 0
            parts = [sentence.part(0, cut), sentence.part(cut, len(sentence))]
            found += [parts[0].strip()] if cut else []
            found += _clauses(parts[1].strip())
    return found


def ends_sentence(piece: str) -> bool:
    """False for a clause that goes on in the next piece."""
    return _FINISHED.search(piece) is not None


def with_capitals(said: SpanText, written: SpanText, first: re.Pattern[str]) -> SpanText:
    """``said`` with capitals where ``first``, a letter that begins a sentence, was written as
    something else than a small letter: as a number or initials."""

    def capital(match: re.Match[str]) -> str | None:
        start, _ = said.span(*match.span())
        return None if written.char_at(start).islower() else match.group().upper()

    return said.sub(first, capital)


def lines(text: SpanText) -> Iterator[SpanText]:
    """The lines that say something, each with a mark at its end; a wrapped one is one line."""
    for line in text.sub(_WRAPPED, " ").split("\n"):
        line = line.strip()
        if line:
            whole = ends_sentence(line.text) or line.text[-1] in ",;:—–-"
            yield line if whole else line.append(".")


def sentences(line: SpanText, language: str) -> Iterator[SpanText]:
    start, text = 0, line.text
    for mark in _END.finditer(text):
        end = mark.end()
        if _is_end(text[max(start, end - _LOOK_BACK) : end], _next_char(text, end), language):
            yield line.part(start, end).strip()
            start = end
    rest = line.part(start, len(text)).strip()
    if rest:
        yield rest


def _next_char(line: str, at: int) -> str:
    """The first character of the next word; empty at the end."""
    following = _BEFORE_NEXT.match(line, at)
    end = following.end() if following else at
    return line[end : end + 1]


def _is_end(before: str, following: str, language: str) -> bool:
    """Whether the mark that ``before`` ends with closes a sentence; ``following``: what the next
    word begins with.
    """
    if following.islower():
        return False
    if before[-1] != ".":
        return True
    words = before[:-1].replace("\xa0", " ").split(" ")
    word = words[-1].lstrip(_OPENERS)
    if word.isdecimal() and len(words) == 1:
        return False  # the number of a list item
    if word.lower() == "г":
        return len(words) > 1 and words[-2].isdecimal()  # "2020 г." is a year, "г. Алматы" a city
    if language == "en" and word.endswith(".A"):
        return True  # "the U S.A."
    if language == "en" and word.lower() == "no":
        return not following.isdecimal()  # "No. 5"
    if len(word) == 1 and word.isupper() and word.isalpha():
        spelled = len(words) > 1 and len(words[-2]) == 1 and words[-2].isupper()  # "5 P M."
        return language == "en" and (word == "I" or spelled)  # initials otherwise
    if re.fullmatch(r"(?:[^\W\d_]\.)+[^\W\d_]", word):
        return word.islower() and word not in _KEEPERS["en"]  # "т.д." may close, "U.S." does not
    return word.lower() not in _KEEPERS.get(language, frozenset()) or _closes(words)


def _closes(words: list[str]) -> bool:
    """ "и т. д." and its like, which end sentences although their parts do not."""
    return [word.lower() for word in words[-2:]] in (["т.", "д"], ["т.", "п"], ["т.", "б"])


def _opening(sentence: SpanText) -> int:
    """Where the short first clause of a long sentence ends; 0 when it is said whole."""
    text = sentence.text
    if len(text) <= LONGEST_FIRST:
        return 0
    for mark in _CLAUSE.finditer(text):
        head, rest = text[: mark.end()].strip(), text[mark.end() :].strip()
        if len(head) > LONGEST:
            break
        if _has_words(head) and _has_words(rest) and sentence.parted(mark.end()):
            return mark.end()
    # One that is cut between two words all the same is not waited for.
    return _last_space(sentence, LONGEST_FIRST) if len(text) > LONGEST else 0


def _has_words(part: str) -> bool:
    """At least FEWEST_WORDS, looking no further."""
    return len(part.split(None, FEWEST_WORDS)) >= FEWEST_WORDS


def _clauses(sentence: SpanText) -> Iterator[SpanText]:
    while len(sentence) > LONGEST:
        text = sentence.text
        ends = (mark.end() for mark in _CLAUSE.finditer(text, LONGEST // 4 - 1, LONGEST + 1))
        marks = [end for end in ends if end <= LONGEST]
        cut = next(filter(sentence.parted, reversed(marks)), 0) or _last_space(sentence)
        yield sentence.part(0, cut).strip()
        sentence = sentence.part(cut, len(text)).strip()
    if sentence:
        yield sentence


def _last_space(sentence: SpanText, most: int = LONGEST) -> int:
    """The last one that a piece may end before, between two written words where there is one."""
    spaces = [match.start() for match in _SPACE.finditer(sentence.text, 1, most + 1)]
    whole = (at for at in reversed(spaces) if sentence.parted(at))
    return next(whole, spaces[-1] if spaces else most)
