"""The headers that shield: the same on every page, and nothing in a page that they would stop."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import pytest

from app_core.config import ROOT, Config

PAGES = [
    *("/", "/realtime", "/mjpeg_test", "/api/lipsync/video", "/avatars", "/embed", "/docs"),
    *("/api-test", "/avatar", "/whep_test"),
]
POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data: blob:",
    "media-src": "'self' blob:",
    "connect-src": "'self' ws://localhost wss://localhost",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'self'",
}


def rules(headers: Any) -> dict[str, str]:
    pairs = (rule.strip().partition(" ") for rule in headers["Content-Security-Policy"].split(";"))
    return {name: value for name, _, value in pairs}


@pytest.mark.parametrize("path", PAGES)
def test_every_page(client: Any, path: str) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer.mimetype) == (200, "text/html")
    assert rules(answer.headers) == POLICY
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "same-origin"
    permitted = dict(rule.split("=") for rule in answer.headers["Permissions-Policy"].split(", "))
    assert permitted.pop("microphone") == "(self)"
    assert set(permitted.values()) == {"()"}
    assert {"camera", "display-capture", "geolocation"} <= set(permitted)
    assert "Cross-Origin-Opener-Policy" not in answer.headers
    secure = client.get(path, base_url="https://localhost").headers
    assert secure["Cross-Origin-Opener-Policy"] == "same-origin"


def test_the_table_has_every_page(client: Any) -> None:
    """Those that a browser is shown, of all that are served without an argument."""
    found = set()
    for rule in client.application.url_map.iter_rules():
        if "GET" in (rule.methods or ()) and not rule.arguments and rule.rule != "/api/voices":
            answer = client.get(rule.rule, buffered=True)
            if answer.mimetype == "text/html":
                found.add(rule.rule)
    assert found == set(PAGES)


def test_friends_may_show_pages(make_client: Any, config: Config) -> None:
    named = config.model_copy(update={"cors_origins": "https://b.kz,https://a.kz"})
    found = rules(make_client(config=named).get("/").headers)
    assert found["frame-ancestors"] == "'self' https://a.kz https://b.kz"
    assert found["script-src"] == "'self'"


class Inline(HTMLParser):
    """Scripts, styles and handlers that stand in the page itself."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "style" or (tag == "script" and not given.get("src")):
            self.found.append(tag)
        for name, value in attrs:
            if name == "style" or name.startswith("on") or re.match("javascript:", value or ""):
                self.found.append(f"{tag} {name}")


@pytest.mark.parametrize("path", PAGES)
def test_no_page_has_what_the_policy_stops(client: Any, path: str) -> None:
    reader = Inline()
    reader.feed(client.get(path).get_data(as_text=True))
    assert reader.found == []


def test_no_script_makes_what_the_policy_stops() -> None:
    stopped = re.compile(
        r"\beval\(|new Function\(|\.innerHTML|insertAdjacentHTML|document\.write"
        r"|createElement\(\"(style|script)\"\)|setAttribute\(\"(style|on\w+)\""
    )
    for path in (ROOT / "static").rglob("*.js"):
        assert not stopped.search(path.read_text("utf-8")), path


def test_answers_run_nothing_and_stay_nowhere(client: Any) -> None:
    for path in ("/api/voices", "/api/avatars", "/api/health", "/api/jobs/none", "/api/none"):
        headers = client.get(path).headers
        assert rules(headers) == {"default-src": "'none'", "frame-ancestors": "'none'"}
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"
        assert headers["Cache-Control"] == "no-store", path
    session = client.post("/api/sessions", json={"size": "128x128"})
    assert session.headers["Cache-Control"] == "no-store"
    film = client.post("/api/generate", json={"text": "one", "size": "128x128"}, buffered=True)
    assert film.headers["Cache-Control"] in ("no-store", "private, no-cache")
    assert "Content-Security-Policy" not in film.headers  # a browser's own player is a page


def test_what_is_public_may_stay(client: Any) -> None:
    for path in ("/static/js/index.js", "/static/soyle-avatar.js", "/favicon.ico"):
        answer = client.get(path, buffered=True)
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers.get("Cache-Control") != "no-store"
