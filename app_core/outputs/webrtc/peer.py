"""One peer: its connection, its two tracks, its control channel, from the offer to the end."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from aiortc import (
    RTCBundlePolicy,
    RTCConfiguration,
    RTCPeerConnection,
    RTCRtpSender,
    RTCSessionDescription,
)
from aiortc.exceptions import InvalidAccessError, InvalidStateError, OperationError
from aiortc.sdp import candidate_from_sdp

from app_core.errors import BadInput
from app_core.outputs.webrtc.aiortc_hooks import Report, SenderWatch
from app_core.outputs.webrtc.answer import reachable
from app_core.outputs.webrtc.bitrate import BitrateControl
from app_core.outputs.webrtc.control_channel import ControlChannel
from app_core.outputs.webrtc.microphone import SoundSink, read_microphone
from app_core.outputs.webrtc.packet_track import PacketTrack
from app_core.outputs.webrtc.peer_line import DELAY_S, PeerLine

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiortc import MediaStreamTrack, RTCDataChannel, RTCIceServer, RTCRtpTransceiver

    from app_core.outputs.webrtc.offer import Offer
    from app_core.types import Event

logger = logging.getLogger(__name__)

CONNECT_S = 15.0
"""From the answer until it is connected. ICE by itself waits for ever."""
CLOSE_S = 5.0
LOOK_S = 1.0
"""Between two looks at whether it lives; its numbers are told as often."""
MOST_COMMANDS = 64
"""Of one peer, that wait to be done."""
GOODBYE_S = 0.1
"""For the last event to leave."""


class PeerOwner(Protocol):
    """Whom a peer tells of itself, one call at a time, in a thread that may wait."""

    def connected(self) -> None: ...

    def commanded(self, text: str) -> None: ...

    def left(self, why: str) -> None:
        """The last call, whatever came before."""

    def numbers(self) -> Event:
        """Told the peer each second. In the loop's thread: does not wait."""

    def hearer(self) -> SoundSink | None:
        """Who hears its microphone now. In the loop's thread: does not wait."""


