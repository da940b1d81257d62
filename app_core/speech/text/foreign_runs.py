"""Three words and more of another language inside a text, for a voice of their own."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from app_core.speech.text.language import (
    best,
    evidence_of,
    is_kazakh,
    is_latin,
    is_russian,
    joins_russian,
    looks_like_a_name,
    speaks_english,
    speaks_russian,
    weighed,
)
from app_core.speech.text.letters import latin_words
from app_core.speech.text.letters.cyrillic import KAZAKH, inflected_as_russian

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from app_core.speech.text.span_text import SpanText

FEWEST_WORDS = 3
"""Fewer are said by the voice that speaks, in its nearest letters."""

_MAYBE_FOREIGN = re.compile(r"[a-zA-Z\u00c0-\u024fәғқңөұүһіӘҒҚҢӨҰҮҺІ]")
_TOKEN = re.compile(r"\S+")
_ADDRESS = re.compile(r"@|[^\W_]\.[^\W\d_]|\d")
_ENDS = re.compile(r"[.!?…][»”\"')]*$")
_STOPS = re.compile(r"[,;:—–»”)]$")
_ROMAN = re.compile(r"[IVXLCDM]+")
_UNITS = frozenset(
    "km m cm mm kg g mg gb mb tb kb kw kwh hz ghz mhz mah ml usd eur kzt rub gbp cny px dpi am"
    " pm".split()
)
_QUOTES = {"«": "»", "“": "”", "„": "“", "(": ")"}
_FARTHEST_QUOTE = 12
"""Words from its beginning to its end."""
_MOSTLY = 0.6
"""Words with letters of Kazakh alone, of a sentence that is Kazakh as a whole."""
_TELLING, _SURE = 0.7, 2.0
"""Evidence that a word is of a language; in Russian text an ending alone makes no Kazakh word."""


class Part(NamedTuple):
    language: str
    text: SpanText
    joined: bool
    """What follows goes on in the same clause."""


class _Token(NamedTuple):
    start: int
    end: int
    text: str
    word: str
    """Its letters; empty for numbers, signs and addresses."""
    kind: str
    """A language, ``latin``, ``cyrillic``, or ``?`` where the letters do not tell."""
    last: bool
    """A sentence or line ends with it."""


def parts(text: SpanText, language: str, spoken: Collection[str]) -> Iterator[Part]:
    """``text`` in order, cut where it changes to another of the languages that are ``spoken``."""
    if language == "ru" and not _MAYBE_FOREIGN.search(text.text):
        yield Part(language, text, False)
        return
    tokens = _tokens(text.text, language)
    runs = [run for run in _RUNS[language](tokens) if run[2] in spoken and run[2] != language]
    done = 0
    cuts: list[tuple[int, int, str]] = []
    for first, last, other in runs:
        start, end = tokens[first].start, tokens[last].end
        cuts += ((done, start, language), (start, end, other))
        done = end
    cuts.append((done, len(text), language))
    cuts = [cut for cut in cuts if any(map(str.isalnum, text.text[cut[0] : cut[1]]))]
    for number, (start, end, name) in enumerate(cuts):
        part = text.part(start, end)
        said = part.text.rstrip()
        goes_on = number < len(cuts) - 1 and not said.endswith((*".!?…,;:—–-", "\n"))
        goes_on = goes_on and "\n" not in text.text[start + len(said) : cuts[number + 1][0]]
        goes_on = goes_on and "\n" not in part.text[len(said) :] and not _ENDS.search(said)
        yield Part(name, part, goes_on)


def _tokens(text: str, language: str) -> list[_Token]:
    found = []
    for match in _TOKEN.finditer(text):
        token = match.group()
        word = "" if _ADDRESS.search(token) else "".join(filter(str.isalpha, token))
        following = text[match.end() : match.end() + 1]
        last = _ENDS.search(token) is not None or following == "\n"
        found.append(_Token(*match.span(), token, word, _kind(word, language), last))
    return found


def _kind(word: str, language: str) -> str:
    if not word:
        return ""
    latin = sum(map(is_latin, word))
    if 0 < latin < len(word):
        return language
    if latin:
        unit = word.lower() in _UNITS or _ROMAN.fullmatch(word) or len(word) == 1
        return "" if unit and language != "en" and word not in ("I", "a") else "latin"
    if language == "en":
        return "cyrillic"
    if not KAZAKH.isdisjoint(word):
        return "ru" if language == "ru" and inflected_as_russian(word) else "kk"
    found = evidence_of(word)
    if max(found.ru, found.kk) < _TELLING or (language == "ru" and found.ru < found.kk < _SURE):
        return "?"
    return "kk" if found.kk > found.ru else "ru"


def _latin_runs(tokens: list[_Token]) -> Iterator[tuple[int, int, str]]:
    """First and last token, and the language."""
    for first, last in _stretches(tokens, ("latin", "")):
        words = [token.word for token in tokens[first : last + 1] if token.kind]
        if speaks_english(words):
            runs = [(first, last)]
        else:
            runs = list(_stretches(tokens, ("latin",), first, last))
        for start, end in runs:
            words = [token.word for token in tokens[start : end + 1] if token.kind]
            if len(words) < FEWEST_WORDS:
                continue
            names = all(map(_is_said_anywhere, words)) or looks_like_a_name(words)
            if speaks_english(words) or not names:
                yield start, end, best(words, ("en", "kk")) or "en"


def _is_said_anywhere(word: str) -> bool:
    """A word of the list, or an abbreviation."""
    short = word.isupper() and len(word) <= latin_words.LONGEST_ABBREVIATION
    return short or latin_words.known(word) is not None


def _russian_text(tokens: list[_Token]) -> list[tuple[int, int, str]]:
    runs = list(_latin_runs(tokens))
    tokens = _with_whole_sentences(tokens)
    for first, last in _stretches(tokens, ("kk", "?", "")):
        kinds = [token.kind for token in tokens[first : last + 1]]
        if kinds.count("kk") < 2:
            continue
        start, end = _grown(tokens, first, last, *_trimmed(tokens, first, last, "kk"))
        special = [not KAZAKH.isdisjoint(token.word) for token in tokens[start : end + 1]]
        words = [token for token in tokens[start : end + 1] if token.kind]
        russian = [t for t in words if t.kind == "?" and t.word.islower() and is_russian(t.word)]
        mostly = sum(special) * 3 >= len(words) > 3 * len(russian)
        if len(words) >= FEWEST_WORDS and any(special) and mostly:
            runs.append((start, end, "kk"))
    return sorted(runs)


def _grown(tokens: list[_Token], first: int, last: int, start: int, end: int) -> tuple[int, int]:
    """With the words beside it that have a Kazakh ending and are no Russian ones."""
    while start > first and _seems_kazakh(tokens[start - 1]):
        start -= 1
    while end < last and _seems_kazakh(tokens[end + 1]) and not _STOPS.search(tokens[end].text):
        end += 1
    return start, end


def _seems_kazakh(token: _Token) -> bool:
    return token.kind == "?" and evidence_of(token.word).kk >= 1 <= weighed(token.word).kk


def _with_whole_sentences(tokens: list[_Token]) -> list[_Token]:
    """Words that look Russian by their endings are Kazakh among enough Kazakh ones."""
    found: list[_Token] = []
    sentence: list[_Token] = []
    for token in tokens:
        sentence.append(token)
        if token.last or token is tokens[-1]:
            words = [token for token in sentence if token.word]
            sure = sum(not KAZAKH.isdisjoint(token.word) for token in words)
            russian = any(joins_russian(token.word) for token in words)
            if sure > 1 and sure >= _MOSTLY * len(words) and not russian:
                sentence = [t._replace(kind="kk" if t.kind == "ru" else t.kind) for t in sentence]
            found += sentence
            sentence = []
    return found


def _kazakh_text(tokens: list[_Token]) -> list[tuple[int, int, str]]:
    runs = [
        (first, last, "en")
        for first, last, _ in _latin_runs(tokens)
        if not is_kazakh([token.word for token in tokens[first : last + 1] if token.kind])
    ]
    if any(joins_russian(token.word) for token in tokens):
        tokens = [_by_dictionary(token) if token.kind == "kk" else token for token in tokens]
    for first, last in _stretches(tokens, ("ru", "?", "")):
        if sum(token.kind == "ru" for token in tokens[first : last + 1]) < 2:
            continue
        start, end = _trimmed(tokens, first, last, "ru")
        words = [token.word for token in tokens[start : end + 1] if token.kind]
        if len(words) >= FEWEST_WORDS and speaks_russian(words):
            runs.append((start, end, "ru"))
    return sorted(runs)


def _by_dictionary(token: _Token) -> _Token:
    """An ending that Kazakh has too makes no Kazakh word of a Russian one."""
    if not KAZAKH.isdisjoint(token.word) or weighed(token.word).kk:
        return token
    return token._replace(kind="?")


def _english_text(tokens: list[_Token]) -> list[tuple[int, int, str]]:
    runs = []
    for first, last in _stretches(tokens, ("cyrillic", "")):
        words = [token.word for token in tokens[first : last + 1] if token.kind]
        if len(words) >= FEWEST_WORDS:
            runs.append((first, last, best(words, ("ru", "kk")) or "ru"))
    for first, last in _stretches(tokens, ("latin", "")):
        words = [token.word for token in tokens[first : last + 1] if token.kind]
        plain = [word for word in words if not word[0].isupper()]  # Müller and Björk tell nothing
        if len(words) >= FEWEST_WORDS and best(plain, ("en", "kk")) == "kk":
            runs.append((first, last, "kk"))
    return sorted(runs)


_RUNS = {"ru": _russian_text, "kk": _kazakh_text, "en": _english_text}


def _stretches(
    tokens: list[_Token], kinds: tuple[str, ...], first: int = 0, last: int | None = None
) -> Iterator[tuple[int, int]]:
    """The longest runs of tokens of ``kinds`` that begin and end with a word, within a sentence or
    over sentences that are of ``kinds`` as a whole."""
    end = len(tokens) if last is None else last + 1
    start = first
    while start < end:
        if tokens[start].kind not in kinds or not tokens[start].kind:
            start += 1
            continue
        stop = start
        for at in range(start, end):
            if tokens[at].kind not in kinds:
                break
            if tokens[at].kind:
                stop = at
            if tokens[at].last or _lists_names(tokens, at):
                break
        yield start, stop
        start = stop + 1


def _lists_names(tokens: list[_Token], at: int) -> bool:
    """Whether a comma stands here between two names."""
    if not tokens[at].text.endswith(",") or at + 1 == len(tokens):
        return False
    return tokens[at].word[:1].isupper() and tokens[at + 1].word[:1].isupper()


def _trimmed(tokens: list[_Token], first: int, last: int, kind: str) -> tuple[int, int]:
    """To where ``kind`` is sure, to the end of what is quoted, and to both ends of a sentence that
    has nothing else."""
    ends = last == len(tokens) - 1 or tokens[last].last
    if ends and (first == 0 or tokens[first - 1].last):
        return first, last
    sure = [at for at in range(first, last + 1) if tokens[at].kind == kind]
    opened = [at for at in range(first, sure[0]) if tokens[at].text[0] in _QUOTES]
    start, end = opened[-1] if opened else sure[0], sure[-1]
    closer = _QUOTES.get(tokens[start].text[0])
    if closer:
        within = range(start, min(start + _FARTHEST_QUOTE, len(tokens)))
        end = next((at for at in within if closer in tokens[at].text[1:]), end)
    return start, end
