"""How others fare while clients attack: they hold connections, sockets and peers, and ask and talk
without end (``attackers.KINDS``).

One reader of 512x512 is served from before each attack; /api/health/live is asked twice a second;
in the middle a new client asks for a stream. All of it on this machine: attackers come from an
address of their own, and a server that is started here bounds what one client may take, as one does
that others reach. A row passes when
/api/health/live always answered within LIVE_S, the reader had FPS pictures in every second, or one
less than while nobody attacked, where this machine draws no more, the new client its first picture
within NEW_S, the attackers were gone within the time of their kind, and no session or job was left
at the end. An attack for which the server has no room is skipped. Attacks by descriptors are aimed
at a server that has few.

python -m benchmarks.attack [--hold 30] [--kinds closers silent] [--scale 1.0]
    [--setting CPU_SHARE=1]
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import subprocess
import sys
import threading
import time
import urllib.request
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.attackers import KINDS, NO_ROOM
from benchmarks.mjpeg_reader import MjpegReader
from benchmarks.server import ROOT, Server
from benchmarks.table import end, show
from benchmarks.texts import TEXTS

LIVE_S, FPS, NEW_S = 1.0, 24, 3.0
LEFT_S = 45.0
"""After the attack, until no session and no job is left."""
NOISE_FPS = 1.0
"""Between two runs of the same."""
GRACE_S = 5
REACHED = "TRUSTED_PROXIES=127.0.0.254"
"""A proxy that nobody is: others than this machine may ask, so shares are bounded."""
FEW_DESCRIPTORS = 512
_LIMIT = f"resource.setrlimit(resource.RLIMIT_NOFILE, ({FEW_DESCRIPTORS}, {FEW_DESCRIPTORS}))"
FEW = ("-c", f"import resource, sys; {_LIMIT}; import app; sys.exit(app.main([]))")
ASK_S = 0.5
WINDOW_S = 1.0
PATIENCE_S = 60.0
SIZE = "512x512"
_AFTER_S = 10.0
"""How long after the attackers have left the reader is still watched."""


@dataclass
class Outcome:
    attack: str
    connections: int
    worst_live_s: float
    """Of /api/health/live."""
    unanswered: int
    lowest_fps: float
    """Of the reader, over any second."""
    new_client_s: float | None
    """From its first connection to its first frame."""
    gone_s: float | None
    """After the start the server held none of the attackers' connections."""
    left: str
    """Sessions and jobs that did not end."""
    load: float
    """Of the machine, in processes, at the end: other programs count too."""
    baseline_fps: float = 0.0
    """The reader's lowest while nobody attacked this server."""
    skipped: bool = False
    failed: str = ""
    """What is not as it should be."""

    @property
    def verdict(self) -> str:
        return "SKIPPED" if self.skipped else "FAIL" if self.failed else "PASS"

    def judge(self) -> None:
        kind = KINDS[self.attack]
        new_s = self.new_client_s
        wrong = {
            "live": self.unanswered > 0 or self.worst_live_s > LIVE_S,
            "reader": self.lowest_fps < min(FPS, self.baseline_fps - NOISE_FPS),
            "new client": new_s is None or new_s > NEW_S,
            "not gone": kind.gone_s is not None
            and (self.gone_s is None or self.gone_s > kind.gone_s),
            "left": bool(self.left),
        }
        self.failed = ", ".join(name for name, is_wrong in wrong.items() if is_wrong)


class Watch(threading.Thread):
    """Asks whether the server lives, and counts the attackers' connections that it holds."""

    def __init__(self, address: tuple[str, int]) -> None:
        super().__init__(name="watch")
        self.worst_s, self.unanswered = 0.0, 0
        self.gone_s: float | None = None
        self.over = threading.Event()
        self.ports: frozenset[int] = frozenset()
        self._address, self._began = address, time.monotonic()

    def attacked(self, ports: list[int]) -> None:
        """They have all asked."""
        self._began, self.ports = time.monotonic(), frozenset(ports)

    def run(self) -> None:
        while not self.over.wait(ASK_S):
            if not self.ports or held(self._address[1], self.ports):
                self.gone_s = None
            elif self.gone_s is None:
                self.gone_s = time.monotonic() - self._began
            asked = time.monotonic()
            try:
                live(self._address)
            except (OSError, http.client.HTTPException):
                self.unanswered += 1
            self.worst_s = max(self.worst_s, time.monotonic() - asked)


