"""Everything that can die or stand still does so in the middle of work: each step has a bound, a
verdict, and leaves a server that works as before.

Exit status 1 when a step failed. ``--steps`` names some of them.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import wave
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.chaos_clients import SIZE, Everything, Stream, ask, film, form, upload, uploaded
from benchmarks.chaos_clients import Asking as Asked
from benchmarks.server import Server
from benchmarks.session_viewer import Refused, SessionViewer, call
from benchmarks.speech import SpeechServer
from benchmarks.table import end, show
from tests.below import children_of, files_below

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

BOUND_S = 150.0
"""For one step."""
CHILD_S = 30.0
"""Until there is one to kill."""
CLIENTS_S, READY_S, GONE_S = 1.0, 5.0, 5.0
"""Clients of a dead server have ended, it is ready again, and a stopped one is gone."""
SHORT = "One two three four five."
STEPS: dict[str, Callable[[Step], None]] = {}


@dataclass
class Step:
    name: str
    work: Path
    avatars: Path
    faults: list[str] = field(default_factory=list)
    figures: dict[str, float] = field(default_factory=dict)
    skipped: str = ""
    explained: list[str] = field(default_factory=list)
    """Parts of lines of the log that have to be there."""

    def check(self, good: object, fault: str) -> None:
        if not good:
            self.faults.append(fault)

    def within(self, name: str, seconds: float | None, most_s: float) -> None:
        if seconds is not None:
            self.figures[name] = round(seconds, 2)
        self.check(seconds is not None and seconds <= most_s, f"{name}: {seconds} s of {most_s}")

    @contextlib.contextmanager
    def server(self, *settings: str, entry: tuple[str, ...] = ("app.py",)) -> Iterator[Server]:
        """Ends with a look at what is left and at the log."""
        places = [f"WORK_DIR={self.work}", f"AVATAR_DIR={self.avatars}", "CPU_SHARE=1"]
        with Server("", [*places, *settings], entry) as server:
            time.sleep(2.0)
            yield server
            self.nothing_stale(server)
            log = server.log()
            master = server.pid
        unexplained = [
            line
            for line in log.splitlines()
            if (_BAD.search(line) or line.startswith("Traceback"))
            and not any(part in line for part in self.explained)
        ]
        self.check(not unexplained, f"the log: {unexplained[:3]}")
        self.check(not _alive(master), "the server is still there")

    def nothing_stale(self, server: Server, patience_s: float = 15.0) -> None:
        """No job, session, child or file of it."""
        wrong = [""]
        until_s = time.monotonic() + patience_s
        while wrong and time.monotonic() < until_s:
            time.sleep(0.1)
            wrong = self._stale(server)
        self.faults += wrong

    def _stale(self, server: Server) -> list[str]:
        try:
            health, held = server.health(), server.held()
        except (OSError, IndexError) as error:
            return [f"no health: {error}"]
        left = [path.name for path in files_below(self.work)]
        left += [path.name for path in self.avatars.glob("*") if ".part-" in path.name]
        counts = {"children": held["children"], "sessions": held["sessions"]}
        counts |= {"jobs": health["capacity"]["jobs"], "files": len(left)}
        found = [f"{count} {name} are left" for name, count in counts.items() if count]
        return found + [f"health: {health['reason']}"] * (health["status"] != "ready")

    def works(self, server: Server) -> None:
        """A stream and a film are whole."""
        pictures = Stream(server, SHORT).asking
        made = film(server, SHORT)
        self.check(pictures.join(60) and pictures.answer, f"no stream after it: {pictures.answer}")
        done = made.join(60) and isinstance(made.answer, tuple) and made.answer[0] == 200
        self.check(done, f"no film after it: {str(made.answer)[:200]}")


def step(call: Callable[[Step], None]) -> Callable[[Step], None]:
    STEPS[call.__name__.replace("_", "-")] = call
    return call


_BAD = re.compile(r" ERROR |\[ERROR\]| CRITICAL ")


def _alive(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def _line(pid: int) -> str:
    """Of its command; empty when it has ended."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_text()
    return ""


def _worker(server: Server) -> int:
    return children_of(server.pid)[0]


def _kill_a_child(
    step: Step,
    server: Server,
    of: str,
    asking: Asked,
    good: Callable[[Any], bool],
    told: str = "",
) -> None:
    """The first ffmpeg that the worker starts for what is asked and is ``told`` this. ``good``:
    what may come of it."""
    until_s = time.monotonic() + CHILD_S
    while not (children := [pid for pid in children_of(_worker(server)) if told in _line(pid)]):
        if time.monotonic() > until_s or asking.ended_s is not None:
            step.faults.append(f"{of}: there was no child: {str(asking.answer)[:200]}")
            return
        time.sleep(0.005)
    for child in children:
        with contextlib.suppress(OSError):
            os.kill(child, signal.SIGKILL)
    killed_s = time.monotonic()
    over = asking.join(60)
    step.check(over, f"{of}: its client still waits")
    step.figures[f"{of}_s"] = round((asking.ended_s or 0.0) - killed_s, 2)
    step.check(good(asking.answer), f"{of}: {str(asking.answer)[:200]}")


