"""What is done at the end of each render and session, however it ended, and noted at its begin."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app_core.services.privacy.audit import Audit
from app_core.services.privacy.retention import Retention
from app_core.services.watchdog import Duty

if TYPE_CHECKING:
    from collections.abc import Callable

    from app_core.avatars.collection import Avatars
    from app_core.config import Config
    from app_core.job import Job
    from app_core.services.backend import Backend
    from app_core.services.live.sessions import LiveSessions
    from app_core.services.renders import Renders
    from app_core.services.voices.offer import VoiceOffer
    from app_core.sessions.session import Session
    from app_core.sessions.stage import Spoken

LOOK_S = 600.0
"""Between two looks for faces that nobody uses any more."""
GONE_S = 1.0
"""Between two looks for faces that another server, or a person, has removed."""


class Endings:
    """In the thread of whoever ended it: a line is written, the avatar was used, and ``trim`` asks
    for memory to be given back."""

    def __init__(
        self,
        config: Config,
        backend: Backend,
        renders: Renders,
        sessions: LiveSessions,
        avatars: Avatars,
        voices: VoiceOffer,
        trim: Callable[[], None],
    ) -> None:
        self.audit = Audit(config.audit_log)
        self._retention = Retention(config, avatars, renders.jobs, sessions)
        self._backend, self._trim = backend, trim
        renders.ended, sessions.ended = self._job, self._session
        avatars.imports.ended, voices.pulls.ended = self.audit.imported, self.audit.pulled
        renders.begun, sessions.begun = self._begun, self.audit.session_begun
        avatars.imports.begun = self.audit.import_begun
        avatars.unremoved = self.audit.removed
        self.duties = Duty(self._retention.look, LOOK_S), Duty(avatars.forget_gone, GONE_S)

    def _begun(self, job: Job) -> None:
        self.audit.job_begun(job, self._model(job))

    def _model(self, job: Job) -> str:
        return job.placement.model if job.placement else job.request.model

    def _job(self, job: Job) -> None:
        self.audit.job(job, self._model(job))
        self._retention.used(job.avatar)
        self._trim()

    def _session(self, session: Session, spoken: Spoken, model: str) -> None:
        self.audit.session(session, spoken, model)
        for avatar in spoken.avatars:
            self._retention.used(avatar)
