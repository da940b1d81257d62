"""What is done at the end of each render and session, however it ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from app_core.job import Job
    from app_core.services.backend import Backend
    from app_core.services.privacy.audit import Audit
    from app_core.services.privacy.retention import Retention
    from app_core.sessions.session import Session
    from app_core.sessions.stage import Spoken


class Endings:
    """In the thread of whoever ended it. ``trim`` asks for memory to be given back."""

    def __init__(
        self, audit: Audit, retention: Retention, backend: Backend, trim: Callable[[], None]
    ) -> None:
        self._audit, self._retention, self._backend = audit, retention, backend
        self._trim = trim

    def job(self, job: Job) -> None:
        loaded = self._backend.find(job.request.model)
        self._audit.job(job, loaded.name if loaded else job.request.model)
        self._retention.used(job.avatar)
        self._trim()

    def session(self, session: Session, spoken: Spoken, model: str) -> None:
        self._audit.session(session, spoken, model)
        for avatar in spoken.avatars:
            self._retention.used(avatar)
