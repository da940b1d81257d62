"""A track of what is encoded already: aiortc only cuts it into packets and sends them."""

from __future__ import annotations

import asyncio
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from aiortc import MediaStreamTrack

from app_core.outputs.live.bit_meter import BitMeter
from app_core.outputs.webrtc.aiortc_hooks import CodedPacket

if TYPE_CHECKING:
    from collections.abc import Callable

MOST_WAITING = 64
"""Pictures or packets of sound that were released and not taken: a transport that is stuck."""
_CLOCK_RATES = {"video": 90_000, "audio": 48_000}
"""Of RTP times, a second (RFC 6184, RFC 7587)."""


class PacketTrack(MediaStreamTrack):
    """In the loop's thread alone."""

    def __init__(self, kind: str, overrun: Callable[[], None] = lambda: None) -> None:
        """``kind``: video or audio. ``overrun`` is called for what found no room and was left
        out."""
        super().__init__()
        self.kind = kind
        self._rate, self._overrun = _CLOCK_RATES[kind], overrun
        self._time_base = Fraction(1, self._rate)
        self._queue: asyncio.Queue[tuple[bytes, int]] = asyncio.Queue(MOST_WAITING)
        self._sent = BitMeter()
        self.taken_s = 0.0
        """On the session's clock, of what was sent last."""

    def send(self, data: bytes, micros: int) -> None:
        """One picture, Annex B or a VP8 frame, or one Opus packet, that begins at ``micros``."""
        try:
            self._queue.put_nowait((data, micros))
        except asyncio.QueueFull:
            self._overrun()

    @property
    def stuck(self) -> bool:
        """All of MOST_WAITING wait: nobody takes them."""
        return self._queue.full()

    @property
    def bits_s(self) -> int:
        """Sent in the last second, without the heads of packets."""
        return self._sent.bits_s

    async def recv(self) -> Any:
        """A CodedPacket."""
        data, micros = await self._queue.get()
        packet = CodedPacket(data, round(micros * self._rate / 1e6), self._time_base)
        self.taken_s = packet.pts / self._rate
        self._sent.add(len(data))
        return packet
