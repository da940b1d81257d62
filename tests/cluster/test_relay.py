"""A web tier before replicas that answer as they are told, byte by byte."""

from __future__ import annotations

import contextlib
import errno
import json
import socket
import threading
from collections.abc import Callable, Iterator
from io import BytesIO
from typing import Any

import pytest
from flask.testing import FlaskClient

from app_core.cluster import relay
from app_core.cluster.ledger import Ledger, ReplicaReport
from app_core.cluster.places import Door
from app_core.cluster.web_tier import create_web_app
from app_core.config import Config
from app_core.ids import new_id
from app_core.outputs.mjpeg import CLOSING, OPENING, part
from tests.back_end import SECRET, LocalPlaces

ONE, TWO = "00000001", "00000002"
JSON = "Content-Type: application/json\r\n"


def answer(status: int, body: bytes, more: str = JSON) -> bytes:
    return f"HTTP/1.1 {status} X\r\n{more}Content-Length: {len(body)}\r\n\r\n".encode() + body


def chunked(*parts: bytes) -> bytes:
    return b"".join(b"%x\r\n%b\r\n" % (len(each), each) for each in parts)


class Scripted:
    """Takes one request a connection, keeps it, says ``says`` and closes."""

    def __init__(self, says: bytes) -> None:
        self.says, self.heard = says, []  # type: ignore[var-annotated]
        self.hangs = self.invites = False
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.door = Door("127.0.0.1", self._listener.getsockname()[1])
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(5)
                heard = b""
                while b"\r\n\r\n" not in heard and (came := connection.recv(1 << 16)):
                    heard += came
                if not heard:
                    continue
                head, _, body = heard.partition(b"\r\n\r\n")
                length = [x for x in head.lower().split(b"\r\n") if x.startswith(b"content-length")]
                waits = b"expect: 100-continue" in head.lower()
                if waits and self.invites:
                    connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
                    waits = False
                size = int(length[0].split(b":")[1]) if length and not waits else 0
                while len(body) < size:
                    body += connection.recv(1 << 16)
                self.heard.append((head.decode(), body))
                if self.hangs:
                    connection.recv(1)
                connection.sendall(self.says)

    def close(self) -> None:
        """Safe to call again."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)


class Tier:
    def __init__(self, client: FlaskClient, places: LocalPlaces, replicas: list[Scripted]) -> None:
        self.client, self.places, self.replicas = client, places, replicas

    def asked(self) -> list[list[str]]:
        """Each replica's request lines."""
        return [[head.split("\r\n")[0][:-9] for head, _ in r.heard] for r in self.replicas]


@pytest.fixture
def tier(config: Config) -> Iterator[Callable[..., Tier]]:
    """The first replica that is named has most slack."""
    made: list[Scripted] = []

    def make(*says: bytes, least: int = 1, takes: bool = True, **change: Any) -> Tier:
        ledger = Ledger(SECRET)
        replicas = [Scripted(each) for each in says]
        made.extend(replicas)
        for number, replica in enumerate(replicas, 1):
            ledger.report(ReplicaReport(f"{number:08x}", replica.door, 10.0 - number, takes, ()))
        places = LocalPlaces(ledger, least)
        app = create_web_app(config.model_copy(update=change), places, SECRET)
        return Tier(app.test_client(), places, replicas)

    yield make
    for each in made:
        each.close()


def test_work_goes_where_there_is_slack_as_it_was_asked(tier: Callable[..., Tier]) -> None:
    one = tier(answer(200, b"{}"), answer(200, b'{"other": 1}'), allowed_hosts="soyle.kz")
    found = one.client.post(
        "/api/generate?x=%20y",
        json={"text": "да"},
        headers={"Authorization": "Bearer t", "X-Forwarded-For": "6.6.6.6", "Host": "soyle.kz"},
    )
    assert found.json == {}
    (head, body), *rest = one.replicas[0].heard
    assert rest == one.replicas[1].heard == []
    lines = {line.lower() for line in head.split("\r\n")}
    assert head.startswith("POST /api/generate?x=%20y HTTP/1.1\r\n")
    assert json.loads(body) == {"text": "да"}
    assert {"authorization: bearer t", "x-cluster-host: soyle.kz", "connection: close"} <= lines
    assert {f"x-cluster-secret: {SECRET}".lower(), "x-cluster-client: 127.0.0.1"} <= lines
    assert not any(line.startswith("x-forwarded") for line in lines)


