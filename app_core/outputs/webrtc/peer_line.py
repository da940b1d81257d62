"""What a peer is sent, from the session's thread to the loop's, where one clock lets it go."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from app_core.outputs.live.packet import Kind, Packet

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from app_core.types import Event

DELAY_S = 0.05
"""From the time of a frame on the session's clock until it leaves: a frame begins to be made at
its time, and is coded by then however full the machine is."""
APART_S = 1e-5
"""Between two events of one frame: a loop keeps no order among calls that are due together."""
MOST_UNTAKEN = 64
"""Calls that the loop has not come to: it is stuck, or far behind."""
_VIDEO = {"h264": Kind.H264, "vp8": Kind.VP8}
_PROMPT = frozenset({"pong", "error"})
"""Events that answer the peer and belong to no frame."""


class PeerLine:
    """A ``LiveViewer``. Pictures, sound and events of one time leave at one time, DELAY_S after it
    on the session's clock, so that a receiver plays together what belongs together.

    ``put`` and ``tell`` never wait, and may be called by any thread.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        video: str,
        origin_s: float,
        ask_key: Callable[[], None],
        limit: Callable[[], int | None] = lambda: None,
        *,
        audio: bool = True,
    ) -> None:
        """``video``: h264 or vp8. ``origin_s``: when the session's clock began, monotonic
        seconds. ``limit``: bits of video a second that the peer can take."""
        self.video, self.audio = video, "opus" if audio else "none"
        self._video_kind = _VIDEO[video]
        self._loop, self._origin_s = loop, origin_s
        self._ask_key, self._limit = ask_key, limit
        self._lock = threading.Lock()
        self._untaken = 0
        self._told_s = 0.0
        self._in_step = False
        self._lost_step = False
        """What follows on a picture that did not leave does not leave either: in the loop's thread.
        """
        self.closed = False
        self.dropped = 0
        """Pictures left out."""
        self.send_video: Callable[[bytes, int], None] = lambda _data, _micros: None
        self.send_audio: Callable[[bytes, int], None] = lambda _data, _micros: None
        self.told: Callable[[Event], None] = lambda _event: None
        self.ended: Callable[[Exception | None], None] = lambda _error: None
        """Called in the loop's thread, when it is time."""

    @property
    def limit(self) -> int | None:
        return self._limit()

    def put(self, *packets: Packet) -> None:
        """Those of its own codecs. After a gap its pictures go on with a key frame."""
        wanted: list[Packet] = []
        ask = False
        with self._lock:
            if self.closed:
                return
            full = self._untaken >= MOST_UNTAKEN
            for packet in packets:
                if packet.kind is self._video_kind:
                    self._in_step = not full and (self._in_step or packet.key)
                    if not self._in_step:
                        self.dropped += 1
                        ask = not full
                        continue
                elif packet.kind is not Kind.OPUS or self.audio == "none" or full:
                    continue
                wanted.append(packet)
        if wanted:
            self._post(self._schedule, wanted)
        if ask:
            self._ask_key()

    def tell(self, event: Event) -> None:
        if self.closed:
            return
        self._post(self._tell, event)

    def close(self, error: Exception | None = None, *, now: bool = False) -> None:
        """Nothing more comes. What waits still leaves, unless ``now``. The first close wins."""
        with self._lock:
            if self.closed:
                return
            self.closed = True
        self._post(self._end, error, 0.0 if now else DELAY_S)

    def lose_step(self) -> None:
        """A picture that was to leave was left out: they go on with a key frame. In the loop's
        thread."""
        self._lost_step = True
        with self._lock:
            self.dropped += 1
            self._in_step = False

    def _post(self, call: Callable[..., None], *args: object) -> None:
        with self._lock:
            self._untaken += 1
        try:
            self._loop.call_soon_threadsafe(self._take, call, args)
        except RuntimeError:  # the loop has ended
            self.closed = True

    # The loop's thread

    def _take(self, call: Callable[..., None], args: tuple[object, ...]) -> None:
        with self._lock:
            self._untaken -= 1
        call(*args)

    def _schedule(self, packets: list[Packet]) -> None:
        for packet in packets:
            due_s = self._origin_s + packet.micros / 1e6 + DELAY_S
            self._loop.call_at(due_s, self._send, packet)

    def _send(self, packet: Packet) -> None:
        if packet.kind is Kind.OPUS:
            self.send_audio(packet.payload, packet.micros)
        elif packet.key or not self._lost_step:
            self._lost_step = False
            self.send_video(packet.payload, packet.micros)
        else:
            self.dropped += 1

    def _tell(self, event: Event) -> None:
        if event.type in _PROMPT:
            self.told(event)
            return
        due_s = self._origin_s + event.session_s + DELAY_S
        self._told_s = max(due_s, self._told_s + APART_S)
        self._loop.call_at(self._told_s, self.told, event)

    def _end(self, error: Exception | None, delay_s: float) -> None:
        self._loop.call_later(delay_s, self.ended, error)
