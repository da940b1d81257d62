"""How whatever works for a job learns that nobody wants it any more."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from app_core.errors import Cancelled

Stale = Callable[[], bool]
"""Of work: whether nobody wants it any more. Quick, from any thread."""
Gone = Callable[[], bool]
"""Of a reader: whether it has left. Quick, from any thread."""


def never() -> bool:
    """Of work that is always wanted, of a reader that stays and has room."""
    return False


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
