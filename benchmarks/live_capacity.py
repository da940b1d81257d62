"""Sessions that all speak at once: whether every picture comes, on time, and who is refused.

One viewer each, which counts messages and decodes nothing. A picture is late when it arrives over
40 ms after its time, picture n being due n / fps after the earliest arrival; one that never came is
missing. ``server_late_percent`` is the server's own count: left late, or never. Sessions are made
until the server refuses one (503) or --sessions are there; then all speak for --seconds.

Of a server that is started here it also tells what each kind of its threads spent, beside the parts
of a session measured alone before it started.

python -m benchmarks.live_capacity [--sessions 24] [--seconds 30] [--size 512x512] [--video jpeg]
    [--over webrtc]
"""

from __future__ import annotations

import argparse
import time
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from app_core.cores import Cores
from app_core.metrics import LATE_S
from benchmarks.alone import costs_ms
from benchmarks.capacity import share
from benchmarks.received import VIEWERS
from benchmarks.server import Server
from benchmarks.session_viewer import JPEG, MP4, OPUS, PCM, Refused, call, patiently
from benchmarks.table import end, show
from benchmarks.texts import TEXTS
from benchmarks.watched import spent_s
from benchmarks.webrtc_tracks import PICTURE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.received import Viewer

FPS = 25
SPACING_S = 1.0
"""Between two that come: the server learns what one costs before the next asks."""
PATIENCE_S = 12.0
"""A session that begins may make a frame of others late, and then none is let in for a while."""
SETTLED_S = 6.0
"""After a start: what is loaded beside the first requests takes a core until then."""


def opened(url: str, most: int, over: str, fields: dict[str, Any]) -> tuple[list[Viewer], int]:
    """Viewers of sessions that speak, and how many were refused for PATIENCE_S: one, then nobody
    asks again."""
    viewers: list[Viewer] = []
    languages = list(TEXTS)
    while len(viewers) < most:
        language = languages[len(viewers) % len(languages)]
        make = partial(VIEWERS[over], url, keep=False, language=language, **fields)
        try:
            viewer = patiently(make, PATIENCE_S)
        except Refused as refused:
            if refused.status != 503:
                raise
            return viewers, 1
        speak(viewer, language)
        viewers.append(viewer)
        time.sleep(SPACING_S)
    return viewers, 0


def speak(viewer: Viewer, language: str) -> None:
    """Keeps it speaking for two minutes: a text of about 20 s, six times."""
    for _ in range(6):
        viewer.tell("say", text=TEXTS[language])


def judged(viewer: Viewer, from_s: float, until_s: float) -> dict[str, int]:
    """Of the pictures between two moments."""
    kinds = (JPEG, MP4, PICTURE)
    seen = [m for m in viewer.messages if m.kind in kinds and from_s <= m.at_s < until_s]
    heard = [m for m in viewer.messages if m.kind in (PCM, OPUS) and from_s <= m.at_s < until_s]
    if not seen:
        return {"frames": 0, "late": 0, "missing": round((until_s - from_s) * FPS)}
    # The clock is that of the earliest arrival, as of a viewer whose buffer has settled.
    origin_s = min(m.at_s - m.frame / FPS for m in seen)
    late = sum(m.at_s - origin_s - m.frame / FPS > LATE_S for m in seen)
    times = [m.micros for m in heard]
    each = 1e6 / FPS if heard and heard[0].kind == PCM else 20_000
    missing = round((max(times) - min(times)) / each) + 1 - len(times) if times else 0
    return {
        "frames": len(seen),
        "late": late,
        "missing": max(0, seen[-1].frame - seen[0].frame + 1 - len(seen)),
        "sounds_missing": missing,
    }


def counted(server: Server, viewers: Sequence[Viewer]) -> dict[str, int]:
    """By the server, so far."""
    ids = [viewer.session["session_id"] for viewer in viewers]
    seen = [call(server.url, "GET", f"/api/sessions/{each}", None) for each in ids]
    return {name: sum(each[name] for each in seen) for name in ("frames", "late")}


