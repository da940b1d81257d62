"""One session to all who look: each codec in use is encoded once, however many watch."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from app_core.errors import Busy, Conflict, SessionFailed, SoyleError, afresh
from app_core.outputs.live.cost import weight
from app_core.outputs.live.encoders import open_encoder
from app_core.types import Event

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from app_core.outputs.live.encoders import LiveEncoder
    from app_core.outputs.live.live_frame import LiveFrame
    from app_core.outputs.live.packet import Packet
    from app_core.outputs.live.video_rates import VideoRates
    from app_core.outputs.live.viewer import LiveViewer

logger = logging.getLogger(__name__)

MOST_VIEWERS = 32
RETRY_S = 5


class Fanout:
    """``write`` is the session's thread's, which alone opens encoders and works with them."""

    def __init__(
        self,
        format: tuple[int, int, int, int, VideoRates],
        clock: Callable[[], float],
        room: Callable[[float], bool],
    ) -> None:
        """``format``: what ``open_encoder`` is told beside the codec. ``room(weight)`` says whether
        the session may cost that much, and keeps it."""
        self._format, self._clock, self._room = format, clock, room
        self.weight = 1.0
        """What it costs, as ``outputs/live/cost`` counts."""
        self._alone_s = clock()
        self._lock = threading.Lock()
        self._lines: tuple[LiveViewer, ...] = ()
        self._new: list[LiveViewer] = []
        self._encoders: dict[str, LiveEncoder] = {}
        self._closed = False

    @property
    def lines(self) -> tuple[LiveViewer, ...]:
        """Those who look, the first comer first."""
        return self._lines

    @property
    def unwatched_s(self) -> float:
        """Seconds without a viewer; 0 while there is one."""
        with self._lock:
            return 0.0 if self._lines else self._clock() - self._alone_s

    def check_room(self, video: str, audio: str) -> None:
        """For one who is about to look, in these codecs; nothing is kept for who may never come.
        Raises Busy."""
        with self._lock:
            before = self.weight
            self._weigh((video, audio))
            self.weight = before
            self._room(before)

    def attach(self, line: LiveViewer, welcome: Event) -> None:
        """From the next frame on. Raises Conflict when the session has ended, Busy when there are
        MOST_VIEWERS already, or no cores are left for what this one needs."""
        with self._lock:
            if self._closed:
                raise Conflict("The session has ended")
            if len(self._lines) >= MOST_VIEWERS:
                raise Busy(f"{MOST_VIEWERS} viewers look at this session already")
            self._weigh((line.video, line.audio))
            line.tell(welcome)
            self._lines = (*self._lines, line)
            self._new.append(line)

    def detach(self, line: LiveViewer) -> None:
        """Safe to call again."""
        with self._lock:
            if line in self._lines:
                self._lines = tuple(other for other in self._lines if other is not line)
                self._alone_s = self._clock()
                self.weight = weight(self._looking())
                self._room(self.weight)  # less than before: it fits

    def tell(self, events: Iterable[Event]) -> None:
        lines = self._lines
        for event in events:
            for line in lines:
                line.tell(event)

    def ask_key(self, codec: str) -> None:
        """The next picture in this codec is a key frame."""
        encoder = self._encoders.get(codec)
        if encoder is not None:
            encoder.ask_key()

    def write(self, frame: LiveFrame) -> None:
        """Never waits for anybody. A codec that fails ends its viewers, and nobody else."""
        with self._lock:
            lines, new, self._new = self._lines, self._new, []
        wanted = {codec for line in lines for codec in _codecs(line)}
        made: list[Packet] = []
        for codec in self._encoders.keys() - wanted:
            self._encoders.pop(codec).close()
        for codec in sorted(wanted):
            looking = [line for line in lines if codec in _codecs(line)]
            try:
                made += self._encode(codec, frame, looking, new)
            except SoyleError as error:
                self._fail(codec, looking, error)
            except Exception as error:
                logger.exception("the codec %s failed", codec)
                self._fail(codec, looking, SoyleError(f"The codec {codec} failed: {error}"))
        for line in lines:
            line.put(*made)  # it takes its own

    def close(
        self, last: Event, failure: SoyleError | None = None, *, written: bool = True
    ) -> None:
        """Everybody is told the ``failure``, if there is one, then ``last``, and has looked.
        ``written``: nobody writes any more, so that encoders may be closed too."""
        with self._lock:
            self._closed = True
            lines, self._lines = self._lines, ()
        for line in lines:
            if failure is not None:
                detail = {"error": str(failure), "code": failure.code, "field": failure.field}
                line.tell(Event("error", None, last.session_s, detail))
            line.tell(last)
            line.close(failure and SessionFailed(str(failure)))
        if written:
            for encoder in self._encoders.values():
                encoder.close()
            self._encoders.clear()

    def _looking(self) -> list[tuple[str, str]]:
        return [(line.video, line.audio) for line in self._lines]

    def _weigh(self, *more: tuple[str, str]) -> None:
        """With those who look and ``more``. Raises Busy."""
        found = weight([*self._looking(), *more])
        if not self._room(found):
            raise Busy("The server is full; try again soon", retry_after_s=RETRY_S)
        self.weight = found

    def _encode(
        self, codec: str, frame: LiveFrame, looking: list[LiveViewer], new: list[LiveViewer]
    ) -> list[Packet]:
        """For those ``looking``. ``new`` are given what they need first."""
        new = [line for line in new if line in looking]
        encoder = self._encoders.get(codec)
        if encoder is None:
            encoder = self._encoders[codec] = open_encoder(codec, *self._format)
        if new:
            encoder.ask_key()
            if (opening := encoder.opening) is not None:
                for line in new:
                    line.put(opening)
        encoder.limit(self._limit(looking))
        return encoder.encode(frame)

    def _limit(self, looking: list[LiveViewer]) -> int | None:
        """That of the slowest, but whoever cannot take whole pictures does not make them smaller
        for those who can: it loses some."""
        lines = (line for line in looking if not line.closed)
        limits = [limit for line in lines if (limit := line.limit) is not None]
        if not limits:
            return None
        floor = self._format[-1].floor
        return max(min(limits), min(max(limits), floor))

    def _fail(self, codec: str, looking: list[LiveViewer], error: SoyleError) -> None:
        encoder = self._encoders.pop(codec, None)
        if encoder is not None:
            encoder.close()
        for line in looking:
            self.detach(line)
            line.close(afresh(error))


def _codecs(line: LiveViewer) -> tuple[str, ...]:
    return tuple(codec for codec in (line.video, line.audio) if codec != "none")
