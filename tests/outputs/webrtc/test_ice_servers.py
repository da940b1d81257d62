from __future__ import annotations

import base64
import hashlib
import hmac

from app_core.outputs.webrtc.answer import reachable
from app_core.outputs.webrtc.ice_servers import LIFE_S, IceServers

STUN, TURN = "stun:a.example:3478", "turn:b.example:3478?transport=udp"


def test_none_is_none() -> None:
    assert IceServers().for_client() == []
    assert IceServers().for_server() == []


def test_credentials_are_for_turn_alone() -> None:
    servers = IceServers((STUN, TURN), "me", "word")
    assert servers.for_client() == [
        {"urls": [STUN]},
        {"urls": [TURN], "username": "me", "credential": "word"},
    ]
    assert [server.username for server in servers.for_server()] == [None, "me"]


def test_a_shared_secret_makes_credentials_that_end() -> None:
    (server,) = IceServers((TURN,), "me", secret="s3", clock=lambda: 1000.5).for_client()
    assert server["username"] == f"{1000 + LIFE_S}:me"
    mark = hmac.new(b"s3", server["username"].encode(), hashlib.sha1).digest()
    assert base64.b64decode(server["credential"]) == mark
    (nameless,) = IceServers((TURN,), secret="s3", clock=lambda: 0.0).for_client()
    assert nameless["username"] == f"{LIFE_S}:soyle"


def test_a_public_address_stands_beside_the_machines_own() -> None:
    host = "a=candidate:1 1 udp 2130706431 10.0.0.7 50001 typ host"
    relay = "a=candidate:9 1 udp 100 198.51.100.9 50009 typ relay raddr 0.0.0.0 rport 0"
    sdp = "\r\n".join(["v=0", host, relay, ""])
    assert reachable(sdp, "") == sdp
    told = reachable(sdp, "203.0.113.5").split("\r\n")
    assert told == [
        "v=0",
        host,
        "a=candidate:1p 1 udp 2130706430 203.0.113.5 50001 typ host",
        relay,
        "",
    ]
