"""Peers of one session that decode nothing, in a process that can be killed.

The first makes the session and says a text, the others look at it. Each writes one JSON line:
``open``, ``refused`` (the status) or ``silent``; then one says how many there are, and they stay
until the input ends, when the session is ended.

python -m benchmarks.webrtc_peers URL [--peers 10] [--size 128x128]
"""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from benchmarks.session_viewer import Refused, patiently
from benchmarks.texts import TEXTS
from benchmarks.webrtc_tracks import PICTURE
from benchmarks.webrtc_viewer import WebRtcViewer

PATIENCE_S = 20.0
"""For a session that does not fit yet."""


def tell(**line: object) -> None:
    print(json.dumps(line), flush=True)


def made(url: str, size: str) -> WebRtcViewer:
    """Raises Refused."""
    fields: dict[str, Any] = {"size": size, "language": "en", "voice": "espeak"}
    return patiently(lambda: WebRtcViewer(url, keep=False, **fields), PATIENCE_S)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--peers", type=int, default=10)
    parser.add_argument("--size", default="128x128")
    chosen = parser.parse_args()
    viewers: list[WebRtcViewer] = []
    for _ in range(chosen.peers):
        try:
            if viewers:
                first = viewers[0].session
                viewer = WebRtcViewer(chosen.url, keep=False, session=first)
            else:
                viewer = made(chosen.url, chosen.size)
        except Refused as refused:
            tell(refused=refused.status)
            if not viewers:
                break
            continue
        viewers.append(viewer)
        try:
            viewer.wait(lambda message: message.kind == PICTURE)
            tell(open=viewer.session["session_id"])
        except TimeoutError:
            tell(silent=viewer.session["session_id"])
            continue
        if len(viewers) == 1:
            viewer.tell("say", text=TEXTS["en"])
    tell(peers=len(viewers))
    sys.stdin.read()
    for viewer in reversed(viewers):
        viewer.close()


if __name__ == "__main__":
    main()
