"""Two clients over HTTP: one has its share and is refused, the other is served."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from app_core.avatars.library import AvatarLibrary
from app_core.config import Config
from app_core.engine.core_budget import CoreBudget
from app_core.services.live.sessions import MARGIN
from app_core.shares import Holding
from tests.back_end import service_of
from tests.conftest import at_once, checked_client, until
from tests.fakes import EchoModel
from tests.importing import GOOD, Importer, make_still_avatar
from tests.peer_client import PeerClient
from tests.routes.test_job_events import UPGRADE
from tests.routes.test_recording import wav

ONE, OTHER = {"REMOTE_ADDR": "10.0.0.1"}, {"REMOTE_ADDR": "10.0.0.2"}
LATER = {"Prefer": "respond-async"}
TEXT = {"text": "one two three", "size": "128x128"}
SDP = "application/sdp"


@pytest.fixture
def make(make_client: Callable[..., FlaskClient], config: Config) -> Callable[..., FlaskClient]:
    return lambda **shares: make_client(config=config.model_copy(update=shares))


def shares_of(client: FlaskClient) -> Any:
    return service_of(client).shares


def refused(answer: Any, setting: str) -> bool:
    assert answer.status_code == 429, answer.text
    assert answer.json["code"] == "too_many" and answer.json["field"] is None
    assert setting in answer.json["error"]
    return int(answer.headers["Retry-After"]) >= 1


def test_renders_count_until_they_have_ended(
    make: Callable[..., FlaskClient], model: EchoModel
) -> None:
    client = make(client_renders=1)
    model.gate.clear()

    def ask(who: dict[str, str], path: str = "/api/generate", **more: Any) -> Any:
        return client.post(path, json=TEXT, headers=LATER, environ_base=who, **more)

    first = ask(ONE)
    assert first.status_code == 202
    for path in ("/api/generate", "/api/stream_mjpeg", "/api/stream_chunks"):
        assert refused(ask(ONE, path), "CLIENT_RENDERS")
    form = {"audio": (io.BytesIO(wav()), "a.wav")}
    answer = client.post("/api/generate", data=form, headers=LATER, environ_base=ONE)
    assert refused(answer, "CLIENT_RENDERS")
    assert ask(OTHER).status_code == 202
    assert client.delete(first.headers["Location"]).status_code == 200
    again = ask(ONE)
    assert again.status_code == 202
    model.gate.set()
    job = again.headers["Location"]
    assert until(lambda: client.get(job).json["status"] == "done")
    assert ask(ONE).status_code == 202


def test_a_render_that_cannot_begin_gives_its_share_back(make: Callable[..., FlaskClient]) -> None:
    client = make(client_renders=1, client_uploads=1)
    for _ in range(3):
        wrong = [
            client.post("/api/generate", json=TEXT | {"avatar": "nobody"}, environ_base=ONE),
            client.post("/api/generate", json=TEXT | {"text": "!"}, environ_base=ONE),
            client.post(
                "/api/generate", data={"audio": (io.BytesIO(b"no"), "a.wav")}, environ_base=ONE
            ),
            client.post("/api/generate", data=b"--x\r\n", content_type="multipart/form-data"),
        ]
        assert [answer.status_code for answer in wrong] == [404, 400, 415, 400]
    assert not shares_of(client)._held


def test_a_stream_that_is_left_gives_its_share_back(make: Callable[..., FlaskClient]) -> None:
    client = make(client_renders=1)
    for _ in range(3):
        stream = client.post("/api/stream_mjpeg", json=TEXT, environ_base=ONE, buffered=False)
        assert stream.status_code == 200
        assert refused(client.post("/api/stream_mjpeg", json=TEXT, environ_base=ONE), "RENDERS")
        stream.close()
        assert until(lambda: not shares_of(client)._held)


def test_sessions_count_until_they_have_ended(make: Callable[..., FlaskClient]) -> None:
    client = make(client_sessions=1)

    def ask(who: dict[str, str], **fields: Any) -> Any:
        return client.post("/api/sessions", json={"size": "128x128", **fields}, environ_base=who)

    assert ask(ONE, avatar="nobody").status_code == 404
    made = ask(ONE)
    assert made.status_code == 201
    assert refused(ask(ONE), "CLIENT_SESSIONS")
    assert ask(OTHER).status_code == 201
    headers = {"Authorization": f"Bearer {made.json['token']}"}
    assert client.delete(made.headers["Location"], headers=headers).status_code == 200
    assert ask(ONE).status_code == 201


@pytest.fixture
def reached(
    make: Callable[..., FlaskClient], monkeypatch: pytest.MonkeyPatch
) -> Callable[[float], FlaskClient]:
    """A server that others reach, with room for so many sessions of 128x128, whatever else this
    machine does."""
    monkeypatch.setattr(CoreBudget, "_measure", lambda _: None)
    monkeypatch.setattr(CoreBudget, "delivered", lambda *_: None)

    def begin(sessions: float) -> FlaskClient:
        client = make(listen="0.0.0.0:5000")
        service = service_of(client)
        capacity = service.backend.ready("auto")[0].capacity
        capacity.calibrate(4.0, 128, 128)
        service.capacity.cores = sessions * MARGIN * 4.0 * 25 / 1000 / service.config.cpu_share
        return client

    return begin


def test_a_client_has_half_of_the_sessions_and_streams_that_the_server_holds(
    reached: Callable[[float], FlaskClient],
) -> None:
    client = reached(6.6)

    def session(who: dict[str, str]) -> Any:
        return client.post("/api/sessions", json={"size": "128x128"}, environ_base=who)

    def stream(who: dict[str, str]) -> Any:
        return client.post("/api/stream_mjpeg", json=TEXT, environ_base=who, buffered=False)

    mine = [session(ONE), session(ONE)]
    assert [answer.status_code for answer in mine] == [201, 201]
    with stream(ONE) as shown:
        assert shown.status_code == 200
        assert refused(session(ONE), "CLIENT_SESSIONS")
        assert refused(stream(ONE), "CLIENT_RENDERS")
        assert [session(OTHER).status_code for _ in range(4)] == [201, 201, 201, 429]
        assert session({"REMOTE_ADDR": "10.0.0.3"}).status_code == 503
    assert until(lambda: session(ONE).status_code == 201)


def test_a_client_has_half_of_the_films_that_the_server_makes(
    reached: Callable[[float], FlaskClient], model: EchoModel
) -> None:
    client = reached(5.0)  # on less than a core: three short films at once
    model.gate.clear()

    def ask(who: dict[str, str]) -> Any:
        return client.post("/api/generate", json=TEXT, headers=LATER, environ_base=who)

    assert [ask(ONE).status_code for _ in range(2)] == [202, 202]
    assert refused(ask(ONE), "CLIENT_RENDERS")
    assert [ask(OTHER).status_code for _ in range(2)] == [202, 503]
    model.gate.set()


@pytest.fixture
def offer() -> Iterator[Callable[[], str]]:
    with ExitStack() as stack:

        def make() -> str:
            peer = PeerClient()
            stack.callback(peer.close)
            return peer.offer()

        yield make


def test_sessions_and_viewers_of_peers_count_too(
    make: Callable[..., FlaskClient], offer: Callable[[], str]
) -> None:
    client = make(client_sessions=1, client_listeners=2)

    def whep(path: str, who: dict[str, str]) -> Any:
        return client.post(path, data=offer(), content_type=SDP, environ_base=who)

    mine = whep("/whep", ONE)
    assert mine.status_code == 201
    assert refused(whep("/whep", ONE), "CLIENT_SESSIONS")
    asked = {"sdp": offer(), "type": "offer"}
    answer = client.post("/api/realtime/offer", json=asked, environ_base=ONE)
    assert refused(answer, "CLIENT_SESSIONS")
    theirs = client.post("/api/sessions", json={"size": "128x128"}, environ_base=OTHER).json
    assert whep(theirs["whep_url"], ONE).status_code == 201
    assert refused(whep(theirs["whep_url"], ONE), "CLIENT_LISTENERS")
    assert whep(theirs["whep_url"], OTHER).status_code == 201
    assert client.delete(mine.headers["Location"]).status_code == 200
    assert until(lambda: not shares_of(client).held(Holding.SESSIONS, "address 10.0.0.1"))
    assert until(lambda: shares_of(client).held(Holding.LISTENERS, "address 10.0.0.1") == 1)
    assert whep("/whep", ONE).status_code == 201


def test_sockets_are_refused_before_the_upgrade(make: Callable[..., FlaskClient]) -> None:
    client = make(client_listeners=1)
    made = client.post("/api/sessions", json={"size": "128x128"}).json
    held = shares_of(client).take(Holding.LISTENERS, "address 10.0.0.1")
    paths = (made["socket_url"], made["events_url"], "/api/jobs/x/events")

    def ask(path: str, who: dict[str, str]) -> Any:
        return client.get(path, base_url="ws://localhost", headers=UPGRADE, environ_base=who)

    for path in paths:
        assert refused(ask(path, ONE), "CLIENT_LISTENERS")
    for path in paths[:2]:  # the test's client has no connection to upgrade
        assert at_once(lambda path=path: ask(path, OTHER).status_code == 400)
    held.release()
    assert ask(paths[0], ONE).status_code == 400
    assert at_once(lambda: not shares_of(client)._held)


def test_a_sound_that_grows_and_a_chunk_that_is_waited_for_are_listened_to(
    make: Callable[..., FlaskClient], model: EchoModel
) -> None:
    client = make(client_listeners=1)
    model.gate.clear()
    job = client.post("/api/generate", json=TEXT | {"text": "one " * 400}, headers=LATER).json
    sound = client.get(job["audio_url"], environ_base=ONE, buffered=False)
    assert sound.status_code == 200
    assert refused(client.get(job["audio_url"], environ_base=ONE), "CLIENT_LISTENERS")
    chunk = client.get("/api/chunk/video/x-0", environ_base=ONE)
    assert refused(chunk, "CLIENT_LISTENERS")
    assert client.get("/api/chunk/video/x-0", environ_base=OTHER).status_code == 404
    sound.close()
    assert at_once(lambda: not shares_of(client)._held)
    client.delete(f"/api/jobs/{job['id']}")
    model.gate.set()


@pytest.fixture
def importer() -> Importer:
    return Importer()


@pytest.fixture
def faces(
    make_service: Callable[..., Any], importer: Importer, tmp_path: Path
) -> Iterator[Callable[..., FlaskClient]]:
    folder = tmp_path / "avatars"
    make_still_avatar(folder / "aigul", "Aigul")

    def make(**shares: Any) -> FlaskClient:
        config = Config(
            avatar="aigul", avatar_dir=folder, work_dir=tmp_path / "w", sway=False, **shares
        )
        library = AvatarLibrary(folder)
        return checked_client(make_service(config=config, library=library, importer=importer))

    yield make
    importer.gate.set()


def send(client: FlaskClient, who: dict[str, str], content: bytes = GOOD, **fields: str) -> Any:
    data = {"consent": "true", "name": "x", "file": (io.BytesIO(content), "me.jpg"), **fields}
    return client.post("/api/avatars", data=data, headers=LATER, environ_base=who)


def test_imports_count_until_they_have_ended(
    faces: Callable[..., FlaskClient], importer: Importer
) -> None:
    client = faces(client_uploads=1)
    importer.gate.clear()
    made = send(client, ONE)
    assert made.status_code == 202
    assert refused(send(client, ONE), "CLIENT_UPLOADS")
    form = {"audio": (io.BytesIO(wav()), "a.wav")}
    answer = client.post("/api/generate", data=form, headers=LATER, environ_base=ONE)
    assert refused(answer, "CLIENT_UPLOADS")
    assert send(client, OTHER).status_code == 202
    importer.gate.set()
    assert until(lambda: not shares_of(client)._held)
    assert send(client, ONE).status_code == 202


def test_an_upload_that_fails_gives_its_share_back(
    faces: Callable[..., FlaskClient], importer: Importer
) -> None:
    client = faces(client_uploads=1)
    for _ in range(3):
        assert send(client, ONE, consent="false").status_code == 400
        assert send(client, ONE, id="aigul").status_code == 409
        assert send(client, ONE, b"bug").status_code == 202
        assert until(lambda: not shares_of(client)._held)


def test_clients_take_turns_at_the_imports(
    faces: Callable[..., FlaskClient], importer: Importer
) -> None:
    """Four places: one client has three of them, the other's import is the second to begin."""
    client = faces()
    importer.gate.clear()
    for name, who in (("a", ONE), ("b", ONE), ("c", ONE), ("d", OTHER)):
        assert send(client, who, id=name).status_code == 202
    importer.gate.set()
    assert until(lambda: len(importer.began) == 4)
    assert importer.began == ["a", "d", "b", "c"]


