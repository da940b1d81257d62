"""Offers over HTTP, and what then comes over WebRTC; every answer is compared with the contract."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import numpy as np
import pytest
from flask.testing import FlaskClient

from app_core.errors import Busy
from app_core.outputs.webrtc.peer import Peer
from app_core.services.live.peers import Peers
from app_core.services.live.sessions import LiveSessions
from tests.back_end import service_of
from tests.conftest import until
from tests.peer_client import PeerClient

SMALL = {"size": "128x128", "language": "en"}
TEN = "one two three four five six seven eight nine ten"


@pytest.fixture
def sessions(client: FlaskClient) -> LiveSessions:
    found: LiveSessions = service_of(client).sessions
    return found


@pytest.fixture
def peers(client: FlaskClient) -> Peers:
    found: Peers = service_of(client).peers
    return found


@pytest.fixture
def peer() -> Iterator[Callable[..., PeerClient]]:
    with ExitStack() as stack:

        def make(**line: Any) -> PeerClient:
            found = PeerClient(**line)
            stack.callback(found.close)
            return found

        yield make


class Asking:
    """Offers of one peer, by HTTP."""

    def __init__(self, client: FlaskClient, path: str = "/api/realtime/offer", **more: Any) -> None:
        self._client, self._path, self._more = client, path, more
        self.answer: dict[str, Any] = {}

    def __call__(self, sdp: str) -> str:
        response = self._client.post(self._path, json={"sdp": sdp, "type": "offer", **self._more})
        assert response.status_code == 200, response.text
        self.answer = response.json
        return str(self.answer["sdp"])


def refused(answer: Any) -> tuple[int, str, str | None]:
    return answer.status_code, answer.json["code"], answer.json["field"]


def tasks(peers: Peers) -> int:
    async def count() -> int:
        return len(asyncio.all_tasks())

    return peers._loop.run(count(), 10)


def test_an_offer_begins_a_session_that_is_seen_and_heard(
    client: FlaskClient, peer: Callable[..., PeerClient], sessions: LiveSessions
) -> None:
    ask, far = Asking(client, text=TEN, **SMALL), peer()
    far.connect(ask)
    assert ask.answer["type"] == "answer"
    made = ask.answer["session_id"]
    assert [session.id for session in sessions.all()] == [made]
    assert far.event("ready")["width"] == 128
    assert far.event("speech_started")["text"] == TEN
    far.event("word", text="three")
    assert until(lambda: len(far.pictures) > 10 and max(far.sounds, default=0) > 0.05)
    frame = far.pictures[-1].to_ndarray(format="rgb24")
    assert frame.shape == (128, 128, 3)
    assert frame.mean() > 10, "not black"
    steps = np.diff([frame.pts for frame in far.pictures])
    assert set(steps) <= {3600 * count for count in range(1, 26)}, "25 a second, at 90 kHz"
    state = client.get(f"/api/sessions/{made}").json
    assert state["viewers"] == [{"video": "h264", "audio": "opus"}]
    far.say(type="interrupt")
    assert far.event("interrupted")["heard"].startswith("one")


def test_both_tracks_are_told_by_one_clock(
    client: FlaskClient, peer: Callable[..., PeerClient], sessions: LiveSessions
) -> None:
    """The reports of a track lie on one straight line, though packets leave when they can."""
    ask, far = Asking(client, **SMALL), peer()
    far.connect(ask)
    assert until(lambda: all(len(told) > 1 for told in far.reports.values()), 10)
    for kind, rate in (("video", 90_000), ("audio", 48_000)):
        first, *_, last = far.reports[kind]
        wall_s = (last[0] - first[0]) / (1 << 32)
        media_s = ((last[1] - first[1]) & 0xFFFFFFFF) / rate
        assert wall_s == pytest.approx(media_s, abs=1e-4), kind


def test_a_running_session_is_offered_to(
    client: FlaskClient, peer: Callable[..., PeerClient], sessions: LiveSessions
) -> None:
    made = client.post("/api/sessions", json=SMALL).json
    first, second = Asking(client, made["offer_url"]), peer()
    second.connect(first)
    assert first.answer["token"] == made["token"]
    look = Asking(client, session_id=made["session_id"], token=made["view_token"])
    looking = peer(control=True)
    looking.connect(look)
    assert look.answer["token"] is None
    assert made["token"] not in look.answer["socket_url"]
    looking.say(type="say", text="no")
    assert looking.event("error")["code"] == "forbidden"
    looking.send(b"\0\0")
    assert "a track of its own" in looking.event("error", code="bad_input")["error"]
    looking.say(type="ping", t=3)
    assert looking.event("pong")["t"] == 3
    assert until(lambda: len(sessions.get(made["session_id"]).describe()["viewers"]) == 2)
    client.delete(
        f"/api/sessions/{made['session_id']}", headers={"Authorization": f"Bearer {made['token']}"}
    )
    for far in (second, looking):
        assert far.event("end")["why"] == "closed"
        assert until(lambda far=far: far.state == "closed")  # type: ignore[misc]


def test_a_session_that_ends_takes_those_on_their_way_along(
    client: FlaskClient, peer: Callable[..., PeerClient], sessions: LiveSessions
) -> None:
    ask = Asking(client, **SMALL)
    ask(peer().offer())  # and nothing follows
    assert len(sessions.peers) == 1
    sessions.get(ask.answer["session_id"]).close()
    assert until(lambda: len(sessions.peers) == 0)


def test_a_session_that_ends_while_it_answers_leaves_nothing(
    client: FlaskClient,
    peer: Callable[..., PeerClient],
    sessions: LiveSessions,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    begin = Peer.begin

    async def ends(self: Peer, owner: Any) -> str:
        sessions.peers.end_of(owner.session)  # too early: sockets are yet to be opened
        answer = await begin(self, owner)
        owner.session.close()
        return answer

    monkeypatch.setattr(Peer, "begin", ends)
    body = {"sdp": peer().offer(), "type": "offer", **SMALL}
    assert refused(client.post("/api/realtime/offer", json=body))[:2] == (409, "conflict")
    assert (len(sessions.peers), sessions.all()) == (0, [])
    assert until(lambda: tasks(sessions.peers) == 1)


def test_vp8_for_a_peer_that_has_no_h264(
    client: FlaskClient, peer: Callable[..., PeerClient]
) -> None:
    ask, far = Asking(client, **SMALL), peer(codec="VP8")
    far.connect(ask)
    assert until(lambda: len(far.pictures) > 5)
    assert far.pictures[-1].width == 128
    assert client.get(f"/api/sessions/{ask.answer['session_id']}").json["viewers"] == [
        {"video": "vp8", "audio": "opus"}
    ]


def test_a_microphone_drives_the_face_and_is_heard(
    client: FlaskClient, peer: Callable[..., PeerClient]
) -> None:
    ask, far = Asking(client, mode="puppet", **SMALL), peer(microphone=True)
    far.connect(ask)
    far.event("speech_started")
    assert until(lambda: max(far.sounds, default=0) > 0.1)
    far.say(type="interrupt")
    far.event("interrupted")
    far.say(type="puppet")
    assert until(lambda: len([e for e in far.events if e["type"] == "speech_started"]) > 1)
    assert not [event for event in far.events if event["type"] == "error"]


def test_a_microphone_comes_to_a_session_that_runs(
    client: FlaskClient, peer: Callable[..., PeerClient]
) -> None:
    made = client.post("/api/sessions", json=SMALL).json
    ask, far = Asking(client, made["offer_url"], mode="puppet"), peer(microphone=True)
    far.connect(ask)
    begun = far.event("speech_started")
    assert until(lambda: max(far.sounds, default=0) > 0.1)
    far.say(type="audio_end")  # though it hums on
    far.event("speech_finished", utterance_id=begun["utterance_id"])
    far.say(type="say", text="one", utterance_id="said")
    far.event("speech_finished", utterance_id="said")
    assert [e["utterance_id"] for e in far.events if e["type"] == "speech_started"] == [
        begun["utterance_id"],
        "said",
    ]


def test_a_microphone_that_is_not_asked_for_is_not_taken(
    client: FlaskClient, peer: Callable[..., PeerClient]
) -> None:
    ask, far = Asking(client, **SMALL), peer(microphone=True)
    far.connect(ask)
    line = next(t for t in far.pc.getTransceivers() if t.kind == "audio")
    assert line.currentDirection == "recvonly"
    assert until(lambda: len(far.pictures) > 3)
    assert not [event for event in far.events if event["type"] == "speech_started"]
    far.say(type="puppet")
    assert far.event("error")["code"] == "conflict"


def test_a_camera_is_not_taken(client: FlaskClient, peer: Callable[..., PeerClient]) -> None:
    ask, far = Asking(client, **SMALL), peer(video="sendrecv")
    far.connect(ask)
    line = next(t for t in far.pc.getTransceivers() if t.kind == "video")
    assert line.currentDirection == "recvonly"


def test_an_offer_that_cannot_be_used_leaves_nothing(
    client: FlaskClient, peer: Callable[..., PeerClient], sessions: LiveSessions, peers: Peers
) -> None:
    good = peer().offer()
    no_video = peer(video="").offer()
    unknown = good.replace("H264/90000", "H266/90000").replace("VP8/90000", "VP7/90000")
    for sdp, status in ((no_video, 400), (unknown, 400), ("", 400), (good[:500], 400)):
        answer = client.post("/api/realtime/offer", json={"sdp": sdp, "type": "offer", **SMALL})
        assert refused(answer) == (status, "bad_input", "sdp"), sdp[:40]
    huge = client.post("/api/realtime/offer", json={"sdp": "x" * (1 << 20), "type": "offer"})
    assert huge.status_code == 413
    long = client.post("/api/realtime/offer", json={"sdp": good + "a=x:" + "y" * 99_000})
    assert long.status_code == 400
    for fields, field in (
        ({"type": "answer"}, "type"),
        ({"mode": "talk"}, "mode"),
        ({"token": "x"}, "token"),
        ({"session_id": "x", "avatar": "aigul"}, "avatar"),
        ({"colour": "red"}, "colour"),
        ({"size": "1x1"}, "size"),
    ):
        body = {"sdp": good, "type": "offer", **SMALL, **fields}
        if "session_id" in fields:
            body.pop("size")
        answer = client.post("/api/realtime/offer", json=body)
        assert (answer.status_code, answer.json["field"]) == (400, field)
    answer = client.post("/api/realtime/offer", json={"sdp": good, "type": "offer", "voice": "no"})
    assert refused(answer) == (404, "not_found", "voice")
    assert (sessions.all(), len(peers)) == ([], 0)
    assert not [each for each in threading.enumerate() if each.name.startswith("session")]


def test_who_may_offer_to_a_session(client: FlaskClient, peer: Callable[..., PeerClient]) -> None:
    made = client.post("/api/sessions", json=SMALL).json
    sdp = peer().offer()
    for fields, status in (
        ({"session_id": made["session_id"]}, 401),
        ({"session_id": made["session_id"], "token": "x"}, 401),
        ({"session_id": "x", "token": made["token"]}, 404),
        ({"session_id": made["session_id"], "token": made["view_token"], "text": "hi"}, 403),
    ):
        answer = client.post("/api/realtime/offer", json={"sdp": sdp, "type": "offer", **fields})
        assert answer.status_code == status, fields
    place = f"/api/sessions/{made['session_id']}/offer"
    assert client.post(place, json={"sdp": sdp, "type": "offer"}).status_code == 401
    other = {"sdp": sdp, "type": "offer", "session_id": "other"}
    answer = client.post(f"{place}?token={made['token']}", json=other)
    assert refused(answer) == (400, "bad_input", "session_id")


def test_the_same_offer_twice_at_once(
    client: FlaskClient, peer: Callable[..., PeerClient], sessions: LiveSessions
) -> None:
    far = peer()
    body = {"sdp": far.offer(), "type": "offer", **SMALL}
    answers: list[Any] = []

    def ask() -> None:
        fresh = client.application.test_client()
        answers.append(fresh.post("/api/realtime/offer", json=body))

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    assert len(sessions.all()) == 1


def test_the_end_of_a_peer_leaves_nothing(
    client: FlaskClient, peer: Callable[..., PeerClient], peers: Peers, sessions: LiveSessions
) -> None:
    far = peer()
    far.connect(Asking(client, **SMALL))
    assert until(lambda: len(far.pictures) > 0)
    far.close()
    assert until(lambda: len(peers) == 0)
    assert sessions.all()[0].describe()["viewers"] == []
    assert until(lambda: tasks(peers) == 1)  # the one that counts


def test_a_peer_is_told_that_the_session_takes_it_not(
    client: FlaskClient, peer: Callable[..., PeerClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise Busy("32 viewers look at this session already")

    monkeypatch.setattr("app_core.sessions.session.Session.attach", full)
    far = peer()
    far.accept(Asking(client, **SMALL)(far.offer()))
    assert far.event("error")["code"] == "busy"
    assert until(lambda: far.state == "closed")


def test_a_peer_that_dies_without_a_word_is_missed(
    client: FlaskClient, peer: Callable[..., PeerClient], peers: Peers
) -> None:
    far = peer()
    far.connect(Asking(client, **SMALL))
    far.say(type="ping")
    far.event("pong")
    far.vanish()
    assert until(lambda: len(peers) == 0)
    assert until(lambda: tasks(peers) == 1)


def test_a_peer_that_never_connects_is_left(
    client: FlaskClient,
    peer: Callable[..., PeerClient],
    peers: Peers,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("app_core.outputs.webrtc.peer.CONNECT_S", 0.2)
    Asking(client, **SMALL)(peer().offer())
    assert len(peers) == 1
    assert until(lambda: len(peers) == 0)
    assert until(lambda: tasks(peers) == 1)


def test_one_too_many_is_told_so(
    client: FlaskClient,
    peer: Callable[..., PeerClient],
    peers: Peers,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Also while those before have yet to connect."""
    monkeypatch.setattr("app_core.services.live.peers.MOST_VIEWERS", 2)
    made = client.post("/api/sessions", json=SMALL).json
    first, second, third = peer(), peer(), peer()
    first.connect(Asking(client, made["offer_url"]))
    Asking(client, made["offer_url"])(second.offer())
    body = {"sdp": third.offer(), "type": "offer"}
    answer = client.post(made["offer_url"], json=body)
    assert (answer.status_code, answer.json["code"]) == (503, "busy")
    assert len(peers) == 2
    first.close()
    assert until(lambda: len(peers) == 1)
    assert client.post(made["offer_url"], json=body).status_code == 200


def test_servers_for_a_peer(client: FlaskClient) -> None:
    answer = client.get("/api/realtime/ice")
    assert (answer.status_code, answer.json) == (200, {"ice_servers": []})
    assert answer.headers["Cache-Control"] == "no-store"