class Reading(threading.Thread):
    """One stream, read to its end or until ``over``."""

    def __init__(self, address: tuple[str, int], seconds: float) -> None:
        super().__init__(name="reading")
        text = " ".join([TEXTS["ru"]] * (3 + round(seconds / 10)))
        self.reader = MjpegReader(address, {"text": text, "size": SIZE})
        self.over = threading.Event()

    def run(self) -> None:
        try:
            while not self.over.is_set() and not self.reader.ended:
                self.reader.receive()
                if self.reader.status not in (0, 200):
                    return
        finally:
            self.reader.close()

    def lowest_fps(self) -> float:
        """Over any WINDOW_S between its first picture and its last one; 0 when it was cut off."""
        if self.reader.ended:
            return 0.0
        arrivals = sorted(self.reader.arrivals.values())
        lowest, first = float("inf"), 0
        for last, now in enumerate(arrivals):
            while arrivals[first] <= now - WINDOW_S:
                first += 1
            if now - arrivals[0] >= WINDOW_S:
                lowest = min(lowest, (last - first + 1) / WINDOW_S)
        return lowest


def live(address: tuple[str, int]) -> None:
    connection = http.client.HTTPConnection(*address, timeout=10)
    try:
        connection.request("GET", "/api/health/live", headers={"Connection": "close"})
        if connection.getresponse().status != 200:
            raise ConnectionError
    finally:
        connection.close()


def held(port: int, others: frozenset[int]) -> int:
    """Connections from ``others`` that a program on ``port`` has, or still has to accept."""
    count = 0
    for line in Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]:
        fields = line.split()
        here, there = (int(end.partition(":")[2], 16) for end in fields[1:3])
        if here == port and there in others:
            count += fields[9] != "0" or fields[3] in ("01", "08")
    return count


def served_s(address: tuple[str, int]) -> float | None:
    """Until a new client has its first frame; it asks again when it is refused."""
    began = time.monotonic()
    while time.monotonic() - began < PATIENCE_S / 6:
        if first_frame_s(address) is not None:
            return time.monotonic() - began
        time.sleep(0.2)
    return None


def first_frame_s(address: tuple[str, int]) -> float | None:
    reader = MjpegReader(address, {"text": "Сәлем!", "language": "kk", "size": SIZE})
    try:
        while 0 not in reader.arrivals and not reader.ended and reader.status in (0, 200):
            reader.receive()
    except OSError:
        return None
    finally:
        reader.close()
    return reader.first_frame_s


def film(server: Server) -> str:
    """The address of a finished film that no kernel buffers."""
    large = {"text": TEXTS["ru"], "size": "640x640", "crf": 1, "preset": "ultrafast"}
    body = json.dumps(large).encode()
    fields = {"Content-Type": "application/json", "Prefer": "respond-async"}
    request = urllib.request.Request(f"{server.url}/api/lipsync/video", body, fields)
    with urllib.request.urlopen(request, timeout=30) as answer:
        job = json.load(answer)
    for _ in range(600):
        with urllib.request.urlopen(f"{server.url}/api/jobs/{job['id']}", timeout=10) as answer:
            told = json.load(answer)
        if told["result_url"]:
            return str(told["result_url"])
        time.sleep(0.5)
    raise RuntimeError(f"no film: {told}")


def admitted(server: Server, seconds: float) -> Reading:
    """A stream that has begun. A busy machine refuses at first."""
    for _ in range(int(PATIENCE_S)):
        reading = Reading(server.address, seconds)
        reading.start()
        while reading.is_alive() and 0 not in reading.reader.arrivals:
            time.sleep(0.05)
        if 0 in reading.reader.arrivals:
            return reading
        time.sleep(1.0)
    raise RuntimeError("the reader is never admitted: this machine is too busy")


