"""WebRTC peers that come and go, half of them killed without a goodbye: whether nothing stays.

Ten peers a process look at one session; as many processes at once as are asked for, and then the
oldest leaves, closed and killed (SIGKILL) by turns. One process at the end brings more peers than a
session takes. ``rude_sessions --over webrtc`` runs it.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from typing import Any

from benchmarks.notes import PATIENCE_S
from benchmarks.server import ROOT, Server
from benchmarks.session_viewer import call
from benchmarks.table import end, show

GRACE_S = 2
SETTLED_S = 5.0
PEERS = 10
"""Of a process."""
CROWD = 40
GONE_S = 90.0
SLACK = {"sockets": 2, "tasks": 2, "descriptors": 4, "memory_mb": 40}
"""By so much more than before is nothing that stays. The pool for requests keeps its threads."""


class Peers:
    """A process of them."""

    def __init__(self, url: str, peers: int, size: str) -> None:
        command = [sys.executable, "-m", "benchmarks.webrtc_peers", url]
        self._child = subprocess.Popen(
            [*command, "--peers", str(peers), "--size", size],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._child.stdout is not None
        self.open = self.refused = self.silent = 0
        for text in self._child.stdout:  # each of its waits is bounded
            line: dict[str, Any] = json.loads(text)
            if "peers" in line:
                break
            self.open += "open" in line
            self.silent += "silent" in line
            self.refused += line.get("refused") == 503

    def kill(self) -> None:
        self._child.kill()
        self._child.communicate()

    def close(self) -> None:
        self._child.communicate(timeout=4 * PATIENCE_S)


def looking(server: Server) -> int:
    """Viewers of all sessions."""
    sessions = call(server.url, "GET", "/api/sessions", None)["sessions"]
    return sum(len(session["viewers"]) for session in sessions)


def run(most: int, at_once: int, size: str) -> None:
    rows: list[list[Any]] = []

    def note(name: str) -> dict[str, int]:
        seen = {"peers": looking(server), "tasks": server.tasks(), **server.held()}
        rows.append([name, *seen.values()])
        return seen

    settings = [f"SESSION_GRACE_S={GRACE_S}", "CPU_SHARE=1"]
    with Server("", settings, ("-m", "benchmarks.watched")) as server:
        time.sleep(SETTLED_S)
        Peers(server.url, PEERS, size).close()  # what is loaded once stays
        time.sleep(SETTLED_S)
        before = note("before")
        here: list[Peers] = []
        totals = {"opened": 0, "silent": 0, "killed": 0, "closed": 0}

        def leave(*, rudely: bool) -> None:
            leaving = here.pop(0)
            (leaving.kill if rudely else leaving.close)()
            totals["killed" if rudely else "closed"] += leaving.open + leaving.silent

        while totals["opened"] < most:
            peers = Peers(server.url, min(PEERS, most - totals["opened"]), size)
            if not peers.open + peers.silent:
                peers.close()
                if not here:
                    break
                leave(rudely=totals["killed"] <= totals["closed"])
                continue
            here.append(peers)
            totals["opened"] += peers.open + peers.silent
            totals["silent"] += peers.silent
            if len(rows) == 1 and totals["opened"] >= most // 2:
                note("half way")
            if len(here) >= at_once:
                leave(rudely=totals["killed"] <= totals["closed"])
        while here:
            leave(rudely=totals["killed"] <= totals["closed"])
        crowd = Peers(server.url, CROWD, size)
        note("a crowd")
        crowd.kill()
        began_s = time.monotonic()
        while server.health()["sessions"]["open"] and time.monotonic() - began_s < GONE_S:
            time.sleep(0.1)
        gone_s = time.monotonic() - began_s
        time.sleep(SETTLED_S)
        after = note("after")
        errors = [line for line in server.log().splitlines() if " ERROR " in line]
    stays = [name for name in after if name in SLACK and after[name] > before[name] + SLACK[name]]
    stays += [name for name in ("sessions", "peers") if after[name]]
    well = not stays and not errors and totals["opened"] >= most and not totals["silent"]
    show(
        f"{totals['opened']} WebRTC peers, {totals['killed']} killed and {totals['closed']} closed;"
        f" of {CROWD} at one session {crowd.open} were let in, {crowd.refused} refused and"
        f" {crowd.silent} answered and then left alone; the last gone {gone_s:.1f} s after they"
        f" were killed; {len(errors)} errors in the log",
        ["", *before],
        rows,
    )
    print(f"\nBack to the start: {'yes' if well else 'NO'}", *stays, *errors[:5])
    crowded = {"let_in": crowd.open, "refused": crowd.refused, "left_alone": crowd.silent}
    end(
        "rude_peers",
        {
            **totals,
            "crowd": crowded,
            "gone_s": round(gone_s, 1),
            "errors": len(errors),
            "before": before,
            "after": after,
            "stays": stays,
            "back": well,
        },
    )
