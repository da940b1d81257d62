"""What waits for one viewer of a session, between the session's thread and the viewer's own."""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Literal

from app_core.audio import SAMPLE_BYTES
from app_core.channel import ChannelClosed
from app_core.errors import Cancelled, afresh
from app_core.media import opus
from app_core.outputs.live.bit_meter import BitMeter
from app_core.outputs.live.live_frame import SAMPLE_RATE
from app_core.outputs.live.packet import HEADER_BYTES, SOUND, Kind, Packet
from app_core.types import Event

if TYPE_CHECKING:
    from collections.abc import Callable

MOST_JPEGS = 2
"""Pictures that wait: more would only be older."""
MOST_EVENTS = 256
_JPEG = frozenset({Kind.JPEG})
_WANTED: dict[str, frozenset[Kind]] = {
    "jpeg": _JPEG,
    "mp4": frozenset({Kind.MP4_START, Kind.MP4}),
    "pcm": frozenset({Kind.PCM}),
    "opus": frozenset({Kind.OPUS}),
    "none": frozenset(),
}


def _nothing() -> None:
    """Nobody is asked for a key frame."""


class ViewerLine:
    """A ``Viewer``: packets of the asked kinds and events, in the order in which they came; others
    are ignored.

    ``put`` and ``tell`` never wait. What a slow viewer does not take is left out: JPEGs but the
    newest MOST_JPEGS; of a film that is a second behind all up to its next key frame, but never a
    key frame for a picture that is none; sound that is older than a second, and all that was
    interrupted. After a gap in the
    film, and at its beginning, a key frame is asked for until it comes, but not while a picture
    waits: one viewer who is stuck costs the others no key frames.
    """

    limit: int | None = None
    """It leaves out what it cannot take."""

    def __init__(
        self,
        video: Literal["jpeg", "mp4", "none"],
        audio: Literal["pcm", "opus", "none"],
        fps: int,
        ask_key: Callable[[], None] = _nothing,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``ask_key`` is called by whoever calls ``put``. ``clock`` tells seconds."""
        self.video, self.audio = video, audio
        self._wanted = _WANTED[video] | _WANTED[audio]
        self._most_pictures = fps
        self._ask_key = ask_key
        self._items: deque[Packet | Event] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self._error: Exception | None = None
        self._opened = self._begun = self._in_step = False
        self._pictures = self._samples = self._events = 0  # that wait
        self._generation = 0
        self._sent = BitMeter(clock)
        self.bytes_sent = 0
        """Taken by the viewer, headers included, events not."""
        self.dropped = 0
        """Pictures left out since the first that was put."""
        self.sounds_dropped = 0
        """Packets of sound left out."""

    @property
    def closed(self) -> bool:
        return self._closed

    @property
    def waiting(self) -> int:
        """Packets and events."""
        return len(self._items)

    @property
    def bitrate(self) -> int:
        """Bits taken in the last second."""
        with self._changed:
            return self._sent.bits_s

    def put(self, *packets: Packet) -> None:
        """In one step, so that the viewer wakes once. Does nothing once the line is closed."""
        wanted = [packet for packet in packets if packet.kind in self._wanted]
        if not wanted:
            return
        ask = False
        with self._changed:
            if self._closed:
                return
            self._drop_interrupted(wanted)
            for packet in wanted:
                ask |= self._put(packet)
            self._changed.notify_all()
        if ask:
            self._ask_key()

    def _put(self, packet: Packet) -> bool:
        """Whether a key frame is to be asked for."""
        if packet.kind in SOUND:
            self._put_sound(packet)
        elif packet.kind is Kind.JPEG:
            self._put_jpeg(packet)
        elif packet.kind is Kind.MP4_START:
            self._opened, self._in_step = True, False
            self._items.append(packet)
        else:
            return self._put_fragment(packet)
        return False

    def tell(self, event: Event) -> None:
        """Does nothing once the line is closed. Too many that nobody takes close it."""
        with self._changed:
            if self._closed:
                return
            if self._events < MOST_EVENTS:
                self._events += 1
                self._items.append(event)
                self._changed.notify_all()
                return
        self.close(Cancelled("The viewer took nothing for too long"), now=True)

    def get(self, timeout_s: float) -> Packet | Event:
        """The next one. Raises TimeoutError, the error it was closed with, or ChannelClosed."""
        return self.take(timeout_s, 1)[0]

    def take(self, timeout_s: float, most_bytes: int) -> list[Packet | Event]:
        """The next one, and those behind it that are here, until they are so many bytes together.
        Raises as ``get``."""
        end = time.monotonic() + timeout_s
        with self._changed:
            while not self._items:
                if self._error is not None:
                    raise afresh(self._error)
                if self._closed:
                    raise ChannelClosed
                left = end - time.monotonic()
                if left <= 0:
                    raise TimeoutError
                self._changed.wait(left)
            taken: list[Packet | Event] = []
            packets = 0
            while self._items and packets + len(taken) < most_bytes:
                item = self._items.popleft()
                taken.append(item)
                self._uncount(item)
                if isinstance(item, Packet):
                    packets += HEADER_BYTES + len(item.payload)
            if packets:
                self.bytes_sent += packets
                self._sent.add(packets)
            return taken

    def close(self, error: Exception | None = None, *, now: bool = False) -> None:
        """Nothing more comes. What waits is still taken before the error, or thrown away ``now``.
        The first close wins.
        """
        with self._changed:
            if self._closed:
                return
            self._closed, self._error = True, error and afresh(error)
            if now:
                self._items.clear()
                self._pictures = self._samples = self._events = 0
            self._changed.notify_all()

    def _drop_interrupted(self, packets: list[Packet]) -> None:
        """Sound that waits, when what comes now is of a later generation. An encoder's own last
        packet of the one before comes with it, and stays."""
        newest = max(packet.generation for packet in packets)
        if newest != self._generation:
            self._generation = newest
            while self._samples:
                self._drop_oldest(SOUND)

    def _put_jpeg(self, packet: Packet) -> None:
        if self._pictures >= MOST_JPEGS:
            self._drop_oldest(_JPEG)
            self.dropped += 1
        self._pictures += 1
        self._items.append(packet)

    def _put_sound(self, packet: Packet) -> None:
        self._samples += _samples(packet)
        self._items.append(packet)
        while self._samples > SAMPLE_RATE:
            self._drop_oldest(SOUND)
            self.sounds_dropped += 1

    def _put_fragment(self, packet: Packet) -> bool:
        """Whether a key frame is to be asked for."""
        if self._in_step and self._pictures >= self._most_pictures:
            self._in_step = False
            self._drop_fragments(keys=False)
        if not self._in_step:
            if not (packet.key and self._opened):
                self.dropped += self._begun
                return self._opened and not self._pictures
            self._drop_fragments(keys=True)  # older than this one, and nothing leads on from them
            self._begun = self._in_step = True
        self._pictures += 1
        self._items.append(packet)
        return False

    def _drop_fragments(self, *, keys: bool) -> None:
        """All that wait; key frames only if ``keys``."""
        kept: deque[Packet | Event] = deque()
        for item in self._items:
            if isinstance(item, Packet) and item.kind is Kind.MP4 and (keys or not item.key):
                self._uncount(item)
                self.dropped += 1
            else:
                kept.append(item)
        self._items = kept

    def _drop_oldest(self, kinds: frozenset[Kind]) -> None:
        for at, item in enumerate(self._items):
            if isinstance(item, Packet) and item.kind in kinds:
                del self._items[at]
                self._uncount(item)
                return

    def _uncount(self, item: Packet | Event) -> None:
        if isinstance(item, Event):
            self._events -= 1
        elif item.kind in SOUND:
            self._samples -= _samples(item)
        elif item.kind is not Kind.MP4_START:
            self._pictures -= 1


def _samples(packet: Packet) -> int:
    return opus.SAMPLES if packet.kind is Kind.OPUS else len(packet.payload) // SAMPLE_BYTES
