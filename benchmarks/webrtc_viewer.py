"""A viewer of a session over WebRTC: notes when each picture, sound and event is there."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from functools import cache
from typing import TYPE_CHECKING, Any

from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription

from benchmarks.notes import PATIENCE_S, Message, Notes
from benchmarks.session_viewer import OPUS, PCM, Refused, call
from benchmarks.webrtc_tracks import RATES, Track, receive

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

PING_S = 1.0


@cache
def _loop() -> asyncio.AbstractEventLoop:
    """Of all viewers of this process, on its own thread."""
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="webrtc-viewers", daemon=True).start()
    return loop


def freeze(seconds: float) -> None:
    """All viewers of this process: they neither read nor answer for so long."""
    _loop().call_soon_threadsafe(time.sleep, seconds)


def _on_loop(work: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run_coroutine_threadsafe(work, _loop()).result(PATIENCE_S)


class WebRtcViewer(Notes):
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
        super().__init__()
        self.tracks: dict[str, Track] = {}
        self._owner = session is None
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
        self.end()

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

    def _on_track(self, media: Any) -> None:
        track = Track(media.kind, self.fps, self.note, keep=self.keep)
        self.tracks[media.kind] = track
        lines = self._peer.getTransceivers()
        receive(next(line.receiver for line in lines if line.receiver.track is media), track)

    def _on_state(self) -> None:
        if self._peer.connectionState in ("failed", "closed"):
            self.end()

    def _on_message(self, text: str) -> None:
        event = json.loads(text)
        now = time.monotonic()
        if event["type"] == "pong":
            self._round_trip_ms = (now - event["t"]) * 1000
        self.note_event(now, event)

    async def _ping(self) -> None:
        while self._channel.readyState == "open":
            ping: dict[str, Any] = {"type": "ping", "t": time.monotonic()}
            if self._round_trip_ms is not None:
                ping["round_trip_ms"] = round(self._round_trip_ms, 1)
            self._channel.send(json.dumps(ping))
            await asyncio.sleep(PING_S)
