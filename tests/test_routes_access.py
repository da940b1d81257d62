from __future__ import annotations

from typing import Any

import pytest

from app_core.routes import access

STREAM = "/api/stream_mjpeg"
ASAP = {"text": "one", "pace": "asap", "size": "128x128"}
BEARER = {"Authorization": "Bearer secret"}


@pytest.fixture
def guarded(make_client: Any, config: Any) -> Any:
    return make_client(config=config.model_copy(update={"api_token": "secret"}))


def test_the_token_is_needed(guarded: Any) -> None:
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "secret"}):
        answer = guarded.post(STREAM, json=ASAP, headers=headers)
        assert (answer.status_code, answer.json["code"]) == (401, "unauthorized")
        assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert guarded.post(STREAM, json=ASAP, headers=BEARER).status_code == 200
    assert guarded.get("/api/health/live").status_code == 200
    assert guarded.get("/api/health").status_code == 401


def test_a_signed_address_opens_one_job(guarded: Any) -> None:
    first = guarded.post(STREAM, json=ASAP, headers=BEARER)
    second = guarded.post(STREAM, json=ASAP, headers=BEARER)
    signed = first.headers["X-Audio-Url"]
    assert guarded.get(signed).status_code == 200
    path, _, token = signed.partition("?")
    assert guarded.get(path).status_code == 401
    other = second.headers["X-Audio-Url"].partition("?")[0]
    assert guarded.get(f"{other}?{token}").status_code == 401
    assert guarded.get(signed[:-1] + ("0" if signed[-1] != "0" else "1")).status_code == 401


def test_a_signature_expires(guarded: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    signed = guarded.post(STREAM, json=ASAP, headers=BEARER).headers["X-Audio-Url"]
    now = access.time.time()
    monkeypatch.setattr(access.time, "time", lambda: now + access.LIFE_S + 1)
    assert guarded.get(signed).status_code == 401


def test_pages_of_other_origins_may_not_call(make_client: Any, config: Any) -> None:
    client = make_client(config=config.model_copy(update={"cors_origins": "https://good.kz"}))
    bad = {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}
    good = {"Sec-Fetch-Site": "cross-site", "Origin": "https://good.kz"}
    tag = {"Sec-Fetch-Site": "cross-site", "Referer": "https://good.kz/page"}
    answer = client.post(STREAM, json=ASAP, headers=bad)
    assert (answer.status_code, answer.json["code"]) == (403, "forbidden")
    assert "Access-Control-Allow-Origin" not in answer.headers
    answer = client.post(STREAM, json=ASAP, headers=good)
    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Origin"] == "https://good.kz"
    assert client.get(STREAM, query_string=ASAP, headers=tag).status_code == 200
    assert client.options(STREAM, headers=good).headers["Access-Control-Allow-Methods"]
    assert (
        client.post(STREAM, json=ASAP, headers={"Sec-Fetch-Site": "same-origin"}).status_code == 200
    )
    assert client.get("/", headers=bad).status_code == 200
