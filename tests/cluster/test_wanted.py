from __future__ import annotations

import json

import pytest

from app_core.cluster.wanted import Kind, Wanted, chosen_id, wanted

ID = "0a1b2c3d-5e6f-8123-9123-0123456789ab"


@pytest.mark.parametrize(
    ("method", "path", "kind", "name"),
    [
        ("GET", "/", Kind.HERE, ""),
        ("GET", "/static/x.js", Kind.HERE, ""),
        ("GET", "/api/health/live", Kind.HERE, ""),
        ("GET", "/whep_test", Kind.HERE, ""),
        ("GET", "/api/lipsync/video", Kind.HERE, ""),
        ("GET", "/api/health", Kind.ALL, "/api/health"),
        ("GET", "/api/sessions", Kind.ALL, "/api/sessions"),
        ("GET", "/metrics", Kind.ALL, "/metrics"),
        ("POST", "/api/sessions", Kind.NEW, ""),
        ("POST", "/api/generate", Kind.NEW, ""),
        ("POST", "/api/lipsync/video", Kind.NEW, ""),
        ("GET", "/api/stream_mjpeg", Kind.NEW, ""),
        ("POST", "/api/avatars", Kind.NEW, ""),
        ("POST", "/whep", Kind.NEW, ""),
        ("GET", "/api/avatars", Kind.ANY, ""),
        ("GET", "/api/voices", Kind.ANY, ""),
        ("POST", "/api/text", Kind.ANY, ""),
        ("POST", "/api/voices/x/pull", Kind.FIXED, "/api/voices/x/pull"),
        ("GET", f"/api/jobs/{ID}", Kind.NAMED, ID),
        ("DELETE", f"/api/jobs/{ID}", Kind.NAMED, ID),
        ("GET", f"/api/jobs/{ID}/captions.vtt", Kind.NAMED, ID),
        ("GET", f"/api/chunk/audio/{ID}-3", Kind.NAMED, f"{ID}-3"),
        ("GET", f"/api/chunk/captions/{ID}-3.vtt", Kind.NAMED, f"{ID}-3"),
        ("POST", f"/api/sessions/{ID}/say", Kind.NAMED, ID),
        ("POST", f"/whep/{ID}", Kind.NAMED, ID),
        ("PATCH", "/whep/viewers/0a1b2c3dSecret", Kind.NAMED, "0a1b2c3dSecret"),
    ],
)
def test_what_a_request_is_for(method: str, path: str, kind: Kind, name: str) -> None:
    found = wanted(method, path)
    assert found == Wanted(kind, name)
    assert found.place == ("0a1b2c3d" if kind is Kind.NAMED else "")


def test_an_offer_to_a_session_goes_where_it_is() -> None:
    body = json.dumps({"sdp": "v=0", "session_id": ID}).encode()
    assert wanted("POST", "/api/realtime/offer", body) == Wanted(Kind.NAMED, ID)
    assert wanted("POST", "/api/realtime/offer", b'{"sdp": "v=0"}').kind is Kind.NEW
    assert wanted("POST", "/api/realtime/offer", b'{"session_id": [').kind is Kind.NEW


def test_an_id_that_a_client_chose_is_found() -> None:
    assert chosen_id("a", b"") == "a"
    assert chosen_id(None, b'{"job_id": "b", "text": "x"}') == "b"
    assert chosen_id(None, b'{"text": "job_id"}') == ""
    assert chosen_id(None, b'{"job_id": 3}') == ""
    assert chosen_id(None, None) == ""