def test_requests_a_minute(make: Callable[..., FlaskClient]) -> None:
    client = make(client_requests_min=3)
    for _ in range(3):
        assert client.get("/api/voices", environ_base=ONE).status_code == 200
    for path in ("/api/voices", "/api/jobs/x", "/", "/openapi.json", "/metrics"):
        assert refused(client.get(path, environ_base=ONE), "CLIENT_REQUESTS_MIN")
    for path in ("/api/health/live", "/api/health", "/static/js/api.js"):
        for _ in range(5):
            with client.get(path, environ_base=ONE) as answer:
                assert answer.status_code == 200
    assert client.get("/api/voices", environ_base=OTHER).status_code == 200


def test_long_texts_are_requests_that_count_more(make: Callable[..., FlaskClient]) -> None:
    client = make(client_requests_min=12)

    def ask(text: str, who: dict[str, str]) -> int:
        answer = client.post("/api/text", json={"text": text}, environ_base=who)
        return int(answer.status_code)

    long = "слово " * 800
    assert [ask(long, ONE) for _ in range(3)] == [200, 200, 429]
    assert [ask("да", OTHER) for _ in range(12)] == [200] * 12


def test_json_of_any_kind_is_weighed(make: Callable[..., FlaskClient]) -> None:
    client = make(client_requests_min=12)
    body = '{"text": "%s"}' % ("слово " * 800)

    def ask() -> int:
        kind = "application/any+json"
        answer = client.post("/api/text", data=body, content_type=kind, environ_base=ONE)
        return int(answer.status_code)

    assert [ask() for _ in range(3)] == [200, 200, 429]


def test_who_guesses_tokens_is_counted_too(make: Callable[..., FlaskClient]) -> None:
    client = make(client_requests_min=3, api_token="right-0123456789")
    wrong = {"Authorization": "Bearer wrong"}
    for _ in range(3):
        assert client.get("/api/voices", headers=wrong, environ_base=ONE).status_code == 401
    answer = client.get("/api/voices", headers=wrong, environ_base=ONE)
    assert refused(answer, "CLIENT_REQUESTS_MIN")
    right = {"Authorization": "Bearer right-0123456789"}
    assert client.get("/api/voices", headers=right, environ_base=OTHER).status_code == 200


def test_one_person_on_this_machine_has_no_bound(make: Callable[..., FlaskClient]) -> None:
    client = make()
    for _ in range(30):
        assert client.get("/api/jobs/x").status_code == 404
    assert shares_of(client)._most == dict.fromkeys(Holding, 0)
