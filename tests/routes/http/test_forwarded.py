"""What proxies say counts from named ones alone; the paths and addresses below a prefix."""

from __future__ import annotations

import ipaddress
from typing import Any

import pytest

from app_core.config import Config, ConfigError
from app_core.routes.http.forwarded import Forwarded

STREAM = "/api/stream_mjpeg"
ASAP = {"text": "one", "pace": "asap", "size": "128x128"}
PROXY = "10.0.0.7"
NETWORKS = ("10.0.0.0/8", "192.0.2.1", "2001:db8::/32")
OWN = {"api", "static", "avatar", ""}
SAID = {
    "HTTP_X_FORWARDED_FOR": "203.0.113.9",
    "HTTP_X_FORWARDED_PROTO": "https",
    "HTTP_X_FORWARDED_HOST": "my.site",
    "HTTP_X_FORWARDED_PREFIX": "/soyle",
}


def seen(**given: str) -> dict[str, Any]:
    """What the application gets."""
    kept: list[dict[str, Any]] = []

    def application(environ: dict[str, Any], start: Any) -> list[bytes]:
        kept.append(dict(environ))
        return []

    networks = [ipaddress.ip_network(entry) for entry in NETWORKS]
    environ = {
        "REMOTE_ADDR": PROXY,
        "HTTP_HOST": "inner:5000",
        "wsgi.url_scheme": "http",
        "SCRIPT_NAME": "",
        "PATH_INFO": "/api/voices",
    } | given
    Forwarded(application, networks, OWN)(environ, lambda *_: None)
    return kept[0]


def test_a_named_proxy_is_believed() -> None:
    found = seen(**SAID)
    assert found["REMOTE_ADDR"] == "203.0.113.9"
    assert (found["wsgi.url_scheme"], found["HTTP_HOST"]) == ("https", "my.site")
    assert (found["SCRIPT_NAME"], found["PATH_INFO"]) == ("/soyle", "/api/voices")


@pytest.mark.parametrize("peer", ["203.0.113.1", "192.0.2.2", "2001:db9::1", "", "unix:"])
def test_nobody_else_is(peer: str) -> None:
    assert seen(REMOTE_ADDR=peer, **SAID) == seen(REMOTE_ADDR=peer) | SAID


def test_a_proxy_that_says_nothing_changes_nothing() -> None:
    plain = seen()
    assert (plain["REMOTE_ADDR"], plain["HTTP_HOST"]) == (PROXY, "inner:5000")
    assert (plain["wsgi.url_scheme"], plain["SCRIPT_NAME"]) == ("http", "")
    assert seen(**dict.fromkeys(SAID, "")) == plain | dict.fromkeys(SAID, "")


