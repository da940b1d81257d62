"""One peer: its connection, its two tracks, its control channel, from the offer to the end."""

from __future__ import annotations

import asyncio
import logging
import math
import secrets
import time
from functools import partial
from typing import TYPE_CHECKING

from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.exceptions import InvalidAccessError, InvalidStateError, OperationError

from app_core.errors import BadInput, Busy
from app_core.ids import new_key
from app_core.outputs.webrtc.aiortc_hooks import (
    Report,
    SenderWatch,
    bound_messages,
    close_connection,
    prefer,
)
from app_core.outputs.webrtc.answer import reachable
from app_core.outputs.webrtc.bitrate import BitrateControl
from app_core.outputs.webrtc.candidates import MOST_CANDIDATES, read_candidate
from app_core.outputs.webrtc.control_channel import ControlChannel
from app_core.outputs.webrtc.microphone import read_microphone
from app_core.outputs.webrtc.packet_track import PacketTrack
from app_core.outputs.webrtc.peer_line import DELAY_S, PeerLine
from app_core.outputs.webrtc.tasks import Jobs, Tasks

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Executor

    from aiortc import MediaStreamTrack, RTCIceServer, RTCRtpTransceiver

    from app_core.outputs.webrtc.microphone import SoundSink
    from app_core.outputs.webrtc.offer import Offer
    from app_core.outputs.webrtc.peer_owner import PeerOwner

logger = logging.getLogger(__name__)

CONNECT_S = 15.0
"""From the answer until it is connected. ICE by itself waits for ever."""
CLOSE_S = 10.0
LOOK_S = 1.0
"""Between two looks at whether it lives; its numbers are told as often."""
MOST_COMMANDS = 64
"""Of one peer, that wait to be done."""
KEY_PAUSE_S = 0.7
"""Between two key frames for one peer, which asks until one comes."""
GOODBYE_S = 0.1
"""For the last event to leave."""


_NOT_UNDERSTOOD = (
    *(InvalidAccessError, InvalidStateError, OperationError, ValueError),
    *(AttributeError, AssertionError, LookupError, TypeError),
)
"""What an offer makes aiortc raise, or stumble over."""


