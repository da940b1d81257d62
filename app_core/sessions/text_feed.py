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
SETTLED_S = 0.3
"""A sentence whose mark came last is whole after so long: `3.` may become `3.14`."""
LONGEST = 200
"""Characters without a mark that are kept waiting for one."""
_FIRST_WORDS, _FIRST_CHARACTERS = 3, 12
"""The first clause, so that speech begins soon, may end at a comma after as much."""

_CLOSING = r"[\"'»”’)\]]*"
_SENTENCE = re.compile(rf"(?:[!?…]+|(?<=\w{{4}})\.){_CLOSING}\s+(?=\S)|\n+(?=.)", re.DOTALL)
_CLAUSE = re.compile(r"[,;:—–]\s+(?=\S)")
_WHOLE = re.compile(rf"[.!?…]{_CLOSING}\s*$|\n\s*$")


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

    def take(self, timeout_s: float) -> Clause | None:
        """The next clause, or None when none is whole within the time."""
        with self._changed:
            clause = self._next()
            if clause is None and not self._ended:
                self._changed.wait(timeout_s)
                clause = self._next()
            return clause

    def _next(self) -> Clause | None:
        if self._clock() - self._came_s > SILENT_S:
            self._ended = True
        rest, start = self._text[self._taken :], self._taken
        end = len(rest) if self._ended else self._end(rest)
        if not end:
            return None
        self._taken += end
        return Clause(rest[:end], start)

    def _end(self, rest: str) -> int:
        """Where the clauses that are whole end; 0 when none is."""
        if sentences := list(_SENTENCE.finditer(rest)):
            return sentences[-1].end()
        if _WHOLE.search(rest) and self._clock() - self._came_s >= SETTLED_S:
            return len(rest)
        if not self._taken:
            for mark in _CLAUSE.finditer(rest, _FIRST_CHARACTERS):
                if len(rest[: mark.start()].split()) >= _FIRST_WORDS:
                    return mark.end()
        if len(rest) > LONGEST:
            return rest.rfind(" ", 0, LONGEST) + 1 or LONGEST
        return 0