def test_a_full_one_is_passed_over(tier: Callable[..., Tier]) -> None:
    full = answer(503, b'{"code": "busy"}', JSON + "Retry-After: 7\r\n")
    two = tier(full, answer(202, b"{}"))
    assert two.client.post("/api/generate", json={"text": "x"}).status_code == 202
    assert len(two.replicas[0].heard) == 1


def test_when_all_are_full_one_of_them_says_so(tier: Callable[..., Tier]) -> None:
    full = answer(503, b'{"code": "busy"}', JSON + "Retry-After: 7\r\n")
    found = tier(full, full).client.post("/api/generate", json={"text": "x"})
    assert (found.status_code, found.json) == (503, {"code": "busy"})
    assert found.headers["Retry-After"] == "7"


def test_one_that_ends_before_its_answer_is_replaced_by_another(tier: Callable[..., Tier]) -> None:
    two = tier(b"", answer(200, b"{}"))
    assert two.client.post("/api/generate", json={"text": "x"}).status_code == 200
    assert len(two.replicas[0].heard) == 1


def test_without_any_it_is_503(tier: Callable[..., Tier]) -> None:
    for path in ("/api/generate", "/api/sessions"):
        found = tier().client.post(path, json={"text": "x"})
        assert (found.status_code, found.json and found.json["code"]) == (503, "busy")
        assert found.headers["Retry-After"] == "2"
    assert tier().client.get("/api/health").status_code == 503
    assert tier().client.get("/api/health/live").json == {"status": "live"}
    assert tier().client.get("/").status_code == 200


def test_nobody_at_a_door_is_missed(tier: Callable[..., Tier]) -> None:
    two = tier(answer(200, b"{}"), answer(202, b"{}"))
    two.replicas[0].close()
    assert two.client.post("/api/generate", json={"text": "x"}).status_code == 202
    assert two.places.missed == {ONE}


def test_a_name_goes_to_its_place(tier: Callable[..., Tier]) -> None:
    two = tier(answer(200, b"{}"), answer(200, b'{"two": 2}'))
    job_id = new_id(TWO)
    assert two.client.get(f"/api/jobs/{job_id}").json == {"two": 2}
    assert two.replicas[0].heard == []


def test_a_job_whose_id_does_not_tell_is_looked_for_once(tier: Callable[..., Tier]) -> None:
    two = tier(answer(404, b"{}"), answer(204, b"").replace(b"Content-Length: 0\r\n", b""))
    job_id = new_id("")
    two.client.get(f"/api/jobs/{job_id}")
    asked = [head.split(" ")[1] for head, _ in two.replicas[1].heard]
    assert asked == [f"/cluster/jobs/{job_id}", f"/api/jobs/{job_id}"]
    two.client.get(f"/api/jobs/{job_id}")
    assert len(two.replicas[1].heard) == 3
    assert len(two.replicas[0].heard) == 1


def test_chunks_are_where_their_job_is(tier: Callable[..., Tier]) -> None:
    two = tier(answer(404, b"{}"), answer(204, b"").replace(b"Content-Length: 0\r\n", b""))
    job_id = new_id("")
    two.client.get(f"/api/chunk/video/{job_id}-1")
    assert two.asked() == [
        [f"GET /cluster/jobs/{job_id}"],
        [f"GET /cluster/jobs/{job_id}", f"GET /api/chunk/video/{job_id}-1"],
    ]


def test_a_taken_id_is_taken_everywhere(tier: Callable[..., Tier]) -> None:
    two = tier(answer(404, b"{}"), answer(204, b"").replace(b"Content-Length: 0\r\n", b""))
    found = two.client.post("/api/generate", json={"text": "x", "job_id": new_id("")})
    assert (found.status_code, found.json and found.json["field"]) == (409, "job_id")


def test_another_place_may_have_it(tier: Callable[..., Tier]) -> None:
    elsewhere = answer(421, b"", f"X-Cluster-Elsewhere: {TWO}\r\n")
    two = tier(elsewhere, answer(200, b'{"two": 2}'))
    assert two.client.delete("/api/avatars/one").json == {"two": 2}


