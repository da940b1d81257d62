"""A server that is used for long: whether anything grows.

--sessions speak and are interrupted now and then, looked at over WebRTC and the socket by turns;
--readers read streams of pictures and begin anew; every 20 s a session is opened and left rudely,
every two minutes a film is made and kept, every five a photo becomes a face and is removed. Every
--step seconds one row: what the server holds, the pictures of sessions that left late by its own
count, and what was refused. Flat is what stays as it was after the first ten minutes, or a third of
the time; results are kept for five minutes, so that they come and go.

--skew adds two sessions of the marker model, one over each way, and the skew of their sound and
picture (``benchmarks.skew``). --plot draws the rows.

python -m benchmarks.soak [--minutes 45] [--sessions 3] [--readers 3] [--size 512x512] [--step 30]
    [--skew] [--plot docs/soak.png] [--setting NAME=value]
"""

from __future__ import annotations

import argparse
import contextlib
import re
import shutil
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from app_core.config import Config
from benchmarks.line_plot import Chart, draw
from benchmarks.received import VIEWERS
from benchmarks.server import Server, written
from benchmarks.session_viewer import Refused, call, patiently
from benchmarks.skew import MARKER, Bursts
from benchmarks.soak_clients import Client, films, leaves_rudely, reads, uploads
from benchmarks.table import end, show
from benchmarks.texts import TEXTS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchmarks.received import Viewer
    from benchmarks.session_viewer import Made

    Row = dict[str, float | None]

WAYS = ("webrtc", "socket")
SETTLED_S, SPACING_S = 5.0, 1.0
PATIENCE_S = 60.0
"""For a server that is full for now."""
SAYS_S, CUTS_S = 12.0, 30.0
"""Between two of each of a session, in the mean."""
LEAVES_S, FILMS_S, UPLOADS_S = 20.0, 120.0, 300.0
KEPT = 64
"""Events of a viewer."""
KEEPS = ("JOB_LIFE_S=300", "SESSION_GRACE_S=10")
BEGUN_S = 600.0
MOST = {"memory_mb": 60, "threads": 6, "descriptors": 8, "sockets": 6, "tasks": 8, "work_mb": 40}
MOST["avatars_mb"] = 4
"""By so much more at the end than when it had begun is growth."""
LATE_PERCENT, SKEW_MS, DRIFT_MS = 1.0, 40.0, 5.0
HELD = ("memory_mb", "threads", "descriptors", "sockets", "tasks")
SKEWS = ("webrtc skew by reports", "webrtc skew by arrival", "socket skew by arrival")
EXPLAINED: dict[str, str] = {}
"""Errors in the log that are none of the server's, by a pattern: why."""


