"""What the service costs on this machine, measured against a running server, beside other streams.

Nothing here is taken from the run that is predicted with it.
"""

from __future__ import annotations

import threading
import time
import urllib.request
from contextlib import ExitStack
from dataclasses import replace
from statistics import fmean
from typing import TYPE_CHECKING, Any

from benchmarks.scale.arrivals import Arrival
from benchmarks.scale.costs import Costs
from benchmarks.scale.meter import Lap, Meter
from benchmarks.scale.simulation import Rules
from benchmarks.scale.visits import (
    MOST_TEXTS,
    SHORTEST_S,
    SHOWN,
    Visit,
    is_jpeg,
    texts_for,
    visit,
)
from benchmarks.session_viewer import Refused, SessionViewer, patiently
from benchmarks.texts import TEXTS

if TYPE_CHECKING:
    from benchmarks.server import Server

SETTLED_S, REST_S = 6.0, 3.0
"""After a start, and between two things: what ended is gone then."""
LOOK_S = 10.0
SPACING_S = 0.5
OPEN_S = 12.0
FIRSTS, TRIES = 16, 4
FIRST_S = 1.0
"""That a reader stays for its first picture."""
MOST = 40
"""Sessions that are tried."""
KNOCKS = 25
"""Of clients that are turned away."""
FULL = 503
SAID = 2
"""Texts that a client tells before it looks."""
REQUESTS = 200