PICTURES = [part(b"one", 0, 0.0), part(b"two", 1, 0.04)]
MULTIPART = (
    b"HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=frame\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n"
)


def test_a_stream_that_is_lost_ends_with_a_part_that_says_so(tier: Callable[..., Tier]) -> None:
    half = PICTURES[1][:40]
    one = tier(MULTIPART + chunked(OPENING + PICTURES[0], half))
    body = one.client.post("/api/stream_mjpeg", json={"text": "x"}).data
    assert body.startswith(OPENING + PICTURES[0])
    assert body.endswith(b"\r\n--frame" + CLOSING)
    rest = body.removeprefix(OPENING + PICTURES[0])
    head, _, said = rest.partition(b"\r\n\r\n")
    assert b"Content-Type: application/json" in head
    found = json.loads(said.partition(b"\r\n--frame")[0])
    assert (found["code"], found["field"]) == ("replica_lost", None)


def test_a_stream_that_ends_well_is_as_it_was(tier: Callable[..., Tier]) -> None:
    whole = OPENING + PICTURES[0] + PICTURES[1] + CLOSING
    pieces = chunked(whole[:10], whole[10:75], whole[75:]) + b"0\r\n\r\n"
    one = tier(MULTIPART + pieces)
    assert one.client.post("/api/stream_mjpeg", json={"text": "x"}).data == whole


def test_lines_that_are_lost_end_with_one_that_says_so(tier: Callable[..., Tier]) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked"
    one = tier(head + b"\r\n\r\n" + chunked(b'{"index": 0}\n', b'{"ind'))
    lines = one.client.post("/api/stream_chunks", json={"text": "x"}).data.splitlines()
    assert json.loads(lines[0]) == {"index": 0}
    last = json.loads(lines[1])
    assert (len(lines), last["success"], last["code"]) == (2, False, "replica_lost")


def test_a_film_that_is_lost_is_cut(tier: Callable[..., Tier]) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\nContent-Length: 900000\r\n\r\n"
    one = tier(head + b"ftyp")
    response = one.client.post("/api/generate", json={"text": "x"})
    with pytest.raises(ConnectionResetError):
        assert response.data


def test_a_client_cannot_pretend_to_be_a_web_tier(tier: Callable[..., Tier]) -> None:
    one = tier(answer(200, b"{}"))
    one.client.get("/api/avatars", headers={"X-Cluster-Client": "6.6.6.6", "X-Cluster-Secret": "?"})
    lines = one.replicas[0].heard[0][0].lower().split("\r\n")
    assert [x for x in lines if x.startswith("x-cluster-client")] == ["x-cluster-client: 127.0.0.1"]
    assert len([x for x in lines if x.startswith("x-cluster-secret")]) == 1


def test_what_no_view_answers_needs_no_replica(tier: Callable[..., Tier]) -> None:
    one = tier(answer(200, b"{}"), cors_origins="https://a.kz")
    for method, path, status in (
        ("GET", "/api/nothing", 404),
        ("PUT", "/api/generate", 405),
        ("POST", "/metrics", 405),
        ("OPTIONS", "/api/generate", 200),
        ("OPTIONS", "/whep", 200),
    ):
        found = one.client.open(path, method=method, headers={"Origin": "https://a.kz"})
        assert found.status_code == status
        assert found.headers["Access-Control-Allow-Origin"] == "https://a.kz"
    assert one.asked() == [[]]


def test_who_is_not_let_in_reaches_no_replica(tier: Callable[..., Tier]) -> None:
    one = tier(answer(200, b'{"sessions": []}'), api_token="secret", client_requests_min=2)
    for headers, status in (
        ({"Host": "evil.example\x7f"}, 400),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Authorization": "Bearer wrong"}, 401),
        ({"Authorization": "Bearer secret"}, 200),
        ({"Authorization": "Bearer secret"}, 429),
    ):
        assert one.client.get("/api/sessions", headers=headers).status_code == status
    assert one.asked() == [["GET /api/sessions"]]