def _ready_again_s(server: Server, since_s: float, most_s: float) -> float | None:
    while time.monotonic() < since_s + most_s:
        with contextlib.suppress(OSError):
            if server.health()["status"] == "ready":
                return time.monotonic() - since_s
        time.sleep(0.02)
    return None


@step
def children(step: Step) -> None:
    """Each kind of child is killed in the middle of its work."""
    step.explained = ["ffmpeg", "the render failed", "import failed"]
    sound = tempfile.NamedTemporaryFile(suffix=".wav")
    with wave.open(sound.name, "wb") as file:
        file.setparams((1, 2, 16000, 0, "NONE", ""))
        file.writeframes((np.sin(np.arange(16000 * 60) * 0.1) * 9000).astype("<i2").tobytes())
    body, kind = form({"text": "", "size": SIZE}, "audio", Path(sound.name).read_bytes())
    with sound, step.server() as server:

        def failed(answer: Any) -> bool:
            return isinstance(answer, tuple) and answer[0] == 500 and b"ffmpeg_failed" in answer[1]

        def refused(answer: Any) -> bool:
            return isinstance(answer, tuple) and 400 <= answer[0] <= 500

        def went_on(answer: Any) -> bool:
            return isinstance(answer, int)

        _kill_a_child(step, server, "encoder", film(server), failed, "libx264")
        step.nothing_stale(server)
        stream = Stream(server, SHORT, size="352x352")
        _kill_a_child(step, server, "decoder", stream.asking, went_on)
        step.nothing_stale(server)
        _kill_a_child(step, server, "import", upload(server), lambda _: True)
        step.nothing_stale(server)
        asking = Asked(lambda: ask(server.address, "/api/generate", body, kind))
        _kill_a_child(step, server, "sound", asking, refused)
        _forget_uploads(server)
        step.works(server)


def _forget_uploads(server: Server) -> None:
    """Faces that came in meanwhile, and imports that failed."""
    for avatar in uploaded(server):
        with contextlib.suppress(OSError, Refused):
            call(server.url, "DELETE", f"/api/avatars/{avatar}", None)


@step
def worker(step: Step) -> None:
    """kill -9 of the process that serves, amid everything."""
    step.explained = ["was sent SIGKILL"]
    with step.server() as server:
        everything = Everything(server)
        began = _worker(server)
        theirs = children_of(began)
        killed_s = time.monotonic()
        os.kill(began, signal.SIGKILL)
        step.within("clients_ended_s", everything.ended_s(killed_s, 10.0), CLIENTS_S)
        step.within("ready_s", _ready_again_s(server, killed_s, 60.0), READY_S)
        step.check(theirs, "it had no children")
        step.check(not any(map(_alive, theirs)), "its children are still there")
        step.nothing_stale(server)
        _forget_uploads(server)
        step.works(server)


@step
def standing_still(step: Step) -> None:
    """A client stands still for ten seconds, then the worker does."""
    with step.server() as server:
        code = "import sys, urllib.request as r; print(len(r.urlopen(sys.argv[1]).read()))"
        address = f"{server.url}/api/stream_mjpeg?size=128x128&text=" + "one%20two%20three%20" * 8
        line = [sys.executable, "-c", code, address]
        with subprocess.Popen(line, stdout=subprocess.PIPE) as one:
            time.sleep(2.0)
            one.send_signal(signal.SIGSTOP)
            time.sleep(10.0)
            one.send_signal(signal.SIGCONT)
            read, _ = one.communicate(timeout=60)
            step.check(int(read or 0), "the client that stood still got nothing")
        viewer = SessionViewer(server.url, keep=False, size=SIZE)
        before, held = _worker(server), len(viewer.messages)
        os.kill(before, signal.SIGSTOP)
        time.sleep(10.0)
        os.kill(before, signal.SIGCONT)
        time.sleep(3.0)
        step.check(_worker(server) == before, "the worker was replaced")
        step.check(not viewer.ended and len(viewer.messages) > held, "the session did not go on")
        viewer.close()
        step.works(server)


@step
def full_disk(step: Step) -> None:
    """A film on a disk of one megabyte."""
    step.explained = ["No space left", "disk"]
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(step.work)], capture_output=True
    )
    if mounted.returncode:
        step.skipped = "a small disk cannot be mounted here: " + mounted.stderr.decode().strip()
        return
    try:
        with step.server("DISK_RESERVE_MB=0") as server:
            made = film(server, size="720x1280")
            step.check(made.join(120), "a film on a full disk does not end")
            status = made.answer[0] if isinstance(made.answer, tuple) else made.answer
            step.check(status == 507, f"a film on a full disk: {str(made.answer)[:200]}")
            step.works(server)
    finally:
        subprocess.run(["umount", "-l", str(step.work)], check=False)


