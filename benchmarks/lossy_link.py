"""A session over a bad line: pictures, freezes, and whether the bit rate follows.

The line is ``benchmarks.relay``: for --seconds each it is as good as it comes, then it loses
--loss percent both ways, then it delays by --delay ms each way, then it takes --kbps to the viewer,
then all three, and then it is good again. A freeze is a time without a new picture that is over
three times the mean between two, or 150 ms over it (as WebRTC's statistics have it). ``sent`` is
what the relay let through to the viewer, heads included; ``bitrate`` (bit/s), ``limit`` and
``loss`` are the server's own, from its last ``stats``. The session speaks all the time.

python -m benchmarks.lossy_link [--seconds 20] [--loss 5] [--delay 100] [--kbps 300] [--browser]
"""

from __future__ import annotations

import argparse
import time
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.browser_viewer import BrowserViewer
from benchmarks.received import FPS, HEARD, is_picture
from benchmarks.relay import Line, Relay
from benchmarks.server import Server
from benchmarks.session_viewer import PCM, call
from benchmarks.table import end, show
from benchmarks.texts import TEXTS
from benchmarks.webrtc_viewer import WebRtcViewer

if TYPE_CHECKING:
    from collections.abc import Sequence

SETTLED_S = 5.0
LANGUAGE = "en"


class Receiver:
    """aiortc's, in this process."""

    def __init__(self, url: str, relay: Relay, fields: dict[str, Any]) -> None:
        self._viewer = WebRtcViewer(url, through=relay.through, **fields)
        self.session = self._viewer.session
        self._viewer.wait(is_picture)

    def shown_s(self, seconds: float) -> tuple[list[float], float]:
        """When each picture was there, from now on, and how much of the sound came (0..1)."""
        self._viewer.messages.clear()
        began_s = time.monotonic()
        time.sleep(seconds)
        seen = list(self._viewer.messages)
        wall_s = time.monotonic() - began_s
        sounds = sum(message.kind == PCM for message in seen)
        return [m.at_s for m in seen if is_picture(m)], sounds * 0.02 / wall_s

    def stats(self) -> dict[str, Any]:
        return self._viewer.stats()

    def close(self) -> None:
        self._viewer.close()


class Chromium:
    def __init__(self, url: str, relay: Relay, fields: dict[str, Any]) -> None:
        self._viewer = BrowserViewer(url, relay.through)
        self._viewer.open(HEARD / 32768, **fields)
        self.session = self._viewer.session

    def shown_s(self, seconds: float) -> tuple[list[float], float | None]:
        """When each picture was shown, from now on; of the sound it tells nothing."""
        before = len(self._viewer.pictures_ms())
        self._viewer.rest(seconds)
        return [at_ms / 1000 for at_ms in self._viewer.pictures_ms()[before:]], None

    def stats(self) -> dict[str, Any]:
        return self._viewer.stats()

    def close(self) -> None:
        self._viewer.leave()
        self._viewer.close()


def freezes_ms(shown_s: Sequence[float], seconds: float) -> list[float]:
    if len(shown_s) < 2:
        return [seconds * 1000]
    gaps_ms = np.diff(shown_s) * 1000
    mean_ms = float(gaps_ms.mean())
    return [gap for gap in gaps_ms.tolist() if gap > max(3 * mean_ms, mean_ms + 150)]


def speak(url: str, session: dict[str, Any]) -> None:
    """On, for half a minute more."""
    path = f"/api/sessions/{session['session_id']}/say"
    for _ in range(2):
        call(url, "POST", path, {"text": TEXTS[LANGUAGE], "voice": "espeak"}, session["token"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20.0, help="of each line; up to 30")
    parser.add_argument("--loss", type=float, default=5.0, help="percent")
    parser.add_argument("--delay", type=float, default=100.0, help="ms each way")
    parser.add_argument("--kbps", type=float, default=300.0)
    parser.add_argument("--browser", action="store_true", help="Chromium looks")
    chosen = parser.parse_args()
    loss, delay_s, bits_s = chosen.loss / 100, chosen.delay / 1000, chosen.kbps * 1000
    lines = {
        "good": Line(),
        f"loss {chosen.loss:g} %": Line(loss=loss),
        f"delay {chosen.delay:g} ms": Line(delay_s=delay_s),
        f"rate {chosen.kbps:g} kbit/s": Line(bits_s=bits_s),
        "all three": Line(loss, delay_s, bits_s),
        "good again": Line(),
    }
    rows: list[list[Any]] = []
    figures: dict[str, Any] = {}
    fields = {"size": "512x512", "language": LANGUAGE, "fps": FPS}
    with Server() as server, Relay() as relay:
        time.sleep(SETTLED_S)
        viewer = (Chromium if chosen.browser else Receiver)(server.url, relay, fields)
        for name, line in lines.items():
            speak(server.url, viewer.session)
            relay.line = line
            passed, began_s = relay.passed_bytes, time.monotonic()
            shown_s, heard = viewer.shown_s(chosen.seconds)
            wall_s = time.monotonic() - began_s
            frozen, told = freezes_ms(shown_s, wall_s), viewer.stats()
            row = {
                "fps": len(shown_s) / wall_s,
                "freezes": len(frozen),
                "frozen_ms": sum(frozen),
                "longest_ms": max(frozen, default=0.0),
                "sent_kbps": 8 * (relay.passed_bytes - passed) / wall_s / 1000,
                "sound": heard,
                **{key: told.get(key) for key in ("bitrate", "limit", "loss", "round_trip_ms")},
            }
            rows.append([name, *row.values()])
            figures[name] = row
        viewer.close()
    looks = "Chromium" if chosen.browser else "a receiver"
    show(
        f"A session of 512x512 over a bad line, {chosen.seconds:g} s each, seen by {looks}; bit/s"
        " and loss as the server tells them; sound: how much of it came",
        ["line", *row],
        rows,
    )
    end("lossy_link", {"browser": chosen.browser, "seconds": chosen.seconds, "lines": figures})


if __name__ == "__main__":
    main()
