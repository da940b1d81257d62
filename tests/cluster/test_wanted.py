from __future__ import annotations

import json

import pytest

from app_core.cluster.wanted import Destination, Wanted, chosen_id, wanted

ID = "0a1b2c3d-5e6f-8123-9123-0123456789ab"


@pytest.mark.parametrize(
    ("method", "path", "kind", "name"),
    [
        ("GET", "/", Destination.HERE, ""),
        ("GET", "/static/x.js", Destination.HERE, ""),
        ("GET", "/api/health/live", Destination.HERE, ""),
        ("GET", "/whep_test", Destination.HERE, ""),
        ("GET", "/api/lipsync/video", Destination.HERE, ""),
        ("GET", "/api/health", Destination.ALL, "/api/health"),
        ("GET", "/api/sessions", Destination.ALL, "/api/sessions"),
        ("GET", "/metrics", Destination.ALL, "/metrics"),
        ("POST", "/api/sessions", Destination.NEW, ""),
        ("POST", "/api/generate", Destination.NEW, ""),
        ("POST", "/api/lipsync/video", Destination.NEW, ""),
        ("GET", "/api/stream_mjpeg", Destination.NEW, ""),
        ("POST", "/api/avatars", Destination.NEW, ""),
        ("POST", "/whep", Destination.NEW, ""),
        ("GET", "/api/avatars", Destination.ANY, ""),
        ("GET", "/api/voices", Destination.ANY, ""),
        ("POST", "/api/text", Destination.ANY, ""),
        ("POST", "/api/voices/x/pull", Destination.FIXED, "/api/voices/x/pull"),
        ("GET", f"/api/jobs/{ID}", Destination.NAMED, ID),
        ("DELETE", f"/api/jobs/{ID}", Destination.NAMED, ID),
        ("GET", f"/api/jobs/{ID}/captions.vtt", Destination.NAMED, ID),
        ("GET", f"/api/chunk/audio/{ID}-3", Destination.NAMED, ID),
        ("GET", f"/api/chunk/captions/{ID}-12.vtt", Destination.NAMED, ID),
        ("POST", f"/api/sessions/{ID}/say", Destination.NAMED, ID),
        ("POST", f"/whep/{ID}", Destination.NAMED, ID),
        ("GET", "/api/chunk/audio/nothing", Destination.ANY, ""),
        ("OPTIONS", f"/api/jobs/{ID}", Destination.HERE, ""),
        ("PATCH", "/whep/viewers/0a1b2c3dSecret", Destination.NAMED, "0a1b2c3dSecret"),
    ],
)
def test_what_a_request_is_for(method: str, path: str, kind: Destination, name: str) -> None:
    found = wanted(method, path)
    assert found == Wanted(kind, name)
    assert found.place == ("0a1b2c3d" if kind is Destination.NAMED else "")


def test_an_offer_to_a_session_goes_where_it_is() -> None:
    body = json.dumps({"sdp": "v=0", "session_id": ID}).encode()
    assert wanted("POST", "/api/realtime/offer", body) == Wanted(Destination.NAMED, ID)
    assert wanted("POST", "/api/realtime/offer", b'{"sdp": "v=0"}').where is Destination.NEW
    assert wanted("POST", "/api/realtime/offer", b'{"session_id": [').where is Destination.NEW


def test_an_id_that_a_client_chose_is_found() -> None:
    assert chosen_id(ID, b"") == ID
    for written in (ID, ID.upper(), f"{{{ID}}}", ID.replace("-", "")):
        body = json.dumps({"job_id": written, "text": "x"}).encode()
        assert chosen_id(None, body) == ID
    assert chosen_id("a", b"") == ""
    assert chosen_id(None, b'{"text": "job_id"}') == ""
    assert chosen_id(None, b'{"job_id": 3}') == ""
    assert chosen_id(None, None) == ""
