"""What is made of offers, and what is refused of them."""

from __future__ import annotations

import pytest

from app_core.errors import BadInput
from app_core.outputs.webrtc.candidates import read_candidate
from app_core.outputs.webrtc.offer import LONGEST, read_offer
from app_core.outputs.webrtc.sdp_fragment import read_fragment

HEAD = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1\r\n"
LINE = (
    "c=IN IP4 0.0.0.0\r\na=mid:{mid}\r\na=ice-ufrag:abcd\r\na=ice-pwd:efghefghefghefghefghefgh\r\n"
    "a=fingerprint:sha-256 " + ":".join(["AB"] * 32) + "\r\na=setup:actpass\r\na=rtcp-mux\r\n"
)
H264 = "a=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=1;profile-level-id=42e01f\r\n"
VP8 = "a=rtpmap:97 VP8/90000\r\n"
AV1 = "a=rtpmap:98 AV1/90000\r\n"
OPUS = "a=rtpmap:111 opus/48000/2\r\n"


def video(codecs: str = H264, direction: str = "recvonly", payloads: str = "96 97 98") -> str:
    head = f"m=video 9 UDP/TLS/RTP/SAVPF {payloads}\r\n"
    return head + LINE.format(mid=0) + f"a={direction}\r\n" + codecs


def audio(codecs: str = OPUS, direction: str = "recvonly") -> str:
    head = "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n"
    return head + LINE.format(mid=1) + f"a={direction}\r\n" + codecs


def test_h264_is_taken_before_vp8() -> None:
    assert read_offer(HEAD + video(VP8 + H264) + audio()).video == "h264"
    assert read_offer(HEAD + video(VP8) + audio()).video == "vp8"


def test_h264_of_another_profile_or_packing_is_none() -> None:
    high = H264.replace("42e01f", "640c1f")
    single = H264.replace("packetization-mode=1", "packetization-mode=0")
    for other in (high, single):
        assert read_offer(HEAD + video(other + VP8)).video == "vp8"


def test_what_the_peer_takes_and_sends() -> None:
    for direction, takes, sends in (
        ("recvonly", True, False),
        ("sendrecv", True, True),
        ("sendonly", False, True),
        ("inactive", False, False),
    ):
        offer = read_offer(HEAD + video() + audio(direction=direction))
        assert (offer.audio, offer.speaks) == (takes, sends)
    assert read_offer(HEAD + video()).audio is False


def test_what_only_the_peer_can_resolve_is_left_out() -> None:
    tail = (
        "a=candidate:1 1 udp 2122260223 0d3a.local 50000 typ host\r\n"
        "a=candidate:2 1 udp 2122260223 192.0.2.7 50001 typ host\r\n"
        "a=end-of-candidates\r\n"
    )
    offer = read_offer(HEAD + video() + tail)
    assert "candidate" not in offer.sdp
    found = [read_candidate(line) for line in offer.candidates]
    assert [each and each.ip for each in found] == [None, "192.0.2.7"]


def test_the_first_line_of_a_bundle_speaks_for_all() -> None:
    """As browsers offer with bundlePolicy max-bundle, and servers that follow RFC 9143."""
    bare = "m=video 0 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\na=bundle-only\r\n"
    first = audio().replace(
        "a=mid:1\r\n", "a=mid:1\r\na=candidate:1 1 udp 1 192.0.2.7 5000 typ host\r\n"
    )
    offer = read_offer(HEAD.replace("0 1", "1 0") + first + bare + "a=recvonly\r\n" + H264)
    assert (offer.video, offer.key) == ("h264", ("abcd", "efghefghefghefghefghefgh"))
    picture = offer.sdp.partition("m=video")[2]
    for told in ("9 UDP", "a=ice-ufrag:abcd", "a=fingerprint:", "a=setup:actpass", "a=rtcp-mux"):
        assert told in picture
    assert offer.candidates == ("candidate:1 1 udp 1 192.0.2.7 5000 typ host",)
    other = video().replace("a=ice-ufrag:abcd", "a=ice-ufrag:other")
    other = other.replace("a=mid:0", "a=candidate:2 1 udp 1 192.0.2.8 5000 typ host\r\na=mid:0")
    offer = read_offer(HEAD.replace("0 1", "1 0") + first + other)
    assert "other" not in offer.sdp
    assert [line.split()[4] for line in offer.candidates] == ["192.0.2.7"]


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "::1",
        "0.0.0.0",
        "224.0.0.251",
        "ff02::1",
        "255.255.255.255",
        "::ffff:127.0.0.1",
    ],
)
def test_no_candidate_is_an_address_that_is_no_machines(address: str) -> None:
    assert read_candidate(f"candidate:1 1 udp 1 {address} 5000 typ host") is None


@pytest.mark.parametrize(
    "line",
    [
        "1 2 udp 1 192.0.2.7 5000 typ host",
        "1 1 tcp 1 192.0.2.7 9 typ host tcptype active",
        "1 1 udp 1 192.0.2.7 53 typ host",
        "1 1 udp 1 192.0.2.7 70000 typ host",
        "1 1 udp 1 service.internal 5000 typ host",
    ],
)
def test_what_is_no_peers_candidate_is_left_out(line: str) -> None:
    assert read_candidate("candidate:" + line) is None


def test_h264_without_parameters_is_the_usual_one() -> None:
    bare = "a=rtpmap:96 H264/90000\r\n"
    assert read_offer(HEAD + video(bare) + audio()).video == "h264"
    told = bare + "a=fmtp:96 packetization-mode=0;profile-level-id=42e01f\r\n"
    assert read_offer(HEAD + video(told + VP8) + audio()).video == "vp8", "what is told counts"


