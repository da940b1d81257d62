"""How a session answers, seen by a receiver in a process of its own, over loopback.

Each thing is done --count times: a session is made, until its first picture is whole; a text is
said, until the first picture whose lips move; what is said is interrupted, until the last sample of
it was there. Lips move where a picture, decoded, is not the one that stood there in silence. The
sound is what was decoded, and its packets count as played while they come in. Skew: a model that
shows white while its sound is loud, and the arrival of the first white picture beside that of the
first loud sample, over the whole of --skew-minutes.

python -m benchmarks.conversation [--count 30] [--skew-minutes 1] [--voice espeak]
"""

from __future__ import annotations

import argparse
import time
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from benchmarks.server import ROOT, Server
from benchmarks.session_viewer import JPEG, PCM, Message, SessionViewer
from benchmarks.table import end, show
from benchmarks.texts import TEXTS

if TYPE_CHECKING:
    from numpy.typing import NDArray

RATE, FPS = 48_000, 25
HEARD = 100
"""Of 32768: a sample that is louder is heard."""
BLOCK, MOVED = 16, 4.0
"""Lips move where the mean of a block of pixels is off by so many grey levels."""
SETTLED_S = 3.0
LANGUAGES = ("ru", "kk", "en")


def loudest(message: Message) -> NDArray[np.int16]:
    return np.abs(np.frombuffer(message.payload, "<i2").astype(np.int32))


def is_loud(message: Message) -> bool:
    return message.kind == PCM and bool(loudest(message).max(initial=0) > HEARD)