def test_what_the_web_tier_answers_alone_is_counted_there(tier: Callable[..., Tier]) -> None:
    one = tier(answer(200, b"", "Content-Type: text/plain\r\n"))
    for path in ("/", "/api/nothing", "/api/voices"):
        one.client.get(path).close()
    found = one.client.get("/metrics").text
    lines = [line for line in found.splitlines() if line.startswith("soyle_http_requests_total")]
    assert sorted(lines) == [
        'soyle_http_requests_total{replica="web",method="GET",route="/",status="200"} 1.0',
        'soyle_http_requests_total{replica="web",method="GET",route="none",status="404"} 1.0',
    ]


def test_whose_a_session_is_its_replica_knows(tier: Callable[..., Tier]) -> None:
    one = tier(answer(202, b"{}"), api_token="secret")
    path, key = f"/api/sessions/{new_id(ONE)}", "/whep/viewers/00000001key"
    assert one.client.get(path).status_code == 401
    for asked in (f"{path}?token=its-own", key):
        assert one.client.get(asked).status_code == 202
    assert one.client.get(path, headers={"Authorization": "Bearer its-own"}).status_code == 202
    assert one.asked() == [[f"GET {path}?token=its-own", f"GET {key}", f"GET {path}"]]


def test_an_answer_is_passed_on_as_it_is(tier: Callable[..., Tier]) -> None:
    lines = "Link: <a>\r\nLink: <b>\r\nETag: x\r\nServer: theirs\r\nX-Cluster-Y: z\r\n"
    one = tier(answer(201, b"v=0", "Content-Type: application/sdp\r\n" + lines))
    found = one.client.post("/whep", data="v=0", content_type="application/sdp")
    assert (found.status_code, found.data, found.mimetype) == (201, b"v=0", "application/sdp")
    assert found.headers.getlist("Link") == ["<a>", "<b>"]
    assert found.headers["ETag"] == "x"
    assert not {"server", "x-cluster-y"} & {name.lower() for name in found.headers.keys()}


def test_an_answer_without_a_body_says_how_long_it_would_be(tier: Callable[..., Tier]) -> None:
    one = tier(answer(200, b"", "Content-Type: video/mp4\r\n").replace(b": 0", b": 900000"))
    found = one.client.head(f"/api/jobs/{new_id(ONE)}/result")
    assert (found.content_length, found.mimetype, found.data) == (900000, "video/mp4", b"")
    two = tier(answer(200, b"", ""))
    assert two.client.delete(f"/whep/viewers/{ONE}key").content_type is None


@pytest.mark.parametrize("name", ["QUERY_STRING", "PATH_INFO", "HTTP_X_ODD", "HTTP_HOST"])
def test_nothing_breaks_out_of_a_head(tier: Callable[..., Tier], name: str) -> None:
    one = tier(answer(200, b"{}"), api_token="secret")
    odd = {name: "/api/voices\r\nX-Cluster-Secret: forged\r\n\r\nGET / HTTP/1.1"}
    bearer = {"Authorization": "Bearer secret"}
    found = one.client.get("/api/voices", environ_overrides=odd, headers=bearer)
    assert found.status_code in (200, 400, 404)
    for replica in one.replicas:
        for head, _ in replica.heard:
            assert f"\r\nX-Cluster-Secret: {SECRET}\r\n" in head
            assert "forged\r\n" not in head


def upload(tier: Tier) -> Any:
    form = {"consent": "true", "file": (BytesIO(b"x"), "a.jpg")}
    return tier.client.post("/api/avatars", data=form)


def test_an_upload_that_nobody_has_begun_to_read_goes_elsewhere(tier: Callable[..., Tier]) -> None:
    two = tier(answer(503, b'{"code": "busy"}'), answer(413, b'{"code": "too_large"}'))
    assert upload(two).status_code == 413
    assert two.asked() == [["POST /api/avatars"], ["POST /api/avatars"]]
    assert "Expect: 100-continue" in two.replicas[0].heard[0][0]


def test_an_upload_that_is_begun_stays(tier: Callable[..., Tier]) -> None:
    two = tier(answer(503, b'{"code": "busy"}'), answer(202, b"{}"))
    two.replicas[0].invites = True
    assert upload(two).status_code == 503
    ((_, body),) = two.replicas[0].heard
    assert b'filename="a.jpg"' in body
    assert two.replicas[1].heard == []