@pytest.mark.parametrize(
    ("hops", "client"),
    [
        ("198.51.100.1, 203.0.113.9", "203.0.113.9"),  # the first one is the client's own word
        ("198.51.100.1, 203.0.113.9, 10.1.1.1,192.0.2.1", "203.0.113.9"),
        ("10.1.1.1, 10.1.1.2", "10.1.1.1"),  # all of ours: the outermost asks for itself
        ("203.0.113.9:4711", "203.0.113.9"),
        ("[2001:db9::5]:4711", "2001:db9::5"),
        ("2001:db9::5", "2001:db9::5"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("203.0.113.9, unknown, 10.1.1.1", "10.1.1.1"),
        ("unknown", PROXY),
        ("203.0.113.9,", PROXY),
    ],
)
def test_the_client_is_the_last_hop_that_is_no_proxy(hops: str, client: str) -> None:
    assert seen(HTTP_X_FORWARDED_FOR=hops)["REMOTE_ADDR"] == client


def test_a_peer_in_the_form_of_ipv6_is_the_same_peer() -> None:
    assert seen(REMOTE_ADDR="::ffff:10.0.0.7", **SAID)["HTTP_HOST"] == "my.site"
    assert seen(REMOTE_ADDR="2001:db8::1", **SAID)["HTTP_HOST"] == "my.site"


def test_of_several_values_the_nearest_proxy_s_counts() -> None:
    """What stands before it may have come from the client."""
    found = seen(
        HTTP_X_FORWARDED_PROTO="http, https",
        HTTP_X_FORWARDED_HOST="evil.example, my.site",
        HTTP_X_FORWARDED_PREFIX="/evil, /soyle",
    )
    assert (found["wsgi.url_scheme"], found["HTTP_HOST"]) == ("https", "my.site")
    assert found["SCRIPT_NAME"] == "/soyle"


@pytest.mark.parametrize(
    ("said", "scheme"), [("wss", "https"), ("HTTPS", "https"), ("ws", "http"), ("gopher", "http")]
)
def test_schemes(said: str, scheme: str) -> None:
    assert seen(HTTP_X_FORWARDED_PROTO=said)["wsgi.url_scheme"] == scheme


@pytest.mark.parametrize(
    ("prefix", "asked", "below", "path"),
    [
        ("/soyle", "/soyle/api/voices", "/soyle", "/api/voices"),  # the proxy strips nothing
        ("/soyle/", "/api/voices", "/soyle", "/api/voices"),
        ("/a/b", "/a/b/", "/a/b", "/"),
        ("/soyle", "/soyle", "/soyle", "/"),
        ("/soyle", "/soyle2/x", "/soyle", "/soyle2/x"),
        # Begins as a path of ours: only the proxy knows whether it took it off.
        ("/api", "/api/voices", "/api", "/api/voices"),
        ("/avatar/x", "/avatar/x", "/avatar/x", "/avatar/x"),
        ("/", "/api/voices", "", "/api/voices"),
        ("//evil.example", "/", "", "/"),
        ("https://evil.example", "/", "", "/"),
        ("/a/../b", "/", "", "/"),
        ('/a"b', "/", "", "/"),
        ("/a b", "/", "", "/"),
        ("soyle", "/", "", "/"),
    ],
)
def test_the_prefix(prefix: str, asked: str, below: str, path: str) -> None:
    found = seen(HTTP_X_FORWARDED_PREFIX=prefix, PATH_INFO=asked)
    assert (found["SCRIPT_NAME"], found["PATH_INFO"]) == (below, path)


@pytest.mark.parametrize("value", ["proxy.local", "10.0.0.1/8", "10.0.0.0/33", "unix", "*"])
def test_proxies_are_addresses_and_networks(value: str) -> None:
    with pytest.raises(ConfigError, match="TRUSTED_PROXIES"):
        Config.from_env({"TRUSTED_PROXIES": f"127.0.0.1, {value}"})


HEADERS = {
    "X-Forwarded-For": "203.0.113.9",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "my.site",
    "X-Forwarded-Prefix": "/soyle",
}
"""As a proxy of this machine sends them."""


@pytest.fixture
def behind(config: Config) -> Config:
    return config.model_copy(update={"trusted_proxies": "127.0.0.1", "allowed_hosts": "my.site"})


def test_answers_hold_addresses_below_the_prefix(make_client: Any, behind: Config) -> None:
    client = make_client(config=behind)
    asked = HEADERS | {"Prefer": "respond-async"}
    film = client.post("/api/generate", json={"text": "one", "size": "128x128"}, headers=asked)
    assert film.headers["Location"].startswith("/soyle/api/jobs/")
    found = {name: url for name, url in film.json.items() if name.endswith("_url") and url}
    assert len(found) >= 4
    assert all(url.startswith("/soyle/api/jobs/") for url in found.values()), found
    session = client.post("/api/sessions", json={}, headers=HEADERS)
    assert session.headers["Location"].startswith("/soyle/api/sessions/")
    found = {name: url for name, url in session.json.items() if name.endswith("_url")}
    assert len(found) == 4
    assert all(url.startswith(("/soyle/api/", "/soyle/whep/")) for url in found.values()), found
    stream = client.post(STREAM, json=ASAP, headers=HEADERS)
    assert stream.headers["X-Audio-Url"].startswith("/soyle/api/jobs/")
    for record in client.get("/api/avatars", headers=HEADERS).json["avatars"]:
        assert record["preview_url"].startswith("/soyle/api/avatars/")
    chunks = client.post("/api/stream_chunks", json={"text": "one"}, headers=HEADERS).json
    assert chunks["chunks"][0]["video_url"].startswith("/soyle/api/chunk/video/")
    servers = [{"url": "/soyle"}]
    assert client.get("/openapi.json", headers=HEADERS).json["servers"] == servers
    assert client.get("/openapi.json").json["servers"] == [{"url": "/"}]


def test_pages_stay_below_the_prefix(make_client: Any, behind: Config) -> None:
    client = make_client(config=behind)
    pages = {path: client.get(path, headers=HEADERS).text for path in ("/", "/docs", "/whep_test")}
    for path, page in pages.items():
        for start in ('href="/', 'src="/', "URL(`/"):
            found = [part.partition('"')[0] for part in page.split(start)[1:]]
            assert all(part.startswith("soyle/") for part in found), (path, start, found)
    assert "https://my.site/soyle/api/voices" in pages["/docs"]
    embed = client.get("/embed", headers=HEADERS).text
    assert "https://my.site/soyle/static/soyle-avatar.js" in embed


def test_a_signed_address_opens_below_the_prefix(make_client: Any, behind: Config) -> None:
    client = make_client(config=behind.model_copy(update={"api_token": "secret"}))
    asked = HEADERS | {"Authorization": "Bearer secret"}
    url = client.post(STREAM, json=ASAP, headers=asked).headers["X-Audio-Url"]
    assert client.get(url, headers=HEADERS).status_code == 200, "nothing is stripped"
    stripped = url.removeprefix("/soyle")
    assert client.get(stripped, headers=HEADERS).status_code == 200
    assert client.get(stripped.partition("?")[0], headers=HEADERS).status_code == 401


def test_rules_hold_below_the_prefix(make_client: Any, behind: Config) -> None:
    client = make_client(config=behind.model_copy(update={"api_token": "secret"}))
    for path, status in (
        ("/api/health", 401),
        ("/whep", 401),
        ("/metrics", 401),
        ("/api/health/live", 200),
        ("/realtime", 200),
        ("/api/lipsync/video", 200),
    ):
        for asked in (path, f"/soyle{path}"):
            assert client.get(asked, headers=HEADERS).status_code == status, asked


def test_the_host_is_that_of_the_client(make_client: Any, behind: Config) -> None:
    client = make_client(config=behind)
    for host, status in (("my.site", 200), ("my.site:8443", 200), ("evil.example", 403)):
        asked = HEADERS | {"X-Forwarded-Host": host}
        assert client.get("/api/voices", headers=asked).status_code == status, host
    bad = HEADERS | {"X-Forwarded-Host": "a/b"}
    assert client.get("/api/voices", headers=bad).status_code == 400


@pytest.mark.parametrize(
    ("origin", "said", "status"),
    [
        ("https://my.site", {}, 200),
        ("https://my.site", {"X-Forwarded-Host": "my.site:443"}, 200),
        ("https://my.site:8443", {"X-Forwarded-Host": "my.site:8443"}, 200),
        ("http://my.site", {}, 403),  # without TLS it may be anybody's page
        ("https://my.site:444", {}, 403),
        ("https://localhost", {}, 403),
        ("http://my.site", {"X-Forwarded-Proto": "http"}, 200),
        ("null", {}, 403),
    ],
)
def test_origins_are_compared_with_what_the_client_asked(
    make_client: Any, behind: Config, origin: str, said: dict[str, str], status: int
) -> None:
    client = make_client(config=behind)
    asked = HEADERS | said | {"Origin": origin}
    assert client.post(STREAM, json=ASAP, headers=asked).status_code == status


def test_without_named_proxies_nothing_is_believed(make_client: Any, config: Config) -> None:
    client = make_client(config=config.model_copy(update={"trusted_proxies": "203.0.113.0/24"}))
    for path in ("/", "/docs", "/openapi.json", "/api/voices", "/soyle/"):
        plain, asked = client.get(path), client.get(path, headers=HEADERS)
        assert (asked.status_code, asked.data) == (plain.status_code, plain.data), path
        dated = {"Date"}
        kept = [pair for pair in asked.headers if pair[0] not in dated]
        assert kept == [pair for pair in plain.headers if pair[0] not in dated], path
