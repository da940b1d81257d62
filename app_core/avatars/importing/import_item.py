"""One photo or clip on its way to become an avatar."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from app_core.errors import Cancelled, SoyleError, afresh
from app_core.face.face_choice import FaceChoice
from app_core.shares import Share
from app_core.storage.claims import Claim

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from app_core.storage.claims import Told


class Again(Exception):
    """Another server is at the same work: this one looks again soon, and others go first."""


@dataclass(slots=True, eq=False)
class Import:
    """One file on its way. Written by the worker; every write is one assignment."""

    id: str
    name: str
    consent: str
    """When somebody confirmed that this face may speak, ISO 8601."""
    source: Path
    choice: FaceChoice = field(default_factory=FaceChoice)
    theirs: bool = False
    """The source is no upload: it stays where it is, and took no place."""
    dropped: str = ""
    """The name of the source in AVATAR_DIR, when somebody put it there."""
    work: Callable[[Import], None] | None = None
    """What is done instead of making an avatar of its id; then it is not listed."""
    home: Path | None = None
    """Where that makes one."""
    owner: str = ""
    """The client whose face it will be; empty: the operator's."""
    share: Share = field(default_factory=Share)
    """What its client holds of uploads and imports."""
    stage: str = "waiting"
    """waiting, reading, video, faces, cycle: where it is, or was when it failed."""
    progress: float = 0.0
    error: SoyleError | None = None
    stopped: SoyleError | None = None
    """Why it may not go on, though somebody wants it."""
    ended_s: float | None = None
    over: bool = False
    """It is being ended, or has been."""
    ended: threading.Event = field(default_factory=threading.Event)
    _cancel: threading.Event = field(default_factory=threading.Event)

    alive: Callable[[], object] = bool
    """Called whenever it is seen to go on."""
    claim: Claim = field(default_factory=Claim)
    """Of what it makes, among all servers that share the folder."""
    told: bool = False
    """That its turn has come."""
    after_s: float = 0.0
    """When its turn is again, by the monotonic clock."""

    def note(self, stage: str, progress: float) -> None:
        self.alive()
        another = stage != self.stage
        self.stage, self.progress = stage, min(1.0, max(self.progress, progress))
        self.claim.tell(another, stage=stage, progress=self.progress)

    def follow(self, told: Told | None) -> None:
        """Another server does its work: so far it is."""
        about = {} if told is None else told.about
        stage, progress = about.get("stage"), about.get("progress")
        if isinstance(stage, str) and isinstance(progress, float):
            self.note(stage, progress)

    def cancel(self) -> None:
        self._cancel.set()

    def cancelled(self) -> bool:
        """Its work ends, whoever wanted that."""
        return self._cancel.is_set() or self.stopped is not None

    def unwanted(self) -> bool:
        """``cancelled``, asked by its work, which does not stand still."""
        self.alive()
        self.claim.tell()
        return self.cancelled()

    def check(self) -> None:
        self.alive()
        if self.stopped is not None:
            raise afresh(self.stopped)
        if self.cancelled():
            raise Cancelled("The import was cancelled")

    def let_go(self, error: SoyleError | None) -> None:
        """Others may make it from here on, and are told why this one could not make an avatar."""
        if self.work is not None or error is None or isinstance(error, Cancelled):
            self.claim.release()
        else:
            failure = {"error": str(error), "code": error.code, "field": error.field}
            at = {"stage": self.stage, "progress": self.progress}
            self.claim.release(**at, failed_s=time.time(), error=failure)