def grey(message: Message) -> NDArray[np.float32]:
    """Means of blocks of the decoded picture."""
    data = np.frombuffer(message.payload, np.uint8)
    picture = np.asarray(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE), np.uint8)
    high, wide = (edge // BLOCK * BLOCK for edge in picture.shape)
    blocks = picture[:high, :wide].reshape(high // BLOCK, BLOCK, wide // BLOCK, BLOCK)
    return np.asarray(blocks.mean((1, 3)), np.float32)


class Silence:
    """The pictures of the default avatar's loop as they are in silence, by their number in it."""

    def __init__(self, url: str) -> None:
        self._pictures = len(np.load(ROOT / "avatar" / "aigul" / "loop.npz")["boxes"])
        self._seen: dict[int, NDArray[np.float32]] = {}
        with SessionViewer(url) as viewer:
            viewer.wait(lambda message: message.frame > self._pictures + 5)
            for message in list(viewer.messages):
                if message.kind == JPEG:
                    self._seen.setdefault(message.frame % self._pictures, grey(message))

    def broken(self, message: Message) -> bool:
        """Lips move in it."""
        if message.kind != JPEG or message.idle:
            return False
        still = self._seen.get(message.frame % self._pictures)
        return still is not None and bool(np.abs(grey(message) - still).max() > MOVED)


def first_picture_ms(url: str) -> float:
    with SessionViewer(url) as viewer:
        shown = viewer.wait(lambda message: message.kind == JPEG)
        return (shown.at_s - viewer.began_s) * 1000


def turn_ms(
    viewer: SessionViewer, silence: Silence, text: str, fields: dict[str, Any]
) -> tuple[float, float, float]:
    """One text, cut in its middle: milliseconds to its first moving lips, to its first sound, and
    from the interrupt to its last sample."""
    said_s = viewer.tell("say", text=text, **fields)
    moved = viewer.wait(silence.broken, said_s)
    sounded = viewer.wait(is_loud, said_s)
    time.sleep(0.7 + 0.3 * np.random.default_rng().random())
    cut_s = viewer.tell("interrupt")
    viewer.wait_event("interrupted", cut_s)
    time.sleep(0.5)
    stale = [m for m in list(viewer.messages) if m.at_s >= cut_s and is_loud(m)]
    last = 0.0
    for message in stale:
        played = np.flatnonzero(loudest(message) > HEARD)[-1] / RATE
        last = max(last, message.at_s + played - cut_s)
    viewer.messages.clear()
    return (moved.at_s - said_s) * 1000, (sounded.at_s - said_s) * 1000, last * 1000


def skews_ms(minutes: float) -> tuple[list[float], int, list[dict[str, int]]]:
    """Of one burst a second: picture after sound, by arrival; how many were sent; and what the
    server held after the first minute, or before, and at the end."""
    entry = ("-m", "benchmarks.marker")
    seconds = round(minutes * 60)
    with Server("", [], entry) as server:
        time.sleep(SETTLED_S)
        with SessionViewer(server.url, size="128x128") as viewer:
            viewer.wait(lambda message: message.kind == JPEG)
            viewer.tell("audio", sample_rate=RATE, text="")
            burst = np.zeros(RATE, "<i2")
            tone = 20_000 * np.sin(np.arange(4 * RATE // FPS) * 0.3)
            burst[RATE // 2 : RATE // 2 + len(tone)] = tone
            skews: list[float] = []
            held: list[dict[str, int]] = []
            for second in range(seconds):
                if second == min(60, seconds // 2):
                    held.append(server.held())
                if second % 20 == 0:
                    for _ in range(min(20, seconds - second)):
                        viewer.socket.send_binary(burst.tobytes())
                time.sleep(1.0)
                skews += _skews(viewer)
            time.sleep(2.0)
            skews += _skews(viewer)
            held.append(server.held())
    return skews, seconds, held


def _skews(viewer: SessionViewer) -> list[float]:
    """Of the bursts that have come whole; what was looked at goes."""
    taken = list(viewer.messages)
    sounds = _onsets([(m.frame, m.at_s, is_loud(m)) for m in taken if m.kind == PCM])
    pictures = _onsets(
        [(m.frame, m.at_s, bool(grey(m).mean() > 128)) for m in taken if m.kind == JPEG]
    )
    found = []
    for frame, at_s in sounds.items():
        near = [f for f in pictures if abs(f - frame) < FPS / 2]
        found += [(pictures[f] - at_s) * 1000 for f in near[:1]]
    # The next look begins with the last frame of this one, so that no burst is seen twice.
    last = max(message.frame for message in taken)
    viewer.messages[: len(taken)] = [m for m in taken if m.frame == last]
    return found


def _onsets(seen: list[tuple[int, float, bool]]) -> dict[int, float]:
    """When each burst's first frame was there, by its frame."""
    return {
        frame: at_s
        for (_, _, before), (frame, at_s, now) in zip(seen, seen[1:], strict=False)
        if now and not before
    }


def summary(values: list[float]) -> tuple[float, float]:
    median, p95 = np.percentile(values, [50, 95]).tolist()
    return median, p95


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", default="", help="a running server; none: start one")
    parser.add_argument("--count", type=int, default=30)
    parser.add_argument("--voice", default="espeak", help="of what is said; empty: the server's")
    parser.add_argument("--skew-minutes", type=float, default=1.0)
    chosen = parser.parse_args()
    rows: list[list[Any]] = []
    figures: dict[str, Any] = {}

    def note(name: str, goal: float, values: list[float]) -> None:
        median, p95 = summary(values)
        rows.append([name, goal, median, 2 * goal, p95])
        figures[name.replace(" ", "_")] = {"median_ms": round(median, 1), "p95_ms": round(p95, 1)}

    fields: dict[str, Any] = {"voice": chosen.voice} if chosen.voice else {}
    with Server(chosen.url, ["VOICE_CACHE_MB=0"]) as server:
        time.sleep(SETTLED_S)
        silence = Silence(server.url)
        note("first picture", 100, [first_picture_ms(server.url) for _ in range(chosen.count)])
        for language in LANGUAGES:
            with SessionViewer(server.url, language=language) as viewer:
                viewer.wait(lambda message: message.kind == JPEG)
                turns = [
                    turn_ms(viewer, silence, TEXTS[language], fields) for _ in range(chosen.count)
                ]
            for name, goal, column in (
                ("say to moving lips", 120, 0),
                ("say to first sound", 120, 1),
                ("interrupt to last stale sound", 120, 2),
            ):
                note(f"{name} {language}", goal, [turn[column] for turn in turns])
    skews, sent, held = skews_ms(chosen.skew_minutes)
    early, late = [values for values in np.array_split(skews, 2)]
    for name, values in (("skew", skews), ("skew, first half", early), ("last half", late)):
        rows.append([name, 40, float(np.median(values)), 40, float(np.abs(values).max())])
    figures["skew"] = {
        "median_ms": round(float(np.median(skews)), 1),
        "most_ms": round(float(np.abs(skews).max()), 1),
        "drift_ms": round(float(np.median(late) - np.median(early)), 1),
        "bursts": len(skews),
        "sent": sent,
        "minutes": chosen.skew_minutes,
        "held": held,
    }
    show(
        f"A session over a WebSocket, 512x512, {chosen.count} times each, ms; skew: picture after"
        f" sound, {len(skews)} of {sent} bursts; its last column is the most",
        ["", "goal", "median", "goal p95", "p95"],
        rows,
    )
    columns = list(held[0])
    show(
        "What the server holds",
        ["", *columns],
        [
            [name, *(now[c] for c in columns)]
            for name, now in zip(("early", "at the end"), held, strict=True)
        ],
    )
    end("conversation", {"count": chosen.count, "voice": chosen.voice, **figures})


if __name__ == "__main__":
    main()
