"""A viewer of a session over WebRTC: notes when each picture, sound and event is there.

A picture counts as here when it is whole and decoded, as in a browser: aiortc alone would wait for
the first packet of the next one, and for four packets of sound.

``python -m benchmarks.webrtc_viewer URL --peers 10 [--session ID --token TOKEN]`` opens peers that
decode nothing, one line for each, and stays until its input ends or it is killed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import threading
import time
from functools import cache, partial
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import aiortc.rtcrtpreceiver
import av
import numpy as np
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.clock import datetime_from_ntp
from aiortc.jitterbuffer import JitterBuffer, JitterFrame
from aiortc.mediastreams import MediaStreamError
from aiortc.rtp import RtcpSrPacket

from benchmarks.session_viewer import OPUS, PATIENCE_S, PCM, Message, Refused, call

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from types import TracebackType

    from aiortc import RTCTrackEvent
    from aiortc.rtp import AnyRtcpPacket, RtpPacket
    from numpy.typing import NDArray

PICTURE = 6
"""The kind of a coded picture; with GREY its payload are the means of its blocks, float32."""
GREY = 200
BLOCK = 16
RATES = {"video": 90_000, "audio": 48_000}
DECODERS = {"H264": "h264", "VP8": "libvpx", "opus": "libopus"}
PING_S = 1.0


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


class _Track:
    """Takes what comes of a track, in its decoder's thread. It stands where aiortc has a queue."""

    def __init__(self, viewer: WebRtcViewer, kind: str) -> None:
        self._viewer, self._kind = viewer, kind
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
            if not self._viewer.keep:
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
        frame = round(micros * self._viewer.fps / 1e6)
        self._viewer.note(Message(at_s, kind, False, False, 0, frame, micros, payload, size))


def _decode(
    loop: asyncio.AbstractEventLoop, jobs: Any, track: _Track, failed: threading.Event
) -> None:
    """In place of aiortc's ``decoder_worker``."""
    while (job := jobs.get()) is not None:
        try:
            track.take(job[0].name, job[1])
        except av.FFmpegError:
            failed.set()


aiortc.rtcrtpreceiver.decoder_worker = _decode  # type: ignore[assignment]
aiortc.rtcrtpreceiver.JitterBuffer = _Frames  # type: ignore[misc,attr-defined]


