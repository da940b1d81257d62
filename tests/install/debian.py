"""Installs and runs Soyle on a fresh Debian, by the steps of the image. Needs root and debootstrap.

sudo python3 tests/install/debian.py [bookworm] [trixie] [--cache DIR]

Where packages come from is this machine's own: apt's mirror of Debian, pip's settings. All of it
happens in namespaces of its own: whatever ends this program, nothing stays mounted or running.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
SUITES = ("bookworm", "trixie")
PACKAGES = "python3-venv,ca-certificates,make"
"""What a newcomer has; of the image's own base, more."""
CODE = "opt/soyle"
NOBODY = 54321
"""A uid that passwd does not know."""
PASSED = re.compile(r"PIP_\w+|\w+_proxy|\w+_PROXY|SSL_CERT_\w+|\w+_CA_BUNDLE")
"""Variables by which this machine reaches its registries."""
SETTINGS = ("/etc/pip.conf", "/etc/xdg/pip", "/etc/resolv.conf", "/etc/hosts")
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
READY_S = 1800.0
"""A first start compiles its kernels, on a busy machine for minutes."""
ASKED = (
    (
        "/api/stream_mjpeg",
        {"text": "Привет, мир!", "language": "ru", "low_latency": True},
        b"\xff\xd8\xff",
    ),
    (
        "/api/lipsync/video",
        {
            "text": "Привет! Это тестовое видео.",
            "language": "ru",
            "use_nvdec": False,
            "encoder": "libx264",
            "crf": 20,
            "preset": "veryfast",
        },
        b"ftyp",
    ),
)
"""(path, body, what is in the answer) of the two commands that the contract shows."""


class Failed(Exception):
    """A step that did not do what it should."""


def run(*command: str | Path, **options: Any) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, check=False, **options
    )
    if done.returncode:
        tail = (done.stdout + done.stderr)[-3000:]
        raise Failed(f"{' '.join(map(str, command))} ended with {done.returncode}:\n{tail}")
    return done


def mirror() -> str:
    """Where apt takes Debian from."""
    shown = run("apt-get", "indextargets", "--format", "$(REPO_URI) $(ORIGIN) $(LABEL)").stdout
    for line in shown.splitlines():
        address, _, label = line.partition(" ")
        if label == "Debian Debian":
            return address
    raise Failed("apt knows no mirror of Debian; does it want `apt-get update`?")


def mount(*arguments: str | Path) -> None:
    run("mount", *arguments)


class Machine:
    """A Debian in a folder."""

    def __init__(self, root: Path, cache: Path) -> None:
        self.root, self.cache = root, cache
        self._registry = {k: v for k, v in os.environ.items() if PASSED.fullmatch(k)}

    def make(self, suite: str) -> None:
        fresh = self.cache / f"{suite}.tar"
        if fresh.exists():
            self.root.mkdir()
            run("tar", "-C", self.root, "-xpf", fresh)
        else:
            least = ["--variant=minbase", f"--include={PACKAGES}"]
            run("debootstrap", *least, suite, self.root, mirror())
            run("tar", "-C", self.root, "-cf", fresh, ".")
        self.mount_own()
        self._know_registries()

    def mount_own(self) -> None:
        mount("-t", "proc", "proc", self.root / "proc")
        mount("--rbind", "/dev", self.root / "dev")

    def _know_registries(self) -> None:
        """pip's settings, the folders that they name, and the authorities that this machine
        trusts."""
        for name in SETTINGS:
            found = Path(name).resolve()
            if found.is_dir():
                shutil.copytree(found, self.root / name[1:], dirs_exist_ok=True)
            elif found.is_file():
                (self.root / name[1:]).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(found, self.root / name[1:])
        trusted = "etc/ssl/certs/ca-certificates.crt"
        if Path("/", trusted).is_file():
            shutil.copy(Path("/", trusted), self.root / trusted)
        shown = run(sys.executable, "-m", "pip", "config", "list").stdout
        for line in shown.splitlines():
            for word in line.partition("=")[2].strip("'").split():
                # The files of an index lie beside it.
                index = word.startswith("file://")
                folder = Path(word.removeprefix("file://"))
                folder = folder.parent if index else folder
                if folder.is_absolute() and folder.is_dir():
                    self._share(folder, folder.relative_to("/"))
        user = line_value(shown, "global.extra-index-url"), line_value(shown, "global.find-links")
        for name, value in zip(("PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS"), user, strict=True):
            if value:
                self._registry.setdefault(name, value)
        downloads = self.cache / "pip"
        downloads.mkdir(parents=True, exist_ok=True)
        self._share(downloads, Path("var/cache/pip"), writable=True)
        self._registry["PIP_CACHE_DIR"] = "/var/cache/pip"

    def _share(self, folder: Path, at: Path, *, writable: bool = False) -> None:
        (self.root / at).mkdir(parents=True, exist_ok=True)
        mount("--rbind", folder, self.root / at)
        if not writable:
            mount("-o", "remount,bind,ro", self.root / at)

    def bring(self, at: str, owner: int) -> Path:
        """The tracked files of this tree, as they are now."""
        listed = run("git", "-C", ROOT, "ls-files", "-z").stdout.split("\0")
        for name in filter(None, listed):
            source, target = ROOT / name, self.root / at / name
            if source.is_file():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(source, target)
        run("chown", "-R", f"{owner}:{owner}", self.root / at)
        return self.root / at

    def command(self, uid: int, *words: str, directory: str = f"/{CODE}") -> list[str]:
        inside = f'cd {directory} && exec "$@"'
        user = f"--userspec={uid}:{uid}"
        return ["chroot", user, "--groups=", str(self.root), "/bin/sh", "-c", inside, "sh", *words]

    def do(
        self, uid: int, *words: str, directory: str = f"/{CODE}", **environ: str
    ) -> subprocess.CompletedProcess[str]:
        return run(*self.command(uid, *words, directory=directory), env=self.environ(**environ))

    def environ(self, **more: str) -> dict[str, str]:
        """No HOME unless it is given."""
        return {"PATH": PATH, "LANG": "C.UTF-8"} | self._registry | more


