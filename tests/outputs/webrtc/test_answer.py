"""What a peer is told of where this machine is found."""

from __future__ import annotations

import pytest

from app_core.errors import Busy
from app_core.outputs.webrtc.answer import reachable

HOSTS = [
    "a=candidate:a 1 udp 2130706431 192.0.2.2 50000 typ host",
    "a=candidate:b 1 udp 2130706431 fd00::2 50001 typ host",
    "a=candidate:c 1 udp 16777215 198.51.100.1 60000 typ relay raddr 192.0.2.2 rport 50000",
]
SDP = "\r\n".join(["m=video 9 UDP/TLS/RTP/SAVPF 96", *HOSTS, "a=end-of-candidates", ""])


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("203.0.113.5", "a=candidate:ap 1 udp 2130706430 203.0.113.5 50000 typ host"),
        ("2001:db8::5", "a=candidate:bp 1 udp 2130706430 2001:db8::5 50001 typ host"),
    ],
)
def test_a_public_address_has_the_ports_of_its_own_family(address: str, told: str) -> None:
    added = [line for line in reachable(SDP, address).split("\r\n") if line not in SDP]
    assert added == [told]


def test_without_one_the_answer_stays() -> None:
    assert reachable(SDP, "") == SDP


def test_an_answer_without_candidates_is_no_answer() -> None:
    with pytest.raises(Busy):
        reachable("m=video 9 UDP/TLS/RTP/SAVPF 96\r\n", "203.0.113.5")
