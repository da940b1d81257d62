"""Clients whose tokens have names: each reaches its own jobs, sessions and faces, the operator
all."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from app_core.avatars.library import AvatarLibrary
from app_core.avatars.metadata import read_metadata
from app_core.config import Config
from app_core.routes.http import web_socket
from tests.conftest import checked_client, until
from tests.importing import GOOD, Importer, make_still_avatar
from tests.routes.test_job_events import UPGRADE

ANNA, BERIK, OPERATOR = "anna-0123456789abcdef", "berik-0123456789abcde", "operator-0123456789"
TEXT = {"text": "one two three", "size": "128x128"}
SMALL = {"size": "128x128"}
LATER = {"Prefer": "respond-async"}
SDP = (Path(__file__).parents[2] / "outputs/webrtc/offers/aiortc.sdp").read_text("utf-8")
UNKNOWN = "00000000-0000-0000-0000-000000000000"


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture
def importer() -> Importer:
    return Importer()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "avatars"
    make_still_avatar(folder / "aigul", "Aigul")
    make_still_avatar(folder / "old", "Old")
    return folder


@pytest.fixture
def client(
    make_service: Callable[..., Any], folder: Path, importer: Importer, tmp_path: Path
) -> Iterator[FlaskClient]:
    file = tmp_path / "tokens"
    file.write_text(f"anna {ANNA}\nberik {BERIK}\n")
    file.chmod(0o600)
    config = Config(
        avatar="aigul",
        avatar_dir=folder,
        work_dir=tmp_path / "w",
        sway=False,
        api_token=OPERATOR,
        api_token_file=file,
    )
    service = make_service(config=config, library=AvatarLibrary(folder), importer=importer)
    yield checked_client(service)
    importer.gate.set()


def rules(client: FlaskClient, name: str) -> list[tuple[str, str, bool]]:
    """Method, address and whether it is a socket of all that names one thing so."""
    found = []
    for rule in client.application.url_map.iter_rules():
        methods = (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if name in rule.arguments and methods:
            found += [(method, rule.rule, rule.websocket) for method in sorted(methods)]
    return found


def answers(
    client: FlaskClient, name: str, thing: str, token: str
) -> dict[tuple[str, str], tuple[int, Any]]:
    """To everything that can be asked of a thing: status and body, its id aside."""
    found = {}
    for method, rule, socket in rules(client, name):
        if socket and name == "job_id":  # is refused in words over the socket
            continue
        if rule.startswith("/whep/") and method in ("GET", "OPTIONS"):  # says the same of any
            continue
        address = rule.replace(f"<{name}>", thing)
        more: dict[str, Any] = {"headers": bearer(token)}
        if socket:
            more |= {"base_url": "ws://localhost", "headers": bearer(token) | UPGRADE}
        elif method in ("POST", "PUT"):
            more["json"] = {"text": "one"}
        answer = client.open(address, method=method, **more)
        found[method, rule] = (answer.status_code, answer.text.replace(thing, "ID"))
    assert found
    return found


def test_another_clients_job_is_as_one_that_is_not_there(client: FlaskClient) -> None:
    made = client.post("/api/generate", json=TEXT, headers=LATER | bearer(ANNA)).json
    job = f"/api/jobs/{made['id']}"
    assert until(lambda: client.get(job, headers=bearer(ANNA)).json["status"] == "done")
    theirs = answers(client, "job_id", made["id"], BERIK)
    assert theirs == answers(client, "job_id", UNKNOWN, BERIK)
    assert {status for status, _ in theirs.values()} == {404}
    for path in ("", "/result", "/audio.wav", "/captions.vtt", "/captions.srt"):
        for token in (ANNA, OPERATOR):
            with client.get(job + path, headers=bearer(token)) as answer:
                assert answer.status_code == 200
    with client.get(made["audio_url"]) as answer:  # signed
        assert answer.status_code == 200
    assert client.get(made["audio_url"], headers=bearer(BERIK)).status_code == 404
    assert client.delete(job, headers=bearer(OPERATOR)).status_code == 200


def test_the_operators_job_is_the_operators(client: FlaskClient) -> None:
    made = client.post("/api/generate", json=TEXT, headers=LATER | bearer(OPERATOR)).json
    job = f"/api/jobs/{made['id']}"
    assert client.get(job, headers=bearer(ANNA)).status_code == 404
    assert client.get(job, headers=bearer(OPERATOR)).status_code == 200


def test_a_listener_to_another_clients_job_hears_that_there_is_none(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Socket:
        patience = 1

        def __init__(self) -> None:
            self.said: list[Any] = []

        def send(self, message: str) -> None:
            self.said.append(json.loads(message))

        def receive(self, wait_s: float) -> None:
            return None

        def close(self, *_: object) -> None: ...

    made = client.post("/api/generate", json=TEXT, headers=LATER | bearer(ANNA)).json
    heard = {}
    for token in (ANNA, BERIK):
        socket = Socket()
        monkeypatch.setattr(web_socket.WebSocket, "accept", lambda *_, s=socket, **__: s)
        client.get(
            f"/api/jobs/{made['id']}/events",
            base_url="ws://localhost",
            headers=bearer(token) | UPGRADE,
        )
        heard[token] = socket.said
    assert heard[ANNA][-1]["type"] == "done"
    assert [(told["type"], told["code"]) for told in heard[BERIK]] == [("error", "not_found")]


def test_another_clients_chunks_are_as_those_that_are_not_there(client: FlaskClient) -> None:
    made = client.post("/api/stream_chunks", json=TEXT, headers=bearer(ANNA))
    chunk = f"{made.headers['X-Job-Id']}-0"
    theirs = answers(client, "chunk_id", chunk, BERIK)
    assert theirs == answers(client, "chunk_id", f"{UNKNOWN}-0", BERIK)
    assert {status for status, _ in theirs.values()} == {404}
    for token in (ANNA, OPERATOR):
        for _, rule, _ in rules(client, "chunk_id"):
            with client.get(rule.replace("<chunk_id>", chunk), headers=bearer(token)) as answer:
                assert answer.status_code == 200


def test_another_clients_session_is_as_one_that_is_not_there(client: FlaskClient) -> None:
    made = client.post("/api/sessions", json=SMALL, headers=bearer(ANNA)).json
    theirs = answers(client, "session_id", made["session_id"], BERIK)
    assert theirs == answers(client, "session_id", UNKNOWN, BERIK)
    assert {status for status, _ in theirs.values()} == {404}

    def listed(token: str) -> list[str]:
        found = client.get("/api/sessions", headers=bearer(token)).json["sessions"]
        return [session["session_id"] for session in found]

    shown = [listed(token) for token in (ANNA, OPERATOR, BERIK)]
    assert shown == [[made["session_id"]], [made["session_id"]], []]
    path = f"/api/sessions/{made['session_id']}"
    for token in (ANNA, OPERATOR, made["token"], made["view_token"]):
        assert client.get(path, headers=bearer(token)).status_code == 200
    # A token of the session opens it for whoever brings it, beside a token of the server too.
    look = client.get(f"{path}?token={made['view_token']}", headers=bearer(BERIK))
    assert look.status_code == 200
    for token in (ANNA, OPERATOR, made["token"]):
        said = client.post(f"{path}/say", json={"text": "one"}, headers=bearer(token))
        assert said.status_code == 202
    assert client.delete(path, headers=bearer(ANNA)).status_code == 200


def test_an_offer_to_another_clients_session_finds_none(client: FlaskClient) -> None:
    made = client.post("/api/sessions", json=SMALL, headers=bearer(ANNA)).json
    sdp = {"sdp": SDP, "type": "offer"}

    def offer(**more: str) -> Any:
        return client.post("/api/realtime/offer", json=sdp | more, headers=bearer(BERIK))

    theirs, none = offer(session_id=made["session_id"]), offer(session_id=UNKNOWN)
    assert (theirs.status_code, none.status_code) == (404, 404)
    assert theirs.json["error"].replace(made["session_id"], UNKNOWN) == none.json["error"]


def add(client: FlaskClient, token: str, avatar_id: str) -> Any:
    data = {"consent": "true", "id": avatar_id, "file": (io.BytesIO(GOOD), "me.jpg")}
    return client.post("/api/avatars", data=data, headers=bearer(token))


def test_a_face_is_used_by_all_and_changed_by_who_added_it(
    client: FlaskClient, folder: Path
) -> None:
    assert add(client, ANNA, "hers").status_code == 201
    assert add(client, OPERATOR, "own").status_code == 201
    assert read_metadata(folder / "hers")["owner"] == "token anna"
    assert "owner" not in read_metadata(folder / "own")

    def mouth(token: str, face: str) -> int:
        path = f"/api/avatars/{face}/mouth"
        return int(
            client.put(path, json={"gains": {"jaw": 1.2}}, headers=bearer(token)).status_code
        )

    for face, token in (("hers", BERIK), ("own", ANNA), ("old", ANNA)):
        answer = client.delete(f"/api/avatars/{face}", headers=bearer(token))
        assert answer.status_code == 403
        assert "added by somebody else" in answer.json["error"]
        assert mouth(token, face) == 403
        shown = client.get(f"/api/avatars/{face}", headers=bearer(token)).json
        assert not shown["removable"] and not shown["editable"]
    listed = client.get("/api/avatars", headers=bearer(ANNA)).json["avatars"]
    assert {face["id"]: face["removable"] for face in listed} == {
        "aigul": False,
        "hers": True,
        "old": False,
        "own": False,
    }
    said = client.post(
        "/api/generate", json=TEXT | {"avatar": "hers"}, headers=LATER | bearer(BERIK)
    )
    assert said.status_code == 202
    assert mouth(ANNA, "hers") == 200
    assert mouth(OPERATOR, "hers") == 200
    assert client.delete("/api/avatars/nobody", headers=bearer(BERIK)).status_code == 404
    for face, token in (("hers", ANNA), ("own", OPERATOR), ("old", OPERATOR)):
        assert client.delete(f"/api/avatars/{face}", headers=bearer(token)).status_code == 200


def test_an_import_on_its_way_is_ended_by_who_began_it(
    client: FlaskClient, importer: Importer
) -> None:
    importer.gate.clear()
    data = {"consent": "true", "id": "hers", "file": (io.BytesIO(GOOD), "me.jpg")}
    answer = client.post("/api/avatars", data=data, headers=LATER | bearer(ANNA))
    assert answer.status_code == 202
    assert client.delete("/api/avatars/hers", headers=bearer(BERIK)).status_code == 403
    assert client.delete("/api/avatars/hers", headers=bearer(ANNA)).status_code == 200
