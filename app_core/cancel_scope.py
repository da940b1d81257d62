"""How whatever works for a job learns that nobody wants it any more."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from app_core.errors import Cancelled


class CancelScope:
    """A generation counter. Work remembers the number it began with and asks if it is stale.

    Only grows, one integer, so readers need no lock.
    """

    def __init__(self) -> None:
        self.generation = 0
        self._lock = threading.Lock()

    def cancel(self) -> None:
        with self._lock:
            self.generation += 1

    def ticket(self) -> Ticket:
        return Ticket(self, self.generation)


@dataclass(frozen=True, slots=True)
class Ticket:
    scope: CancelScope
    generation: int

    @property
    def stale(self) -> bool:
        return self.scope.generation != self.generation

    def check(self) -> None:
        if self.stale:
            raise Cancelled("The job was cancelled")
