"""How far behind its sound a viewer on a thin line is, over loopback.

python -m benchmarks.slow_viewer [--url http://127.0.0.1:5000] [--kb 150 400 0] [--size 512x512]
                                 [--burst 65536]

A viewer is behind by what a frame came later than its time, counted from the first frame.
"""

from __future__ import annotations

import argparse
import json
import time
import urllib.request
import uuid
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.mjpeg_reader import MjpegReader
from benchmarks.server import Server
from benchmarks.table import end, show
from benchmarks.texts import TEXTS

if TYPE_CHECKING:
    from collections.abc import Mapping

FPS = 25
_SETTLED_S = 10
"""From then on a viewer is near now."""
_PAUSE_S = 0.2
_LOOK_S = 0.01


def read_at(reader: MjpegReader, bytes_a_second: int, burst: int = 0) -> None:
    """To the end of the answer; 0: as fast as it comes. ``burst``: so many bytes at once, with
    pauses between; 0: as evenly as it goes."""
    began, taken = time.monotonic(), 0
    while not reader.ended:
        if not bytes_a_second:
            reader.receive()
            continue
        if burst:
            before = reader.received
            reader.receive(burst)
            time.sleep((reader.received - before) / bytes_a_second)
            continue
        room = int((time.monotonic() - began) * bytes_a_second) - taken
        # An idle line does not save up.
        if room > bytes_a_second * _PAUSE_S:
            began, taken, room = time.monotonic(), 0, 0
        if room < 1024:
            time.sleep(_LOOK_S)
            continue
        before = reader.received
        reader.receive(room)
        taken += reader.received - before


def behind_s(arrivals: Mapping[int, float]) -> dict[int, float]:
    """Of each frame."""
    first = min(arrivals)
    origin = arrivals[first] - first / FPS
    return {index: at - origin - index / FPS for index, at in arrivals.items()}


def view(server: Server, kilobytes: int, size: str, burst: int) -> dict[str, Any]:
    job_id = str(uuid.uuid4())
    fields = {"text": TEXTS["ru"], "size": size, "fps": FPS, "job_id": job_id}
    reader = MjpegReader(server.address, fields)
    try:
        read_at(reader, kilobytes * 1000, burst)
    finally:
        reader.close()
    with urllib.request.urlopen(f"{server.url}/api/jobs/{job_id}", timeout=10) as answer:
        frames = json.load(answer)["frames"]
    behind = behind_s(reader.arrivals)
    last = max(behind)
    late = [seconds for index, seconds in behind.items() if index >= _SETTLED_S * FPS]
    return {
        "kb_s": kilobytes,
        "seconds": frames["total"] / FPS,
        "frames": frames["total"],
        "shown": len(behind),
        "dropped": frames["dropped"],
        "last": last,
        "median_behind_s": round(float(np.median(list(behind.values()))), 3),
        "most_behind_s": round(max(behind.values()), 3),
        "settled_most_behind_s": round(max(late, default=0.0), 3),
        "last_behind_s": round(behind[last], 3),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", default="", help="a running server; none: start one")
    parser.add_argument(
        "--kb", type=int, nargs="+", default=[150, 400, 0], help="kB a second; 0: no limit"
    )
    parser.add_argument("--size", default="512x512")
    parser.add_argument("--burst", type=int, default=0, help="bytes read at once; 0: evenly")
    chosen = parser.parse_args()
    with Server(chosen.url) as server:
        found = [view(server, kilobytes, chosen.size, chosen.burst) for kilobytes in chosen.kb]
    show(
        f"Viewers on thin lines, {chosen.size} at {FPS} frames/s: seconds behind the sound",
        [
            "kB/s",
            "frames",
            "shown",
            "dropped",
            "last",
            "median",
            "most",
            f"after {_SETTLED_S} s",
            "last one",
        ],
        [
            [
                one["kb_s"] or "no limit",
                one["frames"],
                one["shown"],
                one["dropped"],
                one["last"],
                one["median_behind_s"],
                one["most_behind_s"],
                one["settled_most_behind_s"],
                one["last_behind_s"],
            ]
            for one in found
        ],
    )
    end("slow_viewer", {"size": chosen.size, "burst": chosen.burst, "viewers": found})


if __name__ == "__main__":
    main()