class Soak:
    def __init__(self, server: Server, folder: Path, chosen: argparse.Namespace) -> None:
        self._server, self._folder, self._random = server, folder, np.random.default_rng(1)
        self._fields = {"voice": chosen.voice} if chosen.voice else {}
        self._shown = {"size": chosen.size, **self._fields}
        languages = list(TEXTS)
        self._languages = [languages[n % len(languages)] for n in range(chosen.sessions)]
        skewed = WAYS if chosen.skew else ()
        self._bursts = {way: self._made(Bursts, way, model="marker") for way in skewed}
        self._speakers: list[Viewer | None] = [None] * chosen.sessions
        self.clients = [
            Client(f"reader {n}", reads(server, languages[n % len(languages)], self._shown))
            for n in range(chosen.readers)
        ]
        self.clients += [
            Client("leaves", leaves_rudely(server), LEAVES_S),
            Client("films", films(server, self._shown), FILMS_S),
            Client("uploads", uploads(server), UPLOADS_S),
        ]
        self._counted = self._counts()
        self._refused = 0
        self._skews: dict[str, list[float]] = {}
        self.said = self.cut = self.refused = self.lost = 0

    def _made(self, make: Callable[..., Made], way: str, *rest: str, **fields: str) -> Made:
        """With a pause for the server to learn what it costs."""
        made = patiently(lambda: make(self._server.url, way, *rest, **fields), PATIENCE_S)
        time.sleep(SPACING_S)
        return made

    def _speaker(self, url: str, way: str, language: str) -> Viewer:
        return VIEWERS[way](url, keep=False, language=language, **self._shown)

    def tick(self) -> None:
        """Once a second."""
        for number, (viewer, language) in enumerate(
            zip(self._speakers, self._languages, strict=True)
        ):
            if viewer is None or viewer.ended:
                self._again(number)
                continue
            with contextlib.suppress(OSError, TimeoutError):  # it ends just now
                self._speak(viewer, language)
            viewer.messages.clear()
            del viewer.events[:-KEPT]
        for way, bursts in self._bursts.items():
            bursts.feed.keep_on()
            del bursts.viewer.events[:-KEPT]
            for name, values in bursts.skews_ms().items():
                self._skews.setdefault(f"{way} {name}", []).extend(values)

    def _speak(self, viewer: Viewer, language: str) -> None:
        if self._random.random() < 1 / SAYS_S:
            replace = bool(self._random.random() < 0.5)
            viewer.tell("say", text=TEXTS[language], replace=replace, **self._fields)
            self.said += 1
        if self._random.random() < 1 / CUTS_S:
            viewer.tell("interrupt")
            self.cut += 1

    def _again(self, number: int) -> None:
        """A session that is not there yet, or was lost, is made once there is room."""
        way, language = WAYS[number % 2], self._languages[number]
        try:
            made = self._speaker(self._server.url, way, language)
        except Refused as refused:
            if refused.status != 503:
                raise
            self.refused += 1
            return
        before = self._speakers[number]
        self._speakers[number] = made
        if before is not None:
            self.lost += 1
            before.close()

    def row(self) -> Row:
        """Since the one before."""
        held = self._server.held() | {"tasks": self._server.tasks()}
        counts = self._counts()
        frames, late = (max(0, counts[name] - self._counted[name]) for name in ("frames", "late"))
        self._counted = counts
        row: Row = {name: held[name] for name in HELD}
        for name in ("work", "avatars"):
            row[f"{name}_mb"] = written(self._server, self._folder / name) / 2**20
        row["late_percent"] = 100 * late / max(frames, 1)
        refused = self.refused + sum(client.refused for client in self.clients)
        row["refused"], self._refused = refused - self._refused, refused
        for name in SKEWS if self._bursts else ():
            values = self._skews.pop(name, [])
            row[name] = float(np.median(values)) if values else None
            row[f"{name}, most"] = float(np.abs(values).max()) if values else None
        return row

    def close(self) -> None:
        for client in self.clients:
            client.closing.set()
        for client in self.clients:
            client.close()
        for bursts in self._bursts.values():
            bursts.close()
        for viewer in filter(None, self._speakers):
            viewer.close()

    def _counts(self) -> dict[str, int]:
        """Of those that speak."""
        there = [viewer for viewer in self._speakers if viewer is not None]
        ids = {viewer.session["session_id"] for viewer in there}
        sessions = call(self._server.url, "GET", "/api/sessions", None)["sessions"]
        own = [session for session in sessions if session["session_id"] in ids]
        return {name: sum(each[name] for each in own) for name in ("frames", "late")}


