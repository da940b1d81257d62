"""All that is used of aiortc and aioice beyond what they promise, in this one place.

``tests/outputs/webrtc/test_aiortc_hooks.py`` fails when one of these names goes away.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from typing import TYPE_CHECKING, Any, NamedTuple

import aioice.ice
import aiortc.codecs.h264
import aiortc.codecs.vpx
import aiortc.rtcsctptransport
from aiortc import RTCCertificate, codecs, rtcpeerconnection, rtp
from aiortc.mediastreams import VIDEO_TIME_BASE, convert_timebase

from app_core.token_bucket import TokenBucket

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from fractions import Fraction

    from aiortc import RTCPeerConnection, RTCRtpSender, RTCRtpTransceiver, RTCSctpTransport
    from aiortc.sdp import MediaDescription
    from OpenSSL import SSL

PAYLOAD_BYTES = 1100
"""Of one packet: a path of 1280 bytes (the least that IPv6 allows) carries it with its headers."""
_NTP_EPOCH = 2_208_988_800
"""Seconds from 1900 to 1970 (RFC 5905)."""
_RECENT_REPORTS = 8
MOST_PIECES = 512
"""Of messages: the longest command has 60."""
MOST_STREAMS = 64
"""Data channels that a peer has ever used: there is work for one."""
REPORTS_A_SECOND, REPORTS_AT_ONCE, FLOOD_S = 100, 300, 10.0
"""Of a receiver, for one track: loss, keys and estimates. Others are not heard, and a peer that
goes on for FLOOD_S is gone."""
RESENT_A_SECOND, RESENT_AT_ONCE = 300, 600
"""Packets that a receiver gets once more: a second of video, or one in four for ever."""
GATHER_S = 1.5
"""For STUN and TURN servers. aioice gives those that are silent five seconds, and a page goes over
to its socket after three."""
CIPHERS = ":".join(
    f"ECDHE-{key}-{rest}"
    for key in ("ECDSA", "RSA")
    for rest in ("AES128-GCM-SHA256", "CHACHA20-POLY1305", "AES128-SHA", "AES256-SHA")
)
"""aiortc's own are for ECDSA alone. GStreamer's certificate is RSA."""
_SETTLE_S = 0.05
"""More than ICE waits between two looks at its checks."""


class CodedPacket(NamedTuple):
    """What senders take of an ``av.Packet``, which gives Python's lock away three times."""

    data: bytes
    pts: int
    time_base: Fraction

    def __bytes__(self) -> bytes:
        return self.data


def _pack_h264(
    encoder: aiortc.codecs.h264.H264Encoder, packet: CodedPacket
) -> tuple[list[bytes], int]:
    units = encoder._split_bitstream(bytes(packet))
    time = convert_timebase(packet.pts, packet.time_base, VIDEO_TIME_BASE)
    return encoder._packetize(units), time


def prepare() -> None:
    """Packets as a CodedPacket, and smaller ones; loopback candidates where there is no other
    interface, no long wait for STUN and TURN servers, and certificates of both kinds. Safe to call
    again."""
    aiortc.codecs.h264.H264Encoder.pack = _pack_h264  # type: ignore[assignment,method-assign]
    aiortc.codecs.h264.PACKET_MAX = PAYLOAD_BYTES
    aiortc.codecs.vpx.PACKET_MAX = PAYLOAD_BYTES
    aiortc.rtcsctptransport.USERDATA_MAX_LENGTH = PAYLOAD_BYTES
    aioice.ice.get_host_addresses = _host_addresses
    aioice.ice.Connection.get_component_candidates = _component_candidates  # type: ignore[assignment,method-assign]
    RTCCertificate._create_ssl_context = _ssl_context  # type: ignore[assignment,method-assign]


_all_but_loopback = aioice.ice.get_host_addresses


def _host_addresses(use_ipv4: bool, use_ipv6: bool) -> list[str]:
    found = _all_but_loopback(use_ipv4, use_ipv6)
    return found or (["127.0.0.1"] if use_ipv4 else ["::1"])


_all_component_candidates = aioice.ice.Connection.get_component_candidates


async def _component_candidates(
    connection: aioice.ice.Connection, component: int, addresses: list[str], timeout: int = 0
) -> list[aioice.Candidate]:
    limit_s: Any = timeout or GATHER_S
    return await _all_component_candidates(connection, component, addresses, limit_s)


_ecdsa_context = RTCCertificate._create_ssl_context


def _ssl_context(certificate: RTCCertificate, srtp_profiles: list[Any]) -> SSL.Context:
    context = _ecdsa_context(certificate, srtp_profiles)
    context.set_cipher_list(CIPHERS.encode())
    return context


def common_codecs(media: MediaDescription) -> list[str]:
    """Names, in lower case, of what both ends can, in the order of the offer."""
    common = rtcpeerconnection.find_common_codecs(codecs.CODECS[media.kind], media.rtp.codecs)
    return [codec.name.lower() for codec in common if not codecs.is_rtx(codec)]


def prefer(transceiver: RTCRtpTransceiver, codec: str) -> None:
    """No other than this one, whatever comes first in the offer."""
    wanted = {f"{transceiver.kind}/{codec}", f"{transceiver.kind}/rtx"}
    known = codecs.get_capabilities(transceiver.kind).codecs
    transceiver.setCodecPreferences([each for each in known if each.mimeType.lower() in wanted])