class Calibration:
    """Of ``streams`` at once; 0: of as many as are let in, less one. What shares its cores with as
    much as in the run costs as much as in the run, where two processors are one core."""

    def __init__(self, server: Server, streams: int = 0) -> None:
        self._server, self._streams = server, streams
        self._background = 0.0
        self._clients_ms: list[float] = []

    def measure(self) -> Costs:
        """Takes three to four minutes. Raises Refused, OSError, TimeoutError or RuntimeError."""
        time.sleep(SETTLED_S)
        self._open().close()  # the first loads what it needs
        time.sleep(REST_S)
        capacity = self._server.health().get("capacity", {})
        self._meter = Meter(self._server)
        quiet = self._look()
        self._background = quiet.server_s / quiet.wall_s
        fitting, refusal_ms = self._fitting()
        self._streams = self._streams or fitting
        found: dict[str, Any] = {
            "frame_ms": capacity.get("frame_ms") or Costs().frame_ms,
            "refusal_ms": refusal_ms,
        }
        found |= self._sessions()
        found["reader_ms"] = self._readers()
        found |= self._firsts(found["idle_ms"])
        found |= self._busy()
        found["request_ms"] = self._requests()
        found["client_ms"] = fmean(self._clients_ms)
        found["background_ms"] = 1000 * self._background
        return replace(Costs(), **found)

    def _sessions(self) -> dict[str, float]:
        with ExitStack() as open_now:
            viewers = []
            for _ in range(self._streams):
                viewers.append(open_now.enter_context(self._open()))
                time.sleep(SPACING_S)
            time.sleep(REST_S)
            idle = self._look()
            for viewer in viewers:
                for _ in range(texts_for(LOOK_S + REST_S)):
                    viewer.tell("say", text=TEXTS["en"])
            time.sleep(REST_S)
            speaking = self._look()
        time.sleep(REST_S)
        return {"idle_ms": self._each(idle), "speaking_ms": self._each(speaking)}

    def _readers(self) -> float:
        """Where a frame was late some are turned away: another try then."""
        for _ in range(TRIES):
            seen, lap = self._reading()
            turned_away = sum(not each.admitted or bool(each.refused) for each in seen)
            if not turned_away:
                return self._each(lap)
        raise RuntimeError(f"{turned_away} of {self._streams} readers were not let in")

    def _reading(self) -> tuple[list[Visit], Lap]:
        arrival = Arrival(0.0, "reader", LOOK_S + 2 * REST_S + SPACING_S * self._streams)
        seen: list[Visit] = []
        threads = [
            threading.Thread(
                target=lambda: seen.append(visit(self._server.url, arrival, Rules())), daemon=True
            )
            for _ in range(self._streams)
        ]
        for thread in threads:
            thread.start()
            time.sleep(SPACING_S)
        time.sleep(REST_S)
        lap = self._look()
        for thread in threads:
            thread.join()
        time.sleep(REST_S)
        return seen, lap

    def _firsts(self, idle_ms: float) -> dict[str, Any]:
        """One after the other. Each session ends when its first picture is there."""
        sessions_ms, open_s = [], 0.0
        self._meter.lap()
        for _ in range(FIRSTS):
            with self._open() as viewer:
                sessions_ms.append(self._first(viewer))
            open_s += time.monotonic() - viewer.began_s
            time.sleep(SPACING_S)
        lap = self._meter.lap()
        spent_ms = 1000 * (lap.server_s - self._background * lap.wall_s) - idle_ms * open_s
        return {
            "open_ms": max(0.0, spent_ms / FIRSTS),
            "first_session_ms": tuple(sessions_ms),
            "first_reader_ms": self._first_readers(),
        }

    @staticmethod
    def _first(viewer: SessionViewer) -> float:
        """Milliseconds from its request to its first picture, as it comes to a client."""
        for _ in range(SAID):
            viewer.tell("say", text=TEXTS["en"])
        return 1000 * (viewer.wait(is_jpeg).at_s - viewer.began_s)

    def _first_readers(self) -> tuple[float, ...]:
        readers: list[Visit] = []
        for _ in range(FIRSTS):
            readers.append(visit(self._server.url, Arrival(0.0, "reader", FIRST_S), Rules()))
            time.sleep(SPACING_S)
        return tuple(each.first_ms for each in readers if each.first_ms)

    def _busy(self) -> dict[str, Any]:
        """First pictures beside so many streams that one more is let in."""
        sessions_ms: list[float] = []
        with ExitStack() as open_now:
            # Whoever is refused waits, so nobody knows for how long they have to speak.
            speaking = self._speak(open_now, self._streams, SHORTEST_S * MOST_TEXTS)
            lap = self._look()
            while len(sessions_ms) < FIRSTS:
                try:
                    with self._open() as viewer:
                        sessions_ms.append(self._first(viewer))
                except Refused:
                    if not speaking:
                        raise
                    speaking.pop().close()
                    lap = self._look()
                time.sleep(SPACING_S)
            readers_ms = self._first_readers()
        time.sleep(REST_S)
        return {
            "busy_cores": (lap.server_s + lap.client_s) / lap.wall_s,
            "busy_session_ms": tuple(sessions_ms),
            "busy_reader_ms": readers_ms,
        }

    def _fitting(self) -> tuple[int, float]:
        """Sessions that are let in, less one; core milliseconds of turning one more away."""
        with ExitStack() as open_now:
            count = len(self._speak(open_now, MOST, SPACING_S * MOST + OPEN_S + 2 * LOOK_S))
            before = self._look()
            refused = 0
            while refused < KNOCKS:
                try:
                    open_now.enter_context(self._session())
                except Refused as answer:
                    if answer.status != FULL:
                        raise
                    refused += 1
                time.sleep(LOOK_S / KNOCKS)
            after = self._meter.lap()
        time.sleep(REST_S)
        more_s = after.server_s - before.server_s * after.wall_s / before.wall_s
        return max(1, count - 1), max(0.0, 1000 * more_s / refused)

    def _speak(self, open_now: ExitStack, most: int, seconds: float) -> list[SessionViewer]:
        """So many sessions speak, or as many as are let in."""
        speaking: list[SessionViewer] = []
        while len(speaking) < most:
            try:
                viewer = open_now.enter_context(self._open())
            except Refused as refused:
                if refused.status != FULL:
                    raise
                break
            speaking.append(viewer)
            for _ in range(texts_for(seconds)):
                viewer.tell("say", text=TEXTS["en"])
            time.sleep(SPACING_S)
        return speaking

    def _requests(self) -> float:
        """Core milliseconds of a short one, on a connection of its own."""
        self._meter.lap()
        for _ in range(REQUESTS):
            with urllib.request.urlopen(
                f"{self._server.url}/api/health/live", timeout=10
            ) as answer:
                answer.read()
        lap = self._meter.lap()
        return 1000 * max(0.0, lap.server_s - self._background * lap.wall_s) / REQUESTS

    def _open(self) -> SessionViewer:
        """Where a frame of others was late, nobody is let in for a while."""
        return patiently(self._session, OPEN_S)

    def _session(self) -> SessionViewer:
        return SessionViewer(self._server.url, keep=False, **SHOWN)

    def _look(self) -> Lap:
        self._meter.lap()
        time.sleep(LOOK_S)
        return self._meter.lap()

    def _each(self, lap: Lap) -> float:
        """Core milliseconds of the server for a second of one stream."""
        self._clients_ms.append(1000 * lap.client_s / lap.wall_s / self._streams)
        return 1000 * (lap.server_s / lap.wall_s - self._background) / self._streams
