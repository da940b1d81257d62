"""A peer and who offers to it, both in one loop; offers as clients of all kinds make them."""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import AudioStreamTrack
from aiortc.rtcsctptransport import SCTP_DATA_FIRST_FRAG, DataChunk

from app_core.outputs.webrtc.aiortc_hooks import MOST_PIECES, prepare
from app_core.outputs.webrtc.candidates import MOST_CANDIDATES
from app_core.outputs.webrtc.offer import read_offer
from app_core.outputs.webrtc.peer import Peer
from app_core.types import Event


class Owner:
    def __init__(self) -> None:
        self.calls: list[str] = []

    def connected(self) -> None:
        self.calls.append("connected")

    def commanded(self, text: str) -> None:
        self.calls.append(text)

    def left(self, why: str) -> None:
        self.calls.append("left")

    def numbers(self) -> Event:
        return Event("stats", None, 0.0, {})

    def hearer(self) -> None:
        return None


async def offering(*lines: str, microphone: bool = False) -> RTCPeerConnection:
    """``lines``: audio, video or control, in their order."""
    far = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    for line in lines:
        if line == "control":
            far.createDataChannel("control")
        elif line == "audio" and microphone:
            far.addTransceiver(AudioStreamTrack(), direction="sendrecv")
        else:
            far.addTransceiver(line, direction="recvonly")
    await far.setLocalDescription(await far.createOffer())
    return far


def peer_of(sdp: str, *, listens: bool = False) -> Peer:
    now = asyncio.get_running_loop().time()
    rates = (100_000, 1_000_000)
    return Peer(read_offer(sdp), now, rates, lambda: None, [], listens=listens)


def known(peer: Peer) -> list[str]:
    """Addresses that are tried."""
    return [each.ip for each in peer._transport.getRemoteCandidates()]


def with_candidates(sdp: str, *numbers: int, mid: str = "0") -> str:
    bare = re.sub(r"a=candidate:.*\r\n", "", sdp)
    told = "".join(
        f"a=candidate:{number} 1 udp 1 198.51.100.{number} 5000 typ host\r\n" for number in numbers
    )
    return bare.replace(f"a=mid:{mid}\r\n", f"a=mid:{mid}\r\n{told}")


def in_a_loop(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    async def run() -> None:
        prepare()
        await work()
        for _ in range(100):  # client sides end by themselves
            if len(asyncio.all_tasks()) == 1:
                break
            await asyncio.sleep(0.01)
        assert [
            str(task) for task in asyncio.all_tasks() if task is not asyncio.current_task()
        ] == []

    asyncio.run(run())


@pytest.mark.parametrize(
    "lines", [("audio", "video", "control"), ("video", "audio"), ("audio", "video"), ("video",)]
)
def test_the_lines_of_an_offer_come_in_any_order(lines: tuple[str, ...]) -> None:
    async def work() -> None:
        far, owner = await offering(*lines), Owner()
        peer = peer_of(far.localDescription.sdp)
        answer = await peer.begin(owner)
        assert "a=candidate:" in answer
        await far.setRemoteDescription(RTCSessionDescription(answer, "answer"))
        while owner.calls != ["connected"]:
            await asyncio.sleep(0.01)
        await far.close()
        await peer.close()
        while owner.calls != ["connected", "left"]:
            await asyncio.sleep(0.01)

    in_a_loop(work)


def test_sound_is_opus_whatever_comes_first() -> None:
    async def work() -> None:
        far = await offering("video", "audio")
        sdp = re.sub(r"(m=audio \d+ \S+) .*\r\n", r"\1 0 8 96\r\n", far.localDescription.sdp)
        opus = "a=rtpmap:96 opus/48000/2\r\n"
        sdp = sdp.replace(opus, "").replace(
            "a=rtpmap:0 ", "a=rtpmap:0 PCMU/8000\r\n" + opus + "a=x:"
        )
        peer = peer_of(sdp)
        answer = await peer.begin(Owner())
        sound = answer.partition("m=audio")[2]
        assert re.findall(r"a=rtpmap:\d+ (\S+)", sound) == ["opus/48000/2"]
        await peer.close()
        await far.close()

    in_a_loop(work)


def test_candidates_are_tried_whichever_line_they_come_for() -> None:
    async def work() -> None:
        far = await offering("audio", "video")
        sdp = far.localDescription.sdp
        peer = peer_of(with_candidates(with_candidates(sdp, 1), 1, mid="0"))
        await peer.begin(Owner())
        assert known(peer) == ["198.51.100.1"]
        await peer.add_candidate("candidate:1 1 udp 1 198.51.100.2 5000 typ host")
        assert known(peer) == ["198.51.100.1", "198.51.100.2"]
        await peer.close()
        await far.close()

    in_a_loop(work)


def test_only_so_many_candidates_are_tried() -> None:
    async def work() -> None:
        far = await offering("video")
        peer = peer_of(with_candidates(far.localDescription.sdp, *range(1, 60)))
        await peer.begin(Owner())
        await peer.add_candidate("candidate:1 1 udp 1 198.51.100.77 5000 typ host")
        assert len(known(peer)) == MOST_CANDIDATES
        await peer.close()
        await far.close()

    in_a_loop(work)


@pytest.mark.parametrize("flood", ["misordered", "endless", "streams"])
def test_pieces_of_messages_that_do_not_come_together_end_the_peer(flood: str) -> None:
    async def work() -> None:
        far, owner = await offering("video"), Owner()
        far.createDataChannel("control")
        await far.setLocalDescription(await far.createOffer())
        peer = peer_of(far.localDescription.sdp)
        answer = await peer.begin(owner)
        await far.setRemoteDescription(RTCSessionDescription(answer, "answer"))
        sctp = peer._pc.sctp
        assert sctp is not None
        while sctp._association_state is not sctp.State.ESTABLISHED:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.05)
        first = sctp._last_received_tsn
        assert first is not None
        for number in range(MOST_PIECES + 100):
            chunk = DataChunk()
            chunk.tsn = (first + 1 + number * (2 if flood == "misordered" else 1)) % (1 << 32)
            chunk.stream_id = number if flood == "streams" else 8
            chunk.stream_seq, chunk.user_data = 0, b"x"
            chunk.flags = SCTP_DATA_FIRST_FRAG if number == 0 or flood == "streams" else 0
            if flood == "misordered":
                chunk.tsn = (chunk.tsn + 1) % (1 << 32)
            await sctp._receive_chunk(chunk)
        assert peer.closed
        kept = sum(len(stream.reassembly) for stream in sctp._inbound_streams.values())
        assert kept <= MOST_PIECES + 1
        await peer.close()
        await far.close()

    in_a_loop(work)


def test_a_microphone_that_never_connects_leaves_nothing() -> None:
    async def work() -> None:
        far = await offering("video", "audio", microphone=True)
        peer = peer_of(far.localDescription.sdp, listens=True)
        await peer.begin(Owner())
        await peer.close()
        await far.close()

    in_a_loop(work)


def test_a_peer_that_is_ended_while_it_connects_leaves_nothing() -> None:
    async def work() -> None:
        chance = random.Random(7)
        for _ in range(12):
            far = await offering("video", "audio")
            peer = peer_of(far.localDescription.sdp)
            answer = await peer.begin(Owner())
            await far.setRemoteDescription(RTCSessionDescription(answer, "answer"))
            await asyncio.sleep(chance.uniform(0.01, 0.06))
            await peer.close()
            await far.close()
            consent = far.getTransceivers()[0].receiver.transport.transport._connection
            if consent._query_consent_task is not None:
                consent._query_consent_task.cancel()

    in_a_loop(work)
