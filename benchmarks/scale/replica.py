"""A simulated machine and its replicas: the product's own admission over simulated cores."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from app_core.config import Config
from app_core.engine.capacity import Capacity
from app_core.engine.core_budget import MEMORY, MODEL_SHARE, TRUST, CoreBudget
from app_core.outputs.live.cost import weight
from app_core.services.admission import SHORT_CORE_S
from app_core.services.live.sessions import MARGIN

if TYPE_CHECKING:
    from benchmarks.scale.arrivals import Arrival
    from benchmarks.scale.costs import Costs

FPS = 25
SIZE = (512, 512)
_DEFAULTS = Config.model_fields


@dataclass(frozen=True, slots=True)
class Plant:
    """What there is."""

    machines: int = 1
    cores: int = 2
    """Of a machine."""
    replicas: int = 1
    """On a machine; each sees all of its cores, and what the others take of them."""
    model_fps: float = math.inf
    """Frames a second that the device of a replica draws."""
    memory_mb: float = 4096.0
    """Of a machine."""
    network_mbits: float = 1000.0
    """Of a machine; of a web tier too."""
    web_tiers: int = 0
    """Each is one process with one interpreter: one core. 0: clients come to the replicas."""
    share: float = _DEFAULTS["cpu_share"].default
    most_sessions: int = _DEFAULTS["max_sessions"].default
    most_jobs: int = _DEFAULTS["max_jobs"].default


class _SimulatedCores(CoreBudget):
    """That is told what the kernel would tell."""

    def see(self, spent: float, predicted: float, others: float) -> None:
        """Cores that its streams and those that others take, as after some windows of that load;
        ``predicted``: before ``factor``."""
        lasting = 1.0 / (1.0 - MEMORY)
        self._factor = (lasting * spent + TRUST * self._trial) / (lasting * predicted + TRUST)
        self._others = others

    def _measure(self) -> None:
        """Not the machine that the simulation runs on."""


RECENT_S = 1.0 / (1.0 - MEMORY)
"""How long a budget counts on what was spent once: its looks are a second apart."""


@dataclass(slots=True)
class Machine:
    plant: Plant
    costs: Costs
    clock: Callable[[], float]
    """Seconds of the simulation."""
    replicas: list[Replica] = field(default_factory=list)
    streams_s: float = 0.0
    """Cores that the streams of its replicas take."""
    streams: int = 0
    films: int = 0
    _once: float = 0.0
    _at_s: float = 0.0

    def spend(self, core_ms: float) -> None:
        """Once: for a session that begins, or is turned away."""
        self._once, self._at_s = self.once + core_ms / 1000.0 / RECENT_S, self.clock()

    @property
    def once(self) -> float:
        """Cores that such work took a moment ago, as budgets remember it."""
        return self._once * math.exp((self._at_s - self.clock()) / RECENT_S)

    @property
    def used(self) -> float:
        """Cores that are busy with what cannot wait: films take what is left."""
        beside_ms = self.costs.background_ms + self.streams * self.costs.client_ms
        return self.streams_s + self.once + beside_ms / 1000.0

    @property
    def left(self) -> float:
        """Cores for one film more."""
        return max(0.05, (self.plant.cores - self.used) / (self.films + 1))

    def refresh(self) -> None:
        for replica in self.replicas:
            replica.see()


class Replica:
    """Of one model at one size. ``number`` is its place."""

    def __init__(self, number: int, machine: Machine) -> None:
        self.number, self.machine = number, machine
        self.up = self.draining = False
        self._costs, self._plant = machine.costs, machine.plant
        self._fresh()
        machine.replicas.append(self)

    def _fresh(self) -> None:
        plant, costs = self._plant, self._costs
        base_ms = Capacity(1.0, 1.0).frame_ms(*SIZE)
        self._cores = _SimulatedCores(plant.share, plant.cores, costs.frame_ms / base_ms)
        self.capacity = Capacity(plant.share, budget=self._cores)
        self.capacity.calibrate(costs.frame_ms, *SIZE, model_fps=plant.model_fps)
        self._unit = base_ms * FPS / 1000.0
        self.streams: dict[str, tuple[Arrival, float, float]] = {}
        """What each is, the cores that it takes and its weight."""
        self.films: set[str] = set()
        self._sessions = 0
        self._spent = self._units = 0.0
        self.slack = 0.0

    @property
    def open(self) -> bool:
        """To new work."""
        return self.up and not self.draining

    @property
    def busy(self) -> int:
        return len(self.streams) + len(self.films)

    def start(self) -> None:
        self.up, self.draining = True, False
        self.see()

    def stop(self) -> list[str]:
        """Those that were on it."""
        lost = [*self.streams, *self.films]
        for name in lost:
            self.leave(name)
        self._fresh()
        self.up = self.draining = False
        return lost

    def admit(self, name: str, arrival: Arrival) -> str:
        """Takes it in, or what there was too little of. As the service does it: a session that is
        let in is weighed once somebody looks."""
        if arrival.kind == "film":
            return self._admit_film(name, arrival)
        session = arrival.kind != "reader"
        jobs = len(self.streams) - self._sessions + len(self.films)
        if session and self._sessions >= self._plant.most_sessions:
            return "MAX_SESSIONS"
        if not session and jobs >= self._plant.most_jobs:
            return "MAX_JOBS"
        margin = MARGIN if session else 1.0
        if not self.capacity.admit(name, *SIZE, FPS, margin):
            frames = (len(self.streams) + 1) * FPS / self._plant.model_fps
            return "model frames" if frames > MODEL_SHARE else "cores"
        heavy = weight(looking(arrival)) if session else 1.0
        if not self.capacity.weigh(name, heavy):
            self.capacity.release(name)
            return "cores"
        self._sessions += session
        self._take(name, arrival, cores(self._costs, arrival), heavy)
        return ""

    def fall_silent(self, name: str) -> None:
        arrival, before, heavy = self.streams[name]
        self._take(name, arrival, cores(self._costs, arrival, speaks=False) - before, 0.0)
        self.streams[name] = (arrival, cores(self._costs, arrival, speaks=False), heavy)

    def leave(self, name: str) -> None:
        if name in self.films:
            self.films.discard(name)
            self.machine.films -= 1
            return
        arrival, taken, heavy = self.streams.pop(name)
        self.capacity.release(name)
        self._sessions -= arrival.kind != "reader"
        self.machine.streams -= 1
        self._count(-taken, -heavy)

    def see(self) -> None:
        """Looks at the cores again."""
        others = max(0.0, self.machine.used - self._spent)
        self._cores.see(self._spent, self._units, others)
        account = self._cores.account()
        self.slack = self._plant.share * self._plant.cores - account.others - account.load

    def _admit_film(self, name: str, arrival: Arrival) -> str:
        places = max(2, 2 * self._plant.cores)
        if arrival.length_s * self._costs.film_ms / 1000.0 <= SHORT_CORE_S:
            places += places // 2
        if len(self.films) >= places:
            return "places for films"
        self.films.add(name)
        self.machine.films += 1
        return ""

    def _take(self, name: str, arrival: Arrival, more: float, heavy: float) -> None:
        if name not in self.streams:
            self.streams[name] = (arrival, more, heavy)
            self.machine.streams += 1
        self._count(more, heavy)

    def _count(self, more: float, heavy: float) -> None:
        self._spent = max(0.0, self._spent + more)
        self._units = max(0.0, self._units + heavy * self._unit)
        self.machine.streams_s = max(0.0, self.machine.streams_s + more)
        self.machine.refresh()


def looking(arrival: Arrival) -> list[tuple[str, str]]:
    """Codecs of each viewer of a session."""
    first = ("h264", "opus") if arrival.kind == "webrtc" else ("jpeg", "pcm")
    return [first, *[("jpeg", "pcm")] * (arrival.viewers - 1)]


def cores(costs: Costs, arrival: Arrival, *, speaks: bool = True) -> float:
    """That a stream takes."""
    if arrival.kind == "reader":
        return costs.reader_ms / 1000.0
    alone_ms = costs.webrtc_ms if arrival.kind == "webrtc" else costs.speaking_ms
    silent_ms = 0.0 if speaks else costs.speaking_ms - costs.idle_ms
    return (alone_ms - silent_ms + (arrival.viewers - 1) * costs.viewer_ms) / 1000.0
