"""Addresses at which a peer says that it is found: anybody's, until it answers there."""

from __future__ import annotations

import ipaddress
import re

from aiortc import RTCIceCandidate
from aiortc.sdp import candidate_from_sdp

from app_core.errors import BadInput

MOST_CANDIDATES = 32
"""Of one peer that are tried, whenever they come: each is sent some packets by this server."""
_CANDIDATE = re.compile(
    r"[A-Za-z0-9+/]{1,32} \d{1,5} [!-~]+ \d{1,10} [!-~]+ \d{1,5} typ [!-~]+(?: [!-~]+ [!-~]+)*",
    re.ASCII,
)
"""RFC 8839, section 5.1, behind its name."""
_LEAST_PORT = 1024
"""Below it are services of others, never a browser."""


def read_candidate(line: str) -> RTCIceCandidate | None:
    """``line``: as in SDP, without ``a=``. None for one that cannot be reached from here, or that
    is no peer's. Raises BadInput."""
    try:
        # older MediaMTX writes the name twice
        named = line.removeprefix("candidate:").removeprefix("candidate:").strip()
        if not _CANDIDATE.fullmatch(named):
            raise ValueError(named)
        candidate = candidate_from_sdp(named)
    except (ValueError, AssertionError, IndexError) as error:
        raise BadInput("A candidate of it cannot be read", field="sdp") from error
    usable = (
        candidate.component == 1
        and candidate.protocol.lower() == "udp"
        and _LEAST_PORT <= candidate.port < 1 << 16
        and 0 <= candidate.priority < 1 << 32
        and _is_a_machine(candidate.ip)
    )
    return candidate if usable else None


def _is_a_machine(address: str) -> bool:
    """One that is not this one: a peer on this machine is found by what it sends."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:  # a name, such as those of multicast DNS
        return False
    mapped = getattr(found, "ipv4_mapped", None)
    found = mapped or found
    return not (found.is_multicast or found.is_unspecified or found.is_loopback) and not (
        found.version == 4 and found.is_reserved
    )
