"""How a cluster fares as more and more sessions come: a table, and one morning as a plot."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from app_core.engine.core_budget import MODEL_SHARE
from app_core.services.live.sessions import MARGIN
from benchmarks.line_plot import Chart, draw
from benchmarks.scale.arrivals import Mix, ramp, schedule
from benchmarks.scale.replica import FPS
from benchmarks.scale.simulation import Rules, Simulation
from benchmarks.scale.usage import REQUESTS_S
from benchmarks.table import show

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.scale.costs import Costs
    from benchmarks.scale.outcome import Outcome
    from benchmarks.scale.replica import Plant

LOADS = (0.1, 0.5, 0.8, 1.0, 1.1, 1.3)
"""Of the sessions that are asked for."""
BUILT, HELD = 3, 1
"""Mean lengths of a session in which a load builds up, and for which it is then looked at."""
COLUMNS = (
    *("sessions", "open", "refused %", "gave up %", "first p50", "p95", "p99", "cores %"),
    *("frames %", "memory %", "network %", "web core %", "web net %", "ledger %", "used up first"),
)


def held(costs: Costs, plant: Plant, mix: Mix, sessions: float, seed: int) -> dict[str, Any]:
    """One load, all replicas up. Those open and the resources are told of the time after it has
    built up, the rest of all who came."""
    built_s, end_s = BUILT * mix.session_s, (BUILT + HELD) * mix.session_s
    arrivals = schedule(mix, [(end_s, sessions / mix.live_s)], seed)
    seen = Simulation(costs, plant, seed=seed).run(arrivals)
    steady = [each for each in seen.samples if built_s < each.at_s <= end_s]
    p50, p95, p99 = seen.percentiles_ms(50, 95, 99) or [math.nan] * 3

    def most(name: str) -> float:
        return 100 * max((getattr(each, name) for each in steady), default=0.0)

    return {
        "sessions": round(sessions),
        "open": float(np.mean([each.live for each in steady])),
        "refused": seen.refused,
        "refused %": 100 * seen.refused / max(seen.came + seen.refused - seen.gave_up, 1),
        "gave up %": 100 * seen.gave_up / max(seen.came, 1),
        "first p50": p50,
        "p95": p95,
        "p99": p99,
        "cores %": most("cores"),
        "frames %": most("frames"),
        "memory %": most("memory"),
        "network %": most("network"),
        "web core %": most("web_cores"),
        "web net %": most("web_network"),
        "ledger %": most("ledger"),
        "used up first": first_broken(seen),
    }


def first_broken(seen: Outcome) -> str:
    return min(seen.broke, key=lambda what: seen.broke[what][0]) if seen.broke else "-"


def sweep(costs: Costs, plant: Plant, mix: Mix, sessions: int, seed: int) -> list[dict[str, Any]]:
    """Prints its table."""
    rows = [held(costs, plant, mix, load * sessions, seed) for load in LOADS]
    show(
        f"Up to {round(LOADS[-1] * sessions)} sessions on {plant.machines} machines of"
        f" {plant.cores} cores, {plant.replicas} replicas each, behind {plant.web_tiers} web tiers;"
        " first pictures in ms; resources at their fullest",
        COLUMNS,
        [[row[name] for name in COLUMNS] for row in rows],
    )
    return rows


def morning(
    costs: Costs, plant: Plant, mix: Mix, sessions: int, seed: int, plot: Path | None
) -> dict[str, Any]:
    """An hour in which ``LOADS[-1]`` times as many come at its end, from nobody; replicas are
    started as work grows, and one is killed every five minutes. Raises OSError."""
    long_s = 3600.0
    arrivals = schedule(mix, ramp(LOADS[-1] * sessions / mix.live_s, long_s), seed)
    # The heaviest work that comes: a replica that is full of it must look full to the autoscaler.
    heaviest_ms = max(costs.speaking_ms, costs.webrtc_ms if mix.webrtc else 0.0)
    target = Rules().target * costs.speaking_ms / heaviest_ms
    rules = Rules(least=min(2, plant.machines * plant.replicas), target=target)
    deaths_s = np.arange(300.0, long_s, 300.0).tolist()
    seen = Simulation(costs, plant, rules, seed).run(arrivals, deaths_s)
    shown = [each for each in seen.samples if each.at_s <= long_s]
    if plot is not None:
        draw(
            plot,
            f"{sessions} sessions on {plant.machines} x {plant.cores} cores: an hour fills them",
            [each.at_s / 60 for each in shown],
            [
                Chart("sessions and readers", [each.live for each in shown]),
                Chart("replicas", [each.replicas for each in shown]),
                Chart("refusals a minute", [6 * each.refused for each in shown]),
                Chart("first picture, p95, ms", _filled([each.first_p95_ms for each in shown])),
                Chart("cores in use, %", [100 * each.cores for each in shown]),
                Chart("a web tier's core, %", [100 * each.web_cores for each in shown]),
            ],
        )
    p50, p95, p99 = seen.percentiles_ms(50, 95, 99) or [math.nan] * 3
    return {
        "came": seen.came,
        "served": seen.served,
        "gave_up": seen.gave_up,
        "refused": dict(seen.reasons),
        "cut": seen.cut,
        "deaths": seen.deaths,
        "most_live": max(each.live for each in seen.samples),
        "most_replicas": max(each.replicas for each in seen.samples),
        "first_ms": {"p50": round(p50, 1), "p95": round(p95, 1), "p99": round(p99, 1)},
        "used_up": {
            what: {"minute": round(at / 60, 1), "live": live}
            for what, (at, live) in sorted(seen.broke.items(), key=lambda b: b[1][0])
        },
    }


def machines_for(costs: Costs, plant: Plant, mix: Mix, sessions: int) -> Plant:
    """As many machines as hold so many sessions, by what one costs on average."""
    mean_ms = mix.speaking * costs.speaking_ms + (1 - mix.speaking) * costs.idle_ms
    mean_ms += mix.webrtc * (costs.webrtc_ms - costs.speaking_ms) + mix.viewers * costs.viewer_ms
    by_cores = plant.share * plant.cores * 1000.0 / (MARGIN * mean_ms)
    by_frames = MODEL_SHARE * plant.model_fps * plant.replicas / FPS
    return replace(plant, machines=math.ceil(sessions / min(by_cores, by_frames)))


def tiers_for(costs: Costs, plant: Plant, mix: Mix, sessions: int) -> Plant:
    """As many web tiers as relay so much with a fifth to spare, on a core and a line each."""
    relayed = sessions * (1 + mix.viewers - mix.webrtc + mix.readers * mix.reader_s / mix.session_s)
    requests_ms = sessions * REQUESTS_S * costs.web_request_ms
    by_cores = (relayed * costs.web_ms + requests_ms) / 1000.0
    by_network = 2 * relayed * costs.socket_kbits / 1000.0 / plant.network_mbits
    return replace(plant, web_tiers=max(1, math.ceil(max(by_cores, by_network) / 0.8)))


def _filled(values: list[float]) -> list[float]:
    """What is not known is as it was."""
    known = 0.0
    return [known := value if math.isfinite(value) else known for value in values]
