"""By which names the server answers, whose pages start work, what a leaked address opens."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from app_core.config import Config, ConfigError
from app_core.log import JobFilter, JsonFormatter, LineFormatter
from app_core.routes.http import access

STREAM = "/api/stream_mjpeg"
ASAP = {"text": "one", "pace": "asap", "size": "128x128"}
BEARER = {"Authorization": "Bearer secret"}
PATHS = ("/", "/mjpeg_test", "/docs", "/openapi.json", "/api/voices", "/metrics")


def statuses(client: Any, host: str) -> set[int]:
    """Of pages and of the API: they agree."""
    return {client.get(path, headers={"Host": host}).status_code for path in PATHS}


def test_a_name_is_refused_until_it_is_named(make_client: Any, config: Config) -> None:
    client = make_client()
    answer = client.get("/api/voices", headers={"Host": "my.site"})
    assert (answer.status_code, answer.json["code"]) == (403, "forbidden")
    assert "ALLOWED_HOSTS" in answer.json["error"]
    assert statuses(client, "my.site") == {403}
    assert client.get("/api/health/live", headers={"Host": "my.site"}).status_code == 200
    for value in ("my.site", "other.site, My.Site", "*", "my.site:8443"):
        client = make_client(config=config.model_copy(update={"allowed_hosts": value}))
        for host in ("my.site", "MY.site:443", "my.site.", "localhost:5000"):
            assert statuses(client, host) == {200}, (value, host)
    client = make_client(config=config.model_copy(update={"allowed_hosts": "my.site"}))
    assert statuses(client, "evil.example") == {403}


def test_named_hosts_bind_a_public_server_too(make_client: Any, config: Config) -> None:
    public = config.model_copy(update={"listen": "0.0.0.0:5000"})
    assert statuses(make_client(config=public), "any.site") == {200}
    named = public.model_copy(update={"allowed_hosts": "my.site"})
    assert statuses(make_client(config=named), "any.site") == {403}
    assert statuses(make_client(config=named), "my.site") == {200}


@pytest.mark.parametrize("host", ["a_b.evil.example", "a_b.evil.example:5000", "_"])
def test_a_name_with_an_underscore_is_a_name(make_client: Any, config: Config, host: str) -> None:
    assert statuses(make_client(), host) == {403}
    named = config.model_copy(update={"allowed_hosts": host})
    client = make_client(config=named)
    assert statuses(client, host) == {200}
    own = {"Host": host, "Origin": f"http://{host}"}
    assert client.post(STREAM, json=ASAP, headers=own).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        *("", "a,localhost", "localhost,localhost", "a b", "a/b", "[::1", "é.site", "a@localhost"),
        *(
            "localhost:0",
            "localhost:65536",
            "localhost:99999",
            "[fe80::1%25eth0]",
            "[fe80::1%eth0]",
        ),
    ],
)
def test_a_host_that_is_none_is_400(make_client: Any, config: Config, host: str) -> None:
    for settings in ({}, {"allowed_hosts": "*"}, {"listen": "0.0.0.0:1"}):
        client = make_client(config=config.model_copy(update=settings))
        for path in ("/", "/api/voices"):
            answer = client.get(path, environ_overrides={"HTTP_HOST": host})
            assert (answer.status_code, answer.json["code"]) == (400, "bad_input"), (settings, path)
            assert "Host" in answer.json["error"]


@pytest.mark.parametrize(
    ("target", "host", "status"),
    [
        ("http://localhost/api/voices", "localhost", 200),
        ("HTTP://LOCALHOST/api/voices", "localhost", 200),
        ("http://evil.example/api/voices", "localhost", 400),
        ("http://localhost@evil.example/api/voices", "localhost", 400),
        ("http://localhost/api/voices", "evil.example", 400),
        ("//evil.example/api/voices", "localhost", 200),
    ],
)
def test_an_absolute_address_names_the_same_host(
    client: Any, target: str, host: str, status: int
) -> None:
    asked = {"RAW_URI": target, "HTTP_HOST": host}
    assert client.get("/api/voices", environ_overrides=asked).status_code == status


def test_http_1_0_needs_no_host(client: Any) -> None:
    old = {"HTTP_HOST": "", "SERVER_PROTOCOL": "HTTP/1.0"}
    assert client.get("/api/voices", environ_overrides=old).status_code == 200
    foreign = {"Origin": "null"}
    answer = client.post(STREAM, json=ASAP, environ_overrides=old, headers=foreign)
    assert answer.status_code == 403


def test_a_picture_of_another_page_starts_no_job(
    make_client: Any, config: Config, service: Any
) -> None:
    client = make_client(config=config.model_copy(update={"cors_origins": "http://good.kz"}))
    for referer, status in (
        ("http://evil.example/page", 403),
        ("http://localhost.evil.example/", 403),
        ("http://good.kz/page", 200),
        ("http://localhost/mjpeg_test", 200),
        ("", 200),
    ):
        answer = client.get(STREAM, query_string=ASAP, headers={"Referer": referer})
        assert answer.status_code == status, referer
        assert client.get("/api/voices", headers={"Referer": referer}).status_code == 200
        # Browsers that say more are believed.
        own = {"Referer": referer, "Sec-Fetch-Site": "same-origin"}
        assert client.get(STREAM, query_string=ASAP, headers=own).status_code == 200


def test_a_signed_caller_is_not_signed_anew(
    make_client: Any, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = make_client(config=config.model_copy(update={"api_token": "secret"}))
    film = client.post(
        "/api/generate",
        json={"text": "one", "size": "128x128"},
        headers=BEARER | {"Prefer": "respond-async"},
    ).json
    path = f"/api/jobs/{film['id']}"
    token = film["audio_url"].partition("?token=")[2]
    now = access.time.time()
    monkeypatch.setattr(access.time, "time", lambda: now + access.LIFE_S - 10)
    told = client.get(f"{path}?token={token}").json
    for name in ("audio_url", "events_url"):
        assert told[name].partition("?token=")[2] == token
    assert client.get(told["audio_url"]).status_code == 200
    fresh = client.get(path, headers=BEARER).json
    assert fresh["audio_url"].partition("?token=")[2] not in ("", token)
    monkeypatch.setattr(access.time, "time", lambda: now + access.LIFE_S + 1)
    assert client.get(told["audio_url"]).status_code == 401
    assert client.get(f"{path}?token={token}").status_code == 401


@pytest.mark.parametrize("token", ["пароль", "with space", "tail ", "a\tb", "é"])
def test_a_token_that_no_header_carries_is_refused_at_start(token: str) -> None:
    with pytest.raises(ConfigError, match="API_TOKEN") as caught:
        Config.from_env({"API_TOKEN": token})
    assert "ASCII" in str(caught.value)
    assert token not in str(caught.value), "a secret is not for the log"


FORGED = "x\nERROR forged \x1b[2J\u202e\x85\u2028y\x7f"


@pytest.mark.parametrize("path", ["/", "/api/voices", "/api/stream_mjpeg"])
def test_an_answer_of_no_bytes_is_of_no_type(client: Any, path: str) -> None:
    answer = client.options(path)
    assert (answer.status_code, answer.data, answer.content_type) == (200, b"", None)
    assert client.head("/").content_type == "text/html; charset=utf-8"


def test_a_log_line_is_one_line(client: Any) -> None:
    logged: list[str] = []

    class Kept(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            logged.extend(form().format(record) for form in (LineFormatter, JsonFormatter))

    handler, root = Kept(logging.DEBUG), logging.getLogger()
    handler.addFilter(JobFilter())
    root.addHandler(handler)
    before = root.level
    root.setLevel(logging.DEBUG)
    try:
        for path in ("/api/jobs/%0aX", "/api/jobs/%0aX%1b[2J/result", "/api/chunk/video/%0dX-0"):
            client.get(path).close()
        logging.getLogger("any").warning("about %s", FORGED, extra={"job": FORGED})
        try:
            raise RuntimeError(FORGED)
        except RuntimeError:
            logging.getLogger("any").exception("it failed")
    finally:
        root.removeHandler(handler)
        root.setLevel(before)
    assert len(logged) >= 8
    for line in logged:
        first, *others = line.split("\n")
        assert all(other.startswith("  ") for other in others), line
        assert not any(control in line for control in "\r\x1b\x7f\x85\u2028\u202e"), repr(line)
