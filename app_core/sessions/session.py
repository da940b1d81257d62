"""A face that stays: it speaks when told, stops when interrupted, and idles in between."""

from __future__ import annotations

import logging
import threading
from functools import partial
from typing import TYPE_CHECKING, Any

from app_core.errors import BadInput, Conflict
from app_core.ids import new_id, new_key
from app_core.outputs.live.video_rates import VideoRates
from app_core.request.sessions import HIGHEST_RATE, LOWEST_RATE
from app_core.sessions.fanout import Fanout
from app_core.sessions.frame_loop import FrameLoop
from app_core.sessions.manner import Manner, SessionFormat
from app_core.sessions.pcm_feed import SILENT_S, PcmFeed
from app_core.sessions.speech_source import SoundSource, TextSource
from app_core.sessions.utterance import Utterance
from app_core.sessions.utterance_queue import UtteranceQueue
from app_core.types import Event

if TYPE_CHECKING:
    from collections.abc import Callable

    from app_core.engine.capacity import Capacity
    from app_core.errors import SoyleError
    from app_core.outputs.live.viewer import LiveViewer
    from app_core.sessions.clock import Clock
    from app_core.sessions.scene import Scene
    from app_core.sessions.speech_source import SpeechSource
    from app_core.sessions.stage import Stage
    from app_core.sessions.utterance import Heard

logger = logging.getLogger(__name__)

MICROPHONE_SILENT_S = 10.0
"""A microphone that sends nothing for so long is closed."""
_JOIN_S = 10.0


