"""Whose turn it is at what does one thing at a time: a synthesizer, or the reader of texts."""

from __future__ import annotations

import itertools
import math
import threading
import time
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, NamedTuple

from app_core.cancel_scope import Stale, never
from app_core.errors import Busy, Cancelled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from app_core.errors import SoyleError

live: ContextVar[bool] = ContextVar("live", default=False)
"""Somebody waits for what this thread reads and speaks, frame by frame."""
begun: ContextVar[Stale | None] = ContextVar("begun", default=None)
"""Whether nobody wants any more what this thread works for. Set for what has begun, which waits
however many do; who only asks is turned away where too many do."""
FILE_WAITS_S = 2.0
"""Where live speech leaves no gap, one file has a turn this often, however many wait."""
CHARACTER_S, LONGEST_S = 0.01, 3.0
"""A longer text lets a shorter one pass that comes up to so much later, for each character and in
all, and no more: nobody starves."""
PATIENCE_S = 120.0
_LOOK_S = 0.25
"""Between two looks at whether the speech is still wanted."""


@contextmanager
def waited_for(now: bool) -> Iterator[None]:
    """``live`` inside it."""
    before = live.set(now)
    try:
        yield
    finally:
        live.reset(before)


class _Waiting(NamedTuple):
    """Who is smaller is first, among the live ones and among the files."""

    due_s: float
    number: int
    live: bool
    looks: threading.Condition
    """Woken when it is first: a crowd that wakes for every turn takes the time of a turn."""


class Turns:
    """A lock that goes to live speech before files and to short texts before long ones."""

    def __init__(
        self,
        whose: str,
        busy: type[SoyleError] = Busy,
        clock: Callable[[], float] = time.monotonic,
        most: float = math.inf,
    ) -> None:
        """``whose`` turns they are, as an error's first words; ``busy`` is raised of who waited for
        too long, and where ``most`` live ones wait, or ``most`` others."""
        self._whose, self._busy, self._clock, self._most = whose, busy, clock, most
        self._lock = threading.Lock()
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
        """For a text of so many characters. Raises ``busy`` after PATIENCE_S, or at once where too
        many wait, and Cancelled when ``stale`` or ``begun`` says so.
        """
        came_s, job = self._clock(), begun.get()
        with self._lock:
            self._check_room(asks=job is None)
            due_s = came_s + min(CHARACTER_S * characters, LONGEST_S)
            looks = threading.Condition(self._lock)
            mine = _Waiting(due_s, next(self._numbers), live.get(), looks)
            if not mine.live and all(other.live for other in self._waiting):
                self._file_s = came_s
            self._waiting.append(mine)
            try:
                self._wait(mine, came_s, lambda: stale() or (job is not None and job()))
                self._taken = True
                if not mine.live:
                    self._file_s = self._clock()
            finally:
                self._waiting.remove(mine)
                self._call()
        try:
            yield
        finally:
            with self._lock:
                self._taken = False
                self._call()

    def _check_room(self, *, asks: bool) -> None:
        kin = sum(other.live is live.get() for other in self._waiting)
        if asks and kin >= self._most:
            raise self._busy(f"{self._whose} is busy: {kin} wait already; try again soon")

    def _wait(self, mine: _Waiting, came_s: float, stale: Stale) -> None:
        """With the lock held."""
        while True:
            # Before it is taken too: a turn is not spent on what nobody waits for.
            if stale():
                raise Cancelled("Nobody waits for this any more")
            if not self._taken and self._first() is mine:
                return
            self._call()  # it may be another's by now
            if self._clock() - came_s > PATIENCE_S:
                raise self._busy(f"{self._whose} was busy for {PATIENCE_S:.0f} s")
            mine.looks.wait(_LOOK_S)

    def _call(self) -> None:
        """Whose turn it is, if nobody has it. With the lock held."""
        if self._waiting and not self._taken:
            self._first().looks.notify()

    def _first(self) -> _Waiting:
        lives = [one for one in self._waiting if one.live]
        files = [one for one in self._waiting if not one.live]
        file_is_due = self._clock() - self._file_s > FILE_WAITS_S
        return min(files if files and (file_is_due or not lives) else lives)
