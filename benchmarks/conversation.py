"""How a session answers, seen by a receiver in a process of its own, over loopback.

Each thing is done --count times: a session is made, until its first picture is whole (over WebRTC:
decoded, from before the offer is written); a text is said, until the first picture whose lips move;
what is said is interrupted, until the last sample of it was there. Lips move where a picture,
decoded, is not the one that stood there in silence. The sound is what was decoded, and its packets
count as played while they come in. Skew: a model that shows white while its sound is loud, and the
first white picture beside the first loud sample, over the whole of --minutes: as they arrive, and
over WebRTC also by the sender reports of both tracks, as a browser lines them up.

--browser: headless Chromium in place of the receiver, its own buffers and all.

python -m benchmarks.conversation [--count 30] [--minutes 1] [--voice espeak]
    [--over webrtc [--browser]]
"""

from __future__ import annotations

import argparse
import time
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.browser_viewer import BrowserViewer
from benchmarks.received import FPS, HEARD, RATE, VIEWERS, grey, is_loud, is_picture, loudness
from benchmarks.server import ROOT, Server
from benchmarks.skew import Skew
from benchmarks.table import end, show
from benchmarks.texts import TEXTS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from benchmarks.notes import Message
    from benchmarks.received import Viewer

MOVED = 4.0
"""Lips move where the mean of a block of pixels is off by so many grey levels."""
SETTLED_S = 3.0
LANGUAGES = ("ru", "kk", "en")
GOALS: dict[str, dict[str, tuple[int, int | None]]] = {
    "socket": {"first": (100, 200), "say": (120, 240), "interrupt": (120, 240)},
    "webrtc": {"first": (250, None), "say": (200, 350), "interrupt": (150, 250)},
    "browser": {"first": (400, None), "say": (350, None), "interrupt": (300, None)},
}
"""Milliseconds: median and p95."""


def loop_pictures() -> int:
    """Of the default avatar."""
    return len(np.load(ROOT / "avatar" / "aigul" / "loop.npz")["boxes"])


class Silence:
    """The pictures of the default avatar's loop as they are in silence, by their number in it.
    Frames are counted as this viewer counts them."""

    def __init__(self, viewer: Viewer) -> None:
        self._pictures = loop_pictures()
        self._seen: dict[int, NDArray[np.float32]] = {}
        first = viewer.wait(is_picture).frame
        while viewer.wait(is_picture, time.monotonic()).frame < first + self._pictures + 5:
            time.sleep(0.5)
        for message in list(viewer.messages):
            if is_picture(message):
                self._seen.setdefault(message.frame % self._pictures, grey(message))

    def broken(self, message: Message) -> bool:
        """Lips move in it."""
        if not is_picture(message) or message.idle:
            return False
        still, now = self._seen.get(message.frame % self._pictures), grey(message)
        return still is not None and len(still) == len(now) and bool(abs(now - still).max() > MOVED)


def first_picture_ms(viewers: Callable[..., Viewer], url: str) -> float:
    with viewers(url) as viewer:
        return (viewer.wait(is_picture).at_s - viewer.began_s) * 1000


def turn_ms(
    viewer: Viewer, silence: Silence, text: str, fields: dict[str, Any]
) -> tuple[float, float, float]:
    """One text, cut in its middle: milliseconds to its first moving lips, to its first sound, and
    from the interrupt to its last sample."""
    said_s = viewer.tell("say", text=text, **fields)
    moved = viewer.wait(silence.broken, said_s)
    sounded = viewer.wait(is_loud, said_s)
    time.sleep(listened_s())
    cut_s = viewer.tell("interrupt")
    viewer.wait_event("interrupted", cut_s)
    time.sleep(0.5)
    stale = [m for m in list(viewer.messages) if m.at_s >= cut_s and is_loud(m)]
    last = 0.0
    for message in stale:
        played = np.flatnonzero(loudness(message) > HEARD)[-1] / RATE
        last = max(last, message.at_s + played - cut_s)
    viewer.messages.clear()
    return (moved.at_s - said_s) * 1000, (sounded.at_s - said_s) * 1000, last * 1000


def listened_s() -> float:
    """Until what is said is cut."""
    return 0.7 + 0.3 * float(np.random.default_rng().random())


def turns_ms(
    viewers: Callable[..., Viewer], url: str, count: int, language: str, fields: dict[str, Any]
) -> list[tuple[float, float, float]]:
    with viewers(url, language=language) as viewer:
        silence = Silence(viewer)
        return [turn_ms(viewer, silence, TEXTS[language], fields) for _ in range(count)]


