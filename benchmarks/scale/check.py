"""A real run beside what the simulation says of it, by the same schedule."""

from __future__ import annotations

import threading
from dataclasses import dataclass, fields
from statistics import fmean, median
from typing import TYPE_CHECKING

from app_core.engine.core_budget import LATE_SHARE
from benchmarks.scale.arrivals import Mix, schedule
from benchmarks.scale.meter import Meter
from benchmarks.scale.replica import Plant
from benchmarks.scale.simulation import Rules, Simulation
from benchmarks.scale.visits import visits
from benchmarks.table import show

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.scale.arrivals import Arrival
    from benchmarks.scale.costs import Costs
    from benchmarks.scale.outcome import Outcome
    from benchmarks.server import Server

MIX = Mix(session_s=30.0, speaking=0.6, readers=0.5, reader_s=15.0)
DRAWS = 20
LEAST_S = 5.0
"""That a client stays."""
ALLOWED = 15.0
"""Percent."""


@dataclass(frozen=True, slots=True)
class Figures:
    """Of one run, real or simulated."""

    came: float
    admitted: float
    turned_away: float
    """Clients that gave up after they were refused."""
    refusals: float
    """Answers of 503."""
    live_s: float
    """Of all streams together, seconds."""
    core_ms: float
    """For a second of a stream."""
    first_session_ms: float
    """Median."""
    first_reader_ms: float
    disturbed: float = 0.0
    """Part of the time in which the server let nobody in because frames were late: where it is not
    near 0 something else ran on the machine, and the comparison says nothing."""


class Watch:
    """Asks once a second how late a server's frames are."""

    def __init__(self, server: Server) -> None:
        self._server, self._late = server, list[bool]()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def end(self) -> float:
        """Part of the looks in which it was too late to let anybody in, 0..1."""
        self._over.set()
        self._thread.join()
        return fmean(self._late) if self._late else 0.0

    def _look(self) -> None:
        while not self._over.wait(1.0):
            late = self._server.health().get("capacity", {}).get("late", 0.0)
            self._late.append(late > LATE_SHARE)


def planned(costs: Costs, plant: Plant, load: float, seconds: float, seed: int) -> list[Arrival]:
    """Who comes in so many seconds, for ``load`` times the cores that live renders may fill."""
    spoken_ms = MIX.speaking * costs.speaking_ms + (1 - MIX.speaking) * costs.idle_ms
    one_ms = spoken_ms * MIX.session_s + MIX.readers * MIX.reader_s * costs.reader_ms
    rate = load * 1000 * plant.share * plant.cores / one_ms
    return schedule(MIX, [(seconds, rate)], seed, LEAST_S)


def really(server: Server, costs: Costs, arrivals: Sequence[Arrival]) -> Figures:
    """Raises RuntimeError when a client met anything but a place or a refusal."""
    meter = Meter(server)
    watch = Watch(server)
    found = visits(server.url, arrivals, Rules())
    lap, disturbed = meter.lap(), watch.end()
    faults = [f"{each.arrival.kind}: {each.fault}" for each in found if each.fault]
    if faults:
        raise RuntimeError(f"{len(faults)} faults: {faults[:5]}")
    live_s = sum(each.stayed_s for each in found)
    core_s = lap.server_s - costs.background_ms / 1000 * lap.wall_s
    return Figures(
        came=len(found),
        admitted=sum(each.admitted for each in found),
        turned_away=sum(not each.admitted for each in found),
        refusals=sum(each.refused for each in found),
        live_s=live_s,
        core_ms=1000 * core_s / max(live_s, 1e-9),
        first_session_ms=_median([v.first_ms for v in found if v.arrival.kind != "reader"]),
        first_reader_ms=_median([v.first_ms for v in found if v.arrival.kind == "reader"]),
        disturbed=disturbed,
    )


def predicted(costs: Costs, plant: Plant, arrivals: Sequence[Arrival]) -> Figures:
    """The mean of DRAWS: what is drawn of the measured samples is another each time."""
    return mean([_simulated(costs, plant, arrivals, draw) for draw in range(DRAWS)])


def _simulated(costs: Costs, plant: Plant, arrivals: Sequence[Arrival], seed: int) -> Figures:
    seen: Outcome = Simulation(costs, plant, seed=seed).run(arrivals)
    sessions = [ms for kind, all_ms in seen.first_ms.items() if kind != "reader" for ms in all_ms]
    return Figures(
        came=seen.came,
        admitted=seen.served,
        turned_away=seen.gave_up,
        refusals=seen.refused,
        live_s=seen.live_s,
        core_ms=1000 * seen.core_s / max(seen.live_s, 1e-9),
        first_session_ms=_median(sessions),
        first_reader_ms=_median(seen.first_ms["reader"]),
    )


def mean(runs: Sequence[Figures]) -> Figures:
    """Of each figure."""
    names = [each.name for each in fields(Figures)]
    return Figures(**{name: fmean(getattr(run, name) for run in runs) for name in names})


def compared(title: str, real: Figures, simulated: Figures) -> dict[str, float | None]:
    """Percent by which the simulation is off, by name; prints the table. None where nothing of
    the kind happened."""
    names = (
        *("admitted", "turned_away", "refusals", "live_s", "core_ms"),
        *("first_session_ms", "first_reader_ms"),
    )
    off: dict[str, float | None] = {}
    rows = []
    for name in names:
        was, said = float(getattr(real, name)), float(getattr(simulated, name))
        off[name] = round(100 * (said - was) / was, 1) if was else None
        rows.append([name, was, said, off[name], abs(off[name] or 0.0) <= ALLOWED])
    show(title, ["", "real", "simulated", "off by %", f"within {ALLOWED:.0f} %"], rows)
    print(f"\nFrames were too late to let anybody in for {100 * real.disturbed:.0f} % of the time")
    return off


def _median(values: Sequence[float | None]) -> float:
    known = [value for value in values if value is not None]
    return median(known) if known else 0.0
