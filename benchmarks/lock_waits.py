"""Where a session gives Python's lock away, and how often for each of its frames.

Each time is a wait for the lock, and while others have work a wake-up of a thread too: with a dozen
sessions that, and not the work, is what makes frames late. Counts ``PyEval_SaveThread``, which
native code calls, in a server that is started here; needs a C compiler, and a Python with headers
and a shared library (not Debian's own).

python -m benchmarks.lock_waits [--sessions 2] [--seconds 10] [--over webrtc] [--rows 30]
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sysconfig
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.live_capacity import counted, opened
from benchmarks.received import VIEWERS
from benchmarks.server import ROOT, Server
from benchmarks.table import end, show

if TYPE_CHECKING:
    from collections.abc import Sequence

SOURCE = Path(__file__).with_suffix(".c")
SETTLED_S = 4.0
TOLD_S = 5.0


def compiled(folder: Path) -> Path:
    """Raises SystemExit where there is no compiler, and CalledProcessError where it fails."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        raise SystemExit("lock_waits needs a C compiler: there is no cc or gcc here")
    if not sysconfig.get_config_var("Py_ENABLE_SHARED"):
        raise SystemExit("lock_waits needs a Python with a shared library: calls inside it count")
    target = folder / "lock_waits.so"
    headers = sysconfig.get_path("include")
    line = [compiler, "-O1", "-shared", "-fPIC", f"-I{headers}", "-o", str(target), str(SOURCE)]
    subprocess.run([*line, "-ldl"], check=True)
    return target


def told(server: Server, path: Path) -> Counter[tuple[str, str]]:
    """Times since the last look, by native module and line of Python."""
    path.unlink(missing_ok=True)
    children = Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()
    os.kill(int(children[0]), signal.SIGRTMIN + 3)
    deadline = time.monotonic() + TOLD_S
    lines: list[str] = []
    while lines[-1:] != ["end"]:
        if time.monotonic() > deadline:
            raise TimeoutError("the server does not tell where it gave the lock away")
        time.sleep(0.05)
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    found: Counter[tuple[str, str]] = Counter()
    for line in lines[:-1]:
        count, module, place = line.split("\t")
        found[module, _short(place)] += int(count)
    return found


def _short(place: str) -> str:
    for folder in (f"{ROOT}/", "site-packages/", f"{sysconfig.get_path('stdlib')}/"):
        place = place.rpartition(folder)[2]
    return place


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sessions", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--over", default="webrtc", choices=sorted(VIEWERS))
    parser.add_argument("--rows", type=int, default=30)
    chosen = parser.parse_args(arguments)
    fields = {"size": "512x512", "voice": "espeak"}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        file = folder / "told"
        server = Server(settings=[f"LD_PRELOAD={compiled(folder)}", f"LOCK_WAITS={file}"])
        stack.callback(server.stop)
        viewers, _ = opened(server.url, chosen.sessions, chosen.over, fields)
        for viewer in viewers:
            stack.callback(viewer.close)
        time.sleep(SETTLED_S)
        told(server, file)
        before = counted(server, viewers)["frames"]
        time.sleep(chosen.seconds)
        found, frames = told(server, file), counted(server, viewers)["frames"] - before
    rows = [
        (place or "-", module, count / frames)
        for (module, place), count in found.most_common(chosen.rows)
    ]
    total = found.total() / frames
    show(
        f"{len(viewers)} sessions over {chosen.over}, {frames} frames: {total:.1f} times a frame",
        ("line", "module", "times a frame"),
        rows,
    )
    end("lock_waits", {"over": chosen.over, "sessions": len(viewers), "times_a_frame": total})


if __name__ == "__main__":
    main()