@step
def voice(step: Step) -> None:
    """The server of the first voice is slow, then silent, then gone: the next one speaks."""
    step.explained = ["the voice "]
    with SpeechServer() as speech:
        settings = [f"VOICE_SERVER_URL={speech.url}", "VOICE=server", "VOICE_SERVER_TIMEOUT_S=3"]
        with step.server(*settings) as server:
            for order in ("slow", "silent"):
                speech.order = order
                step.works(server)
            speech.close()
            step.works(server)


@step
def model(step: Step) -> None:
    """It fails, then it hangs in native code: the process is replaced."""
    orders = step.work.parent / "orders"
    step.explained = ["chaos", "the render failed", "has not moved", "exited with code 70"]
    step.explained += ["a frame", "to be replaced"]
    entry = ("-m", "benchmarks.chaos_model", str(orders))
    with step.server(entry=entry) as server:
        orders.write_text("fail")
        failed = film(server, SHORT)
        step.check(failed.join(30), "a failing model keeps its client")
        orders.unlink()
        step.works(server)
        before, viewer = _worker(server), SessionViewer(server.url, keep=False, size=SIZE)
        orders.write_text("hang")
        stream = Stream(server)
        told_s = time.monotonic()
        step.check(stream.asking.join(60), "a hanging model keeps its client")
        step.figures["told_after_s"] = round((stream.asking.ended_s or 0.0) - told_s, 1)
        until_s = time.monotonic() + 10
        while not viewer.ended and time.monotonic() < until_s:
            time.sleep(0.05)
        kinds = [event["type"] for _, event in viewer.events]
        step.check(kinds[-2:] == ["error", "end"], f"a session was told {kinds[-3:]}")
        orders.unlink()
        step.within("ready_s", _ready_again_s(server, stream.asking.ended_s or told_s, 60), 10.0)
        step.check(_worker(server) != before, "the process was not replaced")
        step.works(server)


@step
def viewer(step: Step) -> None:
    """Whoever looks at a session vanishes."""
    with step.server("SESSION_GRACE_S=2") as server:
        one = SessionViewer(server.url, keep=False, size=SIZE)
        one.tell("say", text=SHORT)
        one.wait_event("speech_started")
        one.kill()
        until_s = time.monotonic() + 10
        while server.health()["sessions"]["open"] and time.monotonic() < until_s:
            time.sleep(0.05)
        step.check(not server.health()["sessions"]["open"], "its session is still there")
        step.works(server)


@step
def stop(step: Step) -> None:
    """SIGTERM of the master amid everything."""
    with contextlib.ExitStack() as stack:
        places = [f"WORK_DIR={step.work}", f"AVATAR_DIR={step.avatars}", "CPU_SHARE=1"]
        server = stack.enter_context(Server("", places))
        everything = Everything(server)
        family = [_worker(server), *children_of(_worker(server))]
        asked_s = time.monotonic()
        os.kill(server.pid, signal.SIGTERM)
        status = server.wait(30.0)
        step.within("gone_s", time.monotonic() - asked_s, GONE_S)
        step.check(status == 0, f"exit status {status}")
        step.check(everything.ended_s(asked_s, 10.0), "clients still wait")
        step.check(not any(map(_alive, family)), "processes are left")
        left = [path.name for path in step.work.iterdir()]
        step.check(not left, f"files are left: {left}")


def _bounded(call: Callable[[Step], None], step: Step) -> None:
    def over(*_: object) -> None:
        raise TimeoutError(f"not done within {BOUND_S:.0f} s")

    signal.signal(signal.SIGALRM, over)
    signal.alarm(round(BOUND_S))
    try:
        call(step)
    except Exception as error:
        step.faults.append(f"{type(error).__name__}: {error}")
    finally:
        signal.alarm(0)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", nargs="+", choices=list(STEPS), default=list(STEPS))
    chosen = parser.parse_args()
    done: list[Step] = []
    for name in chosen.steps:
        with tempfile.TemporaryDirectory() as folder:
            work, avatars = Path(folder) / "work", Path(folder) / "avatars"
            work.mkdir()
            subprocess.run(["cp", "-r", "avatar", str(avatars)], check=True)
            done.append(Step(name, work, avatars))
            _bounded(STEPS[name], done[-1])
    verdicts = ["skipped" if s.skipped else "FAILED" if s.faults else "ok" for s in done]
    show(
        "What dies or stands still in the middle of work",
        ["step", "verdict", "figures", "what is wrong"],
        [
            [s.name, verdict, s.figures, "; ".join([*s.faults, s.skipped][:4])]
            for s, verdict in zip(done, verdicts, strict=True)
        ],
    )
    rows: list[dict[str, Any]] = [
        {"verdict": verdict, **{k: v for k, v in asdict(s).items() if k not in _INNER}}
        for s, verdict in zip(done, verdicts, strict=True)
    ]
    end("chaos", {"good": "FAILED" not in verdicts, "steps": rows})
    return int("FAILED" in verdicts)


_INNER = ("work", "avatars", "explained")


if __name__ == "__main__":
    sys.exit(main())