def summary(values: list[float]) -> tuple[float, float]:
    median, p95 = np.percentile(values, [50, 95]).tolist()
    return median, p95


def in_browser(
    url: str, count: int, fields: dict[str, Any]
) -> tuple[list[float], dict[str, list[Sequence[float]]]]:
    """First pictures, and turns by language."""
    heard = HEARD / 32768
    turns: dict[str, list[Sequence[float]]] = {}
    with BrowserViewer(url) as viewer:
        firsts = []
        for _ in range(count):
            firsts.append(viewer.open(heard))
            viewer.leave()
        for language in LANGUAGES:
            viewer.open(heard, language=language)
            viewer.learn(loop_pictures(), FPS)
            text = TEXTS[language]
            turns[language] = [viewer.turn(text, fields, MOVED, listened_s()) for _ in range(count)]
            viewer.leave()
    return firsts, turns


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", default="", help="a running server; none: start one")
    parser.add_argument("--count", type=int, default=0, help="0: 30, in Chromium 10")
    parser.add_argument("--voice", default="espeak", help="of what is said; empty: the server's")
    parser.add_argument("--minutes", type=float, default=1.0, help="of skew; 0: none")
    parser.add_argument("--over", default="socket", choices=sorted(VIEWERS))
    parser.add_argument("--browser", action="store_true", help="Chromium looks; only over webrtc")
    chosen = parser.parse_args()
    if chosen.browser and chosen.over != "webrtc":
        parser.error("--browser goes with --over webrtc")
    over, count = chosen.over, chosen.count or (10 if chosen.browser else 30)
    goals = GOALS["browser" if chosen.browser else over]
    rows: list[list[Any]] = []
    figures: dict[str, Any] = {}

    def note(name: str, goal: str, values: list[float]) -> None:
        median, p95 = np.percentile(values, [50, 95]).tolist()
        rows.append([name, goals[goal][0], median, goals[goal][1], p95])
        figures[name.replace(" ", "_")] = {"median_ms": round(median, 1), "p95_ms": round(p95, 1)}

    fields: dict[str, Any] = {"voice": chosen.voice} if chosen.voice else {}
    turns: dict[str, list[Sequence[float]]] = {}
    with Server(chosen.url, ["VOICE_CACHE_MB=0"]) as server:
        time.sleep(SETTLED_S)
        if chosen.browser:
            firsts, turns = in_browser(server.url, count, fields)
        else:
            viewers = VIEWERS[over]
            firsts = [first_picture_ms(viewers, server.url) for _ in range(count)]
            for language in LANGUAGES:
                turns[language] = [*turns_ms(viewers, server.url, count, language, fields)]
    note("first picture", "first", firsts)
    for language, found in turns.items():
        note(f"say to moving lips {language}", "say", [turn[0] for turn in found])
        note(f"say to first sound {language}", "say", [turn[1] for turn in found])
        note(f"interrupt to last stale sound {language}", "interrupt", [turn[2] for turn in found])
    skew = Skew(over, browser=chosen.browser)
    if chosen.minutes:
        skew.measure(chosen.minutes)
    for name, values in skew.found.items():
        early, late = np.array_split(values, 2)
        for part, those in ((name, values), ("  first half", early), ("  last half", late)):
            rows.append([part, 40, float(np.median(those)), 40, float(np.abs(those).max())])
        figures[name.replace(" ", "_")] = {
            "median_ms": round(float(np.median(values)), 1),
            "most_ms": round(float(np.abs(values).max()), 1),
            "drift_ms": round(float(np.median(late) - np.median(early)), 1),
            "bursts": len(values),
        }
    looks = "seen in Chromium" if chosen.browser else "seen by a receiver"
    show(
        f"A session over {over}, 512x512, {count} times each, ms, {looks}; skew: picture after"
        f" sound, {skew.sent} bursts sent; its last column is the most",
        ["", "goal", "median", "goal p95", "p95"],
        rows,
    )
    if skew.held:
        columns = list(skew.held[0])
        show(
            "What the server holds",
            ["", *columns],
            [
                [name, *(now[c] for c in columns)]
                for name, now in zip(("early", "at the end"), skew.held, strict=True)
            ],
        )
    head = {"over": over, "browser": chosen.browser, "count": count, "voice": chosen.voice}
    minutes = {"minutes": chosen.minutes, "bursts_sent": skew.sent, "held": skew.held}
    end("conversation", {**head, **figures, **minutes})


if __name__ == "__main__":
    main()
