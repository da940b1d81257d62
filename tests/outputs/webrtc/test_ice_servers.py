from __future__ import annotations

import base64
import hashlib
import hmac

import pytest

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


def test_a_server_that_gives_nothing_is_named_once_a_minute(
    caplog: pytest.LogCaptureFixture,
) -> None:
    now = [1000.0]
    servers = IceServers((STUN, TURN), "me", "word", clock=lambda: now[0])
    servers.note("a=candidate:1 1 udp 1 192.0.2.7 5 typ srflx\r\na=candidate:2 ... typ relay")
    assert caplog.records == []
    for _ in range(3):
        servers.note("a=candidate:1 1 udp 1 192.0.2.7 5 typ srflx")
    (told,) = caplog.messages
    assert TURN in told and "relay" in told and "srflx" not in told and "word" not in told
    now[0] += 60
    servers.note("")
    assert len(caplog.records) == 2
    IceServers().note("")
    assert len(caplog.records) == 2