class Session:
    """Thread-safe. ``ended`` is called once, however it ends, in the thread that ended it."""

    def __init__(
        self,
        scene: Scene,
        stage: Stage,
        capacity: Capacity,
        format: SessionFormat,
        manner: Manner,
        clock: Clock,
        mode: str = "say",
        ended: Callable[[Session], None] = lambda _: None,
        session_id: str = "",
    ) -> None:
        self.id, self.owner = session_id or new_id(""), ""
        self.token, self.view_token = new_key(""), new_key("")
        self.mode, self.manner, self.fps = mode, manner, format.fps
        self.width, self.height = scene.plate.width, scene.plate.height
        most = format.most_utterances, format.most_characters
        self._queue = UtteranceQueue(stage, lambda: self._loop.coming, format.fps, *most)
        shape = (self.width, self.height, format.fps)
        self.rates = VideoRates.for_size(*shape, format.least_bits_s, format.most_bits_s)
        self._fanout = Fanout(
            (*shape, format.jpeg_quality, self.rates), clock.now, partial(capacity.weigh, self.id)
        )
        self._loop = FrameLoop(
            self.id, scene, stage, self._queue, self._fanout, capacity, clock, format.fps
        )
        self.pulse = self._loop.pulse
        self._clock, self._ended = clock, ended
        self._ending, self._saying = threading.Lock(), threading.Lock()
        self.closed, self.why_ended = False, ""
        """Why is a code: closed, grace, idle, full, failed, stopping."""
        self._commanded_s = clock.now()
        self._microphone: PcmFeed | None = None
        self._feeds: list[PcmFeed] = []

    def start(self) -> None:
        """Raises Busy when the machine has no thread left."""
        self._loop.start(self._lost)

    # What it says

    def say(
        self,
        source: Callable[[], TextSource],
        text: str,
        utterance_id: str | None = None,
        *,
        more: bool = False,
        replace: bool = False,
    ) -> tuple[str, int]:
        """Queues a text, or a piece of one that is known by its id; without ``more`` it ends there.
        ``source()`` is who says it, asked for when it is new. ``replace`` interrupts all others in
        the same step. Its id, and how many utterances are before it.

        Raises QueueFull, Interrupted, Conflict, Busy, or what ``source`` raises.
        """
        self.touch()
        with self._saying:
            known = self._queue.find(utterance_id) if utterance_id else None
            if known is not None:
                self._go_on(known, text, more=more)
                if replace:
                    self._queue.clear_for(known)
                return known.id, self._queue.before(known)
            return self._begin(source, text, utterance_id, more=more, replace=replace)

    def _go_on(self, known: Utterance, text: str, *, more: bool) -> None:
        feed = known.source.feed if isinstance(known.source, TextSource) else None
        self._queue.check_room(len(text), more_to=known)
        kept = feed is not None and feed.add(text)
        if feed is not None and not more:
            feed.end()
        if known.over:  # meanwhile
            self._queue.find(known.id)
        if not kept:
            raise Conflict(f"The utterance {known.id!r} is whole", field="utterance_id")

    def _begin(
        self,
        source: Callable[[], TextSource],
        text: str,
        utterance_id: str | None,
        *,
        more: bool,
        replace: bool,
    ) -> tuple[str, int]:
        made = source()
        made.feed.add(text)
        if not more:
            made.feed.end()
        return self._queued(made, utterance_id, replace=replace)

    def microphone(self, sample_rate: int) -> PcmFeed:
        """Sound that drives the lips and is heard as it comes, in place of what is being said. One
        that is open already ends. Raises BadInput for the rate, Conflict, Busy."""
        if self._microphone is not None:
            self._microphone.end()
        feed = self._feed(None, sample_rate, MICROPHONE_SILENT_S)
        self._queued(SoundSource(feed, live=True), feed.utterance_id, replace=True)
        self._microphone = feed
        return feed

    def audio(self, utterance_id: str | None, sample_rate: int, text: str = "") -> PcmFeed:
        """Speech that was made elsewhere, queued. Raises BadInput, QueueFull, Conflict, Busy."""
        feed = self._feed(utterance_id, sample_rate)
        self._queued(SoundSource(feed, text), feed.utterance_id)
        return feed

    def interrupt(self, utterance_id: str | None = None) -> Heard:
        """Ends what is heard and all that waits, or one. Raises NotFound for an unknown id."""
        self.touch()
        return self._queue.interrupt(utterance_id)

    def _feed(
        self, utterance_id: str | None, sample_rate: int, silent_s: float = SILENT_S
    ) -> PcmFeed:
        self.touch()
        if not LOWEST_RATE <= sample_rate <= HIGHEST_RATE:
            raise BadInput(
                f"'sample_rate' must be {LOWEST_RATE}..{HIGHEST_RATE}", field="sample_rate"
            )
        feed = PcmFeed(
            utterance_id or new_id(""),
            sample_rate,
            silent_s,
            elsewhere=lambda: sum(other.waiting for other in self._feeds if other is not feed),
        )
        self._feeds = [*(other for other in self._feeds if not other.over), feed]
        return feed

    def _queued(
        self, source: SpeechSource, utterance_id: str | None, *, replace: bool = False
    ) -> tuple[str, int]:
        utterance = Utterance(utterance_id or new_id(""), source, self.fps)
        return utterance.id, self._queue.add(utterance, replace=replace)

    # Who looks

    def check_room(self, video: str, audio: str) -> None:
        """For one who is about to look, in these codecs. Raises Busy."""
        self._fanout.check_room(video, audio)

    def attach(self, line: LiveViewer) -> None:
        """From the next frame on. Raises as ``Fanout.attach``."""
        shape = {"width": self.width, "height": self.height, "fps": self.fps}
        self._fanout.attach(line, self._event("ready", session_id=self.id, **shape))

    def detach(self, line: LiveViewer) -> None:
        """Safe to call again."""
        self._fanout.detach(line)

    def ask_key(self, codec: str) -> None:
        """The next picture in this codec is a key frame."""
        self._fanout.ask_key(codec)

    def show(self, scene: Scene) -> None:
        """For what is said from now on. ``scene`` has the session's size."""
        self.touch()
        self._loop.show(scene)

    def touch(self) -> None:
        """A command came."""
        self._commanded_s = self._clock.now()

    # How long it stays

    @property
    def seconds(self) -> float:
        """Its clock."""
        return self._loop.seconds

    @property
    def origin_s(self) -> float:
        """When its clock was 0, monotonic seconds."""
        return self._loop.origin_s

    @property
    def unwatched_s(self) -> float:
        """Seconds without a viewer; 0 while there is one."""
        return self._fanout.unwatched_s

    @property
    def dead(self) -> bool:
        """Its thread has ended, though nobody closed it."""
        return self._loop.ended and not self.closed

    @property
    def idle_s(self) -> float:
        """Seconds without a command; 0 while there is something to say."""
        if len(self._queue):
            self._commanded_s = self._clock.now()
        return self._clock.now() - self._commanded_s

    def hang_up(self) -> None:
        """Its thread ends soon. Does not wait; ``close`` does, and has to follow."""
        self._loop.hang_up()

    def fail(self, error: SoyleError) -> None:
        """Ends it at once: its thread may not move any more, and is not waited for."""
        self._loop.failure = error
        self.close("failed", wait_s=0.0)

    def close(self, why: str = "closed", wait_s: float = _JOIN_S) -> None:
        """Ends all that works for it. Safe to call again."""
        with self._ending:
            if self.closed:
                return
            self.closed, self.why_ended = True, why
        detail = {} if (failure := self._loop.failure) is None else {"error": str(failure)}
        try:
            self._loop.close(wait_s)
            self._queue.close()
            self._fanout.tell(self._queue.events(self._loop.frame))
        finally:
            try:
                end = self._event("end", why=why, **detail)
                self._fanout.close(end, failure, written=self._loop.ended)
            finally:
                self._ended(self)
        logger.info("session %s: %d frames, %d late", why, self._loop.frame, self._loop.late)

    def _lost(self, failure: SoyleError | None) -> None:
        if not self.closed and failure is not None:
            self.close("failed")

    def _event(self, kind: str, **detail: Any) -> Event:
        return Event(kind, None, self.seconds, detail)

    def describe(self) -> dict[str, Any]:
        """State and numbers, nothing that is said."""
        loop, queue = self._loop, self._queue
        return {
            "session_id": self.id,
            "state": "speaking" if queue.speaking else "idle",
            "mode": self.mode,
            "avatar": loop.scene.avatar,
            "language": self.manner.language,
            "voice": self.manner.voice,
            "size": f"{self.width}x{self.height}",
            "fps": self.fps,
            "seconds": round(self.seconds, 3),
            "generation": queue.generation,
            "queued": len(queue),
            "viewers": [{"video": line.video, "audio": line.audio} for line in self._fanout.lines],
            "frames": loop.frame,
            "measured_fps": round(loop.measured_fps, 1),
            "late": loop.late,
            "dropped": loop.dropped,
            "stalls": queue.stalls,
            "idle_s": round(self.idle_s, 1),
        }
