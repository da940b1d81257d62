"""What the cluster knows of itself: which replicas live, and the films that are being made.

One actor holds it. It forgets everything when its machine is lost, and starts empty elsewhere: the
replicas tell it again once a second. A replica that has said nothing for LOST_S is lost, and its
films are begun elsewhere under their ids.
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from app_core.cluster.film import BEGUN, LATER, TAKEN, begin

if TYPE_CHECKING:
    from collections.abc import Callable

    from app_core.cluster.film import Film
    from app_core.cluster.places import Door

logger = logging.getLogger(__name__)

LOST_S = 3.0
TEND_S = 0.5
LARGEST, MOST = 256 << 20, 10_000
"""Bytes and count of films that are known; what comes beyond is lost with its replica."""
MOST_LOST = 3
"""A film that so many replicas were lost with is not begun again: it may be what ends them."""


@dataclass(frozen=True, slots=True)
class ReplicaReport:
    """What a replica says once a second."""

    place: str
    door: Door
    slack: float
    """The part of it that is free for new work; below 0: none."""
    takes: bool
    """It takes new work."""
    jobs: tuple[str, ...]
    """Ids of those that run."""
    draining: bool = False
    """It ends what it does, and then itself."""
    ended: tuple[str, ...] = ()
    """Films that it has begun and that do not run any more."""


@dataclass(frozen=True, slots=True)
class ClusterView:
    """What a web tier is told."""

    reports: tuple[ReplicaReport, ...]
    moving: tuple[str, ...]
    """Ids of films that are about to be begun elsewhere."""
    whole: bool = True
    """False of a new ledger: replicas that it has not heard yet may live."""
    ending: bool = False
    """The cluster is being stopped: nobody can reach what its replicas do."""

    def after(self, before: ClusterView) -> ClusterView:
        """With those of ``before`` that may live."""
        if self.whole:
            return self
        heard = {report.place for report in self.reports}
        kept = tuple(report for report in before.reports if report.place not in heard)
        return ClusterView(self.reports + kept, self.moving, whole=False)


@dataclass(slots=True)
class _Held:
    film: Film
    place: str
    """Who makes it; empty: nobody now."""
    since_s: float = field(default_factory=lambda: time.monotonic())
    lost: int = 0
    """Replicas that were lost while they made it."""


class Ledger:
    """Thread-safe. ``again(film, job_id, door)`` begins a film, and gives the status."""

    def __init__(self, secret: str, again: Callable[[Film, str, Door, str], int] = begin) -> None:
        self.secret, self._again = secret, again
        self._lock = threading.Lock()
        self._ending = False
        self._heard: dict[str, tuple[float, ReplicaReport]] = {}
        self._films: dict[str, _Held] = {}
        self._bytes = 0
        self._since_s = time.monotonic()

    def report(self, report: ReplicaReport) -> tuple[str, ...]:
        """Those of its jobs of which no film is known: ``begun`` may have been said to another
        ledger."""
        with self._lock:
            self._heard[report.place] = time.monotonic(), report
            for job_id in report.jobs:
                held = self._films.get(job_id)
                if held is not None and not held.place:
                    held.place = report.place
            # A report may be older than a film that it does not name.
            for job_id in report.ended:
                held = self._films.get(job_id)
                if held is not None and held.place == report.place:
                    self._drop(job_id)
            return tuple(set(report.jobs) - self._films.keys())

    def begun(self, job_id: str, film: Film, place: str) -> None:
        with self._lock:
            if len(self._films) < MOST and self._bytes + len(film.body) <= LARGEST:
                before = self._drop(job_id)
                self._films[job_id] = _Held(film, place, lost=before.lost if before else 0)
                self._bytes += len(film.body)

    def left(self, place: str) -> None:
        """It has ended by itself; what it has not done is nobody's."""
        with self._lock:
            self._heard.pop(place, None)
            for held in self._films.values():
                if held.place == place:
                    held.place = ""

    def view(self) -> ClusterView:
        with self._lock:
            living = [report for _, report in self._heard.values()]
            places = {report.place for report in living}
            moving = [i for i, held in self._films.items() if held.place not in places]
        whole = time.monotonic() - self._since_s > LOST_S
        return ClusterView(tuple(living), tuple(moving), whole, self._ending)

    def end(self) -> None:
        """Replicas that are to go need not wait for what they do."""
        self._ending = True

    def tend(self) -> None:
        """Forgets who is silent, and has their films made. Now and then, by one thread."""
        now = time.monotonic()
        with self._lock:
            for place, (heard_s, _) in list(self._heard.items()):
                if now - heard_s > LOST_S:
                    logger.error("replica %s is lost", place)
                    del self._heard[place]
        view = self.view()
        takers = sorted((r for r in view.reports if r.takes), key=lambda r: -r.slack)
        for job_id in view.moving:
            try:
                self._move(job_id, takers)
            except Exception:  # one film's is not the others'
                logger.exception("film %s cannot be begun elsewhere", job_id)

    def _move(self, job_id: str, takers: list[ReplicaReport]) -> None:
        with self._lock:
            held = self._films.get(job_id)
            # Whoever has begun it since lives, though a new ledger may not have heard so.
            if held is None or (held.place and time.monotonic() - held.since_s <= LOST_S):
                return
            if held.place:
                held.place, held.lost = "", held.lost + 1
            if held.lost > MOST_LOST:
                logger.error(
                    "film %s was lost with %d replicas, and is given up", job_id, held.lost
                )
                self._drop(job_id)
                return
        for taker in takers:
            status = self._again(held.film, job_id, taker.door, self.secret)
            if status in LATER:
                continue
            logger.warning("film %s goes on at replica %s: %d", job_id, taker.place, status)
            with self._lock:
                if status in (BEGUN, TAKEN):
                    held.place, held.since_s = taker.place, time.monotonic()
                else:
                    self._drop(job_id)
            return

    def _drop(self, job_id: str) -> _Held | None:
        held = self._films.pop(job_id, None)
        self._bytes -= len(held.film.body) if held else 0
        return held