def line_value(shown: str, name: str) -> str:
    """Of a line of `pip config list`."""
    found = [line.partition("=")[2].strip("'") for line in shown.splitlines()]
    names = [line.partition("=")[0] for line in shown.splitlines()]
    return found[names.index(name)] if name in names else ""


def image_settings() -> dict[str, str]:
    """What the Dockerfile sets for the server."""
    text = (ROOT / "Dockerfile").read_text().rpartition("\nFROM ")[2].replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line.startswith("ENV ")]
    return dict(re.findall(r"(\w+)=(\S+)", " ".join(lines)))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def ask(address: str, body: dict[str, Any] | None = None, wait_s: float = 120) -> bytes:
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json"} if data else {}
    request = urllib.request.Request(address, data, headers)
    with urllib.request.urlopen(request, timeout=wait_s) as answer:
        found: bytes = answer.read()
    return found


def until_ready(process: subprocess.Popen[bytes], address: str, log: Path) -> dict[str, Any]:
    """What health says."""
    end = time.monotonic() + READY_S
    while time.monotonic() < end and process.poll() is None:
        try:
            found: dict[str, Any] = json.loads(ask(f"{address}/api/health", wait_s=5))
            return found
        except (OSError, urllib.error.URLError):
            time.sleep(0.5)
    state = process.poll()
    raise Failed(f"the server is not ready (exit status {state}):\n{log.read_text()[-3000:]}")


@contextmanager
def server(
    machine: Machine,
    uid: int,
    *words: str,
    port: int,
    directory: str,
    status: str = "ready",
    **environ: str,
) -> Iterator[None]:
    """A server that comes to ``status``, answers, and stops when it is told to."""
    log = machine.cache / f"server-{port}.log"
    address = f"http://127.0.0.1:{port}"
    command = machine.command(uid, *words, directory=directory)
    with log.open("wb") as written:
        process = subprocess.Popen(
            command, env=machine.environ(**environ), stdout=written, stderr=written
        )
    began = time.monotonic()
    try:
        health = until_ready(process, address, log)
        say(f"ready after {time.monotonic() - began:.0f} s: {health['status']}")
        if health["status"] != status:
            raise Failed(f"health is {health['status']}: {health['reason']}")
        for path, body, holds in ASKED:
            answer = ask(f"{address}{path}", body)
            if holds not in answer or len(answer) < 10_000:
                raise Failed(f"{path} answers {answer[:300]!r}")
            say(f"{path}: {len(answer)} bytes")
        yield
        os.kill(pid_of_server(process.pid), signal.SIGTERM)
        ended = process.wait(30)
        if ended:
            raise Failed(f"it ends with {ended}:\n{log.read_text()[-3000:]}")
        faults = [line for line in log.read_text().splitlines() if " ERROR " in line]
        if faults or "Traceback" in log.read_text():
            raise Failed(f"faults in the log:\n{log.read_text()[-3000:]}")
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def pid_of_server(pid: int) -> int:
    """Of a `make` that waits for it, its child's; else the process itself."""
    while b"app.py" not in Path(f"/proc/{pid}/cmdline").read_bytes():
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        if not children:
            raise Failed("the server's process is gone")
        pid = int(children[0])
    return pid


def say(sentence: str) -> None:
    sys.stdout.write(f"  {sentence}\n")
    sys.stdout.flush()


