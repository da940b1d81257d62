"""How many live renders this machine sustains, from what it measures.

The cost of a frame is predicted as ``factor * (FIXED_MS + PIXEL_MS * megapixels + network)`` core
milliseconds, where ``network`` is what the model's network took in a trial. ``factor`` follows
the processor time that this process really spent on the frames it delivered. What other programs
take of our cores is read from the kernel. A live render is admitted while the sum of all live
renders, plus what others take, stays under ``share`` of the cores, and their frames under
``MODEL_SHARE`` of those that the model draws in a second.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections import deque
from dataclasses import dataclass

from app_core.cores import Cores
from app_core.metrics import LATE_S

logger = logging.getLogger(__name__)

FIXED_MS, PIXEL_MS = 0.4, 6.0
MODEL_SHARE = 0.9
WINDOW_S = 1.0
"""Between two looks at what was spent."""
MEMORY = 0.8
"""Part of the past that counts on at each look."""
TRUST = 0.5
"""Weight of the trial at the start, in predicted core seconds."""
LATE_SHARE = 0.01
"""No new live render while more than this part of the last frames was late."""
RECENT_FRAMES = 500
TIGHT_S = 0.010
"""File renders pause while live frames are ready less than this before their time."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    cores: float
    live: int
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
    def __init__(self, share: float, cores: float | None = None, factor: float = 1.0) -> None:
        self._own = Cores()
        self.cores = cores or self._own.count
        self._share = share
        self._trial = self._factor = factor
        self._spent_s = self._predicted_s = 0.0
        self._lock = threading.Lock()
        self._live: dict[str, tuple[float, int]] = {}
        """Of each live render: predicted cores, before ``factor``, and frames a second."""
        self._network_ms = 0.0
        self._model_fps = math.inf
        self._units = 0.0
        self._others = 0.0
        self._lateness: deque[bool] = deque(maxlen=RECENT_FRAMES)
        self._tight_until = 0.0
        self._window = (time.monotonic(), time.process_time(), self._own.usage(), 0.0)

    def calibrate(
        self,
        frame_ms: float,
        width: int,
        height: int,
        network_ms: float = 0.0,
        model_fps: float = math.inf,
    ) -> None:
        """Sets the cost from a trial of this machine: core milliseconds of a frame without and
        with its network, and how many frames a second the network draws.
        """
        self._network_ms = 0.0
        self._trial = self._factor = frame_ms / self._base_ms(width, height)
        self._network_ms = network_ms / self._factor
        self._model_fps = model_fps
        self._spent_s = self._predicted_s = 0.0

    def admit(self, job_id: str, width: int, height: int, fps: int) -> bool:
        """Takes a live render in, if it fits."""
        with self._lock:
            self._measure()
            need = self._base_ms(width, height) * fps / 1000.0
            late = sum(self._lateness) > LATE_SHARE * max(len(self._lateness), RECENT_FRAMES / 5)
            if self._live and (not self._fits(need, fps) or late):
                return False
            self._live[job_id] = need, fps
            return True

    def fits(self, width: int, height: int, fps: int) -> bool:
        """Whether there is room for a live render beside the others, also for the first one."""
        with self._lock:
            self._measure()
            return self._fits(self._base_ms(width, height) * fps / 1000.0, fps)

    def release(self, job_id: str) -> None:
        with self._lock:
            self._live.pop(job_id, None)
            if not self._live:
                self._lateness.clear()

    def delivered(self, width: int, height: int, slack_s: float | None = None) -> None:
        """Counts a frame. ``slack_s``: how long before its time a live frame was ready."""
        with self._lock:
            self._units += self._base_ms(width, height) / 1000.0
            self._measure()
            if slack_s is not None:
                self._lateness.append(slack_s < -LATE_S)
                if slack_s < TIGHT_S:
                    self._tight_until = max(self._tight_until, time.monotonic() + 0.1)

    @property
    def tight(self) -> bool:
        """File renders should wait: live frames are only just in time, or the control group was
        stopped at its quota beside live renders.
        """
        return time.monotonic() < self._tight_until

    def snapshot(self) -> Snapshot:
        with self._lock:
            self._measure()
            frame_ms = self._factor * self._base_ms(512, 512)
            room = self._share * self.cores - self._others
            fit = room / (frame_ms * 25 / 1000.0)
            return Snapshot(
                cores=round(self.cores, 2),
                live=len(self._live),
                load=round(self._factor * self._sums()[0], 3),
                others=round(self._others, 3),
                frame_ms=round(frame_ms, 3),
                model_fps=round(self._model_fps, 1) if math.isfinite(self._model_fps) else None,
                sessions=max(1, math.floor(min(fit, MODEL_SHARE * self._model_fps / 25))),
                late=round(sum(self._lateness) / max(len(self._lateness), 1), 4),
            )

    def _fits(self, need: float, fps: int) -> bool:
        """``need``: predicted cores, before ``factor``."""
        cores, frames = self._sums()
        load = self._factor * (cores + need) + self._others
        room = load <= self._share * self.cores + 1e-9
        return room and frames + fps <= MODEL_SHARE * self._model_fps

    def _sums(self) -> tuple[float, int]:
        """Cores, before ``factor``, and frames a second of all live renders."""
        live = self._live.values()
        return sum(cores for cores, _ in live), sum(fps for _, fps in live)

    def _base_ms(self, width: int, height: int) -> float:
        return FIXED_MS + PIXEL_MS * width * height / 1e6 + self._network_ms

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
