"""Live sessions for many minutes, over WebRTC and the socket: whether anything grows or drifts.

--sessions speak and are interrupted now and then, looked at over WebRTC and the socket by turns;
two more, one over each, show the marker model (``benchmarks.skew``). Every --step seconds one row:
what the server holds, pictures that left late in it by the server's own count, and the skew.

python -m benchmarks.soak [--minutes 30] [--sessions 4] [--step 60]
"""

from __future__ import annotations

import argparse
import time
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.received import VIEWERS
from benchmarks.server import Server
from benchmarks.session_viewer import call, patiently
from benchmarks.skew import MARKER, Bursts
from benchmarks.table import end, show
from benchmarks.texts import TEXTS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchmarks.received import Viewer
    from benchmarks.session_viewer import Made

WAYS = ("webrtc", "socket")
SETTLED_S, SPACING_S = 5.0, 1.0
PATIENCE_S = 60.0
"""For a server that is full for now."""
SAYS_S, CUTS_S = 12.0, 30.0
"""Between two of each of a session, in the mean."""
KEPT = 64
"""Events of a viewer."""
MOST = {"memory_mb": 30, "threads": 4, "descriptors": 4, "tasks": 8}
"""By so much more in the last third than in the first is growth."""
LATE_PERCENT, SKEW_MS, DRIFT_MS = 1.0, 40.0, 5.0
HELD = ("memory_mb", "threads", "descriptors", "sockets", "tasks")


class Soak:
    def __init__(self, server: Server, sessions: int, voice: str) -> None:
        self._server, self._random = server, np.random.default_rng(1)
        self._fields = {"voice": voice} if voice else {}
        self._languages = [list(TEXTS)[number % len(TEXTS)] for number in range(sessions)]
        self._bursts = {way: self._made(Bursts, way, model="marker") for way in WAYS}
        self._speakers: list[Viewer] = [
            self._made(self._speaker, WAYS[number % 2], language)
            for number, language in enumerate(self._languages)
        ]
        self._counted = self._counts()
        self._skews: dict[str, list[float]] = {}
        self.said = self.cut = 0

    def _made(self, make: Callable[..., Made], way: str, *rest: str, **fields: str) -> Made:
        """With a pause for the server to learn what it costs."""
        made = patiently(lambda: make(self._server.url, way, *rest, **fields), PATIENCE_S)
        time.sleep(SPACING_S)
        return made

    def _speaker(self, url: str, way: str, language: str) -> Viewer:
        return VIEWERS[way](url, keep=False, size="512x512", language=language)

    def tick(self) -> None:
        """Once a second."""
        for viewer, language in zip(self._speakers, self._languages, strict=True):
            if self._random.random() < 1 / SAYS_S:
                replace = bool(self._random.random() < 0.5)
                viewer.tell("say", text=TEXTS[language], replace=replace, **self._fields)
                self.said += 1
            if self._random.random() < 1 / CUTS_S:
                viewer.tell("interrupt")
                self.cut += 1
            viewer.messages.clear()
            del viewer.events[:-KEPT]
        for way, bursts in self._bursts.items():
            bursts.feed.keep_on()
            del bursts.viewer.events[:-KEPT]
            for name, values in bursts.skews_ms().items():
                self._skews.setdefault(f"{way} {name}", []).extend(values)

    def row(self) -> dict[str, float | None]:
        """Since the one before."""
        held = self._server.held() | {"tasks": self._server.tasks()}
        counts = self._counts()
        frames, late = (counts[name] - self._counted[name] for name in ("frames", "late"))
        self._counted = counts
        row: dict[str, float | None] = {name: held[name] for name in HELD}
        row["late_percent"] = 100 * late / max(frames, 1)
        for name in ("webrtc skew by reports", "webrtc skew by arrival", "socket skew by arrival"):
            values = self._skews.pop(name, [])
            row[name] = float(np.median(values)) if values else None
            row[f"{name}, most"] = float(np.abs(values).max()) if values else None
        return row

    @property
    def lost(self) -> int:
        """Viewers whose session or connection has ended."""
        viewers = [*self._speakers, *(bursts.viewer for bursts in self._bursts.values())]
        return sum(viewer.ended for viewer in viewers)

    def close(self) -> None:
        for bursts in self._bursts.values():
            bursts.close()
        for viewer in self._speakers:
            viewer.close()

    def _counts(self) -> dict[str, int]:
        sessions = call(self._server.url, "GET", "/api/sessions", None)["sessions"]
        return {name: sum(each[name] for each in sessions) for name in ("frames", "late")}


def faults(rows: Sequence[dict[str, float | None]]) -> list[str]:
    """What is not as it was, the first third of the rows beside the last."""
    third = max(1, len(rows) // 3)

    def medians(name: str) -> tuple[float, float] | None:
        parts = [[row[name] for row in part] for part in (rows[:third], rows[-third:])]
        told = [[value for value in part if value is not None] for part in parts]
        return (float(np.median(told[0])), float(np.median(told[1]))) if all(told) else None

    found = []
    for name, most in MOST.items():
        first, last = medians(name) or (0.0, 0.0)
        if last > first + most:
            found.append(f"{name} {first:.0f} -> {last:.0f}")
    late = float(np.mean([row["late_percent"] or 0.0 for row in rows]))
    if late > LATE_PERCENT:
        found.append(f"{late:.1f} % late")
    for way in ("webrtc skew by reports", "webrtc skew by arrival", "socket skew by arrival"):
        both = medians(way)
        if both is None:
            found.append(f"no {way}")
        elif max(map(abs, both)) > SKEW_MS or abs(both[1] - both[0]) > DRIFT_MS:
            found.append(f"{way} {both[0]:.1f} -> {both[1]:.1f} ms")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--sessions", type=int, default=4)
    parser.add_argument("--step", type=float, default=60.0)
    parser.add_argument("--voice", default="espeak")
    chosen = parser.parse_args()
    rows: list[dict[str, float | None]] = []
    with Server("", [], (*MARKER, "viseme")) as server:
        time.sleep(SETTLED_S)
        soak = Soak(server, chosen.sessions, chosen.voice)
        began_s = time.monotonic()
        while time.monotonic() - began_s < chosen.minutes * 60:
            time.sleep(1.0)
            soak.tick()
            if time.monotonic() - began_s >= (len(rows) + 1) * chosen.step:
                rows.append(soak.row())
        found = faults(rows) if rows else ["no row: --step is longer than --minutes"]
        lost, said, cut = soak.lost, soak.said, soak.cut
        soak.close()
        errors = [line for line in server.log().splitlines() if " ERROR " in line]
    found += [f"{lost} viewers lost"] * bool(lost) + errors[:5]
    columns = list(rows[0]) if rows else []
    show(
        f"{chosen.sessions} sessions of 512x512 and two of the marker model, {chosen.minutes:g}"
        f" minutes, {said} texts and {cut} interrupts; skew in ms: median, and the most either way",
        ["minute", *(name.replace(" skew", "").replace("_percent", " %") for name in columns)],
        [
            [(number + 1) * chosen.step / 60, *(row[c] for c in columns)]
            for number, row in enumerate(rows)
        ],
    )
    print(f"\nFlat: {'NO: ' + '; '.join(found) if found else 'yes'}")
    head = {"minutes": chosen.minutes, "sessions": chosen.sessions, "said": said, "cut": cut}
    end("soak", {**head, "flat": not found, "faults": found, "rows": rows})


if __name__ == "__main__":
    main()
