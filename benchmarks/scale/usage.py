"""How full each resource of the simulated cluster is."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.scale.outcome import Sample
from benchmarks.scale.replica import FPS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.scale.arrivals import Arrival
    from benchmarks.scale.costs import Costs
    from benchmarks.scale.replica import Machine, Plant

REPORT_S = 1.0
"""Between two reports of a replica to the ledger, and two looks of a web tier at it."""
REQUESTS_S = 0.1
"""Of a session to its web tier, a second: what it is told, and asks."""


class Usage:
    def __init__(self, costs: Costs, plant: Plant, machines: Sequence[Machine]) -> None:
        self._costs, self._plant, self._machines = costs, plant, machines
        self.live = 0
        """Sessions and readers."""
        self._sessions = self._relayed = self._peers = 0
        """Of streams: those whose bytes go through a web tier, and over WebRTC past it."""

    def count(self, arrival: Arrival, more: int) -> None:
        """A stream that began (1) or ended (-1)."""
        peer = arrival.kind == "webrtc"
        self.live += more
        self._sessions += more * (arrival.kind != "reader")
        self._peers += more * peer
        self._relayed += more * (arrival.viewers - peer)

    @property
    def web_cores(self) -> float:
        """Of each web tier."""
        if not self._plant.web_tiers:
            return 0.0
        busy_ms = self._relayed * self._costs.web_ms
        busy_ms += self._sessions * REQUESTS_S * self._costs.web_request_ms
        return busy_ms / 1000.0 / self._plant.web_tiers

    def sample(self, at_s: float, refused: int, firsts_ms: Sequence[float]) -> Sample:
        """``refused`` and ``firsts_ms``: since the last one."""
        plant, costs = self._plant, self._costs
        up = [machine for machine in self._machines if any(r.up for r in machine.replicas)]
        replicas = sum(replica.up for machine in up for replica in machine.replicas)
        machines = max(len(up), 1)
        relayed_mbits = self._relayed * costs.socket_kbits / 1000.0
        peers_mbits = self._peers * costs.webrtc_kbits / 1000.0
        held_mb = [
            sum(costs.replica_mb * r.up + costs.session_mb * len(r.streams) for r in m.replicas)
            for m in up
        ]
        # What a web tier relays comes in and goes out over its line.
        tiers_mbits = 2 * relayed_mbits / plant.web_tiers if plant.web_tiers else 0.0
        return Sample(
            at_s=at_s,
            live=self.live,
            replicas=replicas,
            refused=refused,
            first_p95_ms=float(np.percentile(firsts_ms, 95)) if firsts_ms else math.nan,
            cores=sum(machine.used for machine in up) / (machines * plant.cores),
            frames=self.live * FPS / (plant.model_fps * max(replicas, 1)),
            memory=max(held_mb, default=0.0) / plant.memory_mb,
            network=(relayed_mbits + peers_mbits) / machines / plant.network_mbits,
            web_cores=self.web_cores,
            ledger=(replicas + plant.web_tiers) * costs.report_ms / 1000.0 / REPORT_S,
            web_network=tiers_mbits / plant.network_mbits,
        )
