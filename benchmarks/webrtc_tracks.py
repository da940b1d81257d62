"""What comes to an aiortc receiver: each picture when it is whole, each packet of sound at once.

aiortc alone would wait for the first packet of the next picture, and for four packets of sound.
What it names by module globals and keeps private is changed here alone.
"""

from __future__ import annotations

import threading
import time
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import aiortc.rtcrtpreceiver
import av
import numpy as np
from aiortc.clock import datetime_from_ntp
from aiortc.jitterbuffer import JitterBuffer, JitterFrame
from aiortc.rtp import RtcpSrPacket

from benchmarks.notes import Message
from benchmarks.session_viewer import OPUS, PCM

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from aiortc import RTCRtpReceiver
    from aiortc.rtp import AnyRtcpPacket, RtpPacket
    from numpy.typing import NDArray

PICTURE = 6
"""The kind of a coded picture; with GREY its payload are the means of its blocks, float32."""
GREY = 200
BLOCK = 16
RATES = {"video": 90_000, "audio": 48_000}
DECODERS = {"H264": "h264", "VP8": "libvpx", "opus": "libopus"}


class Report(NamedTuple):
    """Of a sender: the RTP time of a track at a moment of the sender's wall clock."""

    micros: int
    wall_s: float


class _Coded(NamedTuple):
    at_s: float
    timestamp: int
    data: bytes


class _Whole(JitterFrame):
    """All pictures that a packet has made whole."""

    def __init__(self, coded: list[_Coded]) -> None:
        super().__init__(b"", coded[-1].timestamp)
        self.coded = coded


class _Frames(JitterBuffer):
    """Gives each picture with its last packet, and each packet of sound at once."""

    def _remove_frame(self, sequence_number: int) -> JitterFrame | None:
        now = time.monotonic()
        if not self._is_video:
            packet = self._packets[sequence_number % self._capacity]
            assert packet is not None
            self.remove(((sequence_number - (self._origin or 0)) & 0xFFFF) + 1)
            return _Whole([_Coded(now, packet.timestamp, packet._data)])  # type: ignore[attr-defined]
        coded: list[_Coded] = []
        held: list[RtpPacket] = []
        assert self._origin is not None
        for number in range(self._origin, self._origin + self._capacity):
            packet = self._packets[number % self._capacity]
            if packet is None:
                break
            held.append(packet)
            if packet.marker:
                data = b"".join(part._data for part in held)  # type: ignore[attr-defined]
                coded.append(_Coded(now, packet.timestamp, data))
                self.remove(len(held))
                held.clear()
        return _Whole(coded) if coded else None


class Track:
    """Takes what comes of a track, in its decoder's thread. It stands where aiortc has a queue."""

    def __init__(self, kind: str, fps: int, note: Callable[[Message], None], *, keep: bool) -> None:
        self._kind, self._fps, self._tell, self._keep = kind, fps, note, keep
        self._decoder: Any = None
        self._first = self._last = -1
        self.reports: list[Report] = []

    def micros(self, timestamp: int) -> int:
        """Since the first one, on the track's own clock."""
        if self._first < 0:
            self._first = self._last = timestamp
        ahead = (timestamp - self._last + (1 << 31)) % (1 << 32) - (1 << 31)
        self._last += ahead
        return round((self._last - self._first) * 1e6 / RATES[self._kind])

    def report(self, packet: RtcpSrPacket) -> None:
        """In the loop's thread."""
        if self._first < 0 or not packet.sender_info.ntp_timestamp:
            return
        sent = packet.sender_info.rtp_timestamp
        ahead = (sent - self._last + (1 << 31)) % (1 << 32) - (1 << 31)
        micros = round((self._last + ahead - self._first) * 1e6 / RATES[self._kind])
        wall = datetime_from_ntp(packet.sender_info.ntp_timestamp)
        self.reports.append(Report(micros, wall.timestamp()))

    def take(self, codec: str, whole: _Whole) -> None:
        """Raises FFmpegError."""
        for coded in whole.coded:
            micros = self.micros(coded.timestamp)
            if not self._keep:
                kind = PICTURE if self._kind == "video" else OPUS
                self._note(kind, coded.at_s, micros, b"", len(coded.data))
                continue
            if self._decoder is None:
                self._decoder = av.CodecContext.create(DECODERS[codec], "r")
                if self._kind == "audio":
                    self._decoder.format, self._decoder.layout = "s16", "mono"
                    self._decoder.sample_rate = RATES["audio"]
            for frame in self._decoder.decode(av.Packet(coded.data)):
                if self._kind == "audio":
                    samples = frame.to_ndarray().reshape(-1)
                    self._note(PCM, coded.at_s, micros, samples.tobytes(), len(coded.data))
                else:
                    means = block_means(_luma(frame)).tobytes()
                    self._note(GREY, time.monotonic(), micros, means, len(coded.data))

    def _note(self, kind: int, at_s: float, micros: int, payload: bytes, size: int) -> None:
        frame = round(micros * self._fps / 1e6)
        self._tell(Message(at_s, kind, False, False, 0, frame, micros, payload, size))


def _decode(
    loop: asyncio.AbstractEventLoop, jobs: Any, track: Track, failed: threading.Event
) -> None:
    """In place of aiortc's ``decoder_worker``."""
    while (job := jobs.get()) is not None:
        try:
            track.take(job[0].name, job[1])
        except av.FFmpegError:
            failed.set()


aiortc.rtcrtpreceiver.decoder_worker = _decode  # type: ignore[assignment]
aiortc.rtcrtpreceiver.JitterBuffer = _Frames  # type: ignore[attr-defined]


def block_means(luma: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Of blocks of BLOCK x BLOCK pixels."""
    high, wide = (edge // BLOCK * BLOCK for edge in luma.shape)
    blocks = luma[:high, :wide].reshape(high // BLOCK, BLOCK, wide // BLOCK, BLOCK)
    return np.asarray(blocks.mean((1, 3)), np.float32)


def _luma(frame: Any) -> NDArray[np.uint8]:
    plane = frame.planes[0]
    rows = np.frombuffer(plane, np.uint8).reshape(frame.height, plane.line_size)
    return rows[:, : frame.width]


def receive(receiver: RTCRtpReceiver, track: Track) -> None:
    """Gives ``track`` all that comes; before the answer is set."""
    receiver._track._queue = track  # type: ignore[union-attr]
    handle = receiver._handle_rtcp_packet
    receiver._handle_rtcp_packet = partial(_reported, track, handle)  # type: ignore[method-assign]


async def _reported(track: Track, handle: Callable[..., Any], packet: AnyRtcpPacket) -> None:
    if isinstance(packet, RtcpSrPacket):
        track.report(packet)
    await handle(packet)