class Peer:
    """Made and used in the loop's thread; ``close_soon`` and the names are for any."""

    def __init__(
        self,
        offer: Offer,
        origin_s: float,
        rates: tuple[int, int],
        ask_key: Callable[[], None],
        ice_servers: list[RTCIceServer],
        public_address: str = "",
        *,
        listens: bool = False,
    ) -> None:
        """``rates``: the least and the most bits of video a second. ``listens``: its microphone is
        heard."""
        self.id, self.etag = secrets.token_urlsafe(24), secrets.token_hex(8)
        self.offer, self.answer = offer, ""
        self._loop = asyncio.get_running_loop()
        self.bitrate = BitrateControl(*rates, self._loop.time)
        self.line = PeerLine(
            self._loop,
            offer.video,
            origin_s,
            ask_key,
            lambda: self.bitrate.limit,
            audio=offer.audio,
        )
        self.report: Report | None = None
        """The last that the receiver sent of the pictures."""
        self._origin_s, self._ask_key = origin_s, ask_key
        self._public_address, self._listens = public_address, listens and offer.speaks
        self._owner: PeerOwner | None = None
        self._jobs: asyncio.Queue[Callable[[], None] | None] = asyncio.Queue()
        self._looking: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[Any]] = set()
        self._closing: asyncio.Task[None] | None = None
        self._connected = False
        self.video = PacketTrack("video", self._overrun)
        self.audio = PacketTrack("audio")
        self._control = ControlChannel(self._loop.time, self._command, self.close_soon)
        self.line.send_video, self.line.send_audio = self.video.send, self.audio.send
        self.line.told, self.line.ended = self._control.tell, self._line_ended
        self._pc = RTCPeerConnection(
            RTCConfiguration(iceServers=ice_servers, bundlePolicy=RTCBundlePolicy.MAX_BUNDLE)
        )
        self._pc.on("connectionstatechange", self._state_changed)
        self._pc.on("datachannel", self._channel_made)
        self._pc.on("track", self._track_came)

    @property
    def closed(self) -> bool:
        return self._closing is not None

    async def begin(self, owner: PeerOwner) -> str:
        """The answer to its offer. Raises BadInput, or Busy when no UDP port is free; then it is
        closed, and ``owner`` is told nothing."""
        try:
            answer = await self._answer()
        except BaseException:
            self._closing = self._start(self._shut())
            raise
        self.answer, self._owner = answer, owner
        self._start(self._work())
        self._loop.call_later(CONNECT_S, self._check_connected)
        return answer

    async def add_candidate(self, line: str, mid: str) -> None:
        """``line``: as in SDP, without ``a=``. Raises BadInput."""
        try:
            candidate = candidate_from_sdp(line.removeprefix("candidate:"))
        except (ValueError, AssertionError, IndexError) as error:
            raise BadInput("A candidate of it cannot be read", field="sdp") from error
        candidate.sdpMid = mid
        try:
            await self._pc.addIceCandidate(candidate)
        except (ValueError, InvalidStateError) as error:
            raise BadInput(f"A candidate cannot be used: {error}", field="sdp") from error

    def close_soon(self, why: str) -> None:
        """Does not wait. Safe to call again, from any thread."""
        try:
            self._loop.call_soon_threadsafe(self._close, why)
        except RuntimeError:
            logger.debug("the loop of the peers has ended")

    def do(self, job: Callable[[], None]) -> None:
        """In a thread that may wait, after what the peer asked before. In the loop's thread."""
        if self._closing is None and self._jobs.qsize() < MOST_COMMANDS:
            self._jobs.put_nowait(job)

    async def close(self, why: str = "closed") -> None:
        self._close(why)
        if self._closing is not None:
            await asyncio.shield(self._closing)

    # How it begins

    async def _answer(self) -> str:
        pc, offer = self._pc, self.offer
        video = pc.addTransceiver(self.video, direction="sendonly")
        codecs = RTCRtpSender.getCapabilities("video").codecs
        named = f"video/{offer.video}"
        video.setCodecPreferences([c for c in codecs if c.mimeType.lower() in (named, "video/rtx")])
        ours = [video]
        if offer.audio or self._listens:
            direction = "sendrecv" if self._listens else "sendonly"
            ours.append(pc.addTransceiver(self.audio, direction=direction))
        try:
            await pc.setRemoteDescription(RTCSessionDescription(offer.sdp, "offer"))
            for other in pc.getTransceivers():
                if other not in ours:
                    other.direction = "inactive"
            self._watch(video)
            if len(ours) > 1:
                self._watch(ours[1])
            await pc.setLocalDescription(await pc.createAnswer())
        except (ValueError, InvalidAccessError, InvalidStateError, OperationError) as error:
            raise BadInput(f"The offer cannot be used: {error}", field="sdp") from error
        return reachable(pc.localDescription.sdp, self._public_address)

    def _watch(self, transceiver: RTCRtpTransceiver) -> None:
        """Its sender reports are those of the session's clock."""
        began_s = time.time() - self._loop.time() + self._origin_s + DELAY_S
        pictures = transceiver.kind == "video"
        track = self.video if pictures else self.audio
        SenderWatch(
            transceiver.sender,
            lambda: began_s + track.taken_s,
            self._ask_key if pictures else lambda: None,
            self.bitrate.remb if pictures else lambda _bits: None,
            self._reported if pictures else lambda _report: None,
        )

    def _reported(self, report: Report) -> None:
        self.report = report
        self.bitrate.report(report.fraction_lost, report.round_trip_s)

    def _check_connected(self) -> None:
        if not self._connected:
            self._close("it did not connect")

    # What happens to it

    def _state_changed(self) -> None:
        state = self._pc.connectionState
        if state == "connected" and not self._connected:
            self._connected = True
            if self._owner is not None:
                self._jobs.put_nowait(self._owner.connected)
            self._looking = self._start(self._look())
        elif state in ("failed", "closed"):
            self._close(state)

    def _channel_made(self, channel: RTCDataChannel) -> None:
        self._control.adopt(channel)

    def _track_came(self, track: MediaStreamTrack) -> None:
        if track.kind == "audio" and self._listens:
            self._start(read_microphone(track, self._hearer, lambda: None))

    def _hearer(self) -> SoundSink | None:
        return self._owner.hearer() if self._owner is not None and self._connected else None

    def _overrun(self) -> None:
        self.line.lose_step()

    def _line_ended(self, error: Exception | None) -> None:
        why = "the session ended" if error is None else str(error)
        self._loop.call_later(GOODBYE_S, self._close, why)

    def _command(self, text: str) -> None:
        if self._jobs.qsize() >= MOST_COMMANDS:
            self._close("too many commands at once")
        elif self._owner is not None and self._closing is None:
            self._jobs.put_nowait(partial(self._owner.commanded, text))

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(LOOK_S)
            self._control.look()
            if self._control.open and self._owner is not None:
                self._control.tell(self._owner.numbers())

    async def _work(self) -> None:
        """What the owner does for it, one after the other, in threads that may wait."""
        while (job := await self._jobs.get()) is not None:
            try:
                await self._loop.run_in_executor(None, job)
            except Exception:
                logger.exception("what a peer asked for failed")

    # How it ends

    def _close(self, why: str) -> None:
        if self._closing is None:
            logger.debug("a peer ends: %s", why)
            self._closing = self._start(self._end(why))

    async def _end(self, why: str) -> None:
        self.line.close(now=True)
        try:
            await self._shut()
        finally:
            if self._looking is not None:
                self._looking.cancel()
            if self._owner is not None:
                self._jobs.put_nowait(partial(self._owner.left, why))
            self._jobs.put_nowait(None)

    async def _shut(self) -> None:
        try:
            async with asyncio.timeout(CLOSE_S):
                await self._pc.close()
        except TimeoutError:
            logger.error("the connection of a peer does not end")

    def _start(self, work: Any) -> asyncio.Task[Any]:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