def block_means(luma: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Of blocks of BLOCK x BLOCK pixels."""
    high, wide = (edge // BLOCK * BLOCK for edge in luma.shape)
    blocks = luma[:high, :wide].reshape(high // BLOCK, BLOCK, wide // BLOCK, BLOCK)
    return np.asarray(blocks.mean((1, 3)), np.float32)


def _luma(frame: Any) -> NDArray[np.uint8]:
    plane = frame.planes[0]
    rows = np.frombuffer(plane, np.uint8).reshape(frame.height, plane.line_size)
    return rows[:, : frame.width]


@cache
def _loop() -> asyncio.AbstractEventLoop:
    """Of all viewers of this process, on its own thread."""
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="webrtc-viewers", daemon=True).start()
    return loop


def _on_loop(work: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run_coroutine_threadsafe(work, _loop()).result(PATIENCE_S)


class WebRtcViewer:
    """Offers, and looks at the session that answers. ``keep`` decodes.

    ``through`` changes the answer's SDP: a relay that stands between; no candidate is told to the
    server then.
    """

    def __init__(
        self,
        url: str,
        *,
        keep: bool = True,
        session: dict[str, Any] | None = None,
        through: Callable[[str], str] | None = None,
        **fields: Any,
    ) -> None:
        """Raises Refused, TimeoutError."""
        self.url, self.keep, self.fps = url, keep, int(fields.get("fps", 25))
        self.messages: list[Message] = []
        self.events: list[tuple[float, dict[str, Any]]] = []
        self.tracks: dict[str, _Track] = {}
        self.ended = False
        self._owner = session is None
        self._changed = threading.Condition()
        self._open = threading.Event()
        self._round_trip_ms: float | None = None
        self.began_s = time.monotonic()
        try:
            sdp = _on_loop(self._offer())
            if through is not None:
                lines = sdp.splitlines(keepends=True)
                sdp = "".join(line for line in lines if not line.startswith("a=candidate"))
            offer = {"type": "offer", "sdp": sdp, **fields}
            if session is not None:
                offer |= {name: session[name] for name in ("session_id", "token")}
            self.session = call(url, "POST", "/api/realtime/offer", offer)
            answer = self.session["sdp"]
            _on_loop(self._accept(through(answer) if through else answer))
        except BaseException:
            _on_loop(self._peer.close())
            raise

    def tell(self, kind: str, **fields: Any) -> float:
        """A command, and when it was sent."""
        if not self._open.wait(PATIENCE_S):
            raise TimeoutError
        now = time.monotonic()
        text = json.dumps({"type": kind, **fields})
        _loop().call_soon_threadsafe(self._channel.send, text)
        return now

    def wait(self, done: Callable[[Message], bool], after_s: float = 0.0) -> Message:
        """The first message after a time that is what is waited for. Raises TimeoutError."""
        end, at = time.monotonic() + PATIENCE_S, 0
        with self._changed:
            while True:
                for message in self.messages[at:]:
                    if message.at_s >= after_s and done(message):
                        return message
                at = len(self.messages)
                left = end - time.monotonic()
                if left <= 0 or self.ended:
                    raise TimeoutError
                self._changed.wait(left)

    def wait_event(self, kind: str, after_s: float = 0.0) -> tuple[float, dict[str, Any]]:
        end = time.monotonic() + PATIENCE_S
        with self._changed:
            while True:
                for at_s, event in self.events:
                    if at_s >= after_s and event["type"] == kind:
                        return at_s, event
                left = end - time.monotonic()
                if left <= 0 or self.ended:
                    raise TimeoutError
                self._changed.wait(left)

    def wall_s(self, message: Message) -> float | None:
        """Of a picture or sound, on the sender's clock, by the sender report that is nearest."""
        track = self.tracks["audio" if message.kind in (PCM, OPUS) else "video"]
        reports = track.reports
        if not reports:
            return None
        nearest = min(reports, key=lambda report: abs(report.micros - message.micros))
        return nearest.wall_s + (message.micros - nearest.micros) / 1e6

    def stats(self) -> dict[str, Any]:
        """The last that the server told."""
        told = [event for _, event in self.events if event["type"] == "stats"]
        return told[-1] if told else {}

    def close(self) -> None:
        """Ends the session too, where it was made here."""
        if self._owner:
            try:
                path = f"/api/sessions/{self.session['session_id']}"
                call(self.url, "DELETE", path, None, self.session["token"])
            except (Refused, OSError):
                pass
        _on_loop(self._peer.close())
        self._end()

    def note(self, message: Message) -> None:
        with self._changed:
            self.messages.append(message)
            self._changed.notify_all()

    # On the loop

    async def _offer(self) -> str:
        self._peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self._peer.on("track", self._on_track)
        self._peer.on("connectionstatechange", self._on_state)
        for kind in RATES:
            self._peer.addTransceiver(kind, direction="recvonly")
        self._channel = self._peer.createDataChannel("control")
        self._channel.on("open", self._open.set)
        self._channel.on("message", self._on_message)
        self._channel.on("open", lambda: asyncio.ensure_future(self._ping()))
        await self._peer.setLocalDescription(await self._peer.createOffer())
        return self._peer.localDescription.sdp

    async def _accept(self, sdp: str) -> None:
        await self._peer.setRemoteDescription(RTCSessionDescription(sdp, "answer"))

    def _on_track(self, event: RTCTrackEvent | Any) -> None:
        track = self.tracks[event.kind] = _Track(self, event.kind)
        event._queue = track
        receiver = next(
            t.receiver for t in self._peer.getTransceivers() if t.receiver.track is event
        )
        receiver._handle_rtcp_packet = partial(_reported, track, receiver._handle_rtcp_packet)  # type: ignore[method-assign]

    def _on_state(self) -> None:
        if self._peer.connectionState in ("failed", "closed"):
            self._end()

    def _on_message(self, text: str) -> None:
        event = json.loads(text)
        now = time.monotonic()
        if event["type"] == "pong":
            self._round_trip_ms = (now - event["t"]) * 1000
        with self._changed:
            self.events.append((now, event))
            self._changed.notify_all()

    async def _ping(self) -> None:
        while self._channel.readyState == "open":
            ping: dict[str, Any] = {"type": "ping", "t": time.monotonic()}
            if self._round_trip_ms is not None:
                ping["round_trip_ms"] = round(self._round_trip_ms, 1)
            self._channel.send(json.dumps(ping))
            await asyncio.sleep(PING_S)

    def _end(self) -> None:
        with self._changed:
            self.ended = True
            self._changed.notify_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, t: TracebackType | None
    ) -> None:
        self.close()


async def _reported(track: _Track, handle: Callable[..., Any], packet: AnyRtcpPacket) -> None:
    if isinstance(packet, RtcpSrPacket):
        track.report(packet)
    await handle(packet)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--peers", type=int, default=1)
    parser.add_argument("--session", default="", help="a session's id; empty: one for each peer")
    parser.add_argument("--token", default="")
    parser.add_argument("--size", default="128x128")
    chosen = parser.parse_args()
    session = {"session_id": chosen.session, "token": chosen.token} if chosen.session else None
    fields = {} if session else {"size": chosen.size, "language": "en"}
    viewers = []
    for _ in range(chosen.peers):
        try:
            viewer = WebRtcViewer(chosen.url, keep=False, session=session, **fields)
            viewer.wait(lambda message: message.kind == PICTURE)
            viewers.append(viewer)
            print(json.dumps({"open": viewer.session["session_id"]}), flush=True)
        except Refused as refused:
            print(json.dumps({"refused": refused.status}), flush=True)
        except TimeoutError:
            print(json.dumps({"silent": True}), flush=True)
    print(json.dumps({"peers": len(viewers)}), flush=True)
    sys.stdin.read()
    for viewer in viewers:
        viewer.close()


if __name__ == "__main__":
    main()
