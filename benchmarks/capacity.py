"""Live MJPEG streams at once: whether every frame comes, on time, and at what cost.

A frame is late when its last byte arrives over 40 ms after its time; frame n is due n / fps after
the arrival of frame 0. A stream that the server refuses (503) is counted, not retried.

python -m benchmarks.capacity [--readers 1 2 4 8] [--seconds 20] [--model wav2lip]
    [--size 720x720] [--setting CPU_SHARE=1]
"""

from __future__ import annotations

import argparse
import selectors
import time
from dataclasses import dataclass

import numpy as np

from app_core.cores import Cores
from app_core.metrics import LATE_S
from benchmarks.mjpeg_reader import MjpegReader
from benchmarks.server import Server
from benchmarks.table import end, show
from benchmarks.texts import TEXTS

FPS = 25
READERS = [1, 2, 4, 8, 12, 16, 24]
SPACING_S = 0.1
"""Between the starts of two readers: clients do not come in the same instant."""
_GRACE_S = 20.0
_REST_S = 3.0


@dataclass(frozen=True)
class Outcome:
    readers: int
    refused: int
    failed: int
    frames_per_s: float
    """Of all readers together, while all were reading."""
    late: int
    missing: int
    frames: int
    first_p50_ms: float | None
    first_p95_ms: float | None
    server_cores: float | None
    """Cores that the server kept busy."""
    client_cores: float
    other_cores: float | None
    """What other programs of this machine took meanwhile."""


def run(server: Server, count: int, seconds: float, size: str) -> Outcome:
    wanted = round(seconds * FPS)
    readers: list[MjpegReader] = []
    languages = list(TEXTS)
    began, cpu_began = time.monotonic(), time.process_time()
    cores = Cores()
    server_began, busy_began = server.cpu_s(), cores.usage().busy_s
    with selectors.DefaultSelector() as selector:
        while len(readers) < count or selector.get_map():
            now = time.monotonic() - began
            if now > seconds + count * SPACING_S + _GRACE_S:
                break
            if len(readers) < count and now >= len(readers) * SPACING_S:
                language = languages[len(readers) % len(languages)]
                text = " ".join([TEXTS[language]] * (1 + round(seconds / 10)))
                body = {"text": text, "language": language, "size": size}
                reader = MjpegReader(server.address, body)
                selector.register(reader.socket, selectors.EVENT_READ, reader)
                readers.append(reader)
            for key, _ in selector.select(SPACING_S / 5 if len(readers) < count else 0.5):
                reader = key.data
                reader.receive()
                done = max(reader.arrivals, default=-1) >= wanted - 1
                if done or reader.ended or reader.status not in (0, 200):
                    selector.unregister(reader.socket)
                    reader.close()
        for key in list(selector.get_map().values()):
            key.data.close()
    wall = time.monotonic() - began
    client = time.process_time() - cpu_began
    used = share(server_began, server.cpu_s(), wall)
    busy = share(busy_began, cores.usage().busy_s, wall)
    others = None if busy is None or used is None else max(0.0, busy - used - client / wall)
    return judged(readers, wanted, used, client / wall, others)


def share(began_s: float | None, ended_s: float | None, wall_s: float) -> float | None:
    """Cores that were busy between two readings of processor time."""
    return None if began_s is None or ended_s is None else (ended_s - began_s) / wall_s


def judged(
    readers: list[MjpegReader],
    wanted: int,
    server_cores: float | None,
    client_cores: float,
    other_cores: float | None,
) -> Outcome:
    served = [reader for reader in readers if reader.arrivals]
    late = missing = frames = 0
    for reader in served:
        start = reader.arrivals.get(0, min(reader.arrivals.values()))
        due = [(n, at - start - n / FPS) for n, at in reader.arrivals.items() if n < wanted]
        late += sum(after > LATE_S for _, after in due)
        frames += len(due)
        missing += wanted - len(due)
    firsts = [reader.first_frame_s for reader in served if reader.first_frame_s is not None]
    p50, p95 = (np.percentile(firsts, [50, 95]) * 1000).tolist() if firsts else (None, None)
    rate = sum(
        (len(r.arrivals) - 1) / max(max(r.arrivals.values()) - min(r.arrivals.values()), 1e-9)
        for r in served
        if len(r.arrivals) > 1
    )
    return Outcome(
        readers=len(readers),
        refused=sum(reader.status == 503 for reader in readers),
        failed=sum(reader.status != 503 and not reader.good for reader in readers),
        frames_per_s=rate,
        late=late,
        missing=missing,
        frames=frames,
        first_p50_ms=p50,
        first_p95_ms=p95,
        server_cores=server_cores,
        client_cores=client_cores,
        other_cores=other_cores,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", default="", help="a running server; none: start one")
    parser.add_argument("--readers", type=int, nargs="+", default=READERS)
    parser.add_argument("--seconds", type=float, default=20.0, help="of speech for each reader")
    parser.add_argument(
        "--setting", action="append", default=[], help="NAME=value for a server started here"
    )
    parser.add_argument("--model", default="auto", help="of a server started here")
    parser.add_argument("--size", default="512x512", help="WxH of the pictures")
    chosen = parser.parse_args()
    outcomes = []
    settings = [f"MODEL={chosen.model}", *chosen.setting]
    with Server(chosen.url, settings) as server:
        report = server.health()
        run(server, 1, 2.0, chosen.size)
        for count in chosen.readers:
            server.wait_idle()
            time.sleep(_REST_S)
            outcomes.append(run(server, count, chosen.seconds, chosen.size))
    show(
        f"Live MJPEG readers of {chosen.size} at {FPS} frames/s for {chosen.seconds:.0f} s on "
        f"{report['model']}, {report['device']}; "
        f"{FPS} frames/s are due for each reader that is not refused",
        [field.replace("_", " ") for field in Outcome.__dataclass_fields__],
        [list(vars(outcome).values()) for outcome in outcomes],
    )
    rounded = [
        {k: round(v, 3) if isinstance(v, float) else v for k, v in vars(outcome).items()}
        for outcome in outcomes
    ]
    told = {name: report[name] for name in ("model", "device")}
    told |= {"seconds": chosen.seconds, "size": chosen.size, "settings": settings}
    end("capacity", told | {"runs": rounded})


if __name__ == "__main__":
    main()
