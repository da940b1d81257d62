"""How many live renders of a model this machine sustains, from what it measures.

The cost of a frame is predicted as ``factor * (FIXED_MS + PIXEL_MS * megapixels + network)`` core
milliseconds, where ``network`` is what the model's network took in a trial and ``factor`` belongs
to the cores. A live render is admitted while the sum of all live renders, whatever their model,
plus what other programs take, stays under ``share`` of the cores, and the frames of its own model
on its device under ``MODEL_SHARE`` of those that the model draws there in a second.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from app_core.engine.core_budget import MODEL_SHARE, CoreBudget, Demand

FIXED_MS, PIXEL_MS = 0.4, 6.0


@dataclass(frozen=True, slots=True)
class Snapshot:
    cores: float
    live: int
    """Live renders of all models."""
    load: float
    """Cores that the admitted live renders need."""
    others: float
    """Of our cores, those that other programs take."""
    frame_ms: float
    """Core milliseconds of a 512x512 frame."""
    model_fps: float | None
    """Frames a second that the model draws; None when that bounds nothing."""
    sessions: int
    """Live renders of 512x512 at 25 frames/s that fit in all."""
    late: float
    """Of the last live frames, 0..1: those that left over 40 ms after their time."""


class Capacity:
    """Of one model on one device. ``beside`` gives another model's, on the same cores, and ``twin``
    that of the same model on another device."""

    def __init__(
        self,
        share: float,
        cores: float | None = None,
        factor: float = 1.0,
        *,
        budget: CoreBudget | None = None,
    ) -> None:
        self._budget = budget or CoreBudget(share, cores, factor)
        self._leads = budget is None
        """Its trial sets the factor of the cores."""
        self._scale, self._network_ms = 1.0, 0.0
        self._model_fps = math.inf
        self._kin = [self]
        """One for each device that the model is on, from its trial there on."""

    def beside(self) -> Capacity:
        return Capacity(self._budget.share, budget=self._budget)

    def twin(self) -> Capacity:
        """Counts once it is calibrated."""
        made = self.beside()
        made._kin = self._kin
        return made

    @property
    def cores(self) -> float:
        return self._budget.cores

    @cores.setter
    def cores(self, cores: float) -> None:
        self._budget.cores = cores

    def calibrate(
        self,
        frame_ms: float,
        width: int,
        height: int,
        network_ms: float = 0.0,
        model_fps: float = math.inf,
    ) -> None:
        """Sets the cost from a trial of this machine: core milliseconds of a frame without and
        with its network, and how many frames a second the network draws. The one from which
        others were made is calibrated before them.
        """
        self._scale, self._network_ms = 1.0, 0.0
        factor = frame_ms / self._base_ms(width, height)
        if self._leads:
            self._budget.calibrate(factor)
        else:
            self._scale = factor / self._budget.trial
        self._network_ms = network_ms / self._budget.trial
        self._model_fps = model_fps
        if self not in self._kin:
            self._kin.append(self)

    def admit(
        self,
        job_id: str,
        width: int,
        height: int,
        fps: int,
        margin: float = 1.0,
        owner: str = "",
        *,
        halved: bool = False,
    ) -> bool:
        """Takes a live render of ``owner`` in, if it fits with ``margin`` times what it needs.
        ``halved``: raises TooMany, as ``CoreBudget.admit``."""
        demand = self._demand(width, height, fps)
        demand = replace(demand, cores=margin * demand.cores, owner=owner, halved=halved)
        kin_fps = sum(each._model_fps for each in self._kin)
        return self._budget.admit(job_id, demand, self._model_fps, kin_fps)

    def fits(self, width: int, height: int, fps: int) -> bool:
        """Whether there is room for a live render beside the others, also for the first one."""
        return self._budget.fits(self._demand(width, height, fps), self._model_fps)

    def release(self, job_id: str) -> None:
        self._budget.release(job_id)

    def weigh(self, job_id: str, weight: float) -> bool:
        """A live render that is in costs ``weight`` times a usual one from now on. False, and
        nothing changes, when it would cost more than there is room for. Raises TooMany, as
        ``CoreBudget.admit``."""
        return self._budget.weigh(job_id, weight)

    def delivered(
        self, width: int, height: int, slack_s: float | None = None, weight: float = 1.0
    ) -> None:
        """Counts a frame. ``slack_s``: how long before its time a live frame was ready."""
        self._budget.delivered(weight * self._base_ms(width, height) / 1000.0, slack_s)

    def frame_ms(self, width: int, height: int, more_ms: float = 0.0) -> float:
        """Core milliseconds of a frame, as the trial at the start found it. ``more_ms``: what else
        is done with a million of its pixels, on a machine with a factor of one."""
        more = more_ms * width * height / 1e6
        return self._budget.trial * (self._base_ms(width, height) + more)

    @property
    def slack(self) -> float:
        """Frames a second that live renders may still ask of the model on this device."""
        return MODEL_SHARE * self._model_fps - self._budget.frames(self)

    @property
    def tight(self) -> bool:
        """File renders should wait: live frames are only just in time, or the control group was
        stopped at its quota beside live renders.
        """
        return self._budget.tight

    def snapshot(self) -> Snapshot:
        """Of the model on this device."""
        return self._snapshot([self])

    def of_all(self) -> Snapshot:
        """Of the model on all of its devices."""
        return self._snapshot(self._kin)

    def _snapshot(self, kin: list[Capacity]) -> Snapshot:
        account, budget = self._budget.account(), self._budget
        frame_ms = account.factor * sum(each._base_ms(512, 512) for each in kin) / len(kin)
        room = budget.share * budget.cores - account.others
        fit = room / (frame_ms * 25 / 1000.0)
        model_fps = sum(each._model_fps for each in kin)
        fit = min(fit, sum(_whole(MODEL_SHARE * each._model_fps / 25) for each in kin))
        return Snapshot(
            cores=round(budget.cores, 2),
            live=account.live,
            load=round(account.load, 3),
            others=round(account.others, 3),
            frame_ms=round(frame_ms, 3),
            model_fps=round(model_fps, 1) if math.isfinite(model_fps) else None,
            sessions=max(1, math.floor(fit)),
            late=round(account.late, 4),
        )

    def _demand(self, width: int, height: int, fps: int) -> Demand:
        cores = self._base_ms(width, height) * fps / 1000.0
        return Demand(cores, fps, self, self._kin)

    def _base_ms(self, width: int, height: int) -> float:
        return self._scale * (FIXED_MS + PIXEL_MS * width * height / 1e6) + self._network_ms


def _whole(number: float) -> float:
    """What is left of it without its fraction; infinity stays."""
    return number if math.isinf(number) else math.floor(number)
