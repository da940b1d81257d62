"""Which replica Ray Serve gives new work to: the one with most slack, as it said itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ray.serve.request_router import RequestRouter

from app_core.cluster.places import place_of

if TYPE_CHECKING:
    from ray.serve.request_router import PendingRequest, RunningReplica

A_RENDER = 0.05
"""The part of a replica that one new work is taken for, until it has spoken again."""


class SlackRouter(RequestRouter):  # type: ignore[misc]
    """A request's keyword ``avoid`` names places that are not asked."""

    def initialize_state(self, **kwargs: Any) -> None:
        self._given: dict[str, tuple[object, int]] = {}
        """Per replica, what it said last and how much it has been given since."""

    async def choose_replicas(
        self,
        candidate_replicas: list[RunningReplica],
        pending_request: PendingRequest | None = None,
    ) -> list[list[RunningReplica]]:
        avoid = pending_request.kwargs.get("avoid", ()) if pending_request is not None else ()
        named = {replica.replica_id.unique_id: replica for replica in candidate_replicas}
        left = {name: r for name, r in named.items() if place_of(name) not in avoid}
        ranked = sorted(left or named, key=lambda name: -self._slack(name, named[name]))
        if ranked:
            said, count = self._given[ranked[0]]
            self._given[ranked[0]] = said, count + 1
        return [[named[name]] for name in ranked]

    def _slack(self, name: str, replica: RunningReplica) -> float:
        stats = replica.routing_stats or {}
        said = stats.get("said")
        before, count = self._given.get(name, (None, 0))
        if said != before:
            count = 0
        self._given[name] = said, count
        return float(stats.get("slack", 0.0)) - A_RENDER * count
