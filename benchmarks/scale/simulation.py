"""The cluster as discrete events: who comes, where it is put, how long it waits, and what breaks.

New work goes to the replica with most room by what each reported last (and by what was sent there
since); one that is full is tried elsewhere, three in all; then the client is told 503, comes
again after Retry-After, and gives up after ``patience`` times. A replica that dies ends its
streams, whose clients come again for the rest, and its films, which are made again. Replicas are
started where ongoing work has been more than ``target`` of what those that are up hold for half a
minute, and drained where it has been less for ten: they take nothing new and end when empty.

A first picture takes what it took on a quiet server (one of the measured sample), and longer as the
cores of its machine are shared: as was measured beside streams, else as all work that shares them
(``waiting.stretch``); through a web tier the same of its hop on the tier's one core. Cores fill up
smoothly: single frames are not late here.
"""

from __future__ import annotations

import heapq
import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.scale.autoscaler import LOOK_S, Autoscaler
from benchmarks.scale.outcome import Outcome
from benchmarks.scale.replica import Machine, Plant, Replica, cores
from benchmarks.scale.router import Router
from benchmarks.scale.usage import REPORT_S, Usage
from benchmarks.scale.waiting import stretch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from benchmarks.scale.arrivals import Arrival
    from benchmarks.scale.costs import Costs

SAMPLE_S = 10.0


@dataclass(frozen=True, slots=True)
class Rules:
    patience: int = 3
    """Times that a client asks in all."""
    retry_s: float = 5.0
    report_s: float = REPORT_S
    """Between two reports of a replica; 0: its room is always known."""
    least: int = 0
    """Replicas that are up at least, when the cluster scales; 0: all are up from the beginning."""
    target: float = 0.8
    """Part of the room that ongoing work may take before more replicas are started."""


@dataclass(slots=True, eq=False)
class Client:
    name: str
    arrival: Arrival
    left_s: float
    asked: int = 0
    replica: Replica | None = None
    began_s: float = 0.0
    until_s: float = 0.0


