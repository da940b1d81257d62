"""How far many machines go: up to 10,000 sessions, simulated from measured costs.

Prints a table of loads, draws one morning that fills the machines, and ends with a line of JSON.

--measure FILE: takes the costs from a server (--url, else one that is started here; --entry app.py
cluster starts a cluster) and writes them. --costs FILE: goes by these; --relayed FILE: those that
were measured through a web tier, from which the tier's own follow.

--check: real runs of a server beside what the simulation says of them; the costs are measured
before and after each, or are those of --costs. With --url nothing else may run on this machine. The
clients need cores too: with --share 0.6 they have enough for frames not to be late, which the
simulation knows nothing of.

python -m benchmarks.scale [--sessions 10000] [--machines 0] [--cores 2] [--web-tiers 4]
    [--plot docs/scale.png]
python -m benchmarks.scale --check [--url http://127.0.0.1:5000] [--replicas 2] [--seconds 150]
"""

from __future__ import annotations

import argparse
import math
import os
import time
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app_core.threads import switch_often
from benchmarks.scale import sweep
from benchmarks.scale.arrivals import Mix
from benchmarks.scale.calibration import Calibration
from benchmarks.scale.check import Figures, compared, mean, planned, predicted, really
from benchmarks.scale.costs import Costs
from benchmarks.scale.replica import Plant
from benchmarks.server import Server
from benchmarks.table import end

if TYPE_CHECKING:
    from collections.abc import Iterator

REST_S = 5.0


def costs_of(chosen: argparse.Namespace) -> Costs:
    costs = Costs.load(chosen.costs) if chosen.costs else Costs()
    return costs.through(Costs.load(chosen.relayed)) if chosen.relayed else costs


@contextmanager
def serving(chosen: argparse.Namespace) -> Iterator[Server]:
    # Sentences are made anew, as for clients that say different things.
    told = ["VOICE_CACHE_MB=0", f"CPU_SHARE={chosen.share:g}", *chosen.setting]
    with Server(chosen.url, told, chosen.entry) as server:
        yield server


def plant_of(chosen: argparse.Namespace, **more: Any) -> Plant:
    fps = chosen.model_fps or math.inf
    more |= {"model_fps": fps, "share": chosen.share}
    return Plant(cores=chosen.cores, replicas=chosen.replicas, **more)


def measured(server: Server, chosen: argparse.Namespace) -> Costs:
    return Calibration(server, chosen.streams).measure()


def check(chosen: argparse.Namespace) -> None:
    switch_often()  # clients are threads of this process: they are not to wait for each other
    plant = plant_of(chosen)
    with serving(chosen) as server:
        runs: list[tuple[Costs, Figures, Figures]] = []
        before = costs_of(chosen) if chosen.costs else measured(server, chosen)
        for seed in range(chosen.seed, chosen.seed + chosen.runs):
            arrivals = planned(before, plant, chosen.load, chosen.seconds, seed)
            time.sleep(REST_S)
            real = really(server, before, arrivals)
            after = before if chosen.costs else measured(server, chosen)
            costs = before.until(after)
            runs.append((costs, real, predicted(costs, plant, arrivals)))
            compared(f"Run {len(runs)}: {len(arrivals)} clients", *runs[-1][1:])
            before = after
    all_real = mean([real for _, real, _ in runs])
    simulated = mean([said for _, _, said in runs])
    title = (
        f"The mean of {len(runs)}: clients come for {chosen.seconds:.0f} s, {chosen.load:g} times"
        f" the room of {plant.replicas} replicas on {plant.cores} cores; first pictures in ms"
    )
    off = compared(title, all_real, simulated)
    figures = {
        "real": asdict(all_real),
        "simulated": asdict(simulated),
        "off_percent": off,
        "runs": [
            {"costs": asdict(costs), "real": asdict(real), "simulated": asdict(said)}
            for costs, real, said in runs
        ],
    }
    end("scale_check", {"plant": asdict(plant), **figures})


def simulate(chosen: argparse.Namespace) -> None:
    # Clients have machines of their own.
    costs, mix = (
        replace(costs_of(chosen), client_ms=0.0),
        Mix(
            speaking=chosen.speaking,
            webrtc=chosen.webrtc,
            viewers=chosen.viewers,
            readers=chosen.readers,
            films=chosen.films,
        ),
    )
    plant = plant_of(chosen, machines=chosen.machines, web_tiers=max(chosen.web_tiers, 0))
    if not chosen.machines:
        plant = sweep.machines_for(costs, plant, mix, chosen.sessions)
    if chosen.web_tiers < 0:
        plant = sweep.tiers_for(costs, plant, mix, chosen.sessions)
    rows = sweep.sweep(costs, plant, mix, chosen.sessions, chosen.seed)
    seen = sweep.morning(costs, plant, mix, chosen.sessions, chosen.seed, chosen.plot)
    head = {"sessions": chosen.sessions, "plant": asdict(plant), "mix": asdict(mix)}
    end("scale", {**head, "costs": asdict(costs), "loads": rows, "morning": seen})


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sessions", type=int, default=10_000, help="at once")
    parser.add_argument("--machines", type=int, default=0, help="0: as many as hold the sessions")
    parser.add_argument("--cores", type=int, default=os.cpu_count() or 2, help="of a machine")
    parser.add_argument("--replicas", type=int, default=1, help="on a machine")
    parser.add_argument(
        "--share", type=float, default=Plant().share, help="of the cores, for live renders"
    )
    parser.add_argument("--model-fps", type=float, default=0.0, help="of a device; 0: no bound")
    parser.add_argument("--web-tiers", type=int, default=-1, help="-1: as many as relay them")
    for name, value, told in (
        ("speaking", 0.5, "part of a session"),
        ("webrtc", 0.0, "part of the sessions"),
        ("viewers", 0.0, "of a session beside the first"),
        ("readers", 0.1, "MJPEG, for each session"),
        ("films", 0.02, "for each session"),
    ):
        parser.add_argument(f"--{name}", type=float, default=value, help=told)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--plot", type=Path, help="a PNG of one morning")
    parser.add_argument("--costs", type=Path)
    parser.add_argument("--relayed", type=Path)
    parser.add_argument("--measure", type=Path, help="write the costs of a server")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--url", default="", help="a running server; none: start one")
    parser.add_argument("--entry", nargs="+", default=["app.py"], help="of one started here")
    parser.add_argument("--setting", action="append", default=[], help="NAME=value of it")
    parser.add_argument(
        "--streams", type=int, default=0, help="at once while costs are measured; 0: what fits"
    )
    parser.add_argument("--load", type=float, default=1.3, help="of the room that there is")
    parser.add_argument("--runs", type=int, default=1, help="of a check, each of other clients")
    parser.add_argument("--seconds", type=float, default=150.0, help="in which clients come")
    chosen = parser.parse_args()
    if chosen.measure:
        with serving(chosen) as server:
            measured(server, chosen).save(chosen.measure)
    elif chosen.check:
        check(chosen)
    else:
        simulate(chosen)


if __name__ == "__main__":
    main()
