"""What the service costs, as it was measured: all that the simulation knows of it.

Milliseconds of a core unless a name says otherwise; 512x512, 25 frames/s, ``viseme``. ``SOURCES``
says where the defaults are from; ``calibration`` measures them anew against a running server.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from statistics import median
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Costs:
    speaking_ms: float = 100.0
    """A second of a session that speaks, to one viewer over a WebSocket (JPEG, PCM)."""
    idle_ms: float = 48.0
    """A second of one that is silent."""
    webrtc_ms: float = 172.0
    """A second of one that speaks, over WebRTC (H.264, Opus)."""
    viewer_ms: float = 4.0
    """A second of one viewer more over a WebSocket."""
    reader_ms: float = 90.0
    """A second of an MJPEG reader."""
    open_ms: float = 13.0
    """A session that begins and ends, beside its seconds."""
    refusal_ms: float = 0.0
    """An answer of 503 to a client that has no room."""
    request_ms: float = 0.6
    """A short request, as `/api/health/live`."""
    film_ms: float = 190.0
    """A second of a film (x264 veryfast)."""
    frame_ms: float = 3.0
    """A live 512x512 frame, as the trial at a replica's start finds it."""
    background_ms: float = 0.0
    """A second of a machine that serves nobody: what else runs there."""
    client_ms: float = 0.0
    """A second of the receiver of one stream, where it runs on the same machine."""
    web_ms: float = 8.3
    """A second of a stream of 25 items/s that a web tier relays."""
    web_request_ms: float = 2.0
    """A request that a web tier relays, its answer short."""
    web_hop_ms: float = 45.0
    """What a first picture waits more, milliseconds, because it comes through a web tier."""
    report_ms: float = 0.5
    """A report of a replica to the ledger, which is one process; and a look of a web tier at it."""
    first_session_ms: tuple[float, ...] = (43.0, 44.0, 45.0, 45.0, 46.0, 47.0)
    """First pictures of sessions on a quiet server, milliseconds: a sample."""
    first_reader_ms: tuple[float, ...] = (13.0, 14.0, 16.0, 17.0, 18.0, 19.0)
    """The same of readers."""
    busy_cores: float = 1.2
    """That streams took while the next two were measured."""
    busy_session_ms: tuple[float, ...] = ()
    """First pictures of sessions beside them, milliseconds; none: they take as much longer as all
    work that shares the cores (``waiting.stretch``)."""
    busy_reader_ms: tuple[float, ...] = ()
    film_s: float = 20.0
    """Of a film, seconds."""
    replica_mb: float = 375.0
    """Memory of a replica that serves nobody, MiB."""
    session_mb: float = 8.0
    """What each session takes more, MiB."""
    socket_kbits: float = 6350.0
    """Network of a viewer over a WebSocket, kbit/s; of an MJPEG reader too."""
    webrtc_kbits: float = 380.0
    """The same over WebRTC, straight from the replica."""
    start_s: float = 10.0
    """Until a new or replaced replica serves, seconds."""

    def slowed(self, kind: str, beside: float) -> float | None:
        """How many times as long a first picture takes beside streams of so many cores, on the line
        through what was measured alone and beside ``busy_cores``; None: it was not measured."""
        quiet, busy = (
            (self.first_reader_ms, self.busy_reader_ms)
            if kind == "reader"
            else (self.first_session_ms, self.busy_session_ms)
        )
        if not busy:
            return None
        return 1.0 + max(0.0, median(busy) / median(quiet) - 1.0) * beside / self.busy_cores

    def until(self, later: Costs) -> Costs:
        """Between these and those that were measured later: means, and both samples."""
        pairs = [(name, value, getattr(later, name)) for name, value in asdict(self).items()]
        return Costs(
            **{
                name: before + after if isinstance(before, tuple) else (before + after) / 2
                for name, before, after in pairs
            }
        )

    def through(self, relayed: Costs) -> Costs:
        """These, measured without a web tier, with what the same took through one."""
        hops_ms = median(relayed.first_session_ms) - median(self.first_session_ms)
        return replace(
            self,
            web_ms=max(0.0, relayed.speaking_ms - self.speaking_ms),
            web_request_ms=max(0.0, relayed.request_ms - self.request_ms),
            web_hop_ms=max(0.0, hops_ms),
        )

    def save(self, path: Path) -> None:
        """Raises OSError."""
        path.write_text(json.dumps(asdict(self), indent=1), encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> Costs:
        """Raises OSError, ValueError or TypeError for a file of something else."""
        fields: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        kept: dict[str, Any] = {
            name: tuple(v) if isinstance(v, list) else v for name, v in fields.items()
        }
        return cls(**kept)


SOURCES = {
    "docs/numbers.md": (
        "speaking_ms, webrtc_ms, viewer_ms, request_ms, film_ms, frame_ms,"
        " first_session_ms, first_reader_ms, replica_mb, socket_kbits, webrtc_kbits"
    ),
    "a spike of Ray Serve (12 streams of 25 items/s: 0.1 core; first item 45 ms)": (
        "web_ms, web_hop_ms"
    ),
    "a calibration on the Xeon of docs/numbers.md, other work beside it": (
        "idle_ms, reader_ms, open_ms"
    ),
    "assumed until measured": (
        "refusal_ms, web_request_ms, session_mb, start_s (a worker alone: 2 to 4 s), report_ms"
    ),
}
