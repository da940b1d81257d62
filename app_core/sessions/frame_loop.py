"""The thread of a session: one frame a tick, whoever watches, until the session ends.

A frame begins to be made at its time. One whose whole time has passed then is left out, but for
its sound; after a stop of the machine the clock goes on from now.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from typing import TYPE_CHECKING

import numpy as np

from app_core.errors import SoyleError
from app_core.metrics import LATE_S, Tally
from app_core.outputs.live.live_frame import SAMPLE_RATE, LiveFrame
from app_core.sessions.mouth_ease import MouthEase
from app_core.sessions.scene import Scene, mixed
from app_core.threads import start_thread
from app_core.types import first_sample

if TYPE_CHECKING:
    from collections.abc import Callable

    from app_core.engine.capacity import Capacity
    from app_core.sessions.clock import Clock
    from app_core.sessions.fanout import Fanout
    from app_core.sessions.stage import Stage
    from app_core.sessions.utterance_queue import SaidFrame, UtteranceQueue
    from app_core.types import Float32, Picture

logger = logging.getLogger(__name__)

ALLOWED_S = 0.025
"""From a frame's time until it should be on its way: a frame is made at its time, not before."""
LOST_S = 1.0
"""The machine stood still, when a frame comes so late: what lies between is not made up for."""
CHANGE_S = 0.32
"""One avatar goes over into another."""
_RECENT = 64


class FrameLoop:
    """``show`` is for any thread; the rest is the session's own."""

    def __init__(
        self,
        session_id: str,
        scene: Scene,
        stage: Stage,
        queue: UtteranceQueue,
        fanout: Fanout,
        capacity: Capacity,
        clock: Clock,
        fps: int,
    ) -> None:
        self.scene, self._stage, self._queue, self._fanout = scene, stage, queue, fanout
        self._capacity, self._clock, self._fps = capacity, clock, fps
        self._tally = Tally(stage.metrics, "session")
        self._ease = MouthEase(fps)
        self._next_scene: Scene | None = None
        self._before: Scene | None = None
        self._changed = 0
        """The frame since which another scene is shown."""
        scene.place(0)
        self._closing = threading.Event()
        self.frame = 0
        """The one that comes next."""
        self.late = self.dropped = 0
        """Frames that left over LATE_S after their time; those of them without their picture."""
        self.failure: Exception | None = None
        self._ended: Callable[[Exception | None], None] = lambda _: None
        self._left_s: deque[float] = deque(maxlen=_RECENT)
        self._thread = threading.Thread(
            target=self._run, name=f"session-{session_id[:8]}", daemon=True
        )

    @property
    def seconds(self) -> float:
        """The session's clock."""
        return self.frame / self._fps

    @property
    def measured_fps(self) -> float:
        """Pictures that left in the last second or two."""
        left = list(self._left_s)
        if len(left) < 2 or self._clock.now() - left[-1] > 1.0:
            return 0.0
        return (len(left) - 1) / max(left[-1] - left[0], 1e-3)

    def start(self, ended: Callable[[Exception | None], None]) -> None:
        """``ended`` is called in the thread when it ends by itself. Raises Busy."""
        self._ended = ended
        start_thread(self._thread)

    def show(self, scene: Scene) -> None:
        """As soon as nobody speaks whose speech was begun with another."""
        self._next_scene = scene

    @property
    def coming(self) -> Scene:
        """What is shown to whatever is begun now."""
        return self._next_scene or self.scene

    def close(self, timeout_s: float) -> None:
        self._closing.set()
        if self._thread is not threading.current_thread() and self._thread.is_alive():
            self._thread.join(timeout_s)

    # The session's thread

    def _run(self) -> None:
        try:
            self._loop()
        except Exception as error:
            if not isinstance(error, SoyleError):
                logger.exception("a session failed")
            self.failure = error
        finally:
            self._tally.flush()
            for scene in (self.scene, self._before, self._next_scene):
                if scene is not None:
                    scene.close()
            self._ended(self.failure)

    def _loop(self) -> None:
        origin_s = self._clock.now()
        while not self._closing.is_set():
            due_s = origin_s + self.frame / self._fps
            self._clock.wait_until(due_s, self._closing)
            if self._closing.is_set():
                return
            behind_s = self._clock.now() - due_s
            if behind_s > LOST_S:
                lost = int(behind_s * self._fps)
                self.frame += lost
                continue
            self._write(due_s, shown=behind_s < 1 / self._fps)
            self.frame += 1

    def _write(self, due_s: float, *, shown: bool) -> None:
        frame = self.frame
        said = self._queue.take(frame)
        self._change_scene(frame, said)
        self._tally.begin()
        picture = self._picture(frame, said) if shown else None
        self._tally.composed()
        generation, pcm = self._queue.generation, self._silence(frame)
        if said is not None and self._queue.left(said):
            generation, pcm = said.generation, said.pcm
        tail = self._queue.tail()
        if len(tail):
            tail = tail[: len(pcm)]
            pcm = pcm.copy()
            pcm[: len(tail)] += tail
        self._fanout.tell(self._queue.events())
        self._fanout.write(LiveFrame(frame, self._fps, generation, said is None, picture, pcm))
        self._tally.finished()
        self._count(due_s, shown)

    def _picture(self, frame: int, said: SaidFrame | None) -> Picture:
        mouth = said.mouth if said is not None else None
        scene = self.scene
        worn = self._ease.mouth(mouth, scene.index(frame), self._stage.model)
        picture = scene.picture(worn)
        if self._before is not None:
            share = (frame - self._changed + 1) / max(1, round(CHANGE_S * self._fps))
            if share < 1:
                before = self._before
                rest = self._stage.model.rest(0, before.index(frame))
                return mixed(before.picture(rest), picture, share)
            self._before.close()
            self._before = None
        return picture

    def _change_scene(self, frame: int, said: SaidFrame | None) -> None:
        """To that of whoever speaks, or is about to; else to the one that is coming."""
        speaker = said.utterance if said is not None else self._queue.first
        wanted = speaker.scene if speaker is not None and speaker.scene else self.coming
        if wanted is self.scene:
            return
        if self._before is not None:
            self._before.close()
        self._before, self.scene, self._changed = self.scene, wanted, frame
        if wanted is self._next_scene:
            self._next_scene = None
        wanted.place(frame)
        self._ease.forget()

    def _silence(self, frame: int) -> Float32:
        start = first_sample(frame, SAMPLE_RATE, self._fps)
        return np.zeros(first_sample(frame + 1, SAMPLE_RATE, self._fps) - start, np.float32)

    def _count(self, due_s: float, shown: bool) -> None:
        now_s = self._clock.now()
        behind_s = now_s - due_s
        slack_s = ALLOWED_S - behind_s
        self.late += behind_s > LATE_S
        if shown:
            self._left_s.append(now_s)
            self._tally.delivered(-behind_s)
        else:
            self.dropped += 1
            self._tally.dropped()
        width, height = self.scene.plate.width, self.scene.plate.height
        self._capacity.delivered(width, height, slack_s if behind_s <= LATE_S else -behind_s)
