"""What is begun, asked and told over HTTP; every answer is compared with the contract."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient

from app_core.services.live.sessions import LiveSessions
from tests.back_end import service_of
from tests.conftest import until

SMALL = {"size": "128x128", "language": "en"}
TEN = "one two three four five six seven eight nine ten"
LONG = " ".join([TEN] * 5)


class Caller:
    """Of one session."""

    def __init__(self, client: FlaskClient, made: dict[str, Any]) -> None:
        self.client, self.made = client, made
        self.path = f"/api/sessions/{made['session_id']}"

    def tell(self, what: str, token: str | None = None, **fields: Any) -> Any:
        token = self.made["token"] if token is None else token
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return self.client.post(f"{self.path}/{what}", json=fields, headers=headers)


@pytest.fixture
def sessions(client: FlaskClient) -> LiveSessions:
    found: LiveSessions = service_of(client).sessions
    return found


@pytest.fixture
def caller(client: FlaskClient) -> Caller:
    answer = client.post("/api/sessions", json=SMALL)
    assert answer.status_code == 201
    return Caller(client, answer.json)


def refused(answer: Any) -> tuple[int, str, str | None]:
    return answer.status_code, answer.json["code"], answer.json["field"]


def test_a_session_begins(client: FlaskClient) -> None:
    answer = client.post("/api/sessions", json={})
    made = answer.json
    place = f"/api/sessions/{made['session_id']}"
    assert (answer.status_code, answer.headers["Location"]) == (201, place)
    assert answer.headers["Cache-Control"] == "no-store"
    assert made["socket_url"] == f"{place}/socket?token={made['token']}"
    assert made["events_url"] == f"{place}/events?token={made['view_token']}"
    assert made["offer_url"] == f"{place}/offer?token={made['token']}"
    assert made["whep_url"] == f"/whep/{made['session_id']}?token={made['view_token']}"
    assert made["token"] != made["view_token"]
    state = client.get(place).json
    assert (state["size"], state["fps"], state["state"]) == ("512x512", 25, "idle")
    assert state["viewers"] == []


def test_the_list_has_no_secrets(client: FlaskClient, caller: Caller) -> None:
    caller.tell("say", text="a secret")
    answer = client.get("/api/sessions")
    assert [each["session_id"] for each in answer.json["sessions"]] == [caller.made["session_id"]]
    for secret in ("a secret", caller.made["token"], caller.made["view_token"]):
        assert secret not in answer.text


@pytest.mark.parametrize(
    ("fields", "status", "field"),
    [
        ({"mode": "talk"}, 400, "mode"),
        ({"text": "hello"}, 400, "text"),
        ({"fps": 5}, 400, "fps"),
        ({"model": "nothing"}, 400, "model"),
        ({"avatar": "nobody"}, 404, "avatar"),
        ({"voice": "nobody"}, 404, "voice"),
    ],
)
def test_a_session_that_cannot_be(
    client: FlaskClient, fields: dict[str, Any], status: int, field: str
) -> None:
    answer = client.post("/api/sessions", json=fields)
    assert (answer.status_code, answer.json["field"]) == (status, field)
    assert client.get("/api/sessions").json == {"sessions": []}


def test_bodies_must_be_json(client: FlaskClient, caller: Caller) -> None:
    for path in ("/api/sessions", f"{caller.path}/say?token={caller.made['token']}"):
        assert refused(client.post(path, data="text=x"))[0] == 415
        broken = client.post(path, data="{", content_type="application/json")
        assert refused(broken)[:2] == (400, "bad_input")
        assert client.post(path, json=["x" * (1 << 20)]).status_code == 413


def test_a_full_server_is_503(make_client: Callable[..., FlaskClient], config: Any) -> None:
    client = make_client(config=config.model_copy(update={"max_sessions": 1}))
    assert client.post("/api/sessions", json=SMALL).status_code == 201
    answer = client.post("/api/sessions", json=SMALL)
    assert refused(answer) == (503, "busy", None)
    assert int(answer.headers["Retry-After"]) >= 1
    assert client.get("/api/health").json["sessions"] == {"open": 1, "most": 1}


def test_an_end(client: FlaskClient, caller: Caller) -> None:
    answer = client.delete(f"{caller.path}?token={caller.made['token']}")
    assert answer.json == {"session_id": caller.made["session_id"], "ended": True}
    assert client.get(caller.path).status_code == 404
    assert refused(caller.tell("say", text="x"))[:2] == (404, "not_found")
    assert refused(client.delete(caller.path))[0] == 404
    assert client.get("/api/sessions").json == {"sessions": []}


def test_something_is_said(client: FlaskClient, caller: Caller) -> None:
    answer = caller.tell("say", text=LONG, utterance_id="a")
    assert (answer.status_code, answer.json) == (202, {"utterance_id": "a", "queued": 0})
    assert caller.tell("say", text="eleven").json["queued"] == 1
    assert until(lambda: client.get(caller.path).json["state"] == "speaking")
    answer = caller.tell("interrupt")
    assert answer.status_code == 200
    assert answer.json["position_s"] > 0 and LONG.startswith(answer.json["heard"])
    assert client.get(caller.path).json["state"] == "idle"
    assert caller.tell("interrupt").json == {"position_s": None, "heard": None}


def test_an_utterance_in_pieces(caller: Caller) -> None:
    first = caller.tell("say", text="one two ", utterance_id="a", more=True)
    assert first.json == {"utterance_id": "a", "queued": 0}
    assert caller.tell("say", text=" ", utterance_id="a", more=True).status_code == 202
    assert caller.tell("say", text="", utterance_id="a").status_code == 202
    assert refused(caller.tell("say", text="x", utterance_id="a"))[:2] == (409, "conflict")


def test_a_piece_of_what_was_interrupted(caller: Caller) -> None:
    caller.tell("say", text=LONG + ". ", utterance_id="a", more=True)
    assert caller.tell("interrupt", utterance_id="a").status_code == 200
    answer = caller.tell("say", text="more", utterance_id="a", more=True)
    assert refused(answer)[:2] == (409, "interrupted")
    assert refused(caller.tell("interrupt", utterance_id="never"))[:2] == (404, "not_found")


def test_a_replacement(caller: Caller) -> None:
    caller.tell("say", text=LONG)
    caller.tell("say", text=LONG)
    answer = caller.tell("say", text="now", utterance_id="b", replace=True)
    assert answer.json == {"utterance_id": "b", "queued": 0}


def test_too_much_to_say(make_client: Callable[..., FlaskClient], config: Any) -> None:
    limits = {"session_queue": 2, "max_text_chars": 100}
    client = make_client(config=config.model_copy(update=limits))
    caller = Caller(client, client.post("/api/sessions", json=SMALL).json)
    assert refused(caller.tell("say", text="x" * 101)) == (400, "bad_input", "text")
    codes = [caller.tell("say", text=TEN).status_code for _ in range(2)]
    answers = [caller.tell("say", text=TEN) for _ in range(3)]
    assert codes == [202, 202]
    assert refused(answers[-1])[:2] == (409, "queue_full")


@pytest.mark.parametrize(
    ("what", "fields", "field"),
    [
        ("say", {}, "text"),
        ("say", {"text": " "}, "text"),
        ("say", {"text": "", "utterance_id": "never"}, "text"),
        ("say", {"text": "x", "utterance_id": "a b"}, "utterance_id"),
        ("say", {"text": "x", "nonsense": 1}, "nonsense"),
        ("interrupt", {"utterance_id": 5}, "utterance_id"),
        ("avatar", {}, "avatar"),
        ("voice", {"language": "de"}, "language"),
    ],
)
def test_what_is_wrong_is_named(
    caller: Caller, what: str, fields: dict[str, Any], field: str
) -> None:
    assert refused(caller.tell(what, **fields)) == (400, "bad_input", field)


def test_switches(client: FlaskClient, caller: Caller) -> None:
    assert caller.tell("avatar", avatar="aigul").json == {"avatar": "aigul"}
    assert until(lambda: client.get(caller.path).json["avatar"] == "aigul")
    answer = caller.tell("voice", voice="tone", language="kk")
    assert answer.json == {"voice": "tone", "language": "kk"}
    state = client.get(caller.path).json
    assert (state["voice"], state["language"]) == ("tone", "kk")
    assert refused(caller.tell("avatar", avatar="nobody")) == (404, "not_found", "avatar")
    assert refused(caller.tell("voice", voice="nobody")) == (404, "not_found", "voice")


def test_commands_need_the_token_also_on_an_open_server(
    client: FlaskClient, caller: Caller
) -> None:
    view = caller.made["view_token"]
    for what, fields in (
        ("say", {"text": "x"}),
        ("interrupt", {}),
        ("avatar", {"avatar": "grey"}),
        ("voice", {"voice": "tone"}),
    ):
        for wrong in ("", "wrong", caller.made["token"] + "x", caller.made["session_id"]):
            assert refused(caller.tell(what, wrong, **fields))[:2] == (401, "unauthorized")
        assert refused(caller.tell(what, view, **fields))[:2] == (403, "forbidden")
        assert caller.tell(f"{what}?token={caller.made['token']}", "", **fields).status_code < 300
    assert client.delete(caller.path).status_code == 401
    assert client.delete(f"{caller.path}?token={view}").status_code == 403


def test_tokens_are_of_one_session(client: FlaskClient, caller: Caller) -> None:
    other = Caller(client, client.post("/api/sessions", json=SMALL).json)
    assert refused(caller.tell("say", other.made["token"], text="x"))[0] == 401


class TestWithApiToken:
    API = "server-secret"

    @pytest.fixture
    def guarded(self, make_client: Callable[..., FlaskClient], config: Any) -> Any:
        return make_client(config=config.model_copy(update={"api_token": self.API}))

    @pytest.fixture
    def caller(self, guarded: FlaskClient) -> Iterator[Caller]:
        bearer = {"Authorization": f"Bearer {self.API}"}
        answer = guarded.post("/api/sessions", json=SMALL, headers=bearer)
        assert answer.status_code == 201
        yield Caller(guarded, answer.json)

    def test_beginning_and_listing_need_it(self, guarded: FlaskClient, caller: Caller) -> None:
        own = {"Authorization": f"Bearer {caller.made['token']}"}
        for headers in ({}, own):
            assert guarded.post("/api/sessions", json=SMALL, headers=headers).status_code == 401
            assert guarded.get("/api/sessions", headers=headers).status_code == 401

    def test_a_sessions_tokens_open_its_own_routes(
        self, guarded: FlaskClient, caller: Caller
    ) -> None:
        assert caller.tell("say", text="x").status_code == 202
        assert caller.tell("say", self.API, text="x").status_code == 202
        for token in (caller.made["token"], caller.made["view_token"], self.API):
            bearer = {"Authorization": f"Bearer {token}"}
            assert guarded.get(caller.path, headers=bearer).status_code == 200
            assert guarded.get(f"{caller.path}/ice", headers=bearer).json == {"ice_servers": []}
        assert guarded.get(f"{caller.path}?token={caller.made['view_token']}").status_code == 200
        assert guarded.get(caller.path).status_code == 401
        assert guarded.get("/api/sessions/unknown?token=x").status_code == 401
        own = {"Authorization": f"Bearer {caller.made['token']}"}
        assert guarded.get("/api/health", headers=own).status_code == 401
        assert guarded.get("/api/realtime/ice", headers=own).status_code == 401
        assert refused(caller.tell("say", caller.made["view_token"], text="x"))[0] == 403

    def test_an_origin_is_refused_whatever_its_token(
        self, guarded: FlaskClient, caller: Caller
    ) -> None:
        headers = {
            "Authorization": f"Bearer {caller.made['token']}",
            "Sec-Fetch-Site": "cross-site",
            "Origin": "https://evil.example",
        }
        answer = guarded.post(f"{caller.path}/say", json={"text": "x"}, headers=headers)
        assert refused(answer)[:2] == (403, "forbidden")
