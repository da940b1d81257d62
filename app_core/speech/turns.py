"""Whose turn it is at a synthesizer that says one thing at a time."""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

from app_core.cancel_scope import Stale, never
from app_core.errors import Cancelled, VoiceFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

live: ContextVar[bool] = ContextVar("live", default=False)
"""Somebody waits for what this thread speaks, frame by frame."""

FILE_WAITS_S = 2.0
"""A file lets live speech pass that comes up to so much later, and no more: nobody starves."""
CHARACTER_S = 0.01
"""The same of a longer text for a shorter one, for each character."""
PATIENCE_S = 120.0
_LOOK_S = 0.25
"""Between two looks at whether the speech is still wanted."""


class Turns:
    """A lock that goes to live speech before files and to short texts before long ones."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._changed = threading.Condition()
        self._waiting: list[tuple[float, int]] = []
        """A heap: whose turn at the synthesizer comes when, and which of two it is."""
        self._numbers = itertools.count()
        self._taken = False

    def __len__(self) -> int:
        """Those that wait."""
        return len(self._waiting)

    @contextmanager
    def turn(self, characters: int, stale: Stale = never) -> Iterator[None]:
        """For a text of so many characters. Raises VoiceFailed after PATIENCE_S, and Cancelled
        when ``stale`` says so.
        """
        came_s = self._clock()
        due_s = came_s + (0.0 if live.get() else FILE_WAITS_S) + CHARACTER_S * characters
        with self._changed:
            mine = (due_s, next(self._numbers))
            heapq.heappush(self._waiting, mine)
            try:
                while self._taken or self._waiting[0] != mine:
                    if stale():
                        raise Cancelled("Nobody waits for the speech any more")
                    if self._clock() - came_s > PATIENCE_S:
                        raise VoiceFailed(f"The voice was busy for {PATIENCE_S:.0f} s")
                    self._changed.wait(_LOOK_S)
                self._taken = True
            finally:
                self._waiting.remove(mine)
                heapq.heapify(self._waiting)
                self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                self._taken = False
                self._changed.notify_all()