def left_over(server: Server) -> str:
    """What has not ended some time after all have gone."""
    until_s = time.monotonic() + LEFT_S
    while True:
        report = server.health()
        left = {"jobs": report["capacity"]["jobs"], "sessions": report["sessions"]["open"]}
        left = {name: count for name, count in left.items() if count}
        if not left or time.monotonic() > until_s:
            return ", ".join(f"{count} {name}" for name, count in left.items())
        time.sleep(0.5)


def run(
    server: Server, kind: str, count: int, hold_s: float, path: str, baseline_fps: float | None
) -> Outcome:
    """Without a ``baseline_fps`` this is the run that gives it."""
    reading = admitted(server, hold_s + _AFTER_S)
    host, port = server.address
    line = [sys.executable, "-m", "benchmarks.attackers", kind, str(count), str(hold_s), host]
    watch = Watch(server.address)
    with subprocess.Popen([*line, str(port), path], cwd=ROOT, stdout=subprocess.PIPE) as child:
        watch.start()
        try:
            assert child.stdout is not None
            asked = child.stdout.readline()
            watch.attacked(json.loads(asked or "[]"))
            time.sleep(hold_s / 6 if asked else 0.0)
            new_client_s = served_s(server.address)
            child.wait(hold_s + PATIENCE_S)
            time.sleep(_AFTER_S / 2)
        finally:
            child.kill()
            watch.over.set()
            watch.join()
            reading.over.set()
            reading.join()
    lowest_fps = reading.lowest_fps()
    outcome = Outcome(
        kind,
        count,
        watch.worst_s,
        watch.unanswered,
        lowest_fps,
        new_client_s,
        watch.gone_s,
        left_over(server),
        os.getloadavg()[0],
        lowest_fps if baseline_fps is None else baseline_fps,
        skipped=not asked and child.returncode == NO_ROOM,
    )
    outcome.judge()
    if outcome.skipped:
        outcome.failed = ""
    elif not asked:
        outcome.failed = "the attack did not begin"
    return outcome


def attacked(server: Server, kinds: list[str], chosen: argparse.Namespace) -> list[Outcome]:
    outcomes, baseline_fps = [], None
    server.wait_idle()
    first_frame_s(server.address)
    path = film(server) if "downloads" in kinds else ""
    for kind in dict.fromkeys(["nobody", *kinds]):
        server.wait_idle()
        count = round(KINDS[kind].clients * chosen.scale)
        outcome = run(server, kind, count, chosen.hold, path, baseline_fps)
        outcomes.append(outcome)
        baseline_fps = outcome.baseline_fps
        print(kind, outcome.failed or outcome.verdict, file=sys.stderr, flush=True)
    return outcomes


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", default="", help="a running server; none: start one")
    parser.add_argument("--hold", type=float, default=30.0, help="seconds that each is held")
    parser.add_argument("--kinds", nargs="+", choices=list(KINDS), default=list(KINDS))
    parser.add_argument("--scale", type=float, default=1.0, help="times the connections of each")
    parser.add_argument(
        "--setting", action="append", default=[], help="NAME=value for a server started here"
    )
    chosen = parser.parse_args()
    settings = [f"SESSION_GRACE_S={GRACE_S}", REACHED, *chosen.setting]
    outcomes = []
    few = [kind for kind in chosen.kinds if kind == "descriptors" and not chosen.url]
    most = [kind for kind in chosen.kinds if kind not in few]
    if most:
        with Server(chosen.url, settings) as server:
            outcomes += attacked(server, most, chosen)
    if few:
        with Server("", settings, FEW) as server:
            outcomes += attacked(server, few, chosen)
    show(
        f"One reader of {SIZE} at 25 frames/s while others attack for {chosen.hold:.0f} s; seconds",
        [*(field.replace("_", " ") for field in Outcome.__dataclass_fields__), ""],
        [[*vars(each).values(), each.verdict] for each in outcomes],
    )
    rounded = [
        {k: round(v, 3) if isinstance(v, float) else v for k, v in asdict(outcome).items()}
        for outcome in outcomes
    ]
    passed = not any(outcome.failed for outcome in outcomes)
    print(f"\n{'PASS' if passed else 'FAIL'}")
    end("attack", {"hold_s": chosen.hold, "passed": passed, "runs": rounded})
    return not passed


if __name__ == "__main__":
    sys.exit(main())
