from __future__ import annotations

from typing import Any

import pytest

from app_core.routes.http import access

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
    for page in ("/realtime", "/whep_test", "/api/lipsync/video"):
        assert guarded.get(page).mimetype == "text/html", page
    assert guarded.get("/whep").status_code == 401


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


def test_a_signed_address_cancels_nothing(guarded: Any) -> None:
    answer = guarded.post(STREAM, json=ASAP, headers=BEARER)
    path, _, token = answer.headers["X-Audio-Url"].partition("?")
    job = path.removesuffix("/audio.wav")
    assert guarded.get(f"{job}?{token}").status_code == 200
    assert guarded.delete(f"{job}?{token}").status_code == 401


@pytest.mark.parametrize("expires", ["²", "9" * 5000, "", "-1", "1e9"])
def test_a_broken_signature_is_refused(guarded: Any, expires: str) -> None:
    answer = guarded.get("/api/jobs/1", query_string={"token": f"{expires}.00"})
    assert answer.status_code == 401


def test_metrics_need_the_token_and_documents_do_not(guarded: Any) -> None:
    assert guarded.get("/metrics").status_code == 401
    assert guarded.get("/metrics", headers=BEARER).status_code == 200


def test_an_origin_alone_tells_a_foreign_page(client: Any) -> None:
    foreign = {"Origin": "http://evil.example"}
    assert client.post(STREAM, json=ASAP, headers=foreign).status_code == 403
    assert client.post(STREAM, json=ASAP, headers={"Origin": "http://localhost"}).status_code == 200


def test_a_rebound_name_is_refused_on_loopback(make_client: Any, config: Any) -> None:
    headers = {"Host": "evil.example:5000", "Sec-Fetch-Site": "same-origin"}
    assert make_client().get("/api/voices", headers=headers).status_code == 403
    for change in (
        {"listen": "0.0.0.0:5000"},
        {"cors_origins": "http://evil.example:5000"},
        {"api_token": "secret"},
    ):
        client = make_client(config=config.model_copy(update=change))
        assert client.get("/api/voices", headers=headers | BEARER).status_code == 200


@pytest.mark.parametrize("host", ["localhost:5000", "127.0.0.1:5000", "[::1]:5000", "a.localhost"])
def test_this_machine_has_many_names(client: Any, host: str) -> None:
    assert client.get("/api/voices", headers={"Host": host}).status_code == 200


def test_a_preflight_is_answered(make_client: Any, config: Any) -> None:
    client = make_client(
        config=config.model_copy(update={"cors_origins": "https://a.kz", "api_token": "secret"})
    )
    asked = {"Origin": "https://a.kz", "Access-Control-Request-Method": "DELETE"}
    answer = client.options("/api/jobs/1", headers=asked)
    assert answer.status_code == 200
    assert "DELETE" in answer.headers["Access-Control-Allow-Methods"]
    assert "Authorization" in answer.headers["Access-Control-Allow-Headers"]
    assert "Origin" in client.get("/api/voices").headers["Vary"]


def test_the_element_is_shared_with_named_origins_alone(make_client: Any, config: Any) -> None:
    client = make_client(config=config.model_copy(update={"cors_origins": "https://a.kz"}))
    for origin, shared in (("https://a.kz", "https://a.kz"), ("https://b.kz", None)):
        answer = client.get("/static/soyle-avatar.js", headers={"Origin": origin})
        assert answer.status_code == 200
        assert answer.headers.get("Access-Control-Allow-Origin") == shared
        answer.close()
