from __future__ import annotations

import asyncio
import os
from types import SimpleNamespace
from typing import Any

import pytest

from app_core.cluster.film import Film
from app_core.cluster.ledger import ClusterView, Ledger, ReplicaReport
from app_core.cluster.places import Door, place_of, settled

pytest.importorskip("ray", reason="needs ray, which `make cluster-test` installs")

from app_core.cluster import keeper
from app_core.cluster import router as router_module
from app_core.cluster.deployment import LedgerActor, wanted_replicas
from app_core.cluster.ray_places import RayPlaces
from app_core.cluster.router import SlackRouter


def context(loads: dict[str, float], now: int, least: int = 1, most: int = 8) -> Any:
    return SimpleNamespace(
        aggregated_metrics={"load": loads} if loads else {},
        current_num_replicas=now,
        capacity_adjusted_min_replicas=least,
        capacity_adjusted_max_replicas=most,
    )


@pytest.mark.parametrize(
    ("loads", "now", "wanted"),
    [
        ({"a": 0.0, "b": 0.0}, 2, 1),
        ({"a": 0.7}, 1, 1),
        ({"a": 0.9, "b": 0.9}, 2, 3),
        ({"a": 3.0, "b": 9.0}, 2, 8),
        ({}, 3, 3),
    ],
)
def test_as_many_replicas_as_the_load_needs(loads: dict[str, float], now: int, wanted: int) -> None:
    assert wanted_replicas(context(loads, now)) == (wanted, {})


def replica(name: str, slack: float) -> Any:
    stats = {"slack": slack}
    return SimpleNamespace(replica_id=SimpleNamespace(unique_id=name), routing_stats=stats)


def chosen(router: SlackRouter, replicas: list[Any], *avoid: str) -> str:
    asked = SimpleNamespace(kwargs={"avoid": tuple(map(place_of, avoid))})
    for _ in range(2):  # as Ray may
        ranks = asyncio.run(router.choose_replicas(replicas, asked))
    best = ranks[0][0].replica_id
    router.on_request_routed(asked, best, None)
    return str(best.unique_id)


@pytest.fixture
def router() -> SlackRouter:
    made = SlackRouter.__new__(SlackRouter)
    made.initialize_state()
    return made


def test_new_work_goes_where_there_is_slack(
    router: SlackRouter, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = SimpleNamespace(now=100.0)
    monkeypatch.setattr(router_module.time, "monotonic", lambda: clock.now)
    both = [replica("a", 0.45), replica("b", 0.38)]
    # What was given counts until the replica's own word holds it.
    assert [chosen(router, both) for _ in range(4)] == ["a", "a", "b", "a"]
    clock.now += router_module.KNOWN_S + 0.1
    assert chosen(router, both) == "a"


def test_those_that_have_refused_are_not_asked_while_there_are_others(
    router: SlackRouter,
) -> None:
    both = [replica("a", 0.9), replica("b", 0.1)]
    assert chosen(router, both, "a") == "b"
    assert chosen(router, both, "a", "b") == "a"


def test_one_without_a_word_comes_last(router: SlackRouter) -> None:
    silent = SimpleNamespace(replica_id=SimpleNamespace(unique_id="s"), routing_stats={})
    assert chosen(router, [silent, replica("a", 0.1)]) == "a"


REPORT = ReplicaReport("00000001", Door("one", 1), 1.0, True, ())


def test_a_ledger_outlives_a_secret() -> None:
    asked = []

    def again(film: Film, job_id: str, door: Door, secret: str) -> int:
        asked.append(secret)
        return 202

    actor = LedgerActor.__new__(LedgerActor)
    actor._ledger = Ledger("of before", again)
    actor.begun("a", Film({}, b"{}"), "00000002")
    actor.left("00000002")
    actor.report(REPORT, "of now")
    actor._ledger.tend()
    assert asked == ["of now"]


def test_a_choice_that_takes_too_long_is_not_asked_for_any_more() -> None:
    cancelled = []

    def result(timeout_s: float) -> Any:
        raise TimeoutError

    asked = SimpleNamespace(result=result, cancel=lambda: cancelled.append(True))
    places = RayPlaces.__new__(RayPlaces)
    places._view, places._missed = ClusterView((REPORT,), ()), {}
    choose = SimpleNamespace(remote=lambda avoid: asked)
    places._handle = SimpleNamespace(choose=choose)
    assert places.choose() == REPORT.place
    assert cancelled == [True]


def test_a_key_stays_where_it_is_when_others_come_and_go() -> None:
    places = [f"{number:08x}" for number in range(8)]
    keys = [f"/api/voices/{number}/pull" for number in range(64)]
    before = {key: settled(key, places) for key in keys}
    gone = places[3]
    after = {key: settled(key, [p for p in places if p != gone]) for key in keys}
    assert all(after[key] == place for key, place in before.items() if place != gone)
    assert len(set(before.values())) > 4


def test_who_waits_for_replicas_ends_with_its_parent(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = []

    def secret_of() -> str:
        looks.append(True)
        assert len(looks) < 500
        return ""

    monkeypatch.setattr(keeper, "LOOK_S", 0.01)
    monkeypatch.setattr(keeper, "setup_logging", lambda *_: None)
    monkeypatch.setattr(keeper, "secret_of", secret_of)
    nothing = SimpleNamespace(
        init=lambda **_: None, shutdown=lambda: None, is_initialized=lambda: False
    )
    monkeypatch.setattr(keeper, "ray", nothing)
    monkeypatch.setattr(keeper, "serve", nothing)
    reads, writes = os.pipe()
    os.close(writes)
    with open(reads) as stdin:
        monkeypatch.setattr(keeper.sys, "stdin", stdin)
        assert keeper.main(["web"]) == 0
