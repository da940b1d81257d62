"""Which replica Ray Serve gives new work to: the one with most slack, as it said itself."""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING, Any

from ray.serve.request_router import RequestRouter

from app_core.cluster.places import place_of

if TYPE_CHECKING:
    from ray.serve.request_router import PendingRequest, ReplicaID, RunningReplica

A_RENDER = 0.05
"""The part of a replica that one new work is taken for."""
KNOWN_S = 1.5
"""From then on what a replica says of itself holds what it was given."""


class SlackRouter(RequestRouter):  # type: ignore[misc]
    """A request's keyword ``avoid`` names places that are not asked."""

    def initialize_state(self, **kwargs: Any) -> None:
        self._given: dict[str, deque[float]] = {}
        """Per replica, when it was given something of late."""

    async def choose_replicas(
        self,
        candidate_replicas: list[RunningReplica],
        pending_request: PendingRequest | None = None,
    ) -> list[list[RunningReplica]]:
        avoid = pending_request.kwargs.get("avoid", ()) if pending_request is not None else ()
        named = {replica.replica_id.unique_id: replica for replica in candidate_replicas}
        self._forget()
        left = {name: r for name, r in named.items() if place_of(name) not in avoid}
        ranked = sorted(left or named, key=lambda name: -self._slack(name, named[name]))
        return [[named[name]] for name in ranked]

    def on_request_routed(
        self, pending_request: PendingRequest, replica_id: ReplicaID, result: object
    ) -> None:
        """Ray may ask for a choice more than once, and tells here what became of it."""
        self._given.setdefault(replica_id.unique_id, deque()).append(time.monotonic())

    def _forget(self) -> None:
        """What is known by now, and replicas with nothing else."""
        now = time.monotonic()
        for name, given in list(self._given.items()):
            while given and now - given[0] > KNOWN_S:
                given.popleft()
            if not given:
                del self._given[name]

    def _slack(self, name: str, replica: RunningReplica) -> float:
        given = self._given.get(name, ())
        stats = replica.routing_stats or {}
        return float(stats.get("slack", 0.0)) - A_RENDER * len(given)