def test_a_candidate_that_is_named_twice_is_read() -> None:
    found = read_candidate("candidate:candidate:77 1 udp 1 192.0.2.7 5000 typ host")
    assert found is not None
    assert (found.foundation, found.ip) == ("77", "192.0.2.7")


def test_candidates_that_are_tried() -> None:
    for address in ("192.0.2.7", "10.0.0.3", "fd00::2", "203.0.113.9"):
        found = read_candidate(f"candidate:1 1 UDP 1 {address} 5000 typ srflx")
        assert found is not None and found.ip == address
    for junk in ("candidate:", "candidate:1 x udp 1 192.0.2.7 5000 typ host"):
        with pytest.raises(BadInput):
            read_candidate(junk)


@pytest.mark.parametrize(
    ("sdp", "why"),
    [
        ("nonsense", "no video line"),
        ("v=0\r\nm=video", "read"),
        (HEAD + audio(), "no video line"),
        (HEAD + video().replace("m=video 9", "m=video 0") + audio(), "no video line"),
        (HEAD + video(direction="sendonly"), "does not receive"),
        (HEAD + video(AV1), "codec in common"),
        (HEAD + video() + audio("a=rtpmap:111 G7221/16000\r\n"), "codec in common"),
        (HEAD + video().replace("a=ice-pwd:", "a=x-pwd:"), "ice-pwd"),
        (HEAD + video().replace("a=fingerprint:", "a=x-finger:"), "fingerprint"),
        (HEAD + video().replace("sha-256", "md5"), "fingerprint"),
        (HEAD + video().replace("AB:AB", "zz:zz"), "fingerprint"),
        (HEAD + video().replace("AB:AB", "AB"), "fingerprint"),
        (HEAD + video().replace("a=setup", "a=fingerprint:sha-512 AB:CD\r\na=setup"), "is none"),
        (HEAD + video().replace("ufrag:abcd", "ufrag:" + 300 * "a"), "ice-ufrag"),
        (HEAD + video() + video(), "name of its own"),
        (HEAD + video().replace("a=mid:0", "a=x:0") + audio(), "name of its own"),
        (HEAD + "".join(video().replace("mid:0", f"mid:{n}") for n in range(9)), "lines of media"),
        (HEAD.replace("0 1", "1") + video() + audio(), "bundled"),
        (HEAD.replace("a=group", "a=x-group") + video() + audio(), "bundled"),
        (HEAD + video() + "a=x:" + LONGEST * "y", "longer"),
    ],
)
def test_what_cannot_be_used_says_what_is_missing(sdp: str, why: str) -> None:
    with pytest.raises(BadInput, match=why) as refusal:
        read_offer(sdp)
    assert refusal.value.field == "sdp"


def test_a_fragment_has_candidates() -> None:
    fragment = read_fragment(
        "a=ice-ufrag:abcd\r\na=ice-pwd:efgh\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:v\r\n"
        "a=candidate:1 1 udp 1 192.0.2.7 50001 typ host\r\n"
        "a=candidate:2 1 udp 1 77a.local 50002 typ host\r\na=end-of-candidates\r\n"
    )
    assert [line.split()[4] for line in fragment.candidates] == ["192.0.2.7", "77a.local"]
    assert not fragment.restarts(("abcd", "efgh"))
    assert fragment.restarts(("abcd", "other"))
    only_the_end = read_fragment("a=mid:0\r\na=end-of-candidates\r\n")
    assert (only_the_end.candidates, only_the_end.restarts(("abcd", "efgh"))) == ([], False)


@pytest.mark.parametrize(
    "text",
    [
        *("", '{"candidate": "x"}', "a=mid:0\r\n" + "a=x\r\n" * 20_000),
        *("a=mid:0\r\n", "a=foo\r\n", "a=candidate\r\n", "m=video 9\r\na=end-of-candidates\r\n"),
        *("a=end-of-candidates\r\nhello\r\n", "z=1\r\na=end-of-candidates\r\n"),
    ],
)
def test_what_is_no_fragment(text: str) -> None:
    with pytest.raises(BadInput):
        read_fragment(text)


@pytest.mark.parametrize(
    "line",
    [
        *("x", "1 1 udp 1 192.0.2.7 50001", "1 1 udp 1 192.0.2.7 50001 host typ"),
        *("1 1 udp -1 192.0.2.7 50001 typ host", "1 1 udp 1 192.0.2.7 500001 typ host"),
        *("1 1 udp ١ 192.0.2.7 50001 typ host", "1 1 udp 1 192.0.2.7 50001 typ host raddr"),
        *("é 1 udp 1 192.0.2.7 50001 typ host", "1 1 udp 1 192.0.2.7 5e3 typ host"),
        "x" * 33 + " 1 udp 1 192.0.2.7 50001 typ host",
    ],
)
def test_what_is_no_candidate(line: str) -> None:
    with pytest.raises(BadInput):
        read_candidate(f"candidate:{line}")


def test_candidates_of_others_are_passed_over() -> None:
    for line in (
        "1 1 TCP 1 192.0.2.7 9 typ host tcptype active generation 0 ufrag x network-cost 999",
        "2 1 udp 1 0d3a.local 50000 typ host",
        "3 2 udp 1 192.0.2.7 50000 typ host",
        "candidate:4 1 udp 1 192.0.2.7 9 typ srflx raddr 0.0.0.0 rport 0",
    ):
        assert read_candidate(f"candidate:{line}") is None


def test_too_many_candidates_at_once() -> None:
    with pytest.raises(BadInput, match="candidates"):
        read_fragment("a=candidate:1 1 udp 1 192.0.2.7 50001 typ host\r\n" * 65)
