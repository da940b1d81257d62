"""What a peer offers, read and checked before anything is begun for it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiortc.sdp import SessionDescription

from app_core.errors import BadInput
from app_core.outputs.webrtc.aiortc_hooks import common_codecs
from app_core.outputs.webrtc.bundle import on_one_transport

if TYPE_CHECKING:
    from aiortc.sdp import MediaDescription

LONGEST = 64 << 10
"""Characters. A browser's has up to ten thousand."""
MOST_LINES = 8
"""Of media."""
PREFERRED = ("h264", "vp8")
"""VP8 for those who have no H.264: it costs an encoder of its own."""
_USUAL_H264 = "packetization-mode=1;profile-level-id=42e01f"
"""What receivers can that do not say it: GStreamer's, where its caps name the codec alone."""
_ICE_TEXT = re.compile(r"[A-Za-z0-9+/=_-]{4,256}")
_BYTE, _FINGERPRINT = re.compile(r"[0-9A-Fa-f]{2}"), re.compile(r"[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2})+")
_DIGESTS = {"sha-256": 32, "sha-384": 48, "sha-512": 64}
"""Bytes."""
_SENDS = {"sendrecv", "sendonly"}
_RECEIVES = {"sendrecv", "recvonly"}


@dataclass(frozen=True, slots=True)
class Offer:
    sdp: str
    """Each line of media with the one transport of all, and without candidates: a peer that has
    none is found by what it sends (RFC 8445, 7.3.1.3), and the word that no more come would end
    the search."""
    candidates: tuple[str, ...]
    """As in SDP, without ``a=``."""
    video: str
    """The codec of the pictures: h264 or vp8."""
    audio: bool
    """It takes sound."""
    speaks: bool
    """It would send sound."""
    key: tuple[str, str]
    """Name and password of its ICE: another offer has others."""


def read_offer(sdp: str) -> Offer:
    """Raises BadInput that says what is missing."""
    if len(sdp) > LONGEST:
        raise _unusable(f"it is longer than {LONGEST} characters")
    try:
        whole, candidates = on_one_transport(_with_parameters(sdp))
        described = SessionDescription.parse(whole)
    except Exception as error:  # the parser raises whatever a bad line makes it stumble over
        raise _unusable("it cannot be read as SDP") from error
    if len(described.media) > MOST_LINES:
        raise _unusable(f"it has more than {MOST_LINES} lines of media")
    mids = [line.rtp.muxId for line in described.media]
    if not all(mids) or len(set(mids)) < len(mids):
        raise _unusable("each of its lines needs a name of its own (a=mid:)")
    if not _bundled(described):
        raise _unusable("its lines are not bundled (a=group:BUNDLE)")
    video = _line(described, "video")
    if video is None:
        raise _unusable("it has no video line")
    if video.direction not in _RECEIVES:
        raise _unusable("its video line does not receive")
    codecs = common_codecs(video)
    codec = next((name for name in PREFERRED if name in codecs), None)
    if codec is None:
        raise _unusable("no codec in common: its video line has neither H.264 baseline nor VP8")
    audio = _line(described, "audio")
    if audio is not None and "opus" not in common_codecs(audio):
        raise _unusable("no codec in common: its audio line has no Opus")
    keys = [_checked_key(line) for line in described.media if line.port]
    return Offer(
        whole,
        tuple(candidates),
        codec,
        audio is not None and audio.direction in _RECEIVES,
        audio is not None and audio.direction in _SENDS,
        keys[0],
    )


def _with_parameters(sdp: str) -> str:
    """By the letter H.264 without any takes no picture larger than one packet (RFC 6184, 8.1)."""
    lines = sdp.replace("\r\n", "\n").split("\n")
    told = {line.split()[0].removeprefix("a=fmtp:") for line in lines if line.startswith("a=fmtp:")}
    whole: list[str] = []
    for line in lines:
        whole.append(line)
        if line.startswith("a=rtpmap:") and line.upper().rstrip().endswith(" H264/90000"):
            payload = line.split()[0].removeprefix("a=rtpmap:")
            if payload not in told:
                whole.append(f"a=fmtp:{payload} {_USUAL_H264}")
    return "\r\n".join(whole)


def _line(described: SessionDescription, kind: str) -> MediaDescription | None:
    """The first that is not refused."""
    return next((line for line in described.media if line.kind == kind and line.port), None)


def _bundled(described: SessionDescription) -> bool:
    """All lines that are not refused share one transport."""
    mids = {line.rtp.muxId for line in described.media if line.port}
    groups = [set(group.items) for group in described.group if group.semantic == "BUNDLE"]
    return len(mids) < 2 or any(mids <= group for group in groups)


def _checked_key(line: MediaDescription) -> tuple[str, str]:
    """Name and password of its ICE."""
    ice = line.ice
    if ice is None or not (ice.usernameFragment and ice.password):
        raise _unusable("it has no ice-ufrag and ice-pwd")
    if not all(_ICE_TEXT.fullmatch(text) for text in (ice.usernameFragment, ice.password)):
        raise _unusable("its ice-ufrag or ice-pwd is none")
    if line.dtls is None or not line.dtls.fingerprints:
        raise _unusable("it has no fingerprint")
    known = [each for each in line.dtls.fingerprints if each.algorithm.lower() in _DIGESTS]
    if not known:
        raise _unusable("it has no fingerprint of sha-256, sha-384 or sha-512")
    if not all(
        _DIGESTS[each.algorithm.lower()] == len(_BYTE.findall(each.value))
        and _FINGERPRINT.fullmatch(each.value)
        for each in known
    ):  # a handshake has to match all of them
        raise _unusable("it has a fingerprint that is none")
    return ice.usernameFragment, ice.password


def _unusable(why: str) -> BadInput:
    return BadInput(f"The offer cannot be used: {why}", field="sdp")