def run(server: Server, most: int, seconds: float, over: str, fields: dict[str, Any]) -> Any:
    viewers, refused = opened(server.url, most, over, fields)
    capacity = server.health()["capacity"]
    time.sleep(SETTLED_S)
    cores = Cores()
    counts, threads = counted(server, viewers), server.threads_s()
    own_s, busy_s, server_s = time.process_time(), cores.usage().busy_s, server.cpu_s()
    began_s = time.monotonic()
    time.sleep(seconds)
    until_s = time.monotonic()
    wall = until_s - began_s
    client = (time.process_time() - own_s) / wall
    used, busy = share(server_s, server.cpu_s(), wall), share(busy_s, cores.usage().busy_s, wall)
    spent = spent_s(threads, server.threads_s())
    left = {name: now - counts[name] for name, now in counted(server, viewers).items()}
    found = [judged(viewer, began_s, until_s) for viewer in viewers]
    speaking = [speaks(server, viewer) for viewer in viewers]
    for viewer in viewers:
        viewer.close()
    total = {name: sum(each.get(name, 0) for each in found) for name in found[0]} if found else {}
    session_s = wall * max(len(viewers), 1)
    return {
        "sessions": len(viewers),
        "refused": refused,
        "speaking": sum(speaking),
        **total,
        "late_percent": 100 * (total["late"] + total["missing"]) / max(total["frames"], 1),
        "server_late_percent": 100 * left["late"] / max(left["frames"], 1),
        "fps": total["frames"] / session_s,
        "server_cores": used,
        "client_cores": client,
        "other_cores": None if used is None or busy is None else max(0, busy - used - client),
        "capacity": capacity,
        "session_ms": None if used is None else 1000 * used / max(len(viewers), 1),
        "threads_ms": {name: round(1000 * s / session_s, 2) for name, s in spent.items()},
    }


def speaks(server: Server, viewer: Viewer) -> bool:
    path = f"/api/sessions/{viewer.session['session_id']}"
    return bool(call(server.url, "GET", path, None)["state"] == "speaking")


COLUMNS = (
    "sessions",
    "refused",
    "speaking",
    "fps",
    "late_percent",
    "server_late_percent",
    "missing",
    "sounds_missing",
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
    parser.add_argument("--over", default="socket", choices=sorted(VIEWERS))
    parser.add_argument("--voice", default="espeak")
    parser.add_argument("--setting", action="append", default=[], help="NAME=value of the server")
    chosen = parser.parse_args(arguments)
    over = chosen.over
    codecs = ("h264", "opus") if over == "webrtc" else (chosen.video, "pcm")
    width, height = map(int, chosen.size.split("x"))
    alone = costs_ms((width, height), tuple(codec for codec in codecs if codec != "none"))
    fields = {"size": chosen.size} | ({"voice": chosen.voice} if chosen.voice else {})
    fields |= {"video": chosen.video} if over == "socket" else {}
    outcomes = []
    with Server(chosen.url, chosen.setting, ("-m", "benchmarks.watched")) as server:
        time.sleep(SETTLED_S)
        for most in chosen.sessions:
            outcomes.append(run(server, most, chosen.seconds, over, fields))
            time.sleep(SETTLED_S)
    rows = [[float(np.nan) if o[c] is None else o[c] for c in COLUMNS] for o in outcomes]
    looks = " and ".join(codecs)
    show(
        f"Sessions of {chosen.size} that all speak, {chosen.seconds:.0f} s each, {looks} over"
        f" {over}; session_ms: milliseconds of a core for a second of a session",
        COLUMNS,
        rows,
    )
    show(
        "Milliseconds of a core for a second of a session: parts measured alone, and threads of the"
        " server",
        ["", "alone", *(f"of {o['sessions']}" for o in outcomes)],
        costs(alone, outcomes),
    )
    head = {"size": chosen.size, "over": over, "codecs": codecs}
    end("live_capacity", {**head, "alone_ms": alone, "outcomes": outcomes})


def costs(alone: dict[str, float], outcomes: Sequence[Any]) -> list[list[Any]]:
    """Rows; threads that spent less than 0.1 ms are left out."""
    rows: list[list[Any]] = [
        [part, spent, *(None for _ in outcomes)] for part, spent in alone.items()
    ]
    rows.append(["together", sum(alone.values()), *(o["session_ms"] for o in outcomes)])
    names = {name for o in outcomes for name, spent in o["threads_ms"].items() if spent >= 0.1}
    for name in sorted(names, key=lambda name: -outcomes[0]["threads_ms"].get(name, 0.0)):
        rows.append([f"thread {name}", None, *(o["threads_ms"].get(name) for o in outcomes)])
    return rows


if __name__ == "__main__":
    main()
