"""Sessions that are made and left, half of them by a reset connection: whether nothing stays.

As many at once as the server takes; whoever is refused waits until one has gone. Over WebRTC it is
``rude_peers``: --sessions are peers then, ten for each session.

python -m benchmarks.rude_sessions [--sessions 200] [--at-once 8] [--size 128x128] [--over webrtc]
"""

from __future__ import annotations

import argparse
import time
from typing import Any

from benchmarks import rude_peers
from benchmarks.server import Server
from benchmarks.session_viewer import JPEG, SessionViewer, patiently
from benchmarks.table import end, show
from benchmarks.texts import TEXTS

GRACE_S = 2
SETTLED_S = 5.0
PATIENCE_S = 90.0


def made(server: Server, size: str) -> SessionViewer:
    fields: dict[str, Any] = {"size": size, "language": "en", "voice": "espeak"}
    return patiently(lambda: SessionViewer(server.url, keep=False, **fields), PATIENCE_S)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sessions", type=int, default=200)
    parser.add_argument("--at-once", type=int, default=8)
    parser.add_argument("--size", default="128x128")
    parser.add_argument("--over", default="socket", choices=["socket", "webrtc"])
    chosen = parser.parse_args()
    if chosen.over == "webrtc":
        rude_peers.run(chosen.sessions, chosen.at_once, chosen.size)
        return
    rows: list[list[Any]] = []

    def note(name: str) -> dict[str, Any]:
        seen = server.held()
        rows.append([name, *seen.values()])
        return seen

    with Server("", [f"SESSION_GRACE_S={GRACE_S}", "CPU_SHARE=1"]) as server:
        time.sleep(SETTLED_S)
        # The pool of threads for requests grows to what was asked at once, and stays.
        warm = [made(server, chosen.size) for _ in range(chosen.at_once)]
        for viewer in warm:
            viewer.tell("say", text="Hello!")
            viewer.wait_event("speech_finished")
        for viewer in warm:
            viewer.close()
        time.sleep(SETTLED_S)
        before = note("before")
        open_now: list[SessionViewer] = []
        killed = closed = 0
        for number in range(chosen.sessions):
            viewer = made(server, chosen.size)
            viewer.wait(lambda message: message.kind == JPEG)
            viewer.tell("say", text=TEXTS["en"])
            open_now.append(viewer)
            if len(open_now) >= chosen.at_once:
                leaving = open_now.pop(0)
                if (number // 2) % 2:
                    leaving.close()
                    closed += 1
                else:
                    leaving.kill()
                    killed += 1
            if number == chosen.sessions // 2:
                note("half way")
        for leaving in open_now:
            leaving.kill()
            killed += 1
        began_s = time.monotonic()
        while server.health()["sessions"]["open"] and time.monotonic() - began_s < PATIENCE_S:
            time.sleep(0.1)
        gone_s = time.monotonic() - began_s
        time.sleep(SETTLED_S)
        after = note("after")
        time.sleep(60)
        trimmed = note("a minute later")
        errors = [line for line in server.log().splitlines() if " ERROR " in line]
    show(
        f"{chosen.sessions} sessions, {killed} killed and {closed} closed; the last gone after"
        f" {gone_s:.1f} s; {len(errors)} errors in the log",
        ["", "sessions", "threads", "descriptors", "sockets", "MB", "children"],
        rows,
    )
    end(
        "rude_sessions",
        {
            "sessions": chosen.sessions,
            "killed": killed,
            "closed": closed,
            "gone_s": round(gone_s, 1),
            "errors": len(errors),
            "before": before,
            "after": after,
            "a_minute_later": trimmed,
        },
    )


if __name__ == "__main__":
    main()