class Peer:
    """Made and used in the loop's thread; ``close_soon`` and the names are for any."""

    def __init__(
        self,
        offer: Offer,
        origin_s: float,
        rates: tuple[int, int],
        ask_key: Callable[[], None],
        ice_servers: list[RTCIceServer],
        workers: Executor,
        public_address: str = "",
        place: str = "",
        *,
        listens: bool = False,
    ) -> None:
        """``rates``: the least and the most bits of video a second. ``listens``: its microphone is
        heard. ``workers`` do its commands."""
        self.id, self.etag = new_key(place), secrets.token_hex(8)
        self.offer, self.answer = offer, ""
        self._loop = asyncio.get_running_loop()
        self.bitrate = BitrateControl(*rates, self._loop.time, lambda: self.video.bits_s)
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
        self._key_s = -math.inf
        self._public_address, self.listens = public_address, listens and offer.speaks
        self._owner: PeerOwner | None = None
        self._jobs, self._tasks = Jobs(MOST_COMMANDS, workers), Tasks()
        self._closing: asyncio.Task[None] | None = None
        self._connected = False
        self._candidates = 0
        """Of the peer, that are tried."""
        self.video = PacketTrack("video", self.line.lose_step)
        self.audio = PacketTrack("audio")
        self._control = ControlChannel(self._loop.time, self._command, self.close_soon)
        self.line.send_video, self.line.send_audio = self.video.send, self.audio.send
        self.line.told, self.line.ended = self._control.tell, self._line_ended
        # The offer's own bundle makes one transport of all. MAX_BUNDLE would stop that transport
        # where the first line of the bundle is not the one that was added first.
        self._pc = RTCPeerConnection(RTCConfiguration(iceServers=ice_servers))
        self._pc.on("connectionstatechange", self._state_changed)
        self._pc.on("datachannel", self._control.adopt)
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
            self._closing = self._tasks.start(self._shut())
            raise
        if self._closing is not None:
            raise Busy("The server is stopping")
        self.answer, self._owner = answer, owner
        self._tasks.start(self._jobs.run())
        self._loop.call_later(CONNECT_S, self._check_connected)
        return answer

    async def add_candidate(self, line: str) -> None:
        """``line``: as in SDP, without ``a=``; of whichever line of media, as there is one
        transport. Those beyond MOST_CANDIDATES are left out. Raises BadInput."""
        candidate = read_candidate(line)
        if candidate is not None and self._candidates < MOST_CANDIDATES:
            self._candidates += 1
            await self._transport.addRemoteCandidate(candidate)

    def close_soon(self, why: str) -> None:
        """Does not wait. Safe to call again, from any thread."""
        try:
            self._loop.call_soon_threadsafe(self._close, why)
        except RuntimeError:
            logger.debug("the loop of the peers has ended")

    def do(self, job: Callable[[], None]) -> bool:
        """In a thread that may wait, after what the peer asked before. In the loop's thread. False:
        not now."""
        if self._closing is not None or self._jobs.full:
            return False
        self._jobs.put(job)
        return True

    async def close(self, why: str = "closed") -> None:
        self._close(why)
        if self._closing is not None:
            await asyncio.shield(self._closing)

    # How it begins

    async def _answer(self) -> str:
        pc, offer = self._pc, self.offer
        video = pc.addTransceiver(self.video, direction="sendonly")
        prefer(video, offer.video)
        ours = [video]
        if offer.audio or self.listens:
            direction = "sendrecv" if self.listens else "sendonly"
            ours.append(pc.addTransceiver(self.audio, direction=direction))
            prefer(ours[1], "opus")
        try:
            await pc.setRemoteDescription(RTCSessionDescription(offer.sdp, "offer"))
            self._transport = video.receiver.transport.transport
            if pc.sctp is not None:
                bound_messages(pc.sctp, self._close)
            for line in offer.candidates:
                await self.add_candidate(line)
            for other in pc.getTransceivers():
                if other not in ours:
                    other.direction = "inactive"
            self._watch(video)
            if len(ours) > 1:
                self._watch(ours[1])
            await pc.setLocalDescription(await pc.createAnswer())
        except _NOT_UNDERSTOOD as error:
            logger.info("an offer was not understood", exc_info=error)
            raise BadInput(
                "The offer cannot be used: it contradicts itself", field="sdp"
            ) from error
        return reachable(pc.localDescription.sdp, self._public_address)

    def _watch(self, transceiver: RTCRtpTransceiver) -> None:
        """Its sender reports are those of the session's clock."""
        began_s = time.time() - self._loop.time() + self._origin_s + DELAY_S
        pictures = transceiver.kind == "video"
        track = self.video if pictures else self.audio
        SenderWatch(
            transceiver.sender,
            lambda: began_s + track.taken_s,
            self._key_asked if pictures else lambda: None,
            self.bitrate.remb if pictures else lambda _bits: None,
            self._reported if pictures else lambda _report: None,
            self._close,
        )

    def _reported(self, report: Report) -> None:
        self.report = report
        self.bitrate.report(report.fraction_lost, report.round_trip_s)

    def _key_asked(self) -> None:
        """All who look get a key frame for it, so it is not every one that is asked for."""
        now = self._loop.time()
        if now - self._key_s >= KEY_PAUSE_S:
            self._key_s = now
            self._ask_key()

    def _check_connected(self) -> None:
        if not self._connected:
            self._close("it did not connect")

    # What happens to it

    def _state_changed(self) -> None:
        state = self._pc.connectionState
        if state == "connected" and not self._connected and self._closing is None:
            self._connected = True
            if self._owner is not None:
                self._owner.connected()
            self._tasks.start(self._look(), ends=True)
        elif state in ("failed", "closed"):
            self._close(state)

    def _track_came(self, track: MediaStreamTrack) -> None:
        if track.kind == "audio" and self.listens:
            self._tasks.start(read_microphone(track, self._hearer), ends=True)

    def _hearer(self) -> SoundSink | None:
        return self._owner.hearer() if self._owner is not None and self._connected else None

    def _line_ended(self, error: Exception | None) -> None:
        why = "the session ended" if error is None else str(error)
        self._loop.call_later(GOODBYE_S, self._close, why)

    def _command(self, message: str | bytes) -> None:
        if self._jobs.full:
            self._close("too many commands at once")
        elif self._owner is not None and self._closing is None:
            self._jobs.put(partial(self._owner.commanded, message))

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(LOOK_S)
            self._control.look()
            if self.video.stuck:
                self._close("it is sent nothing any more")
            if self._control.open and self._owner is not None:
                self._control.tell(self._owner.numbers())

    # How it ends

    def _close(self, why: str) -> None:
        if self._closing is None:
            logger.debug("a peer ends: %s", why)
            self._closing = self._tasks.start(self._end(why))

    async def _end(self, why: str) -> None:
        self.line.close(now=True)
        try:
            await self._shut()
        finally:
            self._jobs.end()
            if self._owner is not None:
                self._owner.left(why)

    async def _shut(self) -> None:
        self._tasks.cancel()
        closing = self._tasks.start(close_connection(self._pc))
        _, open_still = await asyncio.wait({closing}, timeout=CLOSE_S)
        if open_still:
            logger.error("the connection of a peer does not end")
