"""The places of a cluster, as a web tier learns them from Ray."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING

import ray
from ray import serve

from app_core.cluster.deployment import NAME, NAMESPACE, LedgerBook
from app_core.cluster.ledger import ClusterView
from app_core.cluster.places import none_there

if TYPE_CHECKING:
    from collections.abc import Collection

    from app_core.cluster.places import Door

logger = logging.getLogger(__name__)

LOOK_S = 0.5
"""Between two looks into the ledger."""
CHOICE_S = 3.0
"""For Ray Serve to choose; then the ledger's word is taken."""
MISSED_S = 5.0


class RayPlaces:
    """Thread-safe. In a process that is connected to Ray."""

    def __init__(self, secret: str, least: int) -> None:
        self.least = least
        self._book = LedgerBook(secret)
        self._handle = serve.get_app_handle(NAME)
        self._view = ClusterView((), ())
        self._missed: dict[str, float] = {}
        self._closing = threading.Event()
        self._look()
        self._looker = threading.Thread(target=self._keep_looking, name="places", daemon=True)
        self._looker.start()

    def doors(self) -> dict[str, Door]:
        now = time.monotonic()
        missed = {place for place, at_s in list(self._missed.items()) if now - at_s < MISSED_S}
        return {r.place: r.door for r in self._view.reports if r.place not in missed}

    def draining(self) -> set[str]:
        return {report.place for report in self._view.reports if report.draining}

    def choose(self, avoid: Collection[str] = ()) -> str:
        doors = self.doors()
        if not set(doors) - set(avoid):
            raise none_there()
        asked = None
        try:
            asked = self._handle.choose.remote(avoid=tuple(avoid))
            place, _ = asked.result(timeout_s=CHOICE_S)
        except Exception as error:
            logger.warning("Ray Serve chooses no replica: %s", type(error).__name__)
            place = ""
            if asked is not None:  # or all that nobody waits for would wait there
                asked.cancel()
        if place in doors and place not in avoid:
            return str(place)
        return self._most_slack(avoid)

    def being_moved(self, job_id: str) -> bool:
        return job_id in self._view.moving

    def expects(self, place: str) -> bool:
        return any(report.place == place for report in self._view.reports)

    def miss(self, place: str) -> None:
        self._missed[place] = time.monotonic()

    def close(self) -> None:
        self._closing.set()
        self._looker.join(2 * LOOK_S)

    def _most_slack(self, avoid: Collection[str]) -> str:
        doors = self.doors()
        left = [r for r in self._view.reports if r.takes and r.place in doors]
        left = [report for report in left if report.place not in avoid]
        if not left:
            raise none_there()
        return max(left, key=lambda report: report.slack).place

    def _look(self) -> None:
        try:
            self._view = self._book.view().after(self._view)
        except Exception as error:
            logger.warning("the ledger does not answer: %s", type(error).__name__)
        known = {report.place for report in self._view.reports}
        for place in self._missed.keys() - known:  # it is gone for good
            self._missed.pop(place, None)

    def _keep_looking(self) -> None:
        while not self._closing.wait(LOOK_S):
            self._look()


def connect(address: str) -> None:
    ray.init(address=address, namespace=NAMESPACE, log_to_driver=False, logging_level="error")


def secret_of() -> str:
    """What the replicas that run know a web tier by; empty: none run."""
    try:
        found: str = serve.get_app_handle(NAME).secret.remote().result(timeout_s=CHOICE_S)
    except Exception:
        return ""
    return found
