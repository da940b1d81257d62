"""The other end of a WebRTC connection: aiortc as a browser would use it, in its own thread."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Coroutine
from typing import Any

import av
import numpy as np
from aiortc import (
    MediaStreamTrack,
    RTCConfiguration,
    RTCPeerConnection,
    RTCRtpReceiver,
    RTCSessionDescription,
)
from aiortc.mediastreams import AudioStreamTrack, MediaStreamError

from tests.conftest import until

ANSWER_S = 20.0


class Hum(AudioStreamTrack):
    """A microphone into which somebody hums."""

    _at = 0

    async def recv(self) -> av.AudioFrame:
        frame = await super().recv()
        assert isinstance(frame, av.AudioFrame)
        times = (self._at + np.arange(frame.samples)) / frame.sample_rate
        self._at += frame.samples
        wave = (8000 * np.sin(2 * np.pi * 220 * times)).astype("<i2")
        frame.planes[0].update(wave.tobytes())
        return frame


class PeerClient:
    def __init__(
        self,
        *,
        video: str = "recvonly",
        audio: str = "recvonly",
        control: bool = True,
        microphone: bool = False,
        codec: str = "",
    ) -> None:
        """``video``, ``audio``: the direction of that line; empty: there is none."""
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()
        self.events: list[dict[str, Any]] = []
        self.pictures: list[av.VideoFrame] = []
        self.sounds: list[float] = []
        """The loudest sample of each, 0..1."""
        self.reports: dict[str, list[tuple[int, int]]] = {"video": [], "audio": []}
        """(64-bit NTP time, RTP time) of the sender reports of each track."""
        self.run(self._make(video, audio, codec, control=control, microphone=microphone))

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(ANSWER_S)

    async def _make(
        self, video: str, audio: str, codec: str, *, control: bool, microphone: bool
    ) -> None:
        self.pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.pc.on("track", self._track)
        self.channel = self.pc.createDataChannel("control") if control else None
        if self.channel is not None:
            self.channel.on("message", lambda text: self.events.append(json.loads(text)))
        if video:
            line = self.pc.addTransceiver("video", direction=video)
            if codec:
                known = RTCRtpReceiver.getCapabilities("video").codecs
                line.setCodecPreferences([c for c in known if c.mimeType == f"video/{codec}"])
        if audio:
            track = Hum() if microphone else "audio"
            self.pc.addTransceiver(track, direction="sendrecv" if microphone else audio)
        for transceiver in self.pc.getTransceivers():
            self._overhear(transceiver.kind, transceiver.receiver)

    def _overhear(self, kind: str, receiver: Any) -> None:
        take = receiver._handle_rtcp_packet

        async def overheard(packet: Any) -> None:
            info = getattr(packet, "sender_info", None)
            if info is not None:
                self.reports[kind].append((info.ntp_timestamp, info.rtp_timestamp))
            await take(packet)

        receiver._handle_rtcp_packet = overheard

    def _track(self, track: MediaStreamTrack) -> None:
        self.loop.create_task(self._read(track))

    async def _read(self, track: MediaStreamTrack) -> None:
        try:
            while True:
                frame = await track.recv()
                if isinstance(frame, av.VideoFrame):
                    self.pictures.append(frame)
                elif isinstance(frame, av.AudioFrame):
                    self.sounds.append(float(np.abs(frame.to_ndarray()).max()) / 32768)
        except MediaStreamError:
            return

    def offer(self) -> str:
        async def make() -> str:
            await self.pc.setLocalDescription(await self.pc.createOffer())
            return self.pc.localDescription.sdp

        sdp: str = self.run(make())
        return sdp

    def accept(self, sdp: str) -> None:
        self.run(self.pc.setRemoteDescription(RTCSessionDescription(sdp, "answer")))

    def connect(self, ask: Callable[[str], str]) -> None:
        """``ask`` sends the offer and returns the answer."""
        self.accept(ask(self.offer()))
        assert until(lambda: self.state == "connected"), self.state

    def say(self, **command: Any) -> None:
        self.send(json.dumps(command))

    def send(self, message: str | bytes) -> None:
        assert until(lambda: self.channel is not None and self.channel.readyState == "open")
        channel = self.channel
        assert channel is not None
        self.loop.call_soon_threadsafe(channel.send, message)

    def event(self, kind: str, **fields: Any) -> dict[str, Any]:
        """The first of this kind with these fields; waits for it."""

        def found() -> list[dict[str, Any]]:
            return [
                event
                for event in list(self.events)
                if event["type"] == kind and fields.items() <= event.items()
            ]

        assert until(lambda: bool(found())), self.events
        return found()[0]

    @property
    def state(self) -> str:
        return self.pc.connectionState

    def close(self) -> None:
        if not self.loop.is_closed():
            self.run(self.pc.close())
            self._stop()

    def vanish(self) -> None:
        """Without a word, as a killed process does."""

        async def say_nothing(_data: bytes) -> None:
            """It is not sent."""

        for transceiver in self.pc.getTransceivers():
            transceiver.receiver.transport.transport._connection.send = say_nothing  # type: ignore[method-assign]
        self.close()

    def _stop(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(ANSWER_S)
        self.loop.close()
