"""The time that a session goes by. Tests have one of their own."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import threading

LONGEST_S = 1.0
"""Between two looks at the time, which may have been stopped with the machine."""


class Clock(Protocol):
    def now(self) -> float:
        """Seconds; only grows."""

    def wait_until(self, time_s: float, closing: threading.Event) -> None:
        """Returns at that time, or as soon as ``closing`` is set."""


class SystemClock:
    def now(self) -> float:
        return time.monotonic()

    def wait_until(self, time_s: float, closing: threading.Event) -> None:
        while (left := time_s - time.monotonic()) > 0:
            if closing.wait(min(left, LONGEST_S)):
                return
