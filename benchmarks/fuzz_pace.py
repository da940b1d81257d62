"""Loaded by schemathesis: what lives while it asks, and what it counts.

The next request waits until the last render has ended: renders go on behind some answers, and
without a pause the server is soon full, and says so. Every second request about a session, or about
a viewer, is about one that lives, with its token; every second offer is one that can be used.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import time
import urllib.error
import urllib.request
from collections import Counter
from pathlib import Path
from typing import Any

import schemathesis

from benchmarks.offers import fresh_offer

LONGEST_S = 60.0
URL = os.environ.get("SOYLE_URL", "")
LARGE, SMALL = 20, {"size": "128x128", "fps": 10}
"""One in so many is as large as it likes: films of 1920x1920 would be all that it waits for."""
SDP, FRAGMENT = "application/sdp", "application/trickle-ice-sdpfrag"

_SIZE = re.compile(r"[1-9][0-9]{2,3}x[1-9][0-9]{2,3}", re.ASCII)

asked: Counter[str] = Counter()
"""Answers by their status."""
turns: Counter[str] = Counter()
"""Requests of each operation."""
session: dict[str, Any] = {}
viewer: dict[str, str] = {}


@schemathesis.serializer(SDP, FRAGMENT)
def as_text(context: Any, value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "replace")


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: Any) -> None:
    end = time.monotonic() + LONGEST_S
    while _jobs() and time.monotonic() < end:
        time.sleep(0.05)
    path = case.operation.path
    turns[path + case.method] += 1
    if isinstance(case.body, dict) and turns[path + case.method] % LARGE:
        for name in SMALL.keys() & case.body.keys():
            if _fits(name, case.body[name]):
                case.body[name] = SMALL[name]
    if turns[path + case.method] % 2:
        return
    if "session_id" in (case.path_parameters or {}):
        case.path_parameters["session_id"] = _living()["session_id"]
        _authorise(case, "view_token" if turns[path + case.method] % 8 == 2 else "token")
    if "peer_id" in (case.path_parameters or {}):
        peer = _viewer()
        case.path_parameters["peer_id"] = peer["id"]
        if "If-Match" in (case.headers or {}):
            case.headers["If-Match"] = peer["etag"]
    if case.media_type == SDP:
        case.body = fresh_offer().encode()
    elif case.media_type == FRAGMENT:
        case.body = b"a=mid:0\r\na=candidate:1 1 udp 1 192.0.2.1 %d typ host\r\n" % (
            2000 + turns.total() % 60000
        )
    elif isinstance(case.body, dict) and "sdp" in case.body:
        case.body["sdp"] = fresh_offer()


@schemathesis.hook
def after_call(context: Any, case: Any, response: Any) -> None:
    asked[str(response.status_code)] += 1
    if response.status_code == 201 and case.operation.path == "/api/sessions":
        _end()
        session.update(json.loads(response.content))
    note = os.environ.get("FUZZ_COUNTS")
    if note:
        Path(note).write_text(json.dumps({"asked": asked, "operations": len(turns)}))


@schemathesis.check
def refuses_properly(ctx: Any, response: Any, case: Any) -> None:
    """No 5xx but 503 with Retry-After."""
    if response.status_code == 503:
        assert "retry-after" in {name.lower() for name in response.headers}, "no Retry-After"
    elif response.status_code >= 500:
        raise AssertionError(f"{response.status_code}: the server failed")


def _fits(name: str, value: Any) -> bool:
    """It would be taken: what is wrong stays wrong."""
    if name == "fps":
        return type(value) is int and 10 <= value <= 60
    return isinstance(value, str) and _SIZE.fullmatch(value) is not None


def _authorise(case: Any, name: str) -> None:
    case.headers = {**(case.headers or {}), "Authorization": f"Bearer {session[name]}"}


def _living() -> dict[str, Any]:
    if session and _call("GET", f"/api/sessions/{session['session_id']}")[0] == 200:
        return session
    fields = {"size": "128x128", "language": "en", "voice": "espeak", "fps": 10}
    for _ in range(100):
        status, body, _ = _call("POST", "/api/sessions", json.dumps(fields).encode())
        if status == 201:
            session.clear()
            session.update(json.loads(body))
            return session
        time.sleep(0.2)
    raise TimeoutError("no session is let in")


def _viewer() -> dict[str, str]:
    if viewer and _call("GET", f"/whep/viewers/{viewer['id']}")[0] == 204:
        return viewer
    living = _living()
    place = f"/whep/{living['session_id']}?token={living['view_token']}"
    status, _, headers = _call("POST", place, fresh_offer().encode(), SDP)
    if status == 201:
        viewer.update(id=headers["Location"].rpartition("/")[2], etag=headers["ETag"])
        return viewer
    return {"id": secrets.token_urlsafe(8), "etag": '"none"'}


def _end() -> None:
    if session:
        place = f"/api/sessions/{session['session_id']}?token={session['token']}"
        _call("DELETE", place)
        session.clear()


def _call(
    method: str, path: str, body: bytes | None = None, kind: str = "application/json"
) -> tuple[int, bytes, Any]:
    request = urllib.request.Request(URL + path, body, {"Content-Type": kind}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.read(), answer.headers
    except urllib.error.HTTPError as error:
        return error.code, error.read(), error.headers


def _jobs() -> int:
    with urllib.request.urlopen(f"{URL}/api/health", timeout=30) as answer:
        return int(json.load(answer)["capacity"]["jobs"])
