"""Watches the threads that everybody depends on. One that has ended or does not move is told by
health; what it did for clients ends with an error; and it is replaced, or the process is.

A session ends alone, and an import is given up: another thread goes on. A model, a voice or the
loop of all peers cannot be taken from a thread that does not come back: then ``condemned`` says
why the process has to be replaced. Whoever runs it asks for that and ends it; its clients have been
told by then, or have not listened.
"""

from __future__ import annotations

import logging
import threading
import time
from functools import partial
from typing import TYPE_CHECKING

from app_core.errors import ModelFailed, SoyleError
from app_core.services.stillness import Stillness, Trouble
from app_core.threads import Pulse, start_thread

if TYPE_CHECKING:
    from collections.abc import Callable

    from app_core.avatars.importing.import_queue import Imports
    from app_core.services.backend import Backend
    from app_core.services.live.sessions import LiveSessions
    from app_core.services.renders import Renders
    from app_core.speech.standing import Standing

logger = logging.getLogger(__name__)

MOST_STUCK = 3
"""Threads that never came back, and were given up: with more the process is replaced."""


class Vigil:
    """``look`` is for one thread, ``verdict`` for another."""

    def __init__(
        self,
        backend: Backend,
        renders: Renders,
        sessions: LiveSessions,
        imports: Imports,
        standing: Standing,
        watchers: tuple[Pulse, ...],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``watchers``: the thread that calls ``look``, and those of the same kind."""
        self._backend, self._renders, self._sessions = backend, renders, sessions
        self._imports, self._standing, self._watchers = imports, standing, watchers
        self._threads, self._watching = Stillness(clock), Stillness(clock)
        self.condemned = ""
        """Why the process is to be replaced; empty: it is not."""

    @property
    def troubles(self) -> list[str]:
        """A sentence for each thread that has ended or does not move."""
        return [str(t) for t in (*self._threads.troubles, *self._watching.troubles)]

    def look(self) -> None:
        engines = [loaded.engine.pulse for loaded in self._backend.models]
        sessions = {session.pulse: session for session in self._sessions.all()}
        peers, imports = self._sessions.peers.pulse, self._imports.pulse
        voices = self._standing.asked
        new, well = self._threads.look([*engines, *sessions, peers, imports, *voices])
        _tell(new, well)
        for trouble in new:
            session = sessions.get(trouble.pulse)
            if session is not None:
                _apart(partial(session.fail, _failure(trouble)))
            elif trouble.pulse is imports:
                self._imports.replace(_failure(trouble))
            elif not (trouble.dead and trouble.pulse in engines):  # which is started again
                self.condemn(str(trouble))
        stuck = [trouble for trouble in self._threads.troubles if not trouble.dead]
        if len(stuck) > MOST_STUCK:
            self.condemn(f"{len(stuck)} threads do not move: {stuck[0]}")

    def verdict(self) -> str:
        """``condemned``, for the thread that ends the process then. It looks after the one that
        looks after all others."""
        new, well = self._watching.look(self._watchers)
        _tell(new, well)
        for trouble in new:
            if trouble.pulse is self._watchers[0]:
                self.condemn(str(trouble))
        return self.condemned

    def condemn(self, why: str) -> None:
        """Everybody is told, and nobody is let in any more."""
        if self.condemned:
            return
        logger.critical("this process cannot go on and is to be replaced: %s", why)
        self._backend.status, self._backend.reason = "offline", why
        _apart(partial(self._farewell, why))
        self.condemned = why

    def _farewell(self, why: str) -> None:
        error = ModelFailed(f"The server starts again: {why}")
        self._renders.fail_all(error)
        for session in self._sessions.all():
            _apart(partial(session.fail, error))


def _failure(trouble: Trouble) -> SoyleError:
    return SoyleError(f"The server failed: {trouble}")


def _tell(new: list[Trouble], well: list[Pulse]) -> None:
    for trouble in new:
        logger.error("%s", trouble)
    for pulse in well:
        logger.warning("the thread '%s' moves again", pulse.name)


def _apart(call: Callable[[], None]) -> None:
    """In a thread of its own: what is ended may wait for a thread that does not move."""
    try:
        start_thread(threading.Thread(target=call, name="farewell", daemon=True))
    except SoyleError:
        logger.exception("nobody is told")
