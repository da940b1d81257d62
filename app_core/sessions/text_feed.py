"""A text that may come in pieces, as a language model writes it, and goes out clause by clause."""

from __future__ import annotations

import re
import threading
import time
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

SILENT_S = 30.0
"""Without a piece for this long, a text that was to go on has ended."""
SETTLED_S, PAUSED_S, GIVEN_UP_S = 0.3, 1.0, 2.0
"""Nothing came for so long: a mark that came last ends what it ends, unless a digit stands before
it (`3.` may become `3.14`); words are whole but for the last one; that one is too."""
LONGEST = 200
"""Characters without a mark that are kept waiting for one."""
_FIRST_WORDS, _FIRST_CHARACTERS = 3, 12
"""The first clause, so that speech begins soon, may end at a comma after as much."""

_CLOSING = r"[\"'»”’)\]]*"
_SENTENCE = re.compile(rf"(?:[!?…]+|(?<=\w{{4}})\.){_CLOSING}\s+(?=\S)|\n+(?=.)", re.DOTALL)
_SHORT_SENTENCE = re.compile(rf"\b([^\W\d_]{{2,3}})\.{_CLOSING}\s+(?=[\"«“(]?[^\W\d_])")
"""Where the next word has a capital, and this one is none of those that are cut short."""
_CUT_SHORT = frozenset(
    "mr mrs ms dr st vs etc no jr sr fig vol gen col capt prof inc ltd jan feb mar apr jun jul aug"
    " sep oct nov dec ул гг пр пер пл им стр рис см тел руб коп кв обл тыс млн мин сек проф акад"
    " тов гр рт др пр св вв рр көш ауд обл даң тб қр".split()
)
_CLAUSE = re.compile(r"[,;:—–]\s+(?=\S)")
_MARKED = re.compile(rf"[.!?…,;:—–]{_CLOSING}\s*$|\n\s*$")
_AFTER_DIGIT = re.compile(r"\d[.,:]\s*$")
_SPACE = re.compile(r"(?<!\d)\s+|\s+(?!\d)")
"""Not one inside a number."""


class Clause(NamedTuple):
    text: str
    start: int
    """Where it begins in the whole text."""


class TextFeed:
    """Written by whoever brings the text, read by the thread that says it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._changed = threading.Condition()
        self._text, self._taken = "", 0
        self._ended = False
        self._came_s = clock()

    @property
    def text(self) -> str:
        """All that has come."""
        return self._text

    @property
    def taken(self) -> str:
        """What is being said, or was."""
        return self._text[: self._taken]

    @property
    def pending(self) -> int:
        """Characters that nobody has taken."""
        return len(self._text) - self._taken

    @property
    def ended(self) -> bool:
        """Nothing more comes."""
        return self._ended

    @property
    def over(self) -> bool:
        """Nothing more comes, and all is taken."""
        return self._ended and not self.pending

    def add(self, piece: str) -> bool:
        """Whether it was kept: not once it has ended."""
        with self._changed:
            if self._ended:
                return False
            self._text += piece
            self._came_s = self._clock()
            self._changed.notify()
            return True

    def end(self) -> None:
        """What is there is the whole text."""
        with self._changed:
            self._ended = True
            self._changed.notify()

    def take(self, timeout_s: float, *, hungry: bool = True) -> Clause | None:
        """The next clause, or None when none is whole within the time. ``hungry``: what was taken
        is nearly said, so that less of a clause will do."""
        with self._changed:
            clause = self._next(hungry)
            if clause is None and not self._ended:
                self._changed.wait(timeout_s)
                clause = self._next(hungry)
            return clause

    def _next(self, hungry: bool) -> Clause | None:
        if self._clock() - self._came_s > SILENT_S:
            self._ended = True
        rest, start = self._text[self._taken :], self._taken
        end = len(rest) if self._ended else self._end(rest, hungry)
        if not end:
            return None
        self._taken += end
        return Clause(rest[:end], start)

    def _end(self, rest: str, hungry: bool) -> int:
        """Where the clauses that are whole end; 0 when none is."""
        ends = [match.end() for match in _SENTENCE.finditer(rest)]
        for match in _SHORT_SENTENCE.finditer(rest):
            after = rest[match.end() :].lstrip('"«“(')
            if match[1].lower() not in _CUT_SHORT and after[:1].isupper():
                ends.append(match.end())
        if ends:
            return max(ends)
        waited_s = self._clock() - self._came_s
        settled_s = PAUSED_S if _AFTER_DIGIT.search(rest) else SETTLED_S
        if _MARKED.search(rest) and waited_s >= settled_s:
            return len(rest)
        if hungry:
            end = self._eager_end(rest, waited_s)
            if end:
                return end
        if len(rest) > LONGEST:
            return _last_space(rest, LONGEST) or LONGEST
        return 0

    def _eager_end(self, rest: str, waited_s: float) -> int:
        clauses = [mark for mark in _CLAUSE.finditer(rest) if not rest[mark.start() - 1].isdigit()]
        if self._taken and clauses:
            return clauses[-1].end()
        for mark in clauses:
            words = rest[: mark.start()].split()
            if mark.start() >= _FIRST_CHARACTERS and len(words) >= _FIRST_WORDS:
                return mark.end()
        if waited_s >= GIVEN_UP_S and rest.strip():
            return len(rest)
        return _last_space(rest, len(rest)) if waited_s >= PAUSED_S else 0


def _last_space(text: str, most: int) -> int:
    """Where the last word that is whole ends, with the space behind it; 0 where there is none."""
    ends = [match.end() for match in _SPACE.finditer(text, 0, most + 1) if match.end() <= most]
    whole = [end for end in ends if text[:end].strip()]
    return whole[-1] if whole else 0
