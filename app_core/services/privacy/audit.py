"""Who let which face say something, when and for how long: a line when a render or a session begins
and one when it has ended.

Nothing of what was said, nor anything made of it, is in it.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import threading
import time
from typing import TYPE_CHECKING, Any

from app_core.errors import Cancelled
from app_core.request import ChunksRequest, MjpegRequest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from app_core.avatars.importing.import_queue import Import
    from app_core.errors import SoyleError
    from app_core.job import Job
    from app_core.services.voices.pulls import VoicePull
    from app_core.sessions.session import Session
    from app_core.sessions.stage import Spoken

logger = logging.getLogger("soyle.audit")

PROGRAM = "this process"
"""Where no client asked."""


class Audit:
    """Thread-safe. Each line is one JSON object and one write to the end of ``path``, which is
    opened for each, so that it can be moved away at any time. Without ``path``, and while it cannot
    be written, lines go to the log.
    """

    def __init__(self, path: Path | None, clock: Callable[[], float] = time.time) -> None:
        self._path, self._clock = path, clock
        self._lock = threading.Lock()
        self._torn = False
        """The last line is not whole: the next one begins on a line of its own."""
        self.fault = ""
        """Why the file cannot be written; empty: it can."""
        if path is not None:
            self._append(path, b"")

    def write(self, what: str, **facts: Any) -> None:
        """In the thread of whoever ends it; never raises."""
        now = self._clock()
        moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now))
        entry = {"time": f"{moment}.{int(now % 1 * 1000):03d}Z", "what": what, **facts}
        line = json.dumps(entry, ensure_ascii=True, default=str)
        if self._path is None or not self._append(self._path, line.encode() + b"\n"):
            logger.info("%s", line)

    def begun(self, what: str, id: str, client: str, **facts: Any) -> None:
        """Where no other line of this id follows, the process died in the middle of it."""
        self.write(what, id=id, client=client or PROGRAM, **facts, outcome="begun", code=None)

    def job_begun(self, job: Job, model: str) -> None:
        facts = {"avatars": [job.avatar], "model": model, "language": job.request.language}
        self.begun(_purpose(job), job.id, job.owner, **facts)

    def session_begun(self, session: Session, spoken: Spoken, model: str) -> None:
        facts = {"model": model, "language": session.manner.language}
        self.begun("session", session.id, spoken.owner, avatars=list(spoken.avatars), **facts)

    def import_begun(self, item: Import) -> None:
        if item.work is None:
            self.begun("import", item.id, item.share.owner, dropped=bool(item.dropped))

    def job(self, job: Job, model: str) -> None:
        """It has ended."""
        self.write(
            _purpose(job),
            id=job.id,
            client=job.owner or PROGRAM,
            avatars=[job.avatar],
            voices=list(job.voices),
            model=model,
            language=job.request.language,
            seconds=round(len(job.sound) / job.sound.sample_rate, 3),
            frames=job.frames_done,
            outcome=job.status.value,
            code=job.error and job.error.code,
        )

    def session(self, session: Session, spoken: Spoken, model: str) -> None:
        """It has ended."""
        self.write(
            "session",
            id=session.id,
            client=spoken.owner or PROGRAM,
            avatars=list(spoken.avatars),
            voices=list(spoken.voices),
            model=model,
            language=session.manner.language,
            seconds=round(spoken.seconds, 3),
            frames=round(session.seconds * session.fps),
            outcome="failed" if session.why_ended == "failed" else "done",
            code=session.why_ended,
        )

    def imported(self, item: Import, error: SoyleError | None) -> None:
        """An avatar has come of a file, or not."""
        if item.work is None:
            facts = {"id": item.id, "client": item.share.owner or PROGRAM}
            self.write("import", **facts, dropped=bool(item.dropped), **_outcome(error))

    def removed(self, avatar: str, owner: str, error: SoyleError | None = None) -> None:
        """An avatar is no more, or could not be removed."""
        self.write("removal", id=avatar, client=owner or PROGRAM, **_outcome(error))

    def pulled(self, pull: VoicePull, error: SoyleError | None) -> None:
        """A voice has come, or not."""
        self.write("voice", id=pull.voice.id, client=pull.owner or PROGRAM, **_outcome(error))

    def _append(self, path: Path, line: bytes) -> bool:
        """False when it is not there whole."""
        with self._lock:
            try:
                _put(path, b"\n" * (self._torn and bool(line)) + line)
                self._torn = self._torn and not line
            except _Torn:
                self._torn = True
                self._failed("there is no room")
            except OSError as error:
                self._failed(error.strerror or type(error).__name__)
            else:
                self.fault = ""
                return True
            return False

    def _failed(self, why: str) -> None:
        if not self.fault:
            logger.error("AUDIT_LOG cannot be written, its lines go here: %s", why)
        self.fault = f"AUDIT_LOG cannot be written: {why}"


class _Torn(Exception):
    """A part of the line was written."""


def _put(path: Path, line: bytes) -> None:
    """Raises OSError or _Torn. A pipe that nobody reads, and a folder, are errors at once."""
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NONBLOCK
    descriptor = os.open(path, flags, 0o600)
    try:
        if os.write(descriptor, line) < len(line):
            raise _Torn
    finally:
        with contextlib.suppress(OSError):
            os.close(descriptor)


def _purpose(job: Job) -> str:
    if job.purpose or isinstance(job.request, MjpegRequest):
        return job.purpose or "mjpeg"
    return "chunks" if isinstance(job.request, ChunksRequest) else "film"


def _outcome(error: SoyleError | None) -> dict[str, str | None]:
    how = "done" if error is None else "failed"
    how = "cancelled" if isinstance(error, Cancelled) else how
    return {"outcome": how, "code": None if error is None else error.code}
