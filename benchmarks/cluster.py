"""What the way through a web tier costs: a server alone beside replicas on this machine.

The first picture of a text of fifty words, by turns from one and the other; then --readers live
streams at once from each: pictures that came, that came late, processor time.

python -m benchmarks.cluster [--count 30] [--readers 8] [--seconds 20] [--replicas 2]
"""

from __future__ import annotations

import argparse
import time

import numpy as np

from benchmarks.capacity import run
from benchmarks.first_frame import first_frame_s
from benchmarks.server import Server
from benchmarks.table import end, show

SETTLED_S, WARM_UP = 5.0, 3
MOST_FIRST_MS = 80.0
"""What the way through may cost."""
SAME = 0.99
"""Of the pictures that come from a server alone."""
KEEP = ("VOICE_CACHE_MB=0", "CPU_SHARE=1.0")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=30, help="first pictures from each")
    parser.add_argument("--readers", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--replicas", type=int, default=2)
    chosen = parser.parse_args()
    several = [*KEEP, f"CLUSTER_REPLICAS={chosen.replicas}", "CLUSTER_CORES=0.1"]
    rows, figures, frames = [], {}, {}
    with (
        Server("", KEEP) as alone,
        Server("", [*several, "CLUSTER_DRAIN_S=1"], ("app.py", "cluster")) as cluster,
    ):
        servers = {"alone": alone, "cluster": cluster}
        time.sleep(SETTLED_S)
        firsts: dict[str, list[float]] = {name: [] for name in servers}
        for _ in range(WARM_UP + chosen.count):
            for name, server in servers.items():
                firsts[name].append(1000 * first_frame_s(server, "ru", "espeak"))
        for name, server in servers.items():
            server.wait_idle()
            time.sleep(SETTLED_S)
            median, p95 = np.percentile(firsts[name][WARM_UP:], [50, 95]).tolist()
            told = run(server, chosen.readers, chosen.seconds, "512x512")
            frames[name] = told.frames
            served = told.readers - told.refused - told.failed
            spent = [told.frames_per_s, told.late, told.missing, told.server_cores]
            rows.append([name, median, p95, served, *spent])
            figures[name] = {
                "first_ms": round(median, 1),
                "first_p95_ms": round(p95, 1),
                "served": served,
                "frames": told.frames,
                "late": told.late,
                "missing": told.missing,
                "cores": told.server_cores,
            }
    more = float(rows[1][1]) - float(rows[0][1])
    same = frames["cluster"] / max(frames["alone"], 1)
    show(
        f"A server alone and {chosen.replicas} replicas behind a web tier; {chosen.readers} readers"
        f" for {chosen.seconds:.0f} s",
        ["", "first ms", "p95", "served", "frames/s", "late", "missing", "cores"],
        rows,
    )
    good = more <= MOST_FIRST_MS and same >= SAME
    print(
        f"\nfirst picture {more:+.1f} ms (at most {MOST_FIRST_MS:.0f}); pictures {100 * same:.1f} %"
        f" of those alone (at least {100 * SAME:.0f}): {'PASS' if good else 'FAIL'}"
    )
    end("cluster", {**figures, "more_ms": round(more, 1), "same": round(same, 4), "pass": good})


if __name__ == "__main__":
    main()
