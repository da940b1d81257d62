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


def orphan(ledger: Ledger, clock: Clock) -> None:
    """Its replica is lost."""
    ledger.begun("a", FILM, "0000dead")
    clock.now += module.LOST_S + 0.1


@pytest.mark.parametrize("no_room", [429, 503, 507])
def test_a_full_one_is_passed_over_and_all_full_is_tried_again(clock: Clock, no_room: int) -> None:
    replicas = Replicas(one=503, two=no_room)
    ledger = Ledger("secret", replicas)
    orphan(ledger, clock)
    for report in (ONE, TWO):
        ledger.report(report)
    ledger.tend()
    assert replicas.asked == [("a", "two"), ("a", "one")]
    assert ledger.view().moving == ("a",)
    replicas.status["one"] = 202
    ledger.tend()
    assert ledger.view().moving == ()


@pytest.mark.parametrize("status", [400, 401, 404])
def test_a_film_that_is_refused_for_good_is_forgotten(clock: Clock, status: int) -> None:
    ledger = Ledger("secret", Replicas(one=status))
    orphan(ledger, clock)
    ledger.report(ONE)
    ledger.tend()
    assert ledger.view().moving == ()


def test_a_film_that_is_made_is_forgotten(clock: Clock) -> None:
    replicas = Replicas(two=202)
    ledger = Ledger("secret", replicas)
    ledger.report(replace(ONE, jobs=("a",)))
    ledger.begun("a", FILM, ONE.place)
    clock.now += 1.0
    ledger.report(replace(ONE, jobs=("a",)))
    ledger.report(replace(TWO, ended=("a",)))
    ledger.report(replace(ONE, ended=("a",)))
    clock.now += module.LOST_S + 0.1
    ledger.report(TWO)
    ledger.tend()
    assert replicas.asked == []


def test_a_report_from_before_a_film_began_does_not_end_it(clock: Clock) -> None:
    """It may be late by any time: it is another call than the film's."""
    replicas = Replicas(two=202)
    ledger = Ledger("secret", replicas)
    ledger.begun("a", FILM, ONE.place)
    clock.now += 1.0
    ledger.report(ONE)
    clock.now += module.LOST_S + 0.1
    ledger.report(TWO)
    ledger.tend()
    assert replicas.asked == [("a", "two")]


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


def test_who_has_begun_a_film_lives_though_a_new_ledger_has_not_heard_of_it(clock: Clock) -> None:
    replicas = Replicas(two=202)
    ledger = Ledger("secret", replicas)
    ledger.report(TWO)
    ledger.begun("a", FILM, ONE.place)
    ledger.tend()
    assert replicas.asked == []
    ledger.report(replace(ONE, jobs=("a",)))
    clock.now += module.LOST_S + 0.1
    ledger.report(TWO)
    ledger.tend()
    assert replicas.asked == [("a", "two")]


def test_what_one_that_goes_has_not_done_is_begun_elsewhere_at_once(clock: Clock) -> None:
    replicas = Replicas(two=202)
    ledger = Ledger("secret", replicas)
    for report in (ONE, TWO):
        ledger.report(report)
    ledger.begun("a", FILM, ONE.place)
    ledger.left(ONE.place)
    assert ledger.view().moving == ("a",)
    ledger.tend()
    assert replicas.asked == [("a", "two")]
    assert ledger.view().moving == ()


def test_a_film_that_ends_every_replica_is_given_up(clock: Clock) -> None:
    ledger: Ledger
    asked: list[str] = []

    def again(film: Film, job_id: str, door: Door, secret: str) -> int:
        asked.append(door.host)
        ledger.begun(job_id, film, f"{len(asked):08x}")  # as the replica itself says
        return 202

    ledger = Ledger("secret", again)
    ledger.begun("a", FILM, "0000dead")
    for number in range(module.MOST_LOST + 3):
        clock.now += module.LOST_S + 0.1
        ledger.tend()
        place = f"{number + 1:08x}"
        ledger.report(replace(ONE, place=place, door=Door(place, 1)))
        ledger.tend()
    assert len(asked) == module.MOST_LOST
    assert ledger.view().moving == ()


def test_a_film_that_cannot_be_asked_for_does_not_stop_the_others(clock: Clock) -> None:
    asked = []

    def again(film: Film, job_id: str, door: Door, secret: str) -> int:
        asked.append(job_id)
        if job_id == "a":
            raise OSError("no descriptor is left")
        return 202

    ledger = Ledger("secret", again)
    ledger.begun("a", FILM, "0000dead")
    ledger.begun("b", FILM, "0000dead")
    clock.now += module.LOST_S + 0.1
    ledger.report(ONE)
    ledger.tend()
    assert asked == ["a", "b"]
    assert ledger.view().moving == ("a",)


def test_one_that_was_only_slow_goes_on_with_what_nobody_else_has_taken(clock: Clock) -> None:
    replicas = Replicas(two=503)
    ledger = Ledger("secret", replicas)
    ledger.begun("a", FILM, ONE.place)
    clock.now += module.LOST_S + 0.1
    ledger.report(TWO)
    ledger.tend()
    assert ledger.view().moving == ("a",)
    ledger.report(replace(ONE, jobs=("a",)))
    assert ledger.view().moving == ()
    replicas.status["two"] = 202
    ledger.tend()
    assert replicas.asked == [("a", "two")], "nobody is asked again"


def test_a_new_ledger_has_nobody_forgotten_that_may_live(clock: Clock) -> None:
    before = Ledger("secret")
    for report in (ONE, TWO):
        before.report(report)
    ledger = Ledger("secret")
    ledger.report(replace(ONE, slack=0.3))
    first = ledger.view().after(before.view())
    assert {report.place: report.slack for report in first.reports} == {
        ONE.place: 0.3,
        TWO.place: 2.0,
    }
    clock.now += module.LOST_S + 0.1
    ledger.report(ONE)
    assert ledger.view().after(first).reports == (ONE,)
