"""One replica: a service with the same routes as a server of its own, at a door for web tiers."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING

from app_core import create_app
from app_core.cluster.behind import Behind
from app_core.cluster.ledger import ClusterView, ReplicaReport
from app_core.cluster.places import Door
from app_core.errors import SoyleError
from app_core.heap import bound_arenas
from app_core.server.door import DoorServer
from app_core.server.limits import Limits, threads_for
from app_core.services.lipsync_service import LipsyncService
from app_core.threads import switch_often

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    from app_core.cluster.film import Film
    from app_core.config import Config

    class Book(Protocol):
        """The ledger, as a replica has it. Each call may fail with any error."""

        def report(self, report: ReplicaReport) -> tuple[str, ...]: ...

        def begun(self, job_id: str, film: Film, place: str) -> None: ...

        def left(self, place: str) -> None: ...

        def view(self) -> ClusterView: ...


logger = logging.getLogger(__name__)

REPORT_S = 1.0
DRAIN_LOOK_S = 0.5
LIVE_CORES = 0.1
"""What a live render counts as at least."""
FILE_CORES = 0.5
"""What a film that runs counts as, for where new work goes: it takes what there is."""


class Replica:
    """Of the place that ``config`` names. ``service`` is used in place of a new one, and started
    already."""

    def __init__(
        self,
        config: Config,
        host: str,
        secret: str,
        book: Book,
        service: LipsyncService | None = None,
    ) -> None:
        bound_arenas()
        switch_often()
        self.place, self._book = config.place, book
        self._films: dict[str, Film] = {}
        self._lock = threading.Lock()
        """Of ``_films``."""
        self._draining = threading.Event()
        self._ending = threading.Event()
        self.service = service or LipsyncService(config)
        if service is None:
            self.service.start()
        app = create_app(config, self.service)
        behind = Behind(app, self.service, secret, self._begun, self._draining.is_set)
        limits = Limits(threads_for(config), send_s=config.send_timeout_s, idle_s=1.0)
        count = self.service.metrics.request
        self._server = DoorServer(host, behind, limits, count)
        self.door = Door(host, self._server.port)
        self._server.start()
        self._reporter = threading.Thread(target=self._report, name="report", daemon=True)
        self._reporter.start()

    @property
    def slack(self) -> float:
        """The part of it that new work would find: 1, all, down to 0; below that it is full by what
        other programs take, of which each replica of one machine has its own view."""
        mine, others, cores = self._needs()
        free = 1.0 - mine / cores
        return free if free * cores - others > LIVE_CORES else free - 1.0

    @property
    def load(self) -> float:
        """Of the cores that there are for it, the part that is taken; over 1 with films that
        wait."""
        mine, others, cores = self._needs()
        return (mine + others) / cores

    def _needs(self) -> tuple[float, float, float]:
        """What its own renders and what others take, and what there is: cores."""
        seen, service = self.service.capacity.snapshot(), self.service
        files = sum(not job.live for job in service.jobs.running())
        mine = max(seen.load, LIVE_CORES * seen.live) + FILE_CORES * files
        return mine, seen.others, max(service.config.cpu_share * seen.cores, 0.01)

    def check(self) -> None:
        """Raises SoyleError where the process is to be replaced."""
        why = self.service.vigil.verdict()
        if not why and not self._server.alive:
            why = "the door's thread has ended"
        if why:
            raise SoyleError(why)

    def drain(self, most_s: float) -> None:
        """Takes nothing new, and waits for what it does."""
        self._draining.set()
        until_s = time.monotonic() + most_s
        while time.monotonic() < until_s and self._busy() and not self._hurried():
            time.sleep(DRAIN_LOOK_S)

    def close(self) -> None:
        self._ending.set()
        self._reporter.join(2 * REPORT_S)
        self.service.close()
        self._server.close()
        self._try(lambda: self._book.left(self.place))

    def _hurried(self) -> bool:
        try:
            return self._book.view().ending
        except Exception as error:
            logger.warning("the ledger does not answer: %s", type(error).__name__)
            return False

    def _busy(self) -> bool:
        service = self.service
        imports = any(not item.ended.is_set() for item in service.avatars.imports.all())
        does = bool(service.jobs.running() or len(service.sessions.registry))
        return does or imports or self._server.answering

    def _begun(self, job_id: str, film: Film) -> None:
        """Before its client is told, so that whoever is told may rely on it. Its end is told after
        its beginning."""
        self._try(lambda: self._book.begun(job_id, film, self.place))
        with self._lock:
            self._films[job_id] = film

    def _report(self) -> None:
        while True:
            self._try(self.tell)
            if self._ending.wait(REPORT_S):
                return

    def tell(self) -> None:
        """The ledger, what there is to know. Raises what that does."""
        with self._lock:
            running = tuple(job.id for job in self.service.jobs.running())
            films = dict(self._films)
        ended = tuple(films.keys() - running)
        ready = self.service.backend.condition()[0] in ("ready", "degraded")
        draining = self._draining.is_set()
        takes = ready and not draining
        report = ReplicaReport(self.place, self.door, self.slack, takes, running, draining, ended)
        for job_id in self._book.report(report):
            if job_id in films:
                self._book.begun(job_id, films[job_id], self.place)
        with self._lock:
            for job_id in ended:
                self._films.pop(job_id, None)

    def _try(self, tell: Callable[[], object]) -> None:
        try:
            tell()
        except Exception as error:
            logger.warning("the ledger does not listen: %s", type(error).__name__)
