"""Where new work goes: to the replica with most room, as the web tiers know it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from benchmarks.scale.replica import Replica

TRIES = 3
_MANY = 1000.0
"""Cores, more than there are room for: films go where there are fewest."""


class Router:
    """``live``: it knows at every moment how much room there is. Otherwise it knows what was
    reported last, less what was put there since."""

    def __init__(self, replicas: Sequence[Replica], *, live: bool) -> None:
        self._replicas, self._live = replicas, live
        self._room = np.full(len(replicas), -np.inf)
        self._films = np.zeros(len(replicas))

    def choices(self, *, film: bool) -> Iterator[Replica]:
        """The best first, ``TRIES`` at most."""
        room = self._room - _MANY * self._films if film else self._room.copy()
        for _ in range(TRIES):
            at = int(np.argmax(room))
            if not math.isfinite(room[at]):
                return
            yield self._replicas[at]
            room[at] = -np.inf

    def refused(self, replica: Replica) -> None:
        """It was full."""
        self._room[replica.number] = min(self._room[replica.number], 0.0)

    def learn(self, replica: Replica) -> None:
        """Something began, changed or ended there."""
        number, known = replica.number, self._room[replica.number]
        self._films[number] = len(replica.films)
        if self._live:
            for other in replica.machine.replicas:
                self._room[other.number] = _room(other)
        elif math.isfinite(known) and replica.open:
            self._room[number] = min(known, replica.slack)
        else:
            self._room[number] = _room(replica)

    def report(self) -> None:
        self._room[:] = [_room(replica) for replica in self._replicas]


def _room(replica: Replica) -> float:
    return replica.slack if replica.open else -np.inf
