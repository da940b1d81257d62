"""The cores of this machine and what the live renders of all its models need of them.

Needs are predicted, in core seconds before ``factor``; that follows the processor time that this
process really spent on the frames it delivered. What other programs take of our cores is read
from the kernel.
"""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from app_core.cores import Cores
from app_core.errors import TooMany
from app_core.metrics import LATE_S

if TYPE_CHECKING:
    from collections.abc import Iterable

MODEL_SHARE = 0.9
"""Of the frames that a model draws in a second, those that live renders may ask for."""
WINDOW_S = 1.0
"""Between two looks at what was spent."""
MEMORY = 0.8
"""Part of the past that counts on at each look."""
TRUST = 0.5
"""Weight of the trial at the start, in predicted core seconds."""
LATE_SHARE = 0.01
"""No new live render while more than this part of the last frames was late."""
RECENT_FRAMES, RECENT_S = 500, 5.0
"""The last frames are no more than so many, and none is older."""
FEW = 2
"""Late ones that say nothing."""
RETRY_S = 5
TIGHT_S = 0.010
"""File renders pause while live frames are ready less than this before their time."""


@dataclass(frozen=True, slots=True)
class Demand:
    """What a live render needs."""

    cores: float
    """Predicted, before ``factor``."""
    fps: int
    model: object
    """On its device, whose frames these are: compared by identity."""
    kin: object
    """The same of all devices that the model is on."""
    weight: float = 1.0
    """Times ``cores``: what became of it since it was let in."""
    owner: str = ""
    """The client that it is for; empty: this program."""
    halved: bool = False
    """Its owner may have no more than half of what there is room for."""


@dataclass(frozen=True, slots=True)
class Account:
    live: int
    """Live renders of all models."""
    load: float
    """Cores that they need."""
    others: float
    """Of our cores, those that other programs take."""
    factor: float
    late: float
    """Of the last live frames, 0..1: those that left over 40 ms after their time."""


