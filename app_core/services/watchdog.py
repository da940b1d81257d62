"""A thread that looks after what nobody asks about."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app_core.errors import Cancelled
from app_core.threads import Pulse

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

logger = logging.getLogger(__name__)

LOOK_S = 1.0
ALLOWED_S = 120.0
"""For one duty, or from one ``check`` in it to the next: to end a render writes up to an hour of
sound, and there may be some."""
_JOIN_S = 5.0


@dataclass(frozen=True, slots=True)
class Duty:
    call: Callable[[], None]
    every_s: float


class Watchdog:
    """Does each duty about every ``every_s`` seconds. One that fails is done again next time, and
    keeps no other from being done; one that takes long does, so it has a watchdog of its own, and
    asks ``check``.
    """

    def __init__(
        self,
        duties: Sequence[Duty] = (),
        clock: Callable[[], float] = time.monotonic,
        *,
        name: str = "watchdog",
    ) -> None:
        self._clock = clock
        self._done_s = {duty: clock() for duty in duties}
        self._closing = threading.Event()
        self.pulse = Pulse(name, ALLOWED_S)
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def add(self, *duties: Duty) -> None:
        """Before the start."""
        self._done_s |= {duty: self._clock() for duty in duties}

    def start(self) -> None:
        """Raises Busy when no thread is left."""
        self.pulse.start(self._thread)

    def check(self) -> None:
        """Raises Cancelled when this has been closed."""
        self.pulse.beat()
        if self._closing.is_set():
            raise Cancelled("The server is stopping")

    def close(self, wait_s: float = _JOIN_S) -> None:
        self._closing.set()
        if self._thread.is_alive():
            self._thread.join(wait_s)

    def look(self) -> None:
        """Does what is due."""
        for duty in self._done_s:
            if self._clock() - self._done_s[duty] < duty.every_s:
                continue
            self._done_s[duty] = self._clock()
            self.pulse.begin("a duty")
            try:
                duty.call()
            except Cancelled:
                return
            except Exception:
                logger.exception("the watchdog failed at one of its duties")

    def _run(self) -> None:
        wait_s = min([LOOK_S, *(duty.every_s for duty in self._done_s)])
        while not self._closing.wait(wait_s):
            self.pulse.begin("looking")
            self.look()
        self.pulse.end()