class Simulation:
    def __init__(
        self, costs: Costs, plant: Plant, rules: Rules | None = None, seed: int = 0
    ) -> None:
        self._costs, self._plant, self._rules = costs, plant, rules or Rules()
        self._random = np.random.default_rng(seed)
        self._events: list[tuple[float, int, Callable[..., None], tuple[Any, ...]]] = []
        self._ties = itertools.count()
        self.now_s = 0.0
        self.machines = [Machine(plant, costs, lambda: self.now_s) for _ in range(plant.machines)]
        # Neighbours in the order of starting stand on different machines.
        self.replicas = [
            Replica(level * plant.machines + at, machine)
            for level in range(plant.replicas)
            for at, machine in enumerate(self.machines)
        ]
        self._router = Router(self.replicas, live=not self._rules.report_s)
        fits = plant.share * plant.cores * 1000.0 / costs.speaking_ms / plant.replicas
        self._autoscaler = Autoscaler(
            self._rules.least, len(self.replicas), self._rules.target * fits
        )
        self._clients: dict[str, Client] = {}
        self._usage = Usage(costs, plant, self.machines)
        self._coming: set[Replica] = set()
        self.outcome = Outcome()
        self._refused_before = 0
        self._firsts: list[float] = []

    def run(self, arrivals: Iterable[Arrival], deaths_s: Iterable[float] = ()) -> Outcome:
        """Until the last has left. ``deaths_s``: when some replica is killed."""
        for replica in self.replicas[: self._rules.least or len(self.replicas)]:
            self._start(replica)
        count = 0
        for count, arrival in enumerate(arrivals, 1):
            client = Client(str(count), arrival, arrival.length_s)
            self._at(arrival.at_s, self._come, client)
        for at_s in deaths_s:
            self._at(at_s, self._kill)
        self.outcome.came = self._expected = count
        if self._rules.report_s:
            self._at(self._rules.report_s, self._report)
        self._at(SAMPLE_S, self._sample)
        if self._rules.least:
            self._at(LOOK_S, self._scale)
        while self._events and self._expected:
            self.now_s, _, act, about = heapq.heappop(self._events)
            act(*about)
        return self.outcome

    def _at(self, at_s: float, act: Callable[..., None], *about: Any) -> None:
        heapq.heappush(self._events, (at_s, next(self._ties), act, about))

    # Clients

    def _come(self, client: Client) -> None:
        client.asked += 1
        why = self._place(client)
        if not why:
            return
        if why == "cores" and not all(replica.up for replica in self.replicas):
            why = "replicas that are up"
        self.outcome.refuse(why, self.now_s, self._usage.live)
        if client.asked >= self._rules.patience:
            self.outcome.gave_up += 1
            self._expected -= 1
        else:
            self._at(self.now_s + self._rules.retry_s, self._come, client)

    def _place(self, client: Client) -> str:
        """Where there is most room; else why there is none."""
        why, tried = "replicas", list[Replica]()
        for replica in self._router.choices(film=client.arrival.kind == "film"):
            why = replica.admit(client.name, client.arrival)
            if not why:
                self._begin(client, replica)
                return why
            tried.append(replica)
            self._router.refused(replica)
        for replica in tried:
            replica.machine.spend(self._costs.refusal_ms / len(tried))
            self.outcome.core_s += self._costs.refusal_ms / len(tried) / 1000.0
        return why

    def _begin(self, client: Client, replica: Replica) -> None:
        client.replica = replica
        arrival, machine = client.arrival, replica.machine
        self._clients[client.name] = client
        if arrival.kind == "film":
            long_s = arrival.length_s * self._costs.film_ms / 1000.0 / machine.left
        else:
            long_s = client.left_s
            self._usage.count(arrival, 1)
            machine.spend(self._costs.open_ms * (arrival.kind != "reader"))
            self._firsts.append(self._first_ms(arrival, machine))
            self.outcome.first_ms[arrival.kind].append(self._firsts[-1])
            if arrival.kind != "reader" and arrival.speaking < 1:
                spoken_s = arrival.speaking * arrival.length_s - (arrival.length_s - client.left_s)
                self._at(self.now_s + max(0.0, spoken_s), self._fall_silent, client, replica)
        self._router.learn(replica)
        client.began_s, client.until_s = self.now_s, self.now_s + long_s
        self._at(client.until_s, self._leave, client, replica)

    def _fall_silent(self, client: Client, replica: Replica) -> None:
        if client.replica is replica:
            replica.fall_silent(client.name)
            self._router.learn(replica)

    def _leave(self, client: Client, replica: Replica) -> None:
        if client.replica is not replica or client.until_s > self.now_s:
            return  # it was cut, and is elsewhere by now
        replica.leave(client.name)
        self._gone(client)
        self.outcome.served += 1
        self._expected -= 1
        if replica.draining and not replica.busy:
            self._end(replica)
        else:
            self._router.learn(replica)

    def _gone(self, client: Client) -> None:
        del self._clients[client.name]
        client.replica = None
        arrival = client.arrival
        if arrival.kind == "film":
            return
        self._usage.count(arrival, -1)
        stayed_s = self.now_s - client.began_s
        spoken_s = arrival.speaking * arrival.length_s - (arrival.length_s - client.left_s)
        spoken_s = min(max(0.0, spoken_s), stayed_s)
        spent_s = spoken_s * cores(self._costs, arrival)
        spent_s += (stayed_s - spoken_s) * cores(self._costs, arrival, speaks=False)
        self.outcome.live_s += stayed_s
        self.outcome.core_s += spent_s + self._costs.open_ms * (arrival.kind != "reader") / 1000.0

    def _first_ms(self, arrival: Arrival, machine: Machine) -> float:
        costs = self._costs
        quiet = costs.first_reader_ms if arrival.kind == "reader" else costs.first_session_ms
        alone_ms = quiet[int(self._random.integers(len(quiet)))]
        beside = max(0.0, machine.used - cores(costs, arrival))
        times = costs.slowed(arrival.kind, beside)
        first = alone_ms * (times or stretch(self._plant.cores, round(beside, 2)))
        if self._plant.web_tiers:
            first += costs.web_hop_ms * stretch(1, round(self._usage.web_cores, 2))
        return first

    # Replicas

    def _bring(self, replica: Replica) -> None:
        self._coming.add(replica)
        self._at(self.now_s + self._costs.start_s, self._start, replica)

    def _start(self, replica: Replica) -> None:
        self._coming.discard(replica)
        replica.start()
        self._router.learn(replica)

    def _report(self) -> None:
        self._router.report()
        self._at(self.now_s + self._rules.report_s, self._report)

    def _kill(self) -> None:
        up = [replica for replica in self.replicas if replica.up]
        if not up:
            return
        replica = up[int(self._random.integers(len(up)))]
        self.outcome.deaths += 1
        draining = replica.draining
        for name in replica.stop():
            client = self._clients[name]
            self._gone(client)
            self.outcome.cut += 1
            if client.arrival.kind != "film":
                client.left_s = max(0.0, client.until_s - self.now_s)
            client.asked = 0
            self._at(self.now_s, self._come, client)
        self._router.learn(replica)
        if not draining:
            self._bring(replica)

    def _end(self, replica: Replica) -> None:
        replica.stop()
        self._router.learn(replica)

    def _scale(self) -> None:
        up = [replica for replica in self.replicas if replica.open]
        there = len(up) + len(self._coming)
        more = self._autoscaler.more(self.now_s, len(self._clients), there)
        down = [each for each in self.replicas if not (each.up or each in self._coming)]
        for replica in down[: max(more, 0)]:
            self._bring(replica)
        for replica in sorted(up, key=lambda each: each.busy)[: max(-more, 0)]:
            replica.draining = True
            self._router.learn(replica)
            if not replica.busy:
                self._end(replica)
        self._at(self.now_s + LOOK_S, self._scale)

    def _sample(self) -> None:
        refused, self._refused_before = self._refused_before, self.outcome.refused
        refused = self.outcome.refused - refused
        self.outcome.note(self._usage.sample(self.now_s, refused, self._firsts))
        self._firsts.clear()
        self._at(self.now_s + SAMPLE_S, self._sample)