class CoreBudget:
    """Thread-safe. ``share``: the part of the cores that live renders may fill, 0..1."""

    def __init__(self, share: float, cores: float | None = None, factor: float = 1.0) -> None:
        self._own = Cores()
        self.cores = cores or self._own.count
        self.share = share
        self._trial = self._factor = factor
        self._spent_s = self._predicted_s = 0.0
        self._lock = threading.Lock()
        self._live: dict[str, Demand] = {}
        self._units = 0.0
        self._others = 0.0
        self._lateness: deque[tuple[float, bool]] = deque(maxlen=RECENT_FRAMES)
        """Of the last live frames, when each came and whether it was late."""
        self._tight_until = 0.0
        self._window = (time.monotonic(), time.process_time(), self._own.usage(), 0.0)

    @property
    def trial(self) -> float:
        """``factor`` as ``calibrate`` set it."""
        return self._trial

    def calibrate(self, factor: float) -> None:
        self._trial = self._factor = factor
        self._spent_s = self._predicted_s = 0.0

    def admit(self, job_id: str, demand: Demand, model_fps: float, kin_fps: float) -> bool:
        """Takes a live render in, if it fits; its model draws ``model_fps`` on its device and
        ``kin_fps`` on all. The first always does. Raises TooMany where one that is ``halved`` would
        be too much beside its owner's others."""
        with self._lock:
            self._measure()
            self._check_half(demand, kin_fps)
            late, frames = self._late()
            too_late = late > max(LATE_SHARE * frames, FEW)
            if self._live and (not self._fits(demand, model_fps) or too_late):
                return False
            self._live[job_id] = demand
            return True

    def fits(self, demand: Demand, model_fps: float) -> bool:
        """Whether there is room beside the others, also for the first one."""
        with self._lock:
            self._measure()
            return self._fits(demand, model_fps)

    def weigh(self, job_id: str, weight: float) -> bool:
        """It costs ``weight`` times what it did at first. False, and nothing changes, for one that
        grows and does not fit; one that is alone always does. Raises TooMany as ``admit``."""
        with self._lock:
            self._measure()
            demand = self._live.get(job_id)
            if demand is None:
                return True
            more = (weight - demand.weight) * demand.cores
            grown = replace(demand, weight=weight)
            if more > 0:
                self._check_half(grown, math.inf, job_id)
                if len(self._live) > 1 and not self._has_cores(more):
                    return False
            self._live[job_id] = grown
            return True

    def frames(self, model: object) -> int:
        """A second, that the live renders ask of a model on its device."""
        with self._lock:
            return self._frames_of(model)

    def release(self, job_id: str) -> None:
        with self._lock:
            self._live.pop(job_id, None)
            if not self._live:
                self._lateness.clear()

    def delivered(self, core_s: float, slack_s: float | None) -> None:
        """Counts a frame of ``core_s`` predicted core seconds. ``slack_s``: how long before its
        time a live frame was ready."""
        with self._lock:
            self._units += core_s
            self._measure()
            if slack_s is not None:
                self._lateness.append((time.monotonic(), slack_s < -LATE_S))
                if slack_s < TIGHT_S:
                    self._tight_until = max(self._tight_until, time.monotonic() + 0.1)

    @property
    def tight(self) -> bool:
        return time.monotonic() < self._tight_until

    def account(self) -> Account:
        with self._lock:
            self._measure()
            late, frames = self._late()
            return Account(
                live=len(self._live),
                load=self._factor * _cores(self._live.values()),
                others=self._others,
                factor=self._factor,
                late=late / max(frames, 1),
            )

    def _late(self) -> tuple[int, int]:
        """Late ones, and all."""
        oldest_s = time.monotonic() - RECENT_S
        while self._lateness and self._lateness[0][0] < oldest_s:
            self._lateness.popleft()
        return sum(late for _, late in self._lateness), len(self._lateness)

    def _fits(self, demand: Demand, model_fps: float) -> bool:
        frames = self._frames_of(demand.model)
        return self._has_cores(demand.cores) and frames + demand.fps <= MODEL_SHARE * model_fps

    def _frames_of(self, model: object) -> int:
        return _frames(live for live in self._live.values() if live.model is model)

    def _check_half(self, demand: Demand, kin_fps: float, job_id: str = "") -> None:
        """Beside its owner's others. Raises TooMany."""
        if not demand.halved:
            return
        theirs = [
            live
            for other, live in self._live.items()
            if other != job_id and live.owner == demand.owner
        ]
        room = (self.share * self.cores - self._others) / self._factor
        if _exceeds_half(_cores(theirs), _cores([demand]), room) or _exceeds_half(
            _frames(live for live in theirs if live.kin is demand.kin),
            demand.fps,
            MODEL_SHARE * kin_fps,
        ):
            raise TooMany(
                "One client has as many sessions and live renders at once as it may: half of what"
                " this server sustains (CLIENT_SESSIONS, CLIENT_RENDERS); try again when one has"
                " ended",
                retry_after_s=RETRY_S,
            )

    def _has_cores(self, more: float) -> bool:
        """For so much more than there is, before ``factor``."""
        load = self._factor * (_cores(self._live.values()) + more) + self._others
        return load <= self.share * self.cores + 1e-9

    def _measure(self) -> None:
        began, own_began, usage_began, units_began = self._window
        now = time.monotonic()
        wall = now - began
        if wall < WINDOW_S:
            return
        own, usage = time.process_time(), self._own.usage()
        spent, predicted = own - own_began, self._units - units_began
        if predicted:
            self._spent_s = MEMORY * self._spent_s + spent
            self._predicted_s = MEMORY * self._predicted_s + predicted
            self._factor = (self._spent_s + TRUST * self._trial) / (self._predicted_s + TRUST)
        if usage.busy_s is not None and usage_began.busy_s is not None:
            others = max(0.0, (usage.busy_s - usage_began.busy_s - spent) / wall)
            self._others += 0.5 * (others - self._others)
        if self._live and usage.throttled > usage_began.throttled:
            self._tight_until = now + WINDOW_S
        self._window = (now, own, usage, self._units)


def _cores(renders: Iterable[Demand]) -> float:
    """That they need, before ``factor``."""
    return sum(render.weight * render.cores for render in renders)


def _frames(renders: Iterable[Demand]) -> int:
    """That they ask for in a second."""
    return sum(render.fps for render in renders)


def _exceeds_half(held: float, more: float, room: float) -> bool:
    """Whether ``more`` beside ``held`` is over half of as many such as have room, rounded up. One
    who holds nothing never does."""
    if not held or math.isinf(room):
        return False
    half = math.ceil(max(0, math.floor(room / more + 1e-9)) / 2)
    return held + more > half * more + 1e-9
