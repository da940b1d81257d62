from __future__ import annotations

from dataclasses import replace

import pytest

from app_core.cluster import ledger as module
from app_core.cluster.film import Film
from app_core.cluster.ledger import Ledger, ReplicaReport
from app_core.cluster.places import Door

FILM = Film({"PATH_INFO": "/api/generate"}, b"{}")
ONE = ReplicaReport("00000001", Door("one", 1), 1.0, True, ())
TWO = ReplicaReport("00000002", Door("two", 2), 2.0, True, ())


class Clock:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 100.0
        monkeypatch.setattr(module.time, "monotonic", lambda: self.now)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


class Replicas:
    """They answer a film with what ``status`` says, by their doors."""

    def __init__(self, **status: int) -> None:
        self.status, self.asked = status, []  # type: ignore[var-annotated]

    def __call__(self, film: Film, job_id: str, door: Door, secret: str) -> int:
        assert (film, secret) == (FILM, "secret")
        self.asked.append((job_id, door.host))
        return self.status[door.host]


def test_a_silent_replica_is_lost_and_its_films_are_made_where_there_is_slack(
    clock: Clock,
) -> None:
    replicas = Replicas(one=202, two=202, three=202)
    ledger = Ledger("secret", replicas)
    three = replace(ONE, place="00000003", door=Door("three", 3), slack=0.5)
    for report in (ONE, TWO, three):
        ledger.report(report)
    ledger.begun("a", FILM, ONE.place)
    ledger.tend()
    assert replicas.asked == []
    clock.now += module.LOST_S + 0.1
    for report in (TWO, three):
        ledger.report(report)
    assert ledger.view().moving == ()
    ledger.tend()
    assert replicas.asked == [("a", "two")]
    assert {report.place for report in ledger.view().reports} == {TWO.place, three.place}
    assert ledger.view().moving == ()


def test_a_full_one_is_passed_over_and_all_full_is_tried_again(clock: Clock) -> None:
    replicas = Replicas(one=503, two=503)
    ledger = Ledger("secret", replicas)
    for report in (ONE, TWO):
        ledger.report(report)
    ledger.begun("a", FILM, "0000dead")
    ledger.tend()
    assert replicas.asked == [("a", "two"), ("a", "one")]
    assert ledger.view().moving == ("a",)
    replicas.status["one"] = 202
    ledger.tend()
    assert ledger.view().moving == ()


@pytest.mark.parametrize("status", [400, 401, 404])
def test_a_film_that_is_refused_for_good_is_forgotten(clock: Clock, status: int) -> None:
    ledger = Ledger("secret", Replicas(one=status))
    ledger.report(ONE)
    ledger.begun("a", FILM, "0000dead")
    ledger.tend()
    assert ledger.view().moving == ()


def test_a_film_that_is_made_is_forgotten(clock: Clock) -> None:
    replicas = Replicas(two=202)
    ledger = Ledger("secret", replicas)
    ledger.report(replace(ONE, jobs=("a",)))
    ledger.begun("a", FILM, ONE.place)
    clock.now += 1.0
    ledger.report(replace(ONE, jobs=("a",)))
    clock.now += 1.0
    ledger.report(ONE)
    clock.now += module.LOST_S + 0.1
    ledger.report(TWO)
    ledger.tend()
    assert replicas.asked == []


def test_a_new_ledger_asks_for_the_films_that_run(clock: Clock) -> None:
    ledger = Ledger("secret")
    assert sorted(ledger.report(replace(ONE, jobs=("a", "b")))) == ["a", "b"]
    ledger.begun("a", FILM, ONE.place)
    assert ledger.report(replace(ONE, jobs=("a", "b"))) == ("b",)


def test_its_memory_is_bounded(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 1)
    ledger = Ledger("secret")
    ledger.report(ONE)
    ledger.begun("a", FILM, "0000dead")
    ledger.begun("b", FILM, "0000dead")
    assert ledger.view().moving == ("a",)


def test_a_replica_that_says_goodbye_is_not_missed(clock: Clock) -> None:
    ledger = Ledger("secret")
    ledger.report(ONE)
    ledger.left(ONE.place)
    assert ledger.view().reports == ()