async def close_connection(pc: RTCPeerConnection) -> None:
    """Also what began while it was closing: a handshake that comes to its end then starts senders
    and the check of consent, which nothing would end any more."""
    await pc.close()
    await asyncio.sleep(_SETTLE_S)
    transports = [pc.sctp.transport] if pc.sctp is not None else []
    for transceiver in pc.getTransceivers():
        await transceiver.stop()
        transports.append(transceiver.receiver.transport)
    for transport in transports:
        consent = transport.transport._connection._query_consent_task
        if consent is not None:
            consent.cancel()


def bound_messages(sctp: RTCSctpTransport, gone: Callable[[str], None]) -> None:
    """``gone`` is told of a peer that sends pieces of messages which do not come together. aiortc
    keeps them without bound, and looks through all of them for each that comes."""
    take = sctp._receive_data_chunk

    async def received(chunk: Any) -> None:
        stream = sctp._inbound_streams.get(chunk.stream_id)
        pieces = len(sctp._sack_misordered) + (len(stream.reassembly) if stream else 0)
        if pieces > MOST_PIECES or len(sctp._inbound_streams) > MOST_STREAMS:
            gone("pieces of messages without their ends")
        else:
            await take(chunk)

    sctp._receive_data_chunk = received  # type: ignore[method-assign]


class Report(NamedTuple):
    """What a receiver says of a track."""

    fraction_lost: float
    """0..1, since the report before."""
    round_trip_s: float | None


class SenderWatch:
    """Of one track, in the loop's thread.

    The sender reports of aiortc pair the time in the media with the time at which the last packet
    happened to leave. These pair it with the time at which it was due: a receiver lines the two
    tracks up by their reports, so both are told by one clock (RFC 3550, section 6.4.1).
    """

    def __init__(
        self,
        sender: RTCRtpSender,
        due: Callable[[], float],
        key_asked: Callable[[], None],
        estimated: Callable[[int], None],
        reported: Callable[[Report], None],
        gone: Callable[[str], None],
    ) -> None:
        """``due``: when the packet that was sent last was due, seconds since 1970. ``estimated``:
        bits a second that the receiver can take, as it thinks (REMB). ``gone`` is told of one that
        asks and reports without end."""
        self._sender, self._due = sender, due
        self._estimated, self._reported, self._gone = estimated, reported, gone
        self._heard = TokenBucket(REPORTS_A_SECOND, REPORTS_AT_ONCE, FLOOD_S)
        self._resent = TokenBucket(RESENT_A_SECOND, RESENT_AT_ONCE)
        self._sent: deque[tuple[int, float]] = deque(maxlen=_RECENT_REPORTS)
        """Middle bits of a report's time, and when it left."""
        self._handle: Callable[[Any], Coroutine[Any, Any, None]] = sender._handle_rtcp_packet
        self._send: Callable[[list[Any]], Coroutine[Any, Any, None]] = sender._send_rtcp
        sender._send_keyframe = key_asked  # type: ignore[method-assign]
        sender._handle_rtcp_packet = self._received  # type: ignore[method-assign]
        sender._send_rtcp = self._sending  # type: ignore[method-assign]

    async def _received(self, packet: Any) -> None:
        if not self._heard.take():
            if self._heard.overdrawn:
                self._gone("reports without end")
            return
        if isinstance(packet, rtp.RtcpRtpfbPacket) and packet.fmt == rtp.RTCP_RTPFB_NACK:
            packet.lost = packet.lost[: self._resent.take(len(packet.lost))]
        if isinstance(packet, rtp.RtcpRrPacket | rtp.RtcpSrPacket):
            for report in packet.reports:
                if report.ssrc == self._sender._ssrc:
                    lost = min(report.fraction_lost, 255) / 256
                    self._reported(Report(lost, self._round_trip_s(report)))
        elif isinstance(packet, rtp.RtcpPsfbPacket) and packet.fmt == rtp.RTCP_PSFB_APP:
            self._read_estimate(packet.fci)
        await self._handle(packet)

    def _read_estimate(self, fci: bytes) -> None:
        try:
            bits_s, sources = rtp.unpack_remb_fci(fci)
        except ValueError:
            return  # another application's
        if self._sender._ssrc in sources:
            self._estimated(bits_s)

    def _round_trip_s(self, report: Any) -> float | None:
        left = dict(self._sent).get(report.lsr)
        if left is None or not report.dlsr:
            return None
        held_s: float = report.dlsr / 65536
        return max(0.0, time.monotonic() - left - held_s)

    async def _sending(self, packets: list[Any]) -> None:
        """A report before the first packet would pair times that are none, and is left out."""
        for packet in packets:
            if not isinstance(packet, rtp.RtcpSrPacket):
                continue
            if not packet.sender_info.packet_count:
                return
            ntp = ntp_time(self._due())
            packet.sender_info.ntp_timestamp = ntp
            self._sent.append(((ntp >> 16) & 0xFFFFFFFF, time.monotonic()))
        await self._send(packets)


def ntp_time(unix_s: float) -> int:
    """64 bits, the upper 32 whole seconds since 1900."""
    return int((unix_s + _NTP_EPOCH) * (1 << 32)) & 0xFFFFFFFFFFFFFFFF
