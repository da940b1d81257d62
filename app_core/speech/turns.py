"""Whose turn it is at a synthesizer that says one thing at a time."""

from __future__ import annotations

import itertools
import threading
import time
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, NamedTuple

from app_core.cancel_scope import Stale, never
from app_core.errors import Cancelled, VoiceFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

live: ContextVar[bool] = ContextVar("live", default=False)
"""Somebody waits for what this thread speaks, frame by frame."""

FILE_WAITS_S = 2.0
"""Where live speech leaves no gap, one file has a turn this often, however many wait."""
CHARACTER_S = 0.01
"""A longer text lets a shorter one pass that comes up to so much later, for each character, and no
more: nobody starves."""
PATIENCE_S = 120.0
_LOOK_S = 0.25
"""Between two looks at whether the speech is still wanted."""


class _Waiting(NamedTuple):
    """Who is smaller is first, among the live ones and among the files."""

    due_s: float
    number: int
    live: bool


class Turns:
    """A lock that goes to live speech before files and to short texts before long ones."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._changed = threading.Condition()
        self._waiting: list[_Waiting] = []
        self._numbers = itertools.count()
        self._taken = False
        self._file_s = 0.0
        """When a file had its turn last, or the first of those that wait came."""

    def __len__(self) -> int:
        """Those that wait."""
        return len(self._waiting)

    @contextmanager
    def turn(self, characters: int, stale: Stale = never) -> Iterator[None]:
        """For a text of so many characters. Raises VoiceFailed after PATIENCE_S, and Cancelled
        when ``stale`` says so.
        """
        came_s = self._clock()
        with self._changed:
            due_s = came_s + CHARACTER_S * characters
            mine = _Waiting(due_s, next(self._numbers), live.get())
            if not mine.live and all(other.live for other in self._waiting):
                self._file_s = came_s
            self._waiting.append(mine)
            try:
                self._wait(mine, came_s, stale)
                self._taken = True
                if not mine.live:
                    self._file_s = self._clock()
            finally:
                self._waiting.remove(mine)
                self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                self._taken = False
                self._changed.notify_all()

    def _wait(self, mine: _Waiting, came_s: float, stale: Stale) -> None:
        """With the lock held."""
        while True:
            # Before it is taken too: a turn is not spent on what nobody waits for.
            if stale():
                raise Cancelled("Nobody waits for the speech any more")
            if not self._taken and self._first() is mine:
                return
            if self._clock() - came_s > PATIENCE_S:
                raise VoiceFailed(f"The voice was busy for {PATIENCE_S:.0f} s")
            self._changed.wait(_LOOK_S)

    def _first(self) -> _Waiting:
        lives = [one for one in self._waiting if one.live]
        files = [one for one in self._waiting if not one.live]
        file_is_due = self._clock() - self._file_s > FILE_WAITS_S
        return min(files if files and (file_is_due or not lives) else lives)
