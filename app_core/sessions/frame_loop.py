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
from app_core.outputs.live.live_frame import LiveFrame
from app_core.sessions.frame_sound import samples_of
from app_core.sessions.mouth_ease import MouthEase
from app_core.sessions.scene import Scene, mixed
from app_core.threads import Pulse
from app_core.types import Event

if TYPE_CHECKING:
    from collections.abc import Callable

    from app_core.engine.capacity import Capacity
    from app_core.sessions.clock import Clock
    from app_core.sessions.fanout import Fanout
    from app_core.sessions.stage import Stage
    from app_core.sessions.utterance_queue import SaidFrame, UtteranceQueue
    from app_core.types import Picture

logger = logging.getLogger(__name__)

ALLOWED_S = 0.025
"""From a frame's time until it should be on its way: a frame is made at its time, not before."""
LOST_S = 1.0
"""The machine stood still, when a frame comes so late: what lies between is not made up for."""
CHANGE_S = 0.32
"""One avatar goes over into another."""
STUCK_S = 10.0
"""One frame, or the wait for its time."""
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
        self._change = max(1, round(CHANGE_S * fps))
        self._tally = Tally(stage.metrics, "session")
        self._ease = MouthEase(fps)
        self._chosen = scene
        """What is shown when nobody speaks."""
        self._before: Scene | None = None
        """What was shown before, while the one goes over into the other."""
        self._scenes = threading.Lock()
        self._shown: Picture | None = None
        """The last one, to go on from when another scene comes before this one is there."""
        self._frozen: Picture | None = None
        self._changed = 0
        """The frame since which another scene is shown."""
        scene.place(0)
        self._closing = threading.Event()
        self.origin_s = clock.now()
        """When frame 0 was due, seconds of ``clock``; right from ``start`` on."""
        self.frame = 0
        """The one that comes next."""
        self.late = self.dropped = 0
        """Frames that left over LATE_S after their time, or never; those without their picture."""
        self.failure: SoyleError | None = None
        self.ended = False
        """Its thread has ended, or could not begin."""
        self._lost: Callable[[SoyleError | None], None] = lambda _: None
        self._left_s: deque[float] = deque(maxlen=_RECENT)
        self.pulse = Pulse(f"session-{session_id[:8]}", STUCK_S)
        self._thread = threading.Thread(target=self._run, name=self.pulse.name, daemon=True)

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

    def start(self, lost: Callable[[SoyleError | None], None]) -> None:
        """``lost`` is called in the thread when it ends, with the error if there was one. Raises
        Busy."""
        self._lost = lost
        self.origin_s = self._clock.now()
        try:
            self.pulse.start(self._thread)
        except BaseException:
            self.ended = True
            raise

    def show(self, scene: Scene) -> None:
        """As soon as nobody speaks whose speech was begun with another."""
        with self._scenes:
            self._chosen = scene

    @property
    def coming(self) -> Scene:
        """What is shown to whatever is begun now."""
        with self._scenes:
            return self.scene if self._chosen.broken else self._chosen

    def hang_up(self) -> None:
        """Ends soon. Does not wait."""
        self._closing.set()

    def close(self, timeout_s: float) -> None:
        self._closing.set()
        if self._thread is not threading.current_thread() and self._thread.is_alive():
            self._thread.join(timeout_s)
            self.ended = not self._thread.is_alive()

    # The session's thread

    def _run(self) -> None:
        try:
            self._loop()
        except SoyleError as error:
            self.failure = error
        except BaseException as error:  # also what would end a thread on purpose
            logger.exception("a session failed")
            self.failure = SoyleError(f"The session failed: {str(error) or type(error).__name__}")
        finally:
            self.ended = True
            self.pulse.end()
            try:
                self._clear()
            finally:
                self._lost(self.failure)

    def _clear(self) -> None:
        self._tally.flush()
        for scene in (self.scene, self._before, self._chosen):
            try:
                if scene is not None:
                    scene.close()
            except Exception:
                logger.exception("a scene was not closed")

    def _loop(self) -> None:
        while not self._closing.is_set():
            self.pulse.begin("a frame")
            due_s = self.origin_s + self.frame / self._fps
            self._clock.wait_until(due_s, self._closing)
            if self._closing.is_set():
                return
            behind_s = self._clock.now() - due_s
            if behind_s > LOST_S:
                lost = int(behind_s * self._fps)
                self.frame += lost
                self.late += lost
                self.dropped += lost
                continue
            self._write(due_s, shown=behind_s < 1 / self._fps)
            self.frame += 1

    def _write(self, due_s: float, *, shown: bool) -> None:
        frame = self.frame
        said = self._queue.take(frame)
        self._change_scene(frame, said)
        self._tally.begin()
        picture = self._picture(frame, said) if shown else None
        self._shown = picture or self._shown
        if picture is not None and self.scene.label is not None:
            picture = self.scene.label.drawn(picture)
        self._tally.composed()
        leaving = self._queue.leave(said)
        if said is not None and leaving.said:
            pcm = said.pcm
        else:
            pcm = np.zeros(samples_of(frame, self._fps), np.float32)
            pcm[: len(leaving.tail)] = leaving.tail[: len(pcm)]
        self._fanout.tell(leaving.events)
        idle = not leaving.said
        self._fanout.write(LiveFrame(frame, self._fps, leaving.generation, idle, picture, pcm))
        self._tally.finished()
        self._count(due_s, shown)

    def _picture(self, frame: int, said: SaidFrame | None) -> Picture:
        """Raises what the scene raises, when there is no other to go back to."""
        mouth = said.mouth if said is not None else None
        worn = self._ease.mouth(mouth, self.scene.index(frame), self._stage.model)
        try:
            picture = self.scene.picture(worn)
        except SoyleError as error:
            self._go_back(error)
            return self._picture(frame, None)
        before, share = self._before, (frame - self._changed + 1) / self._change
        if before is None:
            return picture
        if share < 1:
            rest = self._stage.model.rest(0, before.index(frame))
            return mixed(self._frozen or before.picture(rest), picture, share)
        before.close()
        self._before = self._frozen = None
        return picture

    def _go_back(self, error: SoyleError) -> None:
        """To what was shown before, as the new one cannot be shown. Raises ``error`` where there
        was nothing."""
        if self._before is None:
            raise error
        self.scene.broken = True
        self.scene.close()
        self.scene, self._before, self._frozen = self._before, None, None
        self._ease.forget()
        logger.warning("an avatar cannot be shown: %s", error)
        detail = {"error": str(error), "code": error.code, "field": "avatar"}
        self._fanout.tell([Event("error", None, self.seconds, detail)])

    def _change_scene(self, frame: int, said: SaidFrame | None) -> None:
        """To that of whoever speaks, or is about to; else to the one that is coming."""
        speaker = said.utterance if said is not None else self._queue.first
        wanted = speaker.scene if speaker is not None and speaker.scene else self.coming
        if wanted is self.scene or wanted.broken:
            return
        if self._before is not None:
            self._frozen = self._shown
            if self._before is not wanted:
                self._before.close()
        with self._scenes:
            self._before, self.scene, self._changed = self.scene, wanted, frame
        wanted.show_from(frame)
        self._ease.forget()

    def _count(self, due_s: float, shown: bool) -> None:
        now_s = self._clock.now()
        behind_s = now_s - due_s
        self.late += behind_s > LATE_S
        if shown:
            self._left_s.append(now_s)
            self._tally.delivered(-behind_s)
        else:
            self.dropped += 1
            self._tally.dropped()
        slack_s: float | None = ALLOWED_S - behind_s if behind_s <= LATE_S else -behind_s
        if self.frame < self._fps:  # what begins with the session is no sign of a full machine
            slack_s = None
        width, height = self.scene.plate.width, self.scene.plate.height
        self._capacity.delivered(width, height, slack_s, self._fanout.weight)
