"""WHEP as its draft and RFC 9725 say; every answer is compared with the contract."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from flask.testing import FlaskClient

from app_core.config import Config
from app_core.services.lipsync_service import LipsyncService
from tests.back_end import application, service_of
from tests.conftest import until
from tests.peer_client import PeerClient

SDP, FRAGMENT = "application/sdp", "application/trickle-ice-sdpfrag"
SMALL = {"size": "128x128", "language": "en"}


@pytest.fixture
def peer() -> Iterator[Callable[..., PeerClient]]:
    with ExitStack() as stack:

        def make(**line: Any) -> PeerClient:
            found = PeerClient(control=False, **line)
            stack.callback(found.close)
            return found

        yield make


@pytest.fixture
def lipsync(client: FlaskClient) -> LipsyncService:
    found: LipsyncService = service_of(client)
    return found


class Player:
    """Of one endpoint. ``strip``: it sends its candidates later, as servers that pull do."""

    def __init__(self, client: FlaskClient, path: str, *, strip: bool = False) -> None:
        self.client, self._path, self._strip = client, path, strip
        self.created: Any = None
        self.candidates: list[str] = []

    def __call__(self, sdp: str) -> str:
        if self._strip:
            lines = sdp.split("\r\n")
            kept = [line for line in lines if not line.startswith("a=candidate:")]
            self.candidates = [line for line in lines if line not in kept]
            sdp = "\r\n".join(line for line in kept if line != "a=end-of-candidates")
        self.created = self.client.post(self._path, data=sdp, content_type=SDP)
        assert self.created.status_code == 201, self.created.text
        return str(self.created.text)

    @property
    def place(self) -> str:
        return str(self.created.headers["Location"])

    def patch(self, body: str, content_type: str = FRAGMENT, **headers: str) -> Any:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.patch(self.place, data=body, content_type=content_type, headers=named)


def test_a_player_has_a_session_of_its_own(
    client: FlaskClient, peer: Callable[..., PeerClient], lipsync: LipsyncService
) -> None:
    player, far = Player(client, "/whep?avatar=grey"), peer()
    far.connect(player)
    created = player.created
    assert created.mimetype == SDP
    assert created.headers["ETag"].startswith('"')
    assert created.headers["Accept-Patch"] == FRAGMENT
    assert "Link" not in created.headers
    assert created.headers["Cache-Control"] == "no-store"
    assert until(lambda: len(far.pictures) > 3 and len(far.sounds) > 5)
    assert far.pictures[-1].width == 512
    assert client.get(player.place).status_code == 204
    assert client.delete(player.place).status_code == 200
    assert until(lambda: not lipsync.sessions.all())
    assert until(lambda: far.state == "closed")
    for method in ("get", "delete"):
        assert getattr(client, method)(player.place).status_code == 404


def test_a_session_that_runs_is_looked_at(
    client: FlaskClient, peer: Callable[..., PeerClient], lipsync: LipsyncService
) -> None:
    made = client.post("/api/sessions", json=SMALL).json
    player, far = Player(client, made["whep_url"]), peer()
    far.connect(player)
    assert until(lambda: len(far.pictures) > 1)
    assert far.pictures[-1].width == 128
    client.delete(player.place)
    assert until(lambda: not lipsync.sessions.all()[0].describe()["viewers"])
    assert [session.id for session in lipsync.sessions.all()] == [made["session_id"]]


def test_candidates_may_come_later(client: FlaskClient, peer: Callable[..., PeerClient]) -> None:
    player, far = Player(client, "/whep", strip=True), peer()
    far.accept(player(far.offer()))
    assert player.candidates
    tag = player.created.headers["ETag"]
    body = "\r\n".join(["a=mid:0", *player.candidates, "a=end-of-candidates", ""])
    patched = player.patch(body, If_Match=tag)
    assert (patched.status_code, patched.content_type) == (204, None)
    assert until(lambda: far.state == "connected")
    assert until(lambda: len(far.pictures) > 1)


def test_a_player_without_candidates_is_found_by_what_it_sends(
    client: FlaskClient, peer: Callable[..., PeerClient]
) -> None:
    player, far = Player(client, "/whep", strip=True), peer()
    far.connect(player)
    assert until(lambda: len(far.pictures) > 1)


def test_what_is_wrong_with_a_fragment_leaves_the_viewer(
    client: FlaskClient, peer: Callable[..., PeerClient]
) -> None:
    player, far = Player(client, "/whep"), peer()
    far.connect(player)
    tag = player.created.headers["ETag"]
    line = "a=mid:0\r\na=candidate:1 1 udp 1 127.0.0.1 9 typ host\r\n"
    other = "a=ice-ufrag:zzzz\r\na=ice-pwd:zzzzzzzzzzzzzzzzzzzzzzzz\r\n" + line
    broken = "a=candidate:1 1 udp\r\n"
    for status, body, kind, headers in (
        (428, line, FRAGMENT, {}),
        (412, line, FRAGMENT, {"If_Match": '"other"'}),
        (422, other, FRAGMENT, {"If_Match": "*"}),
        (415, '{"candidate": "x"}', "application/json", {"If_Match": tag}),
        (400, "", FRAGMENT, {"If_Match": tag}),
        (400, broken, FRAGMENT, {"If_Match": tag}),
        (400, "a=mid:0\r\na=x\r\n", FRAGMENT, {"If_Match": tag}),
        (400, line + "what else\r\n", FRAGMENT, {"If_Match": tag}),
        (413, "a=" + "x" * (1 << 20), FRAGMENT, {"If_Match": tag}),
    ):
        assert player.patch(body, kind, **headers).status_code == status, body[:30]
    before = len(far.pictures)
    assert until(lambda: len(far.pictures) > before + 2)
    assert client.patch("/whep/viewers/none", data=line, content_type=FRAGMENT).status_code == 404


@pytest.mark.parametrize("path", ["/whep", "/whep/any"])
def test_the_endpoint_is_found(client: FlaskClient, path: str) -> None:
    head = client.head(path)
    assert (head.status_code, head.mimetype, head.data) == (200, SDP, b"")
    assert client.get(path).status_code == 200
    options = client.options(path)
    assert options.status_code == 200
    assert options.headers["Accept-Post"] == SDP
    assert options.headers["Accept-Patch"] == FRAGMENT
    assert "POST" in options.headers["Allow"]


def test_what_is_refused_leaves_nothing(
    client: FlaskClient, peer: Callable[..., PeerClient], lipsync: LipsyncService
) -> None:
    good = peer().offer()
    made = client.post("/api/sessions", json=SMALL).json
    for path, body, kind, status in (
        ("/whep", good, "application/json", 415),
        ("/whep", "", SDP, 400),
        ("/whep", "v=0", SDP, 400),
        ("/whep", "x" * ((1 << 20) + 1), SDP, 413),
        ("/whep?avatar=nobody", good, SDP, 404),
        ("/whep?size=2", good, SDP, 400),
        ("/whep/none?token=x", good, SDP, 404),
        (f"/whep/{made['session_id']}", good, SDP, 401),
        (f"/whep/{made['session_id']}?token=wrong", good, SDP, 401),
    ):
        answer = client.post(path, data=body, content_type=kind)
        assert (answer.status_code, answer.is_json) == (status, True), path
    assert len(lipsync.peers) == 0
    assert len(lipsync.sessions.all()) == 1


def test_the_key_of_a_viewer_is_not_in_the_log(
    client: FlaskClient, peer: Callable[..., PeerClient], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    player = Player(client, "/whep")
    player(peer().offer())
    assert client.delete(player.place).status_code == 200
    assert any("DELETE /whep/viewers/" in told for told in caplog.messages)
    assert player.place.rpartition("/")[2] not in caplog.text


def test_a_token_guards_it(
    make_service: Callable[..., LipsyncService],
    config: Config,
    peer: Callable[..., PeerClient],
) -> None:
    guarded = config.model_copy(
        update={
            "api_token": "secret",
            "ice_servers": "turn:a.example:3478",
            "turn_user": 'a"b',
            "turn_secret": "s",
        }
    )
    client = application(make_service(config=guarded)).test_client()
    bearer = {"Authorization": "Bearer secret"}
    far = peer()
    sdp = far.offer()
    assert client.post("/whep", data=sdp, content_type=SDP).status_code == 401
    assert client.options("/whep").status_code == 200
    made = client.post("/api/sessions", json=SMALL, headers=bearer).json
    created = client.post(made["whep_url"], data=sdp, content_type=SDP)
    assert created.status_code == 201
    assert "turn:a.example:3478" in created.headers["Link"]
    assert 'rel="ice-server"' in created.headers["Link"]
    assert ':a\\"b"; credential="' in created.headers["Link"]
    place = created.headers["Location"]
    assert client.delete(place).status_code == 200, "its id is known to nobody else"
    assert client.delete(place).status_code == 401


def test_pages_of_other_origins_may_read_where_it_is(
    make_service: Callable[..., LipsyncService],
    config: Config,
    peer: Callable[..., PeerClient],
) -> None:
    open_to = config.model_copy(update={"cors_origins": "https://a.example"})
    client = application(make_service(config=open_to)).test_client()
    origin = {"Origin": "https://a.example", "Sec-Fetch-Site": "cross-site"}
    created = client.post("/whep", data=peer().offer(), content_type=SDP, headers=origin)
    exposed = created.headers["Access-Control-Expose-Headers"]
    assert {"Location", "ETag", "Link", "Accept-Patch"} <= {
        name.strip() for name in exposed.split(",")
    }
    allowed = client.options(created.headers["Location"], headers=origin).headers
    assert "PATCH" in allowed["Access-Control-Allow-Methods"]
    assert "If-Match" in allowed["Access-Control-Allow-Headers"]
    refused = client.post(
        "/whep",
        data=peer().offer(),
        content_type=SDP,
        headers={"Origin": "https://b.example", "Sec-Fetch-Site": "cross-site"},
    )
    assert refused.status_code == 403
