"""The clients of a real run: sessions that speak for a time, and MJPEG readers."""

from __future__ import annotations

import math
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import websocket

from benchmarks.mjpeg_reader import MjpegReader
from benchmarks.session_viewer import JPEG, Refused, SessionViewer
from benchmarks.texts import TEXTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.notes import Message
    from benchmarks.scale.arrivals import Arrival
    from benchmarks.scale.simulation import Rules

SHOWN: dict[str, Any] = {"size": "512x512", "language": "en", "voice": "espeak"}
SHORTEST_S = 10.0
"""That the text takes at least to be said."""
MOST_TEXTS = 30
PATIENCE_S = 60.0
"""For those who came last."""


@dataclass(slots=True)
class Visit:
    """What became of an arrival."""

    arrival: Arrival
    refused: int = 0
    """Answers of 503."""
    admitted: bool = False
    first_ms: float | None = None
    """From the request that was let in to its first picture, whole."""
    stayed_s: float = 0.0
    fault: str = ""


def is_jpeg(message: Message) -> bool:
    return message.kind == JPEG


def texts_for(seconds: float) -> int:
    """How many times the text is told to be heard for so long."""
    return min(MOST_TEXTS, math.ceil(seconds / SHORTEST_S))


def visit(url: str, arrival: Arrival, rules: Rules) -> Visit:
    """Asks, comes again when it is refused, and stays as long as it is meant to."""
    seen = Visit(arrival)
    stay = _read if arrival.kind == "reader" else _talk
    while True:
        try:
            stay(url, seen)
        except Refused as refused:
            if refused.status == 503:
                seen.refused += 1
                if seen.refused < rules.patience:
                    time.sleep(rules.retry_s)
                    continue
            else:
                seen.fault = str(refused)
        except (OSError, TimeoutError, websocket.WebSocketException) as error:
            seen.fault = f"{type(error).__name__}: {error}"
        return seen


def visits(url: str, arrivals: Sequence[Arrival], rules: Rules) -> list[Visit]:
    """All of the schedule, each in a thread of its own; until the last has left."""
    began_s = time.monotonic()
    found: list[Visit] = []

    def come(arrival: Arrival) -> None:
        time.sleep(max(0.0, began_s + arrival.at_s - time.monotonic()))
        found.append(visit(url, arrival, rules))

    threads = [threading.Thread(target=come, args=(each,), daemon=True) for each in arrivals]
    for thread in threads:
        thread.start()
    longest_s = max((each.at_s + each.length_s for each in arrivals), default=0.0)
    for thread in threads:
        thread.join(max(0.0, began_s + longest_s + PATIENCE_S - time.monotonic()))
    missing = len(arrivals) - len(found)
    if missing:
        raise TimeoutError(f"{missing} clients are still there")
    return found


def _talk(url: str, seen: Visit) -> None:
    arrival = seen.arrival
    try:
        viewer = SessionViewer(url, keep=False, **SHOWN)
    except websocket.WebSocketBadStatusException as error:
        raise Refused(error.status_code, str(error)) from error
    with viewer:
        spoken_s = arrival.speaking * arrival.length_s
        for _ in range(texts_for(spoken_s)):
            viewer.tell("say", text=TEXTS["en"])
        first = viewer.wait(is_jpeg)
        seen.admitted, seen.first_ms = True, 1000 * (first.at_s - viewer.began_s)
        _until(viewer.began_s + spoken_s)
        if arrival.speaking < 1:
            viewer.tell("interrupt")
        _until(viewer.began_s + arrival.length_s)
        if viewer.ended:
            seen.fault = "the session was cut off"
        seen.stayed_s = time.monotonic() - viewer.began_s


def _read(url: str, seen: Visit) -> None:
    parts = urlsplit(url)
    said = " ".join([TEXTS["en"]] * texts_for(seen.arrival.length_s))
    reader = MjpegReader((parts.hostname or "", parts.port or 80), SHOWN | {"text": said})
    try:
        end_s = reader.began + seen.arrival.length_s
        while time.monotonic() < end_s and not reader.ended:
            reader.receive()
            if reader.status not in (0, 200):
                raise Refused(reader.status, "a reader")
        if reader.first_frame_s is not None:
            seen.admitted, seen.first_ms = True, 1000 * reader.first_frame_s
        if time.monotonic() < end_s:
            seen.fault = "the stream ended early"
        seen.stayed_s = time.monotonic() - reader.began
    finally:
        reader.close()


def _until(at_s: float) -> None:
    time.sleep(max(0.0, at_s - time.monotonic()))
