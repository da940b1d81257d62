"""Two replicas in this process, each at a door, behind a web tier."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from flask.testing import FlaskClient

from app_core.cluster import replica as module
from app_core.cluster.film import Film
from app_core.cluster.ledger import Ledger, ReplicaReport
from app_core.cluster.replica import Replica
from app_core.cluster.upstream import Upstream
from app_core.cluster.web_tier import create_web_app
from app_core.config import Config
from app_core.services.lipsync_service import LipsyncService
from tests.back_end import SECRET, LocalPlaces, replica
from tests.below import files_below
from tests.conftest import until

PLACES = ("0000000a", "0000000b")
SMALL = {"size": "128x128", "language": "en"}


class Cluster:
    def __init__(self, client: FlaskClient, replicas: dict[str, Replica], ledger: Ledger) -> None:
        self.client, self.replicas, self.ledger = client, replicas, ledger

    def session(self) -> dict[str, Any]:
        answer = self.client.post("/api/sessions", json=SMALL)
        assert answer.status_code == 201, answer.text
        for each in self.replicas.values():
            each.tell()  # what it has now, so that the next one goes elsewhere
        found: dict[str, Any] = answer.json
        return found


@pytest.fixture
def cluster(make_service: Callable[..., LipsyncService], config: Config) -> Cluster:
    ledger = Ledger(SECRET)
    made = {}
    for place in PLACES:
        service = make_service(config=config.model_copy(update={"place": place}))
        made[place] = replica(service, ledger)
    app = create_web_app(config, LocalPlaces(ledger, 2), SECRET)
    return Cluster(app.test_client(), made, ledger)


def test_one_that_is_going_takes_nothing_new_and_goes_on_with_what_it_has(
    cluster: Cluster,
) -> None:
    made = cluster.session()
    place = made["session_id"][:8]
    cluster.replicas[place].drain(0.0)
    others = {cluster.session()["session_id"][:8] for _ in range(3)}
    assert others == set(PLACES) - {place}
    headers = {"Authorization": f"Bearer {made['token']}"}
    path = f"/api/sessions/{made['session_id']}"
    said = cluster.client.post(f"{path}/say", json={"text": "Hello."}, headers=headers)
    assert said.status_code == 202, said.text
    offer = {"type": "offer", "sdp": "v=0", "session_id": made["session_id"]}
    looks = cluster.client.post("/api/realtime/offer", json=offer, headers=headers)
    assert (looks.status_code, looks.json and looks.json["field"]) == (400, "sdp"), "it is read"
    for each in cluster.replicas.values():
        each.drain(0.0)
    refused = cluster.client.post("/api/sessions", json=SMALL)
    assert (refused.status_code, refused.json and refused.json["code"]) == (503, "busy")
    assert refused.headers["Retry-After"]


def test_it_waits_for_what_it_does(cluster: Cluster) -> None:
    made = cluster.session()
    there = cluster.replicas[made["session_id"][:8]]
    assert there.service.sessions.get(made["session_id"])
    there.service.sessions.get(made["session_id"]).close()
    there.drain(30.0)  # ends at once, as nothing is left


@pytest.fixture
def going(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Thread]:
    """The first replica is."""
    monkeypatch.setattr(module, "DRAIN_LOOK_S", 0.01)
    thread = threading.Thread(target=cluster.replicas[PLACES[0]].drain, args=(30.0,), daemon=True)
    yield thread
    thread.join(10)
    assert not thread.is_alive()


def test_it_waits_for_a_request_that_is_under_way(
    cluster: Cluster, going: threading.Thread, config: Config
) -> None:
    there = cluster.replicas[PLACES[0]]
    upstream = Upstream(there.door)
    environ = {"REQUEST_METHOD": "POST", "PATH_INFO": "/api/avatars", "wsgi.url_scheme": "http"}
    form = {"CONTENT_TYPE": "multipart/form-data; boundary=x", "HTTP_HOST": "127.0.0.1"}
    upstream.begin(environ | form, SECRET, 3 << 20)
    part = b"--x\r\nContent-Disposition: form-data; name=file; filename=a.mp4\r\n\r\n"
    upstream.send(part + bytes(100_000))
    assert config.work_dir is not None
    folder = config.work_dir
    assert until(lambda: files_below(folder)), "its view reads it"
    going.start()
    assert not until(lambda: not going.is_alive(), 0.2)
    upstream.close()


def test_it_waits_for_an_import(
    cluster: Cluster, going: threading.Thread, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = SimpleNamespace(ended=threading.Event())
    imports = cluster.replicas[PLACES[0]].service.avatars.imports
    monkeypatch.setattr(imports, "all", lambda: [item])
    going.start()
    assert not until(lambda: not going.is_alive(), 0.2)
    item.ended.set()


def test_a_film_that_begins_while_it_reports_is_kept(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = cluster.replicas[PLACES[0]]
    film, job = Film({"PATH_INFO": "/api/generate"}, b"{}"), SimpleNamespace(id="a", live=False)
    begins = threading.Thread(target=there._begun, args=("a", film), daemon=True)

    def running() -> list[SimpleNamespace]:
        if begins.ident is not None:
            return [job]
        begins.start()
        begins.join(0.2)  # as far as it gets
        return []

    with monkeypatch.context() as patch:
        patch.setattr(there.service.jobs, "running", running)
        there.tell()
        begins.join(10)
        there._book = Ledger(SECRET)  # as after the loss of its machine
        there.tell()
    there._book.report(ReplicaReport("0000000c", there.door, 1.0, True, ()))
    there._book.left(there.place)
    assert there._book.view().moving == ("a",)


def test_sessions_are_spread_and_listed_together(cluster: Cluster) -> None:
    made = [cluster.session() for _ in range(4)]
    assert {each["session_id"][:8] for each in made} == set(PLACES)
    listed = cluster.client.get("/api/sessions").json
    assert listed is not None
    assert {s["session_id"] for s in listed["sessions"]} == {s["session_id"] for s in made}


def test_when_the_whole_cluster_ends_it_waits_for_nothing(cluster: Cluster) -> None:
    made = cluster.session()
    there = cluster.replicas[made["session_id"][:8]]
    cluster.ledger.end()
    there.drain(600.0)
    assert there.service.sessions.get(made["session_id"])  # it has not been waited for
