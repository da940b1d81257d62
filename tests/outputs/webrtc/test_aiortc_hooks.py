"""What is used of aiortc and aioice beyond their promises is there, and used by them too."""

from __future__ import annotations

import asyncio
import inspect
import socket
import struct
from contextlib import suppress
from fractions import Fraction
from typing import Any

import aioice.ice
import aiortc.codecs.h264
import aiortc.codecs.vpx
import aiortc.rtcsctptransport
import av
import pytest
from aiortc import RTCCertificate, RTCPeerConnection, rtp
from aiortc.rtcdtlstransport import SRTP_PROFILES, generate_certificate
from aiortc.rtcrtpsender import RTCRtpSender
from cryptography.hazmat.primitives.asymmetric import rsa
from OpenSSL import SSL

from app_core.outputs.webrtc import aiortc_hooks
from app_core.outputs.webrtc.aiortc_hooks import (
    PAYLOAD_BYTES,
    REPORTS_AT_ONCE,
    RESENT_AT_ONCE,
    CodedPacket,
    Report,
    SenderWatch,
    ntp_time,
)


def test_packets_are_cut_to_the_size_that_was_set() -> None:
    aiortc_hooks.prepare()
    unit = b"\0\0\0\1\x65" + bytes(range(1, 256)) * 40
    packet = CodedPacket(unit, 0, aiortc.codecs.h264.VIDEO_TIME_BASE)
    for encoder in (aiortc.codecs.h264.H264Encoder(), aiortc.codecs.vpx.Vp8Encoder()):
        payloads, _ = encoder.pack(packet)
        assert 9 <= len(payloads) <= 11
        assert max(map(len, payloads)) <= PAYLOAD_BYTES
    assert aiortc.rtcsctptransport.USERDATA_MAX_LENGTH == PAYLOAD_BYTES
    assert "USERDATA_MAX_LENGTH" in inspect.getsource(aiortc.rtcsctptransport.RTCSctpTransport)


def test_a_coded_packet_is_packed_as_pyav_s() -> None:
    """All senders take of a packet is its bytes and its time."""
    aiortc_hooks.prepare()
    data = b"\0\0\0\1\x67" + bytes(20) + b"\0\0\0\1\x65" + bytes(range(1, 256)) * 20
    base = Fraction(1, 48_000)
    theirs: Any = av.Packet(data)
    theirs.pts, theirs.time_base = 4801, base
    for name in ("h264.H264Encoder", "vpx.Vp8Encoder", "opus.OpusEncoder"):
        module, kind = name.split(".")
        encoder = getattr(getattr(aiortc.codecs, module), kind)
        first, second = encoder(), encoder()
        if hasattr(first, "picture_id"):
            first.picture_id = second.picture_id = 7
        assert first.pack(CodedPacket(data, 4801, base)) == second.pack(theirs), name
    source = inspect.getsource(RTCRtpSender._next_encoded_frame)
    assert "isinstance(data, Frame)" in source, "whatever is no frame is packed"


def test_loopback_is_there_where_nothing_else_is(monkeypatch: pytest.MonkeyPatch) -> None:
    aiortc_hooks.prepare()
    monkeypatch.setattr(aiortc_hooks, "_all_but_loopback", lambda *_: [])
    assert aioice.ice.get_host_addresses(use_ipv4=True, use_ipv6=True) == ["127.0.0.1"]
    monkeypatch.setattr(aiortc_hooks, "_all_but_loopback", lambda *_: ["192.0.2.7"])
    assert aioice.ice.get_host_addresses(use_ipv4=True, use_ipv6=True) == ["192.0.2.7"]
    source = inspect.getsource(aioice.ice.Connection.gather_candidates)
    assert "get_host_addresses(" in source, "looked up where it is used"


def test_a_server_that_is_silent_is_not_waited_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    aiortc_hooks.prepare()
    monkeypatch.setattr(aiortc_hooks, "GATHER_S", 0.05)

    async def gather() -> list[str]:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
            silent.bind(("127.0.0.1", 0))
            connection = aioice.ice.Connection(True, stun_server=silent.getsockname())
            try:
                async with asyncio.timeout(3):
                    await connection.gather_candidates()
                return [candidate.type for candidate in connection.local_candidates]
            finally:
                await connection.close()

    assert set(asyncio.run(gather())) == {"host"}


def test_a_peer_may_have_a_certificate_of_rsa() -> None:
    aiortc_hooks.prepare()
    key = rsa.generate_private_key(65537, 2048)
    theirs = SSL.Context(SSL.DTLS_METHOD)
    theirs.use_certificate(generate_certificate(key))  # type: ignore[arg-type]
    theirs.use_privatekey(key)
    theirs.set_tlsext_use_srtp(b"SRTP_AES128_CM_SHA1_80")
    ours = RTCCertificate.generateCertificate()._create_ssl_context(SRTP_PROFILES)
    ends = [SSL.Connection(ours), SSL.Connection(theirs)]
    ends[0].set_connect_state()
    ends[1].set_accept_state()
    for _ in range(8):
        for end, other in (ends, ends[::-1]):
            with suppress(SSL.WantReadError):
                end.do_handshake()
            with suppress(SSL.WantReadError):
                while True:
                    other.bio_write(end.bio_read(1500))
    assert "RSA" in str(ends[0].get_cipher_name())
    assert ends[1].get_selected_srtp_profile() == b"SRTP_AES128_CM_SHA1_80"


