"""A text of unknown language as parts of one language each, cut where sentences end."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from app_core.speech.text.language import (
    CYRILLIC,
    evidence_of,
    evidence_of_all,
    is_latin,
    speaks_english,
    weighed,
)
from app_core.speech.text.letters import latin_words

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from app_core.speech.text.span_text import SpanText

_END = re.compile(
    r"[!?…][.!?…]*[»”\"')]* +|\n+"
    r"|(?<=[\w%₸$€)»]{2})\.[»”\"')]* +(?=[^\W\d_a-zа-яё]|[«“\"]|\d\d?\))"
    r"|(?<=\w{5})\.[»”\"')]* +(?=\d)"
)
_LETTERS = re.compile(r"[^\W\d_]+")
_ABBREVIATION = re.compile(
    r"\b(?:проф|акад|доц|ул|обл|тел|стр|им|кв|көш|даң|ауд|тг|руб|см|рис|ст|св|гр|пр|просп|мкр"
    r"|ш|мыс|dr|mr|mrs|ms|st|prof|no|vs)\.$",
    re.IGNORECASE,
)
_SURE = 0.6
"""Less evidence than this between two languages leaves a sentence to its neighbours."""
_TELLING = 1.5
"""Evidence by one word that it is more than a name."""
_LOOK = 1200
"""Characters that tell what a text is in, as a whole."""


def language_of(text: str, spoken: Collection[str]) -> str:
    """What most of the beginning of ``text`` is in; the first of ``spoken`` where nothing tells."""
    known = [name for name in ("ru", "kk", "en") if name in spoken] or list(spoken)
    return _guess(text[:_LOOK], known, 0.0) or known[0]


def by_language(
    text: SpanText, spoken: Collection[str], usual: str, before: str | None
) -> list[tuple[str, SpanText]]:
    """In order. ``usual``: the language of the text as a whole, ``before``: of what came before
    this one; short sentences that tell nothing are in the language of their neighbours."""
    sentences = list(_sentences(text))
    guesses = [_guess(sentence.text, spoken, _SURE) for sentence in sentences]
    parts: list[tuple[str, list[SpanText]]] = []
    for number, sentence in enumerate(sentences):
        language = guesses[number] or _beside(guesses, number, before) or usual
        if parts and parts[-1][0] == language:
            parts[-1][1].append(sentence)
        else:
            parts.append((language, [sentence]))
    return [(language, type(text).joined(sentences)) for language, sentences in parts]


def _sentences(text: SpanText) -> Iterator[SpanText]:
    start = 0
    for end in _END.finditer(text.text):
        stop = end.start() + 1
        if text.text[stop - 1] == "." and _ABBREVIATION.search(
            text.text, max(start, stop - 8), stop
        ):
            continue
        yield text.part(start, end.end())
        start = end.end()
    if start < len(text):
        yield text.part(start, len(text))


def _beside(guesses: list[str | None], number: int, before: str | None) -> str | None:
    """The language of the sentence before, else of the one after."""
    earlier = next((guess for guess in reversed(guesses[:number]) if guess), before)
    return earlier or next((guess for guess in guesses[number + 1 :] if guess), None)


def _guess(text: str, spoken: Collection[str], sure: float) -> str | None:
    words = _LETTERS.findall(text)
    latin = [word for word in words if is_latin(word)]
    cyrillic = [word for word in words if CYRILLIC.match(word)]
    if words and cyrillic[:1] == words[:1]:
        cyrillic[0] = words[0].lower()  # its capital says nothing
    strange = not speaks_english(latin) or len(latin) <= 2 * len(cyrillic)
    if cyrillic and strange and not _names_in_english(latin, cyrillic):
        found = evidence_of_all(map(weighed, cyrillic))
    elif max(map(len, latin), default=0) < 2 or (sure and _names_only(latin)):
        return None
    else:
        found = evidence_of_all(map(evidence_of, latin))
        sure = 0.0
    first, *others = sorted(((getattr(found, name), name) for name in spoken), reverse=True)
    return first[1] if first[0] - (others[0][0] if others else 0.0) > sure else None


def _names_only(words: list[str]) -> bool:
    """What one says within any language, as ``OK`` or ``iPhone``."""
    return all(map(latin_words.known, words)) and not speaks_english(words)


def _names_in_english(latin: list[str], cyrillic: list[str]) -> bool:
    """``Hello, Асель!``"""
    named = all(word[0].isupper() and max(weighed(word)) < _TELLING for word in cyrillic)
    return named and bool(cyrillic) and speaks_english(latin)
