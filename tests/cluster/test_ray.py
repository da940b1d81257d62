"""``app.py cluster`` as a user starts it: two replicas on a real Ray Serve, behind a web tier."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import websocket

from app_core.config import ROOT
from tests.conftest import until

pytest.importorskip("ray", reason="needs ray, which `make cluster-test` installs")

TEXT = "One two three four five six seven eight nine ten. " * 3
SMALL = {"size": "128x128", "language": "en"}
STARTS_S, STOPS_S = 120.0, 60.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def children(pid: int) -> list[int]:
    """All below a process, from /proc."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                stat = (entry / "stat").read_text()
                parents[int(entry.name)] = int(stat.rpartition(")")[2].split()[1])
    found, level = [], [pid]
    while level:
        level = [child for child, parent in parents.items() if parent in level]
        found += level
    return found


class Tier:
    """One web tier, and the cluster that it has started or joined."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.url = f"http://127.0.0.1:{free_port()}"
        self.log = folder / f"log-{self.url[-5:]}"
        told = {
            "LISTEN": self.url.removeprefix("http://"),
            "AVATAR_DIR": str(folder / "avatars"),
            "WORK_DIR": str(folder / "work"),
            "CLUSTER_CORES": "0.5",
            "CLUSTER_DRAIN_S": "1",
            "CPU_SHARE": "1.0",
            **settings,
        }
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "app.py", "cluster"],
                cwd=ROOT,
                env=os.environ | told,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self.family: list[int] = []

    def wait(self, replicas: int) -> None:
        good = until(lambda: len(self.ready()) == replicas, STARTS_S)
        assert good, self.log.read_text()
        self.family = children(self.process.pid)

    def ready(self) -> list[dict[str, Any]]:
        with contextlib.suppress(requests.RequestException):
            told = requests.get(f"{self.url}/api/health", timeout=5).json()
            return [each for each in told.get("replicas", []) if each["status"] == "ready"]
        return []

    def ask(self, method: str, path: str, **options: Any) -> requests.Response:
        return requests.request(method, self.url + path, timeout=60, **options)

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(STOPS_S)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("cluster")
    shutil.copytree(ROOT / "avatar", made / "avatars")
    (made / "work").mkdir()
    return made


@pytest.fixture(scope="module")
def tier(folder: Path) -> Iterator[Tier]:
    made = Tier(folder)
    try:
        made.wait(2)
        yield made
        made.stop()
        assert until(lambda: not [p for p in made.family if Path(f"/proc/{p}").exists()], 10)
        assert list((folder / "work").iterdir()) == []
    finally:
        made.process.kill()


def place(job_id: str) -> str:
    return job_id[:8]


def film(tier: Tier, text: str = "One two.", **fields: Any) -> dict[str, Any]:
    answer = tier.ask(
        "POST",
        "/api/generate",
        json={"text": text, **SMALL, **fields},
        headers={"Prefer": "respond-async"},
    )
    assert answer.status_code == 202, answer.text
    found: dict[str, Any] = answer.json()
    return found


def done(tier: Tier, job_id: str, seconds: float = 60.0) -> dict[str, Any]:
    def state() -> Any:
        told = tier.ask("GET", f"/api/jobs/{job_id}").json()
        return told if told.get("status") in ("done", "failed") else None

    assert until(state, seconds)
    found: dict[str, Any] = state()
    return found


def test_pictures_are_streamed_from_where_there_is_slack(tier: Tier) -> None:
    places = set()
    with contextlib.ExitStack() as stack:
        for _ in range(4):
            answer = tier.ask(
                "POST", "/api/stream_mjpeg", json={"text": TEXT, **SMALL}, stream=True
            )
            stack.callback(answer.close)
            assert answer.status_code == 200
            assert answer.raw.read(7) == b"--frame"
            places.add(place(answer.headers["X-Job-Id"]))
    assert places == {each["place"] for each in tier.ready()}


def test_a_film_is_made_told_of_and_fetched(tier: Tier) -> None:
    made = film(tier)
    assert place(made["id"]) in {each["place"] for each in tier.ready()}
    told = done(tier, made["id"])
    assert told["status"] == "done"
    assert tier.ask("GET", told["result_url"]).content[4:8] == b"ftyp"
    part = tier.ask("GET", told["result_url"], headers={"Range": "bytes=4-7"})
    assert (part.status_code, part.content) == (206, b"ftyp")
    assert "One two." in tier.ask("GET", told["subtitles_url"]).text
    whole = tier.ask("POST", "/api/generate", json={"text": "One.", **SMALL})
    assert whole.content[4:8] == b"ftyp"


def test_a_job_is_cancelled_through_any_tier(tier: Tier) -> None:
    answer = tier.ask("POST", "/api/stream_mjpeg", json={"text": TEXT, **SMALL}, stream=True)
    job_id = answer.headers["X-Job-Id"]
    assert tier.ask("DELETE", f"/api/jobs/{job_id}").status_code == 200
    body = answer.raw.read()
    assert b'"code": "cancelled"' in body
    assert tier.ask("GET", f"/api/jobs/{job_id}").json()["status"] == "cancelled"


def test_what_a_client_chose_is_found(tier: Tier) -> None:
    chosen = "11111111-2222-4333-8444-555555555555"
    assert film(tier, job_id=chosen)["id"] == chosen
    assert tier.ask("GET", f"/api/jobs/{chosen}").json()["id"] == chosen
    taken = tier.ask("POST", "/api/generate", json={"text": "x", "job_id": chosen})
    assert (taken.status_code, taken.json()["field"]) == (409, "job_id")
    assert done(tier, chosen)["status"] == "done"


def test_a_face_is_there_for_all(tier: Tier) -> None:
    with (ROOT / "avatar" / "aigul" / "still.png").open("rb") as still:
        answer = tier.ask(
            "POST",
            "/api/avatars",
            files={"file": ("a.png", still, "image/png")},
            data={"consent": "true", "id": "of-all"},
        )
    assert answer.status_code == 201, answer.text
    places = set()
    with contextlib.ExitStack() as stack:

        def both() -> bool:
            """One of them may still be taken for busy with what was before."""
            asked = {"text": TEXT, "avatar": "of-all", **SMALL}
            streamed = tier.ask("POST", "/api/stream_mjpeg", json=asked, stream=True)
            stack.callback(streamed.close)
            assert streamed.status_code == 200
            places.add(place(streamed.headers["X-Job-Id"]))
            return len(places) == 2

        assert until(both)
    assert tier.ask("DELETE", "/api/avatars/of-all").status_code == 200


def test_a_session_speaks_and_tells_over_its_sockets(tier: Tier) -> None:
    made = [tier.ask("POST", "/api/sessions", json=SMALL).json() for _ in range(2)]
    assert {place(each["session_id"]) for each in made} <= {r["place"] for r in tier.ready()}
    listed = tier.ask("GET", "/api/sessions").json()["sessions"]
    assert {each["session_id"] for each in made} == {each["session_id"] for each in listed}
    for each in made:
        url = tier.url.replace("http", "ws", 1)
        looks = websocket.create_connection(url + each["socket_url"], timeout=20)
        events = websocket.create_connection(url + each["events_url"], timeout=20)
        looks.send(json.dumps({"type": "say", "text": "One two."}))
        kinds = []
        while not kinds or kinds[-1] != "speech_finished":
            kinds.append(json.loads(events.recv())["type"])
        assert "speech_started" in kinds
        frames = [looks.recv() for _ in range(20)]
        assert any(isinstance(frame, bytes) and b"\xff\xd8" in frame[:64] for frame in frames)
        command = f"/api/sessions/{each['session_id']}"
        headers = {"Authorization": f"Bearer {each['token']}"}
        told = tier.ask("POST", f"{command}/interrupt", json={}, headers=headers)
        assert told.status_code == 200
        assert tier.ask("DELETE", command, headers=headers).status_code == 200
        looks.close()
        events.close()


def test_metrics_and_health_show_every_replica(tier: Tier) -> None:
    places = {each["place"] for each in tier.ready()}
    text = tier.ask("GET", "/metrics").text
    assert all(f'replica="{each}"' in text for each in places)
    told = tier.ask("GET", "/api/health").json()
    assert told["status"] == "ready"
    assert told["sessions"]["most"] == 2 * 64


def named(tier: Tier, word: bytes) -> list[int]:
    """Processes of the cluster with this word on their command line."""
    found = []
    for pid in children(tier.process.pid):
        with contextlib.suppress(OSError):
            if word in Path(f"/proc/{pid}/cmdline").read_bytes():
                found.append(pid)
    return found


def test_another_web_tier_knows_the_same(tier: Tier, folder: Path) -> None:
    told = re.search(r"RAY_ADDRESS=(\S+)", tier.log.read_text())
    assert told is not None
    environ = Path(f"/proc/{named(tier, b'gcs_server')[0]}/environ").read_bytes().decode()
    pairs = [each.split("=", 1) for each in environ.split("\0") if each.startswith("RAY_AUTH_")]
    other = Tier(folder, RAY_ADDRESS=told[1], **dict(pairs))
    try:
        other.wait(2)
        made = film(tier, "One two three.")
        assert done(other, made["id"])["status"] == "done"
        other.stop()
    finally:
        other.process.kill()
    assert len(tier.ready()) == 2  # it took nothing with it that it had not started


class Stream(threading.Thread):
    """Reads pictures to the end."""

    def __init__(self, tier: Tier) -> None:
        super().__init__(daemon=True)
        self.answer = tier.ask(
            "POST", "/api/stream_mjpeg", json={"text": TEXT * 3, **SMALL}, stream=True
        )
        self.place = place(self.answer.headers["X-Job-Id"])
        self.tail = b""
        self.start()

    def run(self) -> None:
        for piece in self.answer.iter_content(1 << 14):
            self.tail = (self.tail + piece)[-2000:]


def test_a_killed_replica_takes_its_streams_along_and_nothing_else(tier: Tier) -> None:
    before = {each["place"] for each in tier.ready()}
    streams = [Stream(tier) for _ in range(8)]
    films = [film(tier, TEXT * 12) for _ in range(4)]
    assert {stream.place for stream in streams} == before
    time.sleep(1.0)
    assert {tier.ask("GET", f"/api/jobs/{each['id']}").json()["status"] for each in films} == {
        "running"
    }
    processes = named(tier, b"ServeReplica")
    assert len(processes) == 2
    os.kill(processes[0], signal.SIGKILL)
    assert until(lambda: tier.ask("GET", "/api/health").json()["status"] == "degraded", 10)
    assert until(lambda: len(tier.ready()) == 2, 30), tier.log.read_text()[-3000:]
    for stream in streams:
        stream.join(90)
    lost = [stream for stream in streams if b'"code": "replica_lost"' in stream.tail]
    whole = [stream for stream in streams if stream not in lost]
    assert all(stream.tail.endswith(b"--frame--\r\n") for stream in streams)
    assert len({stream.place for stream in lost}) == 1
    assert whole
    assert not {stream.place for stream in lost} & {stream.place for stream in whole}
    for each in films:
        assert done(tier, each["id"], 120)["status"] == "done"
    assert tier.ask("GET", "/api/health").json()["status"] == "ready"


def test_a_cluster_ends_with_its_keeper(tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    tier = Tier(tmp_path, AVATAR_DIR=str(ROOT / "avatar"), CLUSTER_REPLICAS="1")
    try:
        tier.wait(1)
        os.kill(named(tier, b"app_core.cluster.keeper")[0], signal.SIGKILL)
        assert tier.process.wait(STOPS_S) == 1, tier.log.read_text()[-3000:]
        assert until(lambda: not [p for p in tier.family if Path(f"/proc/{p}").exists()], 20)
    finally:
        tier.process.kill()