def sender_of(pc: RTCPeerConnection) -> RTCRtpSender:
    return pc.addTransceiver("video", direction="sendonly").sender


def report(sender: RTCRtpSender, lost: int, lsr: int = 0, dlsr: int = 0) -> rtp.RtcpRrPacket:
    info = rtp.RtcpReceiverInfo(sender._ssrc, lost, 1, 2, 3, lsr, dlsr)
    return rtp.RtcpRrPacket(ssrc=1, reports=[info])


def watched(work: Any) -> None:
    async def run() -> None:
        pc = RTCPeerConnection()
        try:
            await work(sender_of(pc))
        finally:
            await pc.close()

    asyncio.run(run())


def test_a_receiver_asks_for_a_key_frame() -> None:
    async def work(sender: RTCRtpSender) -> None:
        asked: list[int] = []
        SenderWatch(sender, lambda: 0.0, lambda: asked.append(1), print, print, print)
        for fmt in (rtp.RTCP_PSFB_PLI, rtp.RTCP_PSFB_FIR):
            packet = rtp.RtcpPsfbPacket(fmt=fmt, ssrc=1, media_ssrc=sender._ssrc, fci=b"")
            await sender._handle_rtcp_packet(packet)
        assert len(asked) == 2

    watched(work)


def test_a_receiver_gets_so_many_packets_once_more() -> None:
    async def work(sender: RTCRtpSender) -> None:
        resent: list[int] = []

        async def resend(number: int) -> None:
            resent.append(number)

        sender._retransmit = resend  # type: ignore[method-assign]
        SenderWatch(sender, lambda: 0.0, lambda: None, print, print, print)
        for _ in range(100):
            packet = rtp.RtcpRtpfbPacket(
                fmt=rtp.RTCP_RTPFB_NACK, ssrc=1, media_ssrc=sender._ssrc, lost=list(range(100))
            )
            await sender._handle_rtcp_packet(packet)
        assert RESENT_AT_ONCE <= len(resent) < 2 * RESENT_AT_ONCE

    watched(work)


def test_a_receiver_that_reports_without_end_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aiortc_hooks, "FLOOD_S", 0.0)

    async def work(sender: RTCRtpSender) -> None:
        heard: list[Report] = []
        gone: list[str] = []
        SenderWatch(sender, lambda: 0.0, lambda: None, print, heard.append, gone.append)
        for _ in range(REPORTS_AT_ONCE):
            await sender._handle_rtcp_packet(report(sender, 0))
        assert (len(heard), gone) == (REPORTS_AT_ONCE, [])
        for _ in range(1000):
            await sender._handle_rtcp_packet(report(sender, 0))
        assert len(heard) < REPORTS_AT_ONCE + 500
        assert gone

    watched(work)


def test_what_a_receiver_can_take_is_heard() -> None:
    async def work(sender: RTCRtpSender) -> None:
        told: list[int] = []
        SenderWatch(sender, lambda: 0.0, lambda: None, told.append, print, print)
        for ssrc in (sender._ssrc, sender._ssrc ^ 1):
            fci = rtp.pack_remb_fci(400_000, [ssrc])
            await sender._handle_rtcp_packet(
                rtp.RtcpPsfbPacket(fmt=rtp.RTCP_PSFB_APP, ssrc=1, media_ssrc=0, fci=fci)
            )
        junk = rtp.RtcpPsfbPacket(fmt=rtp.RTCP_PSFB_APP, ssrc=1, media_ssrc=0, fci=b"x")
        await sender._handle_rtcp_packet(junk)
        assert len(told) == 1
        assert told[0] == pytest.approx(400_000, rel=0.01)

    watched(work)


def test_sender_reports_tell_when_the_last_packet_was_due() -> None:
    async def work(sender: RTCRtpSender) -> None:
        left: list[bytes] = []

        class Transport:
            _stats_id = "transport"

            async def _send_rtp(self, data: bytes) -> None:
                left.append(data)

        reports: list[Report] = []
        sender._RTCRtpSender__transport = Transport()  # type: ignore[attr-defined]
        SenderWatch(sender, lambda: 1_700_000_000.25, lambda: None, print, reports.append, print)
        for count in (0, 5):
            info = rtp.RtcpSenderInfo(7, 90_000, count, 100)
            await sender._send_rtcp([rtp.RtcpSrPacket(ssrc=sender._ssrc, sender_info=info)])
        times = [struct.unpack_from(">Q", data, 8)[0] for data in left]
        assert times == [ntp_time(1_700_000_000.25)], "none before the first packet"
        middle = (times[0] >> 16) & 0xFFFFFFFF
        await sender._handle_rtcp_packet(report(sender, 64, middle, 1))
        await sender._handle_rtcp_packet(report(sender, 0, middle ^ 1, 1))
        assert [each.fraction_lost for each in reports] == [0.25, 0.0]
        assert reports[0].round_trip_s is not None and 0 <= reports[0].round_trip_s < 20
        assert reports[1].round_trip_s is None

    watched(work)


def test_the_senders_own_loop_uses_what_is_hooked() -> None:
    source = inspect.getsource(RTCRtpSender)
    assert "await self._send_rtcp(packets)" in source
    assert "self._send_keyframe()" in source
    router = inspect.getsource(aiortc.rtcdtlstransport.RTCDtlsTransport)
    assert "._handle_rtcp_packet(packet)" in router


def test_ntp_counts_from_1900() -> None:
    assert ntp_time(0.5) == (2_208_988_800 << 32) + (1 << 31)
