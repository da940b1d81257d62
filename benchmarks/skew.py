"""How far picture and sound are apart at a receiver, by a model that shows white while it is loud.

One burst a second, from a frame's first sample on. A skew is the first white picture after the
first loud sample, milliseconds: ``by arrival``, where sound plays as it comes in, and over WebRTC
``by reports``: on the sender's clock, as the sender reports of both tracks give it. Where the
picture before the first white one is missing, nothing is told. The server has to run
``benchmarks.marker``.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from benchmarks.browser_viewer import BrowserViewer
from benchmarks.marker import LOUD
from benchmarks.received import FPS, RATE, VIEWERS, grey, is_picture, loudness
from benchmarks.server import Server
from benchmarks.session_viewer import PCM, SessionViewer
from benchmarks.webrtc_viewer import WebRtcViewer

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from benchmarks.notes import Message
    from benchmarks.received import Viewer

MARKER = ("-m", "benchmarks.marker")
SIZE = "128x128"
SETTLED_S = 3.0
QUIET_S = 0.3
"""Between two bursts at least."""
NEAR_S = 0.5
_AHEAD = 20
"""Seconds that are sent at once."""


def second() -> NDArray[np.int16]:
    """Of sound, with one burst of four frames."""
    sound = np.zeros(RATE, "<i2")
    tone = 20_000 * np.sin(np.arange(4 * RATE // FPS) * 0.3)
    first = FPS // 2 * RATE // FPS
    sound[first : first + len(tone)] = tone
    return sound


class Onset(NamedTuple):
    at_s: float
    """Of arrival."""
    wall_s: float | None
    """On the sender's clock."""

    def near(self, other: Onset) -> bool:
        if self.wall_s is not None and other.wall_s is not None:
            return abs(self.wall_s - other.wall_s) < NEAR_S
        return abs(self.at_s - other.at_s) < NEAR_S


class Feed:
    """Sound of bursts for a session, as long as there is somebody to ask for it."""

    def __init__(self, url: str, session: dict[str, Any]) -> None:
        self._socket = SessionViewer(url, "none", "none", session=session)
        self._socket.tell("audio", sample_rate=RATE, text="")
        self.sent = 0
        self._began_s = time.monotonic()

    def keep_on(self) -> None:
        """To be called each few seconds."""
        while self.sent < time.monotonic() - self._began_s + _AHEAD / 2:
            for _ in range(_AHEAD):
                self._socket.socket.send_binary(second().tobytes())
            self.sent += _AHEAD

    def close(self) -> None:
        self._socket.leave()


class Bursts:
    """A session that is fed, and what its viewer sees of it."""

    def __init__(self, url: str, over: str, **fields: Any) -> None:
        self.viewer: Viewer = VIEWERS[over](url, size=SIZE, **fields)
        self.viewer.wait(is_picture)
        self.feed = Feed(url, self.viewer.session)
        self._white, self._frame, self._loud_s = False, 0, 0.0
        self._sounds: list[Onset] = []
        self._pictures: list[Onset] = []

    def skews_ms(self) -> dict[str, list[float]]:
        """Of what has come since the last call; what was looked at goes."""
        taken = list(self.viewer.messages)
        del self.viewer.messages[: len(taken)]
        for message in taken:
            if message.kind == PCM:
                self._hear(message)
            elif is_picture(message):
                white = bool(grey(message).mean() > 128)
                follows = message.frame == self._frame + 1
                if white and not self._white and follows:
                    self._pictures.append(Onset(message.at_s, self._wall_s(message)))
                self._white, self._frame = white, message.frame
        found: dict[str, list[float]] = {"skew by arrival": [], "skew by reports": []}
        for sound, picture in paired(self._sounds, self._pictures):
            found["skew by arrival"].append((picture.at_s - sound.at_s) * 1000)
            if picture.wall_s is not None and sound.wall_s is not None:
                found["skew by reports"].append((picture.wall_s - sound.wall_s) * 1000)
        return found

    def close(self) -> None:
        self.feed.close()
        self.viewer.close()

    def _hear(self, message: Message) -> None:
        loud = np.flatnonzero(loudness(message) > LOUD * 32768)
        if not len(loud):
            return
        if message.at_s - self._loud_s > QUIET_S:
            into_s, wall_s = float(loud[0]) / RATE, self._wall_s(message)
            wall_s = None if wall_s is None else wall_s + into_s
            self._sounds.append(Onset(message.at_s + into_s, wall_s))
        self._loud_s = message.at_s

    def _wall_s(self, message: Message) -> float | None:
        return self.viewer.wall_s(message) if isinstance(self.viewer, WebRtcViewer) else None


def paired(sounds: list[Onset], pictures: list[Onset]) -> list[tuple[Onset, Onset]]:
    """Those that are near each other; they are taken out, and those too old to find another."""
    found = []
    for sound in list(sounds):
        near = [picture for picture in pictures if sound.near(picture)]
        if near:
            found.append((sound, near[0]))
            sounds.remove(sound)
            pictures.remove(near[0])
    latest_s = max((onset.at_s for onset in sounds + pictures), default=0.0)
    for onsets in (sounds, pictures):
        onsets[:] = [onset for onset in onsets if latest_s - onset.at_s < 2 * NEAR_S]
    return found


class Skew:
    """A run of so many minutes on a server of its own."""

    def __init__(self, over: str, *, browser: bool) -> None:
        self._over, self._browser = over, browser
        self.found: dict[str, list[float]] = {}
        self.sent = 0
        self.held: list[dict[str, int]] = []
        """By the server after the first minute, or before, and at the end."""

    def measure(self, minutes: float) -> None:
        seconds = round(minutes * 60)
        with Server("", [], MARKER) as server:
            time.sleep(SETTLED_S)
            if self._browser:
                self._look(server, seconds)
            else:
                self._receive(server, seconds)
        self.found = {name: values for name, values in self.found.items() if values}

    def _receive(self, server: Server, seconds: int) -> None:
        bursts = Bursts(server.url, self._over)
        for number in range(seconds):
            if number == min(60, seconds // 2):
                self.held.append(server.held())
            bursts.feed.keep_on()
            time.sleep(1.0)
            for name, values in bursts.skews_ms().items():
                self.found.setdefault(name, []).extend(values)
        self.held.append(server.held())
        self.sent = seconds
        bursts.close()

    def _look(self, server: Server, seconds: int) -> None:
        with BrowserViewer(server.url) as viewer:
            viewer.open(LOUD, size=SIZE)
            feed = Feed(server.url, viewer.session)
            for number in range(seconds):
                if number == min(60, seconds // 2):
                    self.held.append(server.held())
                feed.keep_on()
                viewer.rest(1.0)
            self.held.append(server.held())
            seen = viewer.onsets(FPS)
            feed.close()
            viewer.leave()
        self.sent = seconds
        sounds, pictures = (
            [Onset(at_ms / 1000, None) for at_ms in seen[name]] for name in ("sounds", "pictures")
        )
        pairs = paired(sounds, pictures)
        self.found["skew as shown"] = [(p.at_s - s.at_s) * 1000 for s, p in pairs]