def begun(rows: Sequence[Row], step_s: float) -> int:
    """The row with which it counts as begun."""
    return max(0, min(round(BEGUN_S / step_s), len(rows) // 3) - 1)


def faults(rows: Sequence[Row], first: int) -> list[str]:
    """What is not as it was at the row ``first``, which is judged with its neighbours."""

    def medians(name: str) -> tuple[float, float] | None:
        parts = [rows[max(0, first - 1) : first + 2], rows[-3:]]
        told = [[row[name] for row in part if row[name] is not None] for part in parts]
        before, after = (np.array(values, float) for values in told)
        return (float(np.median(before)), float(np.median(after))) if all(told) else None

    found = []
    for name, most in MOST.items():
        before, after = medians(name) or (0.0, 0.0)
        if after > before + most:
            found.append(f"{name} {before:.0f} -> {after:.0f}")
    late = float(np.mean([row["late_percent"] or 0.0 for row in rows]))
    if late > LATE_PERCENT:
        found.append(f"{late:.1f} % late")
    for way in SKEWS if SKEWS[0] in rows[0] else ():
        both = medians(way)
        if both is None:
            found.append(f"no {way}")
        elif max(map(abs, both)) > SKEW_MS or abs(both[1] - both[0]) > DRIFT_MS:
            found.append(f"{way} {both[0]:.1f} -> {both[1]:.1f} ms")
    return found


def plotted(path: Path, title: str, rows: Sequence[Row], first: int, step_s: float) -> None:
    minutes = [(number + 1) * step_s / 60 for number in range(len(rows))]

    def chart(name: str, what: str) -> Chart:
        values = [float(row[name] or 0) for row in rows]
        most = MOST.get(name)
        return Chart(
            what,
            values,
            None if most is None else (max(values[first] - most, 0), values[first] + most),
        )

    charts = [
        chart("memory_mb", "memory of the server, MiB"),
        chart("threads", "threads"),
        chart("descriptors", "open files and sockets"),
        chart("work_mb", "WORK_DIR, MiB"),
        chart("late_percent", "pictures of sessions that left late, %"),
        chart("refused", "refused, the server was full"),
    ]
    draw(path, title, minutes, charts)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=45.0)
    parser.add_argument("--sessions", type=int, default=3)
    parser.add_argument("--readers", type=int, default=3)
    parser.add_argument("--size", default="512x512")
    parser.add_argument("--step", type=float, default=30.0)
    parser.add_argument("--voice", default="espeak")
    parser.add_argument("--skew", action="store_true")
    parser.add_argument("--plot", type=Path)
    parser.add_argument("--setting", action="append", default=[], help="NAME=value")
    chosen = parser.parse_args()
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as name:
        folder, config = Path(name), Config.from_env()
        shutil.copytree(config.avatar_dir / config.avatar, folder / "avatars" / config.avatar)
        folders = [f"WORK_DIR={folder / 'work'}", f"AVATAR_DIR={folder / 'avatars'}"]
        entry = (*MARKER, "viseme") if chosen.skew else ("-m", "benchmarks.watched")
        with Server("", [*KEEPS, *folders, *chosen.setting], entry) as server:
            time.sleep(SETTLED_S)
            soak = Soak(server, folder, chosen)
            began_s = time.monotonic()
            while time.monotonic() - began_s < chosen.minutes * 60:
                time.sleep(1.0)
                soak.tick()
                if time.monotonic() - began_s >= (len(rows) + 1) * chosen.step:
                    rows.append(soak.row())
            soak.close()
            said = server.errors()
    _tell(chosen, soak, rows, said)


def _tell(chosen: argparse.Namespace, soak: Soak, rows: Sequence[Row], said: Sequence[str]) -> None:
    unexplained = [error for error in said if not any(re.search(e, error) for e in EXPLAINED)]
    errors = [error.partition("\n")[0] for error in unexplained]
    first = begun(rows, chosen.step)
    found = faults(rows, first) if rows else ["no row: --step is longer than --minutes"]
    found += [f"{soak.lost} viewers lost"] * bool(soak.lost) + errors[:5]
    found += [fault for client in soak.clients for fault in client.faults[:3]]
    done: dict[str, Any] = {client.name: client.done for client in soak.clients}
    columns = list(rows[0]) if rows else []
    title = (
        f"{chosen.sessions} sessions and {chosen.readers} readers of {chosen.size}, "
        f"{chosen.minutes:g} minutes"
    )
    show(
        f"{title}; {soak.said} texts, {soak.cut} interrupts, done: "
        f"{', '.join(f'{name} {count}' for name, count in done.items())}",
        ["minute", *(name.replace(" skew", "").replace("_percent", " %") for name in columns)],
        [
            [(number + 1) * chosen.step / 60, *(row[c] for c in columns)]
            for number, row in enumerate(rows)
        ],
    )
    for error in unexplained[:5]:
        print(f"\n{error}")
    print(f"\nFlat: {'NO: ' + '; '.join(found) if found else 'yes'}")
    if chosen.plot is not None and rows:
        plotted(chosen.plot, title, rows, first, chosen.step)
    head = {"minutes": chosen.minutes, "sessions": chosen.sessions, "readers": chosen.readers}
    counted = {"said": soak.said, "cut": soak.cut, "done": done, "lost": soak.lost}
    verdict = {"flat": not found, "faults": found, "errors": len(said), "begun": first}
    end("soak", {**head, **counted, **verdict, "rows": rows})


if __name__ == "__main__":
    main()
