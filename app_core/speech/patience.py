"""How long a voice may keep a listener waiting."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from app_core.cancel_scope import Stale

FILE_S = 60.0
"""For the next sound of a film that nobody watches while it is made."""
LEAST_S = 1.0
SPARE_S = 0.3
"""After what was said has been heard to its end."""


class Patience:
    """For one piece by one voice. ``stale`` is given to the voice in place of the listener's."""

    def __init__(
        self,
        stale: Stale,
        first_s: float,
        *,
        live: bool,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``first_s``: until the first sound of a live render."""
        self._stale, self._clock, self._live = stale, clock, live
        self._first_s = first_s if live else max(first_s, FILE_S)
        self._began_s, self._said_s = 0.0, 0.0
        self._due_s = float("inf")

    def wait(self) -> None:
        """From now on the voice works."""
        now = self._clock()
        if not self._began_s:
            self._due_s = now + self._first_s
            return
        ahead_s = self._said_s - (now - self._began_s) + SPARE_S if self._live else FILE_S
        self._due_s = now + max(ahead_s, LEAST_S)

    def said(self, seconds: float) -> None:
        """The voice gave so much sound; it does not work now."""
        self._due_s = float("inf")
        self._began_s = self._began_s or self._clock()
        self._said_s += seconds

    @property
    def over(self) -> bool:
        return self._clock() > self._due_s

    def stale(self) -> bool:
        return self._stale() or self.over
