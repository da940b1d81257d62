"""A web tier before replicas that answer as they are told, byte by byte."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Callable, Iterator

import pytest
from flask.testing import FlaskClient

from app_core.cluster.ledger import Ledger, Report
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
                while b"\r\n\r\n" not in heard:
                    heard += connection.recv(1 << 16)
                head, _, body = heard.partition(b"\r\n\r\n")
                length = [x for x in head.lower().split(b"\r\n") if x.startswith(b"content-length")]
                size = int(length[0].split(b":")[1]) if length else 0
                while len(body) < size:
                    body += connection.recv(1 << 16)
                self.heard.append((head.decode(), body))
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


@pytest.fixture
def tier(config: Config) -> Iterator[Callable[..., Tier]]:
    """The first replica that is named has most slack."""
    made: list[Scripted] = []

    def make(*says: bytes, least: int = 1) -> Tier:
        ledger = Ledger(SECRET)
        for number, bytes_ in enumerate(says, 1):
            made.append(Scripted(bytes_))
            ledger.report(Report(f"{number:08x}", made[-1].door, 10.0 - number, True, ()))
        places = LocalPlaces(ledger, least)
        return Tier(create_web_app(config, places, SECRET).test_client(), places, made)

    yield make
    for each in made:
        each.close()


def test_work_goes_where_there_is_slack_as_it_was_asked(tier: Callable[..., Tier]) -> None:
    one = tier(answer(200, b"{}"), answer(200, b'{"other": 1}'))
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
    assert {"authorization: bearer t", "host: soyle.kz", "connection: close"} <= lines
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
