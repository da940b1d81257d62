"""The memory that the server takes: many clip avatars at several sizes, then removed; and
readers for minutes.

RSS is that of the one process that serves; that of the ffmpeg processes below it stands beside.

python -m benchmarks.memory [--avatars 12] [--at-once 3] [--minutes 3] [--readers 4]
    [--setting PICTURE_CACHE_MB=400]
"""

from __future__ import annotations

import argparse
import json
import queue
import shutil
import tempfile
import threading
import time
import urllib.request
from pathlib import Path
from typing import Any, Self

import numpy as np

from app_core.config import Config
from benchmarks.server import Server, memory
from benchmarks.table import end, show
from benchmarks.texts import TEXTS

SIZES = ("512x512", "720x720", "1080x1920", "640x360")
FILM = "1080x1920"
"""The size that is asked for as a film; the others are live."""
TEXT = "A short sentence for every avatar."
_MEBIBYTE = 2**20
_STEP_S = 0.1
_SETTLED_S = 3.0
_FREED_S = 15.0
"""From the removal to the reading that counts."""
_PATIENCE_S = 120.0


class Watch:
    """Reads the memory ten times a second while the ``with`` block runs."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self.seen: list[tuple[float, float, float]] = []
        """Seconds, MiB of the server, MiB of what runs below it."""
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(_STEP_S):
            own, below = memory(self._server.pid)
            self.seen.append((time.monotonic(), own / _MEBIBYTE, below / _MEBIBYTE))

    @property
    def peak(self) -> tuple[float, float]:
        return max(own for _, own, _ in self.seen), max(below for _, _, below in self.seen)

    def growth(self, after_s: float) -> float:
        """MiB a minute of the server, by a line through what was seen ``after_s`` or later."""
        at, own, _ = np.array(self.seen).T
        late = at >= at[0] + after_s
        return float(np.polyfit(at[late], own[late], 1)[0]) * 60


def now(server: Server) -> float:
    return memory(server.pid)[0] / _MEBIBYTE


def copies(folder: Path, count: int) -> list[str]:
    """Fills ``folder`` with the server's own avatar and ``count`` others like it."""
    config = Config.from_env()
    own = config.avatar_dir / config.avatar
    shutil.copytree(own, folder / config.avatar)
    names = [f"copy-{number}" for number in range(1, count + 1)]
    for name in names:
        (folder / name).mkdir()
        for file in own.iterdir():
            if file.suffix in (".mp4", ".npz", ".png"):
                shutil.copy(file, folder / name)
        (folder / name / "avatar.toml").write_text(f'name = "{name}"\nkind = "clip"\n')
    return names


def ask(server: Server, path: str, fields: dict[str, Any]) -> None:
    """One request, its answer read to the end. A full server is asked again."""
    body = json.dumps(fields).encode()
    head = {"Content-Type": "application/json"}
    until = time.monotonic() + _PATIENCE_S
    while True:
        request = urllib.request.Request(f"{server.url}{path}", body, head)
        try:
            with urllib.request.urlopen(request, timeout=_PATIENCE_S) as answer:
                while answer.read(1 << 16):
                    pass
            return
        except urllib.error.HTTPError as error:
            if error.code != 503 or time.monotonic() > until:
                raise
        time.sleep(0.5)


def render(server: Server, name: str, size: str) -> None:
    fields = {"text": TEXT, "language": "en", "avatar": name, "size": size}
    if size == FILM:
        ask(server, "/api/generate", fields | {"static_mode": False})
    else:
        ask(server, "/api/stream_mjpeg", fields)


def all_of(server: Server, names: list[str], at_once: int) -> None:
    """Each avatar at each size, ``at_once`` renders at a time."""
    work: queue.SimpleQueue[tuple[str, str]] = queue.SimpleQueue()
    for name in names:
        for size in SIZES:
            work.put((name, size))

    def run() -> None:
        while True:
            try:
                name, size = work.get_nowait()
            except queue.Empty:
                return
            render(server, name, size)

    threads = [threading.Thread(target=run) for _ in range(at_once)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def many(server: Server, names: list[str], at_once: int) -> dict[str, float]:
    """MiB: at the start, the peak, after the last render, and after the avatars were removed."""
    start = now(server)
    with Watch(server) as watch:
        all_of(server, names, at_once)
        server.wait_idle()
        time.sleep(_SETTLED_S)
        idle = now(server)
        for name in names:
            request = urllib.request.Request(f"{server.url}/api/avatars/{name}", method="DELETE")
            urllib.request.urlopen(request, timeout=30).close()
        time.sleep(_FREED_S)
    peak, ffmpeg = watch.peak
    return {
        "start": start,
        "peak": peak,
        "idle": idle,
        "removed": now(server),
        "ffmpeg": ffmpeg,
    }


def readers(server: Server, count: int, minutes: float) -> dict[str, float]:
    """MiB at the start and at the end, and MiB a minute after the first tenth of the time.

    Each reader asks for another stream as soon as one ends.
    """
    start = now(server)
    ends = time.monotonic() + minutes * 60

    def read(language: str) -> None:
        while time.monotonic() < ends:
            fields = {"text": TEXTS[language], "language": language, "size": "512x512"}
            ask(server, "/api/stream_mjpeg", fields)

    with Watch(server) as watch:
        languages = list(TEXTS)
        threads = [
            threading.Thread(target=read, args=(languages[number % len(languages)],))
            for number in range(count)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    server.wait_idle()
    time.sleep(_SETTLED_S)
    growth = watch.growth(minutes * 6)
    return {"start": start, "end": now(server), "a_minute": growth, "peak": watch.peak[0]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--avatars", type=int, default=12, help="clip avatars, 0: none")
    parser.add_argument("--at-once", type=int, default=3, help="renders at a time")
    parser.add_argument("--minutes", type=float, default=3.0, help="of readers, 0: none")
    parser.add_argument("--readers", type=int, default=4)
    parser.add_argument("--setting", action="append", default=[], help="NAME=value")
    chosen = parser.parse_args()
    figures: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        names = copies(Path(folder), chosen.avatars)
        with Server(settings=[*chosen.setting, f"AVATAR_DIR={folder}"]) as server:
            time.sleep(_SETTLED_S)
            if names:
                figures["avatars"] = many(server, names, chosen.at_once)
            if chosen.minutes:
                figures["readers"] = readers(server, chosen.readers, chosen.minutes)
    rows = [
        [f"{part} {name}", value] for part, seen in figures.items() for name, value in seen.items()
    ]
    show(
        f"MiB of the server; {chosen.avatars} clip avatars at {', '.join(SIZES)}; "
        f"{chosen.readers} readers for {chosen.minutes:g} minutes",
        ["", "MiB"],
        rows,
    )
    end(
        "memory",
        {
            "avatars": chosen.avatars,
            "sizes": list(SIZES),
            "minutes": chosen.minutes,
            "settings": chosen.setting,
            "mib": {
                part: {k: round(v, 1) for k, v in seen.items()} for part, seen in figures.items()
            },
        },
    )


if __name__ == "__main__":
    main()