def test_two_that_name_each_other_have_nothing(tier: Callable[..., Tier]) -> None:
    says = [answer(421, b"", f"X-Cluster-Elsewhere: {place}\r\n") for place in (TWO, ONE)]
    two = tier(*says)
    found = two.client.delete("/api/avatars/one")
    assert (found.status_code, found.json and found.json["code"]) == (503, "busy")


def test_nobody_at_the_door_of_what_is_named_is_lost(tier: Callable[..., Tier]) -> None:
    two = tier(answer(200, b"{}"), answer(404, b'{"code": "not_found"}'))
    two.replicas[0].close()
    path = f"/api/jobs/{new_id(ONE)}"
    found = two.client.get(path)
    assert (found.status_code, found.json and found.json["code"]) == (503, "replica_lost")
    assert two.client.get(path).status_code == 503, "its films may still be made elsewhere"
    two.places.ledger.left(ONE)
    assert two.client.get(path).status_code == 404


def test_what_there_is_once_moves_when_its_place_is_missed(tier: Callable[..., Tier]) -> None:
    two = tier(answer(202, b"{}"), answer(202, b"{}"))
    path = "/api/voices/x/pull"
    for _ in range(2):
        assert two.client.post(path, json={}).status_code == 202
    kept = next(replica for replica in two.replicas if replica.heard)
    assert len(kept.heard) == 2, "the same one"
    kept.close()
    assert two.client.post(path, json={}).status_code == 202


def test_without_a_descriptor_it_is_503(
    tier: Callable[..., Tier], monkeypatch: pytest.MonkeyPatch
) -> None:
    one = tier(answer(202, b"{}"))

    def none_left(family: int) -> socket.socket:
        raise OSError(errno.EMFILE, "too many open files")

    with monkeypatch.context() as patch:
        patch.setattr("app_core.cluster.upstream.socket.socket", none_left)
        found = one.client.post("/api/generate", json={"text": "x"})
    assert (found.status_code, found.json and found.json["code"]) == (503, "busy")
    assert one.places.missed == set()


def test_each_door_is_tried_once(
    tier: Callable[..., Tier], monkeypatch: pytest.MonkeyPatch
) -> None:
    two = tier(answer(202, b"{}"), answer(202, b"{}"))
    tried: list[str] = []

    def miss(place: str) -> None:
        """As when it takes longer to try all than one is missed."""
        assert place not in tried
        tried.append(place)

    monkeypatch.setattr(two.places, "miss", miss)
    for replica in two.replicas:
        replica.close()
    assert two.client.post("/api/voices/x/pull", json={}).status_code == 503
    assert sorted(tried) == [ONE, TWO]


@pytest.mark.parametrize("place", ["", TWO])
def test_an_id_that_its_replica_has_forgotten_is_free(
    tier: Callable[..., Tier], place: str
) -> None:
    job_id = new_id(place)
    made = answer(202, b"{}", f"X-Job-Id: {job_id}\r\n")
    two = tier(made, answer(404, b"{}"))
    asked = {"text": "x", "job_id": job_id}
    assert two.client.post("/api/generate", json=asked).status_code == 202
    assert two.client.post("/api/generate", json=asked).status_code == 202
    assert two.asked()[1] == [f"GET /cluster/jobs/{job_id}"] * 2


def test_when_nobody_takes_work_one_says_why(tier: Callable[..., Tier]) -> None:
    loading = answer(503, b'{"code": "not_ready"}', JSON + "Retry-After: 5\r\n")
    one = tier(loading, takes=False)
    found = one.client.post("/api/generate", json={"text": "x"})
    assert (found.json, found.headers["Retry-After"]) == ({"code": "not_ready"}, "5")
    assert tier(answer(200, b"{}"), takes=False).client.get("/api/voices").status_code == 200


def test_one_that_says_nothing_of_itself_is_not_waited_for(
    tier: Callable[..., Tier], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay, "ASKED_S", 0.1)
    two = tier(answer(200, b'{"sessions": [{"session_id": "a"}]}'), b"")
    two.replicas[1].hangs = True
    assert two.client.get("/api/sessions").json == {"sessions": [{"session_id": "a"}]}
