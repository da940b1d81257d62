"""Cuts a text into pieces that a voice can say one at a time."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

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
_SYMBOLS = {
    "ru": {"&": " и ", "№": " номер "},
    "kk": {"&": " және ", "№": " нөмір ", "%": " пайыз "},
    "en": {"&": " and ", "№": " number "},
}
_ABBREVIATIONS = {
    "ru": "ул пер пл пр просп бул д кв корп стр обл р-н им проф акад доц св гр г-н г-жа тов"
    " т тт см ср напр рис табл гл тыс млн млрд руб коп дж н э",
    "kk": "ул көш даң ауд обл проф акад доц қ тыс мың млн млрд т б мыс қар сур",
    "en": "mr mrs ms dr prof st sr jr gen col capt lt sgt rev hon gov sen rep vs no nos fig vol"
    " pp ed approx dept est mt ave blvd e.g i.e cf al",
}
_KEEPERS = {language: frozenset(words.split()) for language, words in _ABBREVIATIONS.items()}

_SPACES = re.compile(r"[^\S\n]+")
_LINK = re.compile(r"!?\[([^\[\]]*)\]\((?:[^()\s]|\([^()\s]*\))*\)")
_TAG = re.compile(r"</?[A-Za-z][^<>]*>")
_URL = re.compile(r"https?://(?:www\.)?([^\s/?#<>()]+)(?:[/?#][^\s<>()]*[^\s<>().,;:!?])?/?")
_BULLET = re.compile(
    r"^[ \t]*(?:[-*+•‣▪–—]+|#+|>+|[\u2600-\u2bff\U0001f000-\U0001faff]\ufe0f?)[ \t]+", re.MULTILINE
)
_ARROW = re.compile(r" ?(?:<?[-=]{1,9}>|[←-⇿]) ?")
_GLUED = re.compile(r"(?<=[а-яёәғқңөұүһі])([.!?…]+)(?=[А-ЯЁӘҒҚҢӨҰҮҺІ])")
_MARKS = re.compile(r"([!?])[!?]*\1+")
_DOTS = re.compile(r"\.{2,}|…+\.*")
# Possessive, and only from where a run of marks begins: a long run is looked at once.
_END = re.compile(rf"(?<![.!?…])[.!?…]++[{re.escape(_CLOSERS)}]*+(?=\s)")
_FINISHED = re.compile(rf"[.!?…][{re.escape(_CLOSERS)}]*$")
_CLAUSE = re.compile(rf"[,;:][{re.escape(_CLOSERS)}]*(?=\s)|(?<=\s)[—–-](?=\s)")
_BEFORE_NEXT = re.compile(rf"[{re.escape(_OPENERS)} —–\-\xa0]*")
_WRAPPED = re.compile(r"(?<![.!?…:;\s])[ \t]*\n[ \t]*(?=[^\W\d_A-ZА-ЯЁӘҒҚҢӨҰҮҺІ])")


def speakable(text: str, language: str = "en") -> str:
    """``text`` without what a voice would spell out: emoji, markup, control characters.

    A web address becomes its host. Lines stay lines; other runs of spaces become one space.
    """
    text = unicodedata.normalize("NFC", text).replace("\r\n", "\n").replace("\r", "\n")
    text = _SPACES.sub(" ", text)
    text = _LINK.sub(r"\1", _TAG.sub(" ", _URL.sub(r"\1", text)))
    text = _ARROW.sub(", ", _BULLET.sub("\n", text))
    text = "".join(map(_sayable, text))
    for symbol, word in _SYMBOLS.get(language, {}).items():
        text = text.replace(symbol, word)
    text = _DOTS.sub("…", _MARKS.sub(r"\1", _GLUED.sub(r"\1 ", text)))
    lines = (re.sub(r"\s+", " ", line).strip() for line in text.split("\n"))
    return "\n".join(lines).strip()


def pieces(text: str, language: str) -> list[str]:
    """The sentences of ``text``, or the clauses of a long one, in order.

    No piece is longer than LONGEST. A piece that ends a sentence ends in ``. ! ?`` or ``…`` (and
    closing quotes or brackets); a line without a mark of its own gets a full stop. The first
    piece is short where its sentence allows it. A text without a letter or digit gives [].
    """
    found: list[str] = []
    for line in _lines(speakable(text, language)):
        for sentence in _sentences(line, language):
            if not any(map(str.isalnum, sentence)):
                continue
            head, rest = ("", sentence) if found else _opening(sentence)
            found += [part for part in (head, *_clauses(rest)) if part]
    return found


def ends_sentence(piece: str) -> bool:
    """False for a clause that goes on in the next piece."""
    return _FINISHED.search(piece) is not None


def _sayable(char: str) -> str:
    if char in "\n№°%&§":
        return char
    kind = unicodedata.category(char)
    if kind[0] == "C":
        return ""
    if kind in ("So", "Sk") or 0xFE00 <= ord(char) <= 0xFE0F or char == "\u20e3":
        return " "
    return " " if char in "*_#`|~\\^{}[]<>" else char


def _lines(text: str) -> Iterator[str]:
    for line in _WRAPPED.sub(" ", text).split("\n"):
        if line.strip():
            yield line if ends_sentence(line) or line[-1] in ",;:—–-" else line + "."


def _sentences(line: str, language: str) -> Iterator[str]:
    start = 0
    for mark in _END.finditer(line):
        end = mark.end()
        if _is_end(line[max(start, end - _LOOK_BACK) : end], _next_char(line, end), language):
            yield line[start:end].strip()
            start = end
    if line[start:].strip():
        yield line[start:].strip()


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
    if word.isdigit() and len(words) == 1:
        return False  # the number of a list item
    if word.lower() == "г":
        return len(words) > 1 and words[-2].isdigit()  # "2020 г." is a year, "г. Алматы" a city
    if len(word) == 1 and word.isupper() and word.isalpha():
        return word == "I" and language == "en"  # initials
    if re.fullmatch(r"(?:[^\W\d_]\.)+[^\W\d_]", word):
        return word.islower() and word not in _KEEPERS["en"]  # "т.д." may close, "U.S." does not
    return word.lower() not in _KEEPERS.get(language, frozenset()) or _closes(words)


def _closes(words: list[str]) -> bool:
    """ "и т. д." and its like, which end sentences although their parts do not."""
    return [word.lower() for word in words[-2:]] in (["т.", "д"], ["т.", "п"], ["т.", "б"])


def _opening(sentence: str) -> tuple[str, str]:
    """A short first clause and the rest, or an empty string and the sentence."""
    if len(sentence) <= LONGEST_FIRST:
        return "", sentence
    for mark in _CLAUSE.finditer(sentence):
        head, rest = sentence[: mark.end()].strip(), sentence[mark.end() :].strip()
        if len(head) > LONGEST:
            break
        if _has_words(head) and _has_words(rest):
            return head, rest
    return "", sentence


def _has_words(part: str) -> bool:
    """At least FEWEST_WORDS, looking no further."""
    return len(part.split(None, FEWEST_WORDS)) >= FEWEST_WORDS


def _clauses(sentence: str) -> Iterator[str]:
    while len(sentence) > LONGEST:
        marks = [mark.end() for mark in _CLAUSE.finditer(sentence, 0, LONGEST + 1)]
        marks = [mark for mark in marks if LONGEST // 4 <= mark <= LONGEST]
        cut = marks[-1] if marks else sentence.rfind(" ", 1, LONGEST + 1)
        if cut <= 0:
            cut = LONGEST
        yield sentence[:cut].strip()
        sentence = sentence[cut:].strip()
    if sentence:
        yield sentence