def check(
    machine: Machine, uid: int, environ: dict[str, str], port: int, status: str = "ready"
) -> None:
    """As the image starts it, with its health check and the doctor."""
    how: dict[str, Any] = {"port": port, "directory": f"/{CODE}", "status": status}
    with server(machine, uid, "deploy/start.sh", **how, **environ):
        machine.do(uid, ".venv/bin/python", "app.py", "health", **environ)
        doctor = machine.do(uid, ".venv/bin/python", "app.py", "doctor", **environ).stdout
        say(f"health and doctor are content ({doctor.splitlines()[0]})")
    dead = subprocess.run(
        machine.command(uid, ".venv/bin/python", "app.py", "health"),
        env=machine.environ(**environ),
        capture_output=True,
        check=False,
    )
    if dead.returncode != 1:
        raise Failed(f"health says {dead.returncode} of a server that is not there")


def lock(machine: Machine, *volumes: str) -> None:
    """A read-only root but for ``volumes`` and /tmp."""
    root = machine.root
    for name in ("tmp", *volumes):
        (root / name).mkdir(parents=True, exist_ok=True)
    mount("--rbind", root, root)  # with /proc and /dev
    mount("-o", "remount,bind,ro", root)
    for name in ("tmp", *volumes):
        mount("-t", "tmpfs", "-o", "size=1g,mode=1777", "tmpfs", root / name)
    done = subprocess.run(
        machine.command(0, "touch", f"/{CODE}/written"), capture_output=True, check=False
    )
    if not done.returncode:
        raise Failed("the root can be written")


def unlock(machine: Machine, *volumes: str) -> None:
    for name in (*volumes, "tmp"):
        run("umount", machine.root / name)
    run("umount", "--recursive", machine.root)
    machine.mount_own()


def try_suite(suite: str, work: Path, cache: Path) -> None:
    """Raises Failed. Runs in namespaces of its own."""
    machine = Machine(work / suite, cache)
    say("debootstrap")
    machine.make(suite)
    code = machine.bring(CODE, 0)
    say("deploy/install.sh")
    machine.do(0, "deploy/install.sh", HOME="/root")
    for folder in ("avatars", "work", "cache"):
        (machine.root / "data" / folder).mkdir(parents=True)

    volumes = ("data/avatars", "data/work", "data/cache")
    lock(machine, *volumes)
    for uid, who in ((NOBODY, f"uid {NOBODY}: no name, no HOME"), (0, "root")):
        say(f"{who}, as the image sets it up; nothing to write but its volumes")
        port = free_port()
        check(machine, uid, image_settings() | {"LISTEN": f"0.0.0.0:{port}"}, port)
    unlock(machine, *volumes)

    say(f"uid {NOBODY}: nothing to write but /tmp, and no setting at all")
    lock(machine)
    port = free_port()
    # Degraded: no face can be added.
    check(machine, NOBODY, {"LISTEN": f"127.0.0.1:{port}"}, port, "degraded")
    unlock(machine)

    say("make run, of a newcomer")
    shutil.rmtree(code)
    machine.do(0, "useradd", "--create-home", "--uid", "1000", "anna", directory="/")
    machine.bring("home/anna/soyle", 1000)
    run("chown", "-R", "1000", machine.cache / "pip")
    port = free_port()
    home = {"HOME": "/home/anna", "LISTEN": f"127.0.0.1:{port}"}
    with server(machine, 1000, "make", "run", port=port, directory="/home/anna/soyle", **home):
        pass


def isolated(suite: str, work: Path, cache: Path) -> bool:
    """Whether a suite passes, tried in mounts and processes that end with it."""
    command = ["unshare", "--mount", "--pid", "--fork", "--kill-child", sys.executable, __file__]
    began = time.monotonic()
    done = subprocess.run([*command, suite, "--cache", cache, "--inside", work], check=False)
    spent = time.monotonic() - began
    verdict = "passes" if done.returncode == 0 else "FAILS"
    sys.stdout.write(f"{suite} {verdict} after {spent:.0f} s\n")
    return done.returncode == 0


def main() -> int:
    parser = argparse.ArgumentParser(description="Installs and runs Soyle on a fresh Debian")
    parser.add_argument("suites", nargs="*", default=SUITES, choices=SUITES)
    parser.add_argument(
        "--cache", type=Path, help="kept for the next time: Debian, packages of pip"
    )
    parser.add_argument("--inside", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.inside:
        mount("--make-rprivate", "/")
        mount("-t", "proc", "proc", "/proc")
        try:
            try_suite(given.suites[0], given.inside, given.cache)
        except (Failed, OSError, subprocess.TimeoutExpired) as error:
            say(f"FAILED: {error}")
            return 1
        return 0
    if os.geteuid() or not shutil.which("debootstrap"):
        sys.stderr.write("needs root and debootstrap: sudo apt install debootstrap\n")
        return 2
    os.nice(10)
    with tempfile.TemporaryDirectory(prefix="soyle-install-") as name:
        cache = (given.cache or Path(name, "cache")).resolve()
        cache.mkdir(parents=True, exist_ok=True)
        return 0 if all([isolated(suite, Path(name), cache) for suite in given.suites]) else 1


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sys.exit(main())
