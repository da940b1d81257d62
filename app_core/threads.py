"""Threads: one starts, or its machine says that it has none left; and it says what it is at."""

from __future__ import annotations

import sys
import threading

from app_core.errors import Busy

SWITCH_S = 0.0005
"""A frame asks for Python's lock dozens of times (``benchmarks.lock_waits``), and waits so long
each time while another thread computes: the usual 5 ms made two frames a second of 25. Less wakes
threads for nothing."""


def switch_often() -> None:
    """Once a process that makes frames."""
    sys.setswitchinterval(SWITCH_S)


def start_thread(thread: threading.Thread) -> None:
    """Raises Busy when the machine has no thread left; the thread can be started again then."""
    try:
        thread.start()
    except (RuntimeError, MemoryError) as error:
        raise Busy("The server has no thread left for this; try again soon") from error


class Pulse:
    """A thread's sign of life: what it is at, and that it goes on.

    Written by its own thread alone and read by any: a beat is one addition, without a lock and
    without a look at the clock. Whoever watches measures how long none came.

    ``doing`` empty: the thread waits for work, and need not beat.
    """

    __slots__ = ("__weakref__", "_thread", "allowed_s", "beats", "doing", "name", "over")

    def __init__(self, name: str, allowed_s: float) -> None:
        """``allowed_s``: longest time without a beat while it works."""
        self.name, self.allowed_s = name, allowed_s
        self.doing = ""
        self.beats = 0
        self.over = False
        """The thread has ended as it should."""
        self._thread: threading.Thread | None = None

    def follow(self, thread: threading.Thread) -> None:
        """This thread's it is from now on."""
        self._thread = thread
        self.over = False
        self.begin("starting")

    def start(self, thread: threading.Thread) -> None:
        """Follows and starts it. Raises Busy."""
        self.follow(thread)
        try:
            start_thread(thread)
        except BaseException:
            self.end()
            raise

    def begin(self, doing: str, allowed_s: float | None = None) -> None:
        """The thread works at this from now on."""
        if allowed_s is not None:
            self.allowed_s = allowed_s
        self.beats += 1
        self.doing = doing

    def beat(self) -> None:
        self.beats += 1

    def rest(self) -> None:
        """The thread waits for work."""
        self.doing = ""

    def end(self) -> None:
        """The last that a thread says which ends as it should."""
        self.over, self.doing = True, ""

    @property
    def dead(self) -> bool:
        """Its thread has ended, though nobody stopped it."""
        return not self.over and self._thread is not None and not self.lives

    @property
    def lives(self) -> bool:
        """Its thread has been started and runs, or is about to."""
        thread = self._thread
        return thread is not None and (thread.ident is None or thread.is_alive())
