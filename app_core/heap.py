"""The C heap of the process: how many parts it has, and giving back what is free in it.

glibc makes up to eight arenas a core for threads to allocate from, and each of them holds on to
what it was once. A server with a thread for each reader then holds several times what it needs.
Other C libraries and other systems have nothing of the kind: there nothing happens.
"""

from __future__ import annotations

import ctypes
import gc
import logging
import os
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

logger = logging.getLogger(__name__)

_ARENA_MAX = -8
"""The number in malloc.h for mallopt(3). Its thresholds are left alone: one that is set is fixed,
and with a fixed one speech began 3 ms later, for pages that were given back and faulted in anew."""
ARENAS = 2
QUIET_S = 3.0
"""From the last sign of work to the trim."""
LATEST_S = 60.0
"""From the first sign to the trim of a server that is never quiet, once nothing live runs."""
GROWN = 32 << 20
"""Bytes that the process has grown by since the last trim, before the next is worth it: what is
given back is faulted in anew by the next render, which begins up to 6 ms later for that."""


def _glibc() -> Any:
    """The C library when it is glibc, else None."""
    try:
        library = ctypes.CDLL(None)
        return library if hasattr(library, "gnu_get_libc_version") else None
    except OSError:
        return None


def bound_arenas() -> bool:
    """Before there are threads, once a process. What the environment says of it stays.

    False when this system has no arenas, or when they were bounded by whoever started us.
    """
    library = _glibc()
    if library is None or any(name.startswith("MALLOC_") for name in os.environ):
        return False
    if "glibc.malloc" in os.environ.get("GLIBC_TUNABLES", ""):
        return False
    return bool(library.mallopt(_ARENA_MAX, ARENAS))


def resident() -> int:
    """Bytes of memory that this process has now; Linux alone says so."""
    fields = Path("/proc/self/statm").read_text().split()
    return int(fields[1]) * os.sysconf("SC_PAGE_SIZE")


class Trimmer:
    """Gives free memory back when work has ended and there is much of it. Thread-safe.

    First what only cycles of references still hold. A trim of a gigabyte takes 50 ms, in which
    whoever allocates waits: it is done when nothing runs, in a thread of its own.
    """

    def __init__(self, busy: Callable[[], bool]) -> None:
        """``busy``: something runs that must not wait."""
        library = _glibc()
        self._trim: Callable[[int], int] | None = library and library.malloc_trim
        self._busy = busy
        self._wanted, self._closing = threading.Event(), threading.Event()
        self._gone, self._left = False, 0
        self._thread = threading.Thread(target=self._run, name="trimmer", daemon=True)

    def start(self) -> None:
        if self._trim is not None:
            self._thread.start()

    def ask(self, gone: bool = False) -> None:
        """Work has ended; ``gone``: something large has been let go."""
        self._gone = self._gone or gone
        self._wanted.set()

    def close(self) -> None:
        self._closing.set()
        self._wanted.set()
        if self._thread.is_alive():
            self._thread.join(5.0)

    def _run(self) -> None:
        assert self._trim is not None
        while self._wanted.wait() and self._wait_for_quiet():
            gone, self._gone = self._gone, False
            if not gone and resident() < self._left + GROWN:
                continue
            began = time.perf_counter()
            gc.collect()
            self._trim(0)
            self._left = resident()
            logger.debug("trimmed in %.1f ms", (time.perf_counter() - began) * 1000)

    def _wait_for_quiet(self) -> bool:
        """Until nobody has asked for QUIET_S. False at the end."""
        latest = time.monotonic() + LATEST_S
        while True:
            self._wanted.clear()
            if self._closing.wait(QUIET_S):
                return False
            asked = self._wanted.is_set() and time.monotonic() < latest
            if not asked and not self._busy():
                return True
