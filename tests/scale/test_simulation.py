"""Arithmetic that a simulation has to keep, whatever it simulates."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from app_core.services.live.sessions import MARGIN
from benchmarks.scale.arrivals import Arrival, Mix, schedule
from benchmarks.scale.costs import Costs
from benchmarks.scale.outcome import Outcome
from benchmarks.scale.replica import Machine, Plant
from benchmarks.scale.simulation import Rules, Simulation
from benchmarks.scale.waiting import erlang_b, stretch

EVEN = Costs(speaking_ms=100.0, idle_ms=100.0, reader_ms=100.0, open_ms=0.0, frame_ms=4.0)
"""A session costs what its admission takes it for."""
ROOM = 14
"""Sessions of ``EVEN`` on two cores of which 0.75 may be filled: 1.5 / (1.07 * 0.1)."""
ONCE = Rules(patience=1, report_s=0.0)


def sessions(count: int, apart_s: float = 0.1, length_s: float = 1000.0) -> list[Arrival]:
    return [Arrival(apart_s * at, "socket", length_s) for at in range(count)]


def held(simulation: Simulation) -> list[int]:
    return [len(replica.streams) for replica in simulation.replicas]


def up(simulation: Simulation) -> list[bool]:
    return [replica.up for replica in simulation.replicas]


def test_who_comes_is_served_or_gives_up() -> None:
    mix = Mix(session_s=60.0, readers=0.5, films=0.3, webrtc=0.2, viewers=0.5)
    arrivals = schedule(mix, [(400.0, 1.2)], seed=3)
    seen = Simulation(Costs(), Plant(machines=3), seed=4).run(arrivals, deaths_s=[100.0, 200.0])
    assert seen.came == len(arrivals) == seen.served + seen.gave_up
    assert seen.gave_up and seen.cut and seen.deaths == 2
    assert seen.refused == sum(seen.reasons.values()) >= seen.gave_up


def test_lost_calls_are_those_of_erlang() -> None:
    load = 12.0
    arrivals = schedule(Mix(session_s=20.0), [(20_000.0, load / 20.0)], seed=5)
    seen = Simulation(EVEN, Plant(), ONCE).run(arrivals)
    assert seen.gave_up / seen.came == pytest.approx(erlang_b(ROOM, load), rel=0.06)


def test_a_machine_takes_in_what_the_service_would() -> None:
    assert int(1.5 / (MARGIN * 0.1)) == ROOM
    simulation = Simulation(EVEN, Plant(), ONCE)
    assert simulation.run(sessions(20)).served == ROOM
    assert simulation.outcome.reasons == {"cores": 20 - ROOM}


def test_two_replicas_of_one_machine_share_its_cores() -> None:
    simulation = Simulation(EVEN, Plant(replicas=2), ONCE)
    assert simulation.run(sessions(20)).served == ROOM
    assert simulation.outcome.reasons == {"cores": 20 - ROOM}


def test_work_goes_where_there_is_most_room() -> None:
    simulation = Simulation(EVEN, Plant(machines=4), ONCE)
    counts: list[list[int]] = []
    simulation._at(5.0, lambda: counts.append(held(simulation)))
    simulation.run(sessions(22))
    assert sorted(counts[0]) == [5, 5, 6, 6]


def test_room_that_was_reported_before_is_not_given_twice() -> None:
    simulation = Simulation(EVEN, Plant(machines=4), Rules(report_s=60.0))
    counts: list[list[int]] = []
    simulation._at(5.0, lambda: counts.append(held(simulation)))
    simulation.run(sessions(22, apart_s=0.01))
    assert sorted(counts[0]) == [5, 5, 6, 6]


def test_a_full_replica_is_tried_elsewhere_first() -> None:
    simulation = Simulation(EVEN, Plant(machines=2, most_sessions=5), ONCE)
    counts: list[list[int]] = []
    simulation._at(5.0, lambda: counts.append(held(simulation)))
    # The first takes as much as two, so the other replica has most room until it is full.
    heavy = Arrival(0.0, "socket", 1000.0, viewers=26)
    seen = simulation.run([heavy, *sessions(10)[1:]])
    assert (seen.refused, sorted(counts[0])) == (0, [5, 5])


def test_the_sessions_of_a_dead_replica_end_and_come_again() -> None:
    simulation = Simulation(EVEN, Plant(machines=2), Rules(patience=1, report_s=0.0))
    counts: list[list[int]] = []
    for at_s in (49.0, 51.0, 70.0):
        simulation._at(at_s, lambda: counts.append([*held(simulation), *up(simulation)]))
    seen = simulation.run(sessions(10, length_s=100.0), deaths_s=[50.0])
    before, after, back = counts
    assert before == [5, 5, 1, 1]
    assert sorted(after[:2]) == [0, 10] and sorted(after[2:]) == [0, 1]
    assert back[2:] == [1, 1]
    assert (seen.cut, seen.served, seen.gave_up) == (5, 10, 0)
    assert seen.live_s == pytest.approx(10 * 100.0)


def test_films_of_a_dead_replica_are_made_elsewhere() -> None:
    films = [Arrival(0.1 * at, "film", 60.0) for at in range(4)]
    seen = Simulation(EVEN, Plant(machines=2), ONCE).run(films, deaths_s=[1.0])
    assert (seen.cut, seen.served) == (2, 4)


def test_a_session_that_falls_silent_makes_room() -> None:
    costs = Costs(speaking_ms=100.0, idle_ms=50.0, open_ms=60.0, frame_ms=4.0)
    silent = [Arrival(20.0 * at, "socket", 1000.0, 0.001) for at in range(ROOM)]
    simulation = Simulation(costs, Plant(), ONCE)
    seen = simulation.run(
        [*silent, *[Arrival(400.0 + 60.0 * at, "socket", 10.0) for at in range(5)]]
    )
    assert seen.gave_up == 0
    assert seen.core_s == pytest.approx(ROOM * (0.1 + 999 * 0.05) + 5 * 1.0 + 19 * 0.06)


def test_what_is_spent_once_takes_room_for_a_while() -> None:
    now_s = 0.0
    machine = Machine(Plant(), EVEN, lambda: now_s)
    machine.spend(500.0)
    assert machine.used == pytest.approx(0.1)
    now_s = 5.0
    machine.spend(500.0)
    assert machine.used == pytest.approx(0.1 / math.e + 0.1)
    now_s = 60.0
    assert machine.used < 1e-4


@pytest.mark.parametrize("refusal_ms, refused", [(0.0, 45), (40.0, 46)])
def test_whoever_is_turned_away_costs_too(refusal_ms: float, refused: int) -> None:
    """So much that the last one, who comes when there is room, finds none."""
    full = [Arrival(0.0, "socket", 55.0), *[Arrival(0.0, "socket", 100.0)] * (ROOM - 1)]
    knocking = [Arrival(10.0 + at, "socket", 10.0) for at in range(45)]
    costs = replace(EVEN, refusal_ms=refusal_ms)
    late = [Arrival(55.5, "socket", 10.0)]
    seen = Simulation(costs, Plant(), ONCE).run([*full, *knocking, *late])
    assert seen.refused == refused
    assert seen.core_s == pytest.approx(0.1 * seen.live_s + refused * refusal_ms / 1000.0)


def test_costs_between_two_measurements() -> None:
    between = replace(EVEN, idle_ms=50.0).until(replace(EVEN, idle_ms=70.0, refusal_ms=8.0))
    assert (between.idle_ms, between.refusal_ms, between.speaking_ms) == (60.0, 4.0, 100.0)
    assert between.first_session_ms == EVEN.first_session_ms * 2


def test_a_model_that_draws_few_frames_is_what_is_used_up() -> None:
    seen = Simulation(EVEN, Plant(model_fps=140.0), ONCE).run(sessions(8))
    assert seen.served == int(0.9 * 140 / 25)
    assert list(seen.broke) == ["model frames"]


def test_over_webrtc_fewer_fit() -> None:
    costs = Costs(speaking_ms=100.0, webrtc_ms=172.0, frame_ms=4.0)
    peers = [Arrival(0.1 * at, "webrtc", 1000.0) for at in range(20)]
    assert Simulation(costs, Plant(), ONCE).run(peers).served == 8


def test_a_web_tier_of_one_core_is_seen_to_be_full() -> None:
    costs = Costs(speaking_ms=10.0, idle_ms=10.0, frame_ms=0.4, web_ms=10.0)
    plant = Plant(machines=4, web_tiers=1, network_mbits=1e6)
    seen = Simulation(costs, plant, ONCE).run(sessions(100, length_s=30.0))
    assert list(seen.broke) == ["web tier's core"]
    assert seen.broke["web tier's core"][1] in range(90, 101)


def test_first_pictures_are_stretched_by_who_shares_the_cores() -> None:
    costs = replace(EVEN, first_session_ms=(40.0,))
    seen = Simulation(costs, Plant(), ONCE).run(sessions(10))
    expected = [40.0 * stretch(2, round(0.1 * at, 2)) for at in range(10)]
    assert seen.first_ms["socket"] == pytest.approx(expected)


def test_replicas_follow_ongoing_work() -> None:
    mix = Mix(session_s=60.0, fixed=True)
    arrivals = schedule(mix, [(600.0, 1.0), (1800.0, 0.05)], seed=6)
    rules = Rules(least=2, patience=200)
    seen: Outcome = Simulation(EVEN, Plant(machines=10), rules).run(arrivals)
    replicas = np.array([each.replicas for each in seen.samples])
    assert replicas[0] == 2
    assert replicas.max() in range(5, 8)  # sixty at once, eleven or twelve each
    assert replicas[-1] == 2
    assert seen.served == seen.came


def test_a_schedule_is_the_same_for_the_same_seed() -> None:
    mix = Mix(readers=1.0)
    assert schedule(mix, [(100.0, 1.0)], 7) == schedule(mix, [(100.0, 1.0)], 7)
    assert schedule(mix, [(100.0, 1.0)], 7) != schedule(mix, [(100.0, 1.0)], 8)
