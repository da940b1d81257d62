"""gunicorn's arbiter, which outlives whatever becomes of its worker and leaves nothing of it."""

from __future__ import annotations

import contextlib
import ctypes
import logging
import os
import signal
import time
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gunicorn import arbiter
from gunicorn.errors import HaltServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

logger = logging.getLogger(__name__)

MOST, WITHIN_S = 3, 60.0
"""So many workers are replaced at once in so many seconds; the next one has to wait."""
STOOD_STILL_S = 5.0
"""Between two looks at the workers, of which there is one a second: this process was stopped, and
so were they."""
_PR_SET_CHILD_SUBREAPER = 36
_LAST_LOOK_S = 1.0
"""For those that were killed to be gone."""


class Pace:
    """How soon a worker that has died may be replaced."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._begun_s: deque[float] = deque(maxlen=MOST)

    @property
    def wait_s(self) -> float:
        """Until the next one may begin."""
        if len(self._begun_s) < MOST:
            return 0.0
        return max(0.0, self._begun_s[0] + WITHIN_S - self._clock())

    def note(self) -> None:
        """One begins."""
        self._begun_s.append(self._clock())


class Excuse:
    """Of workers that said nothing while the whole server was stopped (Ctrl-Z, a frozen container):
    each has its time again. Asked at each look."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._looked_s = clock, clock()
        self._until_s = self._looked_s

    def holds(self, patience_s: float) -> bool:
        """``patience_s``: how long a worker may say nothing."""
        now = self._clock()
        if now - self._looked_s > STOOD_STILL_S:
            self._until_s = now + patience_s
        self._looked_s = now
        return now < self._until_s


class Arbiter(arbiter.Arbiter):  # type: ignore[misc]
    """A child that a dead worker left becomes the arbiter's, by Linux's own rule for subreapers,
    and is killed. (PR_SET_PDEATHSIG would not do: it goes with the thread that started the child.)
    """

    def __init__(self, app: Any, needs: int | None = None) -> None:
        """``needs``: a child without which the server is of no use, by its id."""
        self._needs = needs
        self._pace: Pace | None = None
        """Of replacements; the first worker is none."""
        self._waiting = False
        self._excuse = Excuse()
        self._killed: set[int] = set()
        """Workers that this process has killed, by their ids."""
        self._own = set(_children())
        """What this process has started itself, as the keeper of a cluster: it is no worker's."""
        _adopt()
        super().__init__(app)

    def setup(self, app: Any) -> None:
        super().setup(app)
        self.log.error_log.addFilter(self._say_why)

    def _say_why(self, record: logging.LogRecord) -> bool:
        """gunicorn takes each SIGKILL for the kernel's."""
        if isinstance(record.args, tuple) and "out of memory" in str(record.msg):
            if record.args[0] in self._killed:
                record.msg = "Worker (pid:%s) did not end by itself: the arbiter sent it %s"
        return True

    def kill_worker(self, pid: int, sig: int) -> None:
        if sig == signal.SIGKILL:
            self._killed.add(pid)
        super().kill_worker(pid, sig)

    def spawn_workers(self) -> None:
        if self._pace is None:
            self._pace = Pace()
        elif self._pace.wait_s:
            if not self._waiting:
                logger.error(
                    "%d workers have died within a minute: the next one begins in %.0f s",
                    MOST + 1,
                    self._pace.wait_s,
                )
            self._waiting = True
            return
        else:
            self._pace.note()
        self._waiting = False
        super().spawn_workers()

    def murder_workers(self) -> None:
        """Once a second."""
        if self._needs is not None and _ended(self._needs):
            raise HaltServer("a process that the server needs has ended", exit_status=1)
        if not self._excuse.holds(self.timeout):
            super().murder_workers()

    def reap_workers(self) -> None:
        before = set(self.WORKERS)
        try:
            super().reap_workers()
        finally:
            if gone := before - set(self.WORKERS):
                self._killed -= gone
                self._end_orphans()

    def stop(self, graceful: bool = True) -> None:
        super().stop(graceful)
        until_s = time.monotonic() + _LAST_LOOK_S
        while (self.WORKERS or self._orphans()) and time.monotonic() < until_s:
            self._end_orphans()
            time.sleep(0.02)
            self.reap_workers()

    def _orphans(self) -> list[int]:
        """Those that have ended too, until they are reaped."""
        known = {*self.WORKERS, *self._own, self.reexec_pid}
        return [pid for pid in _children() if pid not in known]

    def _end_orphans(self) -> None:
        for pid in self._orphans():
            with contextlib.suppress(OSError):
                if os.getpgid(pid) == pid:  # with whatever it has started itself
                    os.killpg(pid, signal.SIGKILL)
                else:
                    os.kill(pid, signal.SIGKILL)


def _adopt() -> None:
    with contextlib.suppress(OSError, AttributeError):  # other systems than Linux have none
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _ended(pid: int) -> bool:
    """Of a child that is reaped as soon as it ends."""
    try:
        os.kill(pid, 0)
    except OSError:
        return True
    return False


def _children() -> Iterator[int]:
    """Of this process."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError, ValueError, IndexError):
            fields = stat.read_text().rpartition(")")[2].split()
            if int(fields[1]) == os.getpid():
                yield int(stat.parent.name)
