"""What real clients offer, as recorded: what is read of it, and what it is answered."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from aiortc.sdp import MediaDescription, SessionDescription

from app_core.errors import BadInput
from app_core.outputs.webrtc.aiortc_hooks import prepare
from app_core.outputs.webrtc.offer import Offer, read_offer
from app_core.outputs.webrtc.peer import Peer
from app_core.outputs.webrtc.sdp_fragment import read_fragment

OFFERS = Path(__file__).parent / "offers"
USABLE = {
    "aiortc": "h264",
    "chromium": "h264",
    "chromium_addresses": "h264",
    "chromium_puppet": "h264",
    "chromium_trickle": "h264",
    "chromium_whep": "h264",
    "firefox": "vp8",
    "firefox_puppet": "vp8",
    "firefox_whep": "vp8",
    "pion": "h264",
    "webrtcbin": "h264",
}


def recorded(name: str) -> Offer:
    return read_offer((OFFERS / f"{name}.sdp").read_bytes().decode())


class Owner:
    """Whom a peer that never connects tells nothing but its end."""

    def __init__(self) -> None:
        self.why = ""

    def left(self, why: str) -> None:
        self.why = why

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(name)


def answered(offer: Offer, *, listens: bool = False, candidates: str = "") -> SessionDescription:
    prepare()

    async def answer() -> str:
        peer = Peer(offer, 0.0, (100_000, 900_000), lambda: None, [], listens=listens)
        owner = Owner()
        sdp = await peer.begin(owner)
        for line in read_fragment(candidates).candidates if candidates else ():
            await peer.add_candidate(line)
        await peer.close("seen")
        while not owner.why:
            await asyncio.sleep(0)
        assert owner.why == "seen"
        return sdp

    return SessionDescription.parse(asyncio.run(answer()))


def line(described: SessionDescription, kind: str) -> MediaDescription:
    return next(media for media in described.media if media.kind == kind)


@pytest.mark.parametrize(("name", "codec"), USABLE.items())
def test_it_is_answered_with_picture_and_sound(name: str, codec: str) -> None:
    offer = recorded(name)
    assert (offer.video, offer.audio, offer.speaks) == (codec, True, name.endswith("puppet"))
    assert "end-of-candidates" not in offer.sdp
    named = [line for line in offer.sdp.split("\r\n") if line.startswith("a=candidate")]
    assert not [line for line in named if ".local" in line]
    answer = answered(offer)
    video, audio = line(answer, "video"), line(answer, "audio")
    assert (video.direction, audio.direction) == ("sendonly", "sendonly")
    assert video.rtp.codecs[0].mimeType.lower() == f"video/{codec}"
    assert audio.rtp.codecs[0].mimeType.lower() == "audio/opus"
    assert video.rtp.muxId != audio.rtp.muxId
    assert video.ice_candidates, "all of them, as there is no trickle out"
    theirs = line(SessionDescription.parse(offer.sdp), "video")
    payload = video.rtp.codecs[0].payloadType
    same = next(each for each in theirs.rtp.codecs if each.payloadType == payload)
    assert same.mimeType == video.rtp.codecs[0].mimeType
    if codec == "h264":
        assert str(same.parameters["packetization-mode"]) == "1"
        assert str(same.parameters["profile-level-id"]).startswith("42")


@pytest.mark.parametrize("name", ["chromium_puppet", "firefox_puppet"])
def test_a_microphone_is_taken_where_it_is_heard(name: str) -> None:
    assert line(answered(recorded(name), listens=True), "audio").direction == "sendrecv"


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("chromium_audio", "no video line"),
        ("firefox_audio", "no video line"),
        ("chromium_vp9_av1", "codec in common"),
        ("firefox_vp9_av1", "codec in common"),
    ],
)
def test_it_says_what_is_missing(name: str, why: str) -> None:
    with pytest.raises(BadInput, match=why):
        recorded(name)


def test_candidates_of_a_server_come_later() -> None:
    offer = recorded("pion")
    assert "a=candidate" not in offer.sdp
    text = (OFFERS / "pion.sdpfrag").read_bytes().decode()
    fragment = read_fragment(text)
    assert fragment.candidates
    assert not fragment.restarts(offer.key)
    answered(offer, candidates=text)


def test_a_line_that_is_bundled_is_not_refused() -> None:
    raw = (OFFERS / "webrtcbin.sdp").read_bytes().decode()
    assert "m=audio 0 " in raw
    assert recorded("webrtcbin").audio
    assert not read_offer(raw.replace("a=bundle-only\r\n", "")).audio


def test_all_lines_share_one_transport() -> None:
    for name in USABLE:
        answer = answered(recorded(name))
        assert len({str(media.ice_candidates) for media in answer.media}) == 1, name
