"""Voices on their way from the web: one at a time, in one thread, which lives as long as one is."""

from __future__ import annotations

import logging
import threading
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from app_core.errors import Busy, Cancelled, Conflict, ModelFailed, SoyleError, afresh, as_job_error
from app_core.threads import start_thread
from app_core.weights.voice_catalogue import VOICES, voice_weights
from app_core.weights.voices import bring, check_terms, installed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from app_core.weights.voices import VoiceWeights

    Stage = Literal["waiting", "downloading", "done"]

logger = logging.getLogger(__name__)

_CLOSE_S = 30.0


@dataclass(slots=True, eq=False)
class VoicePull:
    """Written by the worker; every write is one assignment."""

    voice: VoiceWeights
    stage: Stage = "waiting"
    done: int = 0
    """Bytes that are here."""
    error: SoyleError | None = None
    cancelled: threading.Event = field(default_factory=threading.Event)
    owner: str = ""
    """Who asked for it first."""

    @property
    def progress(self) -> float:
        """0..1."""
        return 1.0 if self.stage == "done" else min(self.done / max(self.voice.size, 1), 1.0)


class VoicePulls:
    """Thread-safe. Of each voice of ``catalogue`` there is one pull at most, so that no more can
    wait than it has; a failed one is remembered until the next."""

    def __init__(
        self,
        models: Path,
        catalogue: Sequence[VoiceWeights] = VOICES,
        pulled: Callable[[str], None] = lambda voice_id: None,
        reserve: int = 0,
    ) -> None:
        """``pulled(id)`` is told of each voice that has come, before clients are; ``reserve`` bytes
        of the disk are not filled."""
        self._reserve = reserve
        self.catalogue = catalogue
        self.pulled = pulled
        self.ended: Callable[[VoicePull, SoyleError | None], None] = lambda *_: None
        """Told of each pull that has ended, with its error."""
        self._models = models
        self._pulls: dict[str, VoicePull] = {}
        self._waiting: deque[VoicePull] = deque()
        self._running: VoicePull | None = None
        self._worker: threading.Thread | None = None
        self._closed = False
        self._lock = threading.Lock()

    def start(self, voice_id: str, *, accepted: bool, owner: str = "") -> dict[str, Any]:
        """Brings a voice, unless it is here or on its way: who comes second joins the first. What
        ``describe`` gives then.

        Raises NotFound, BadInput (field ``accept_licence``) for a licence that somebody must agree
        with first, Conflict for what other means bring, or Busy.
        """
        voice = voice_weights(voice_id, self.catalogue)
        check_terms(voice, accepted=accepted)
        with self._lock:
            there = self._pulls.get(voice.id)
            coming = there is not None and there.error is None
            if not coming and not installed(voice, self._models):
                self._begin(VoicePull(voice, owner=owner))
        return self.describe(voice.id)

    def describe(self, voice_id: str) -> dict[str, Any]:
        """Raises NotFound."""
        voice = voice_weights(voice_id, self.catalogue)
        with self._lock:
            pull = self._pulls.get(voice.id)
        status, error = "pulling", pull and pull.error
        if pull is None:
            status = "ready" if installed(voice, self._models) else "missing"
        elif error is not None:
            status = "failed"
        pull = pull or VoicePull(voice, "done" if status == "ready" else "waiting")
        return {
            "id": voice.id,
            "status": status,
            "stage": pull.stage,
            "progress": round(pull.progress, 4),
            "size": voice.size,
            "error": error and {"error": str(error), "code": error.code, "field": error.field},
        }

    def cancel(self, voice_id: str) -> None:
        """What came of it so far stays, to go on from; of a failed pull, its error goes. Raises
        NotFound, or Conflict when nothing is on its way."""
        voice = voice_weights(voice_id, self.catalogue)
        with self._lock:
            pull = self._pulls.pop(voice.id, None)
            if pull is None:
                raise Conflict(f"{voice.id} is not on its way")
            pull.cancelled.set()
            if pull in self._waiting:
                self._waiting.remove(pull)
                self.ended(pull, Cancelled("The pull was cancelled"))

    def close(self) -> None:
        """Cancels all and waits for the worker."""
        with self._lock:
            self._closed = True
            self._waiting.clear()
            if self._running is not None:
                self._running.cancelled.set()
            worker = self._worker
        if worker is not None:
            worker.join(_CLOSE_S)

    def _begin(self, pull: VoicePull) -> None:
        """Raises Busy. Needs the lock."""
        if self._closed:
            raise Busy("The server is stopping")
        self._waiting.append(pull)
        if self._worker is None:
            worker = threading.Thread(target=self._run, name="voice-pull", daemon=True)
            try:
                start_thread(worker)
            except Busy:
                self._waiting.remove(pull)
                raise
            self._worker = worker
        self._pulls[pull.voice.id] = pull

    def _run(self) -> None:
        while True:
            with self._lock:
                self._running = self._waiting.popleft() if self._waiting else None
                if self._running is None:
                    self._worker = None
                    return
                pull = self._running
            try:
                self._pull(pull)
            except BaseException as raised:
                self._fail(pull, raised)

    def _pull(self, pull: VoicePull) -> None:
        voice = pull.voice

        def tell(done: int, total: int | None) -> None:
            pull.done = done

        pull.stage = "downloading"
        bring(voice, self._models, logger.info, tell, pull.cancelled.is_set, self._reserve)
        try:
            self.pulled(voice.id)
        except Exception:
            logger.exception("%s is here, but does not speak", voice.id)
        self.ended(pull, None)
        self._forget(pull)

    def _fail(self, pull: VoicePull, raised: BaseException) -> None:
        error = as_job_error(raised)
        if isinstance(error, Cancelled) or pull.cancelled.is_set():
            self.ended(pull, Cancelled("The pull was cancelled"))
            self._forget(pull)
            logger.info("%s: cancelled", pull.voice.id)
            return
        if not isinstance(error, SoyleError):
            logger.error("a voice was not brought", exc_info=error)
            error = ModelFailed(f"{pull.voice.id} was not brought")
        else:
            logger.warning("%s: %s", pull.voice.id, error)
        self.ended(pull, error)
        pull.error = afresh(error)

    def _forget(self, pull: VoicePull) -> None:
        with self._lock:
            if self._pulls.get(pull.voice.id) is pull:
                del self._pulls[pull.voice.id]
