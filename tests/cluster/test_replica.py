"""Two replicas in this process, each at a door, behind a web tier."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from app_core.cluster.ledger import Ledger
from app_core.cluster.replica import Replica
from app_core.cluster.web_tier import create_web_app
from app_core.config import Config
from app_core.services.lipsync_service import LipsyncService
from tests.back_end import SECRET, LocalPlaces, replica

PLACES = ("0000000a", "0000000b")
SMALL = {"size": "128x128", "language": "en"}


class Cluster:
    def __init__(self, client: FlaskClient, replicas: dict[str, Replica]) -> None:
        self.client, self.replicas = client, replicas

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
    return Cluster(app.test_client(), made)


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


def test_sessions_are_spread_and_listed_together(cluster: Cluster) -> None:
    made = [cluster.session() for _ in range(4)]
    assert {each["session_id"][:8] for each in made} == set(PLACES)
    listed = cluster.client.get("/api/sessions").json
    assert listed is not None
    assert {s["session_id"] for s in listed["sessions"]} == {s["session_id"] for s in made}
