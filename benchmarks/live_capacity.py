"""Sessions that all speak at once: whether every picture comes, on time, and who is refused.

One viewer each, which counts messages and decodes nothing. A picture is late when it arrives over
40 ms after its time, picture n being due n / fps after the earliest arrival; one that never came is
missing. Sessions are made until the server refuses one (503) or --sessions are there; then all
speak for --seconds.

python -m benchmarks.live_capacity [--sessions 24] [--seconds 30] [--size 512x512] [--video jpeg]
"""

from __future__ import annotations

import argparse
import time
from typing import TYPE_CHECKING, Any

import numpy as np

from app_core.cores import Cores
from app_core.metrics import LATE_S
from benchmarks.capacity import share
from benchmarks.server import Server
from benchmarks.session_viewer import JPEG, MP4, PCM, Refused, SessionViewer
from benchmarks.table import end, show
from benchmarks.texts import TEXTS

if TYPE_CHECKING:
    from collections.abc import Sequence

FPS = 25
SPACING_S = 1.0
"""Between two that come: the server learns what one costs before the next asks."""
SETTLED_S = 6.0
"""After a start: what is loaded beside the first requests takes a core until then."""


def opened(url: str, most: int, fields: dict[str, Any], video: str) -> tuple[list[Any], int]:
    """Viewers of sessions that speak, and how many were refused: one, then nobody asks again."""
    viewers: list[SessionViewer] = []
    languages = list(TEXTS)
    while len(viewers) < most:
        language = languages[len(viewers) % len(languages)]
        try:
            viewer = SessionViewer(url, video, keep=False, language=language, **fields)
        except Refused as refused:
            if refused.status != 503:
                raise
            return viewers, 1
        speak(viewer, language)
        viewers.append(viewer)
        time.sleep(SPACING_S)
    return viewers, 0


def speak(viewer: SessionViewer, language: str) -> None:
    """Keeps it speaking for two minutes: a text of about 20 s, six times."""
    for _ in range(6):
        viewer.tell("say", text=TEXTS[language])


def judged(viewer: SessionViewer, from_s: float, until_s: float) -> dict[str, int]:
    """Of the pictures between two moments."""
    kinds = (JPEG, MP4)
    seen = [m for m in viewer.messages if m.kind in kinds and from_s <= m.at_s < until_s]
    sounds = [m for m in viewer.messages if m.kind == PCM and from_s <= m.at_s < until_s]
    if not seen:
        return {"frames": 0, "late": 0, "missing": round((until_s - from_s) * FPS), "silent": 0}
    # The clock is that of the earliest arrival, as of a viewer whose buffer has settled.
    origin_s = min(m.at_s - m.frame / FPS for m in seen)
    late = sum(m.at_s - origin_s - m.frame / FPS > LATE_S for m in seen)
    frames = [m.frame for m in sounds]
    missing = max(frames) - min(frames) + 1 - len(frames) if frames else 0
    return {
        "frames": len(seen),
        "late": late,
        "missing": max(0, seen[-1].frame - seen[0].frame + 1 - len(seen)),
        "silent": sum(m.idle for m in sounds),
        "sounds_missing": missing,
    }


def run(server: Server, most: int, seconds: float, fields: dict[str, Any], video: str) -> Any:
    viewers, refused = opened(server.url, most, fields, video)
    capacity = server.health()["capacity"]
    time.sleep(SETTLED_S)
    cores = Cores()
    own_s, busy_s, server_s = time.process_time(), cores.usage().busy_s, server.cpu_s()
    began_s = time.monotonic()
    time.sleep(seconds)
    until_s = time.monotonic()
    wall = until_s - began_s
    client = (time.process_time() - own_s) / wall
    used, busy = share(server_s, server.cpu_s(), wall), share(busy_s, cores.usage().busy_s, wall)
    found = [judged(viewer, began_s, until_s) for viewer in viewers]
    for viewer in viewers:
        viewer.close()
    total = {name: sum(each.get(name, 0) for each in found) for name in found[0]} if found else {}
    return {
        "sessions": len(viewers),
        "refused": refused,
        **total,
        "late_percent": 100 * (total["late"] + total["missing"]) / max(total["frames"], 1),
        "fps": total["frames"] / max(len(viewers), 1) / wall,
        "server_cores": used,
        "client_cores": client,
        "other_cores": None if used is None or busy is None else max(0, busy - used - client),
        "capacity": capacity,
        "session_ms": None if used is None else 1000 * used / max(len(viewers), 1),
    }


COLUMNS = (
    "sessions",
    "refused",
    "fps",
    "late_percent",
    "missing",
    "sounds_missing",
    "silent",
    "server_cores",
    "client_cores",
    "other_cores",
    "session_ms",
)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", default="", help="a running server; none: start one")
    parser.add_argument("--sessions", type=int, nargs="+", default=[24], help="at most so many")
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--size", default="512x512")
    parser.add_argument("--video", default="jpeg", choices=["jpeg", "mp4", "none"])
    parser.add_argument("--voice", default="espeak")
    parser.add_argument("--setting", action="append", default=[], help="NAME=value of the server")
    chosen = parser.parse_args(arguments)
    fields = {"size": chosen.size} | ({"voice": chosen.voice} if chosen.voice else {})
    outcomes = []
    with Server(chosen.url, chosen.setting) as server:
        time.sleep(SETTLED_S)
        for most in chosen.sessions:
            outcomes.append(run(server, most, chosen.seconds, fields, chosen.video))
            time.sleep(SETTLED_S)
    rows = [[float(np.nan) if o[c] is None else o[c] for c in COLUMNS] for o in outcomes]
    show(
        f"Sessions of {chosen.size} that all speak, {chosen.seconds:.0f} s each, {chosen.video};"
        " session_ms: milliseconds of a core for a second of a session",
        COLUMNS,
        rows,
    )
    end("live_capacity", {"size": chosen.size, "video": chosen.video, "outcomes": outcomes})


if __name__ == "__main__":
    main()
