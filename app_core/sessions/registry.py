"""The sessions that there are, and the end of those that nobody needs."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from app_core.errors import Busy, NotFound
from app_core.threads import start_thread

if TYPE_CHECKING:
    from app_core.sessions.session import Session

logger = logging.getLogger(__name__)

RETRY_S = 5
SAFE_S = 3.0
"""Old enough to have been looked at, by who means to: a younger session gives way to no other."""
_SEEN_S = 0.5
"""What the clock of a session, which counts frames, is behind its age at most."""


def unknown(session_id: str) -> NotFound:
    return NotFound(f"There is no session {session_id!r}", field="session_id")


class SessionRegistry:
    """Thread-safe."""

    def __init__(self, most: int, grace_s: float, idle_s: float) -> None:
        """A session without a viewer ends after ``grace_s``, one without a command after
        ``idle_s``."""
        self.most, self._grace_s, self._idle_s = most, grace_s, idle_s
        self._lock = threading.Lock()
        self._sessions: dict[str, Session] = {}

    def __len__(self) -> int:
        return len(self._sessions)

    def all(self) -> list[Session]:
        return list(self._sessions.values())

    def check_room(self) -> None:
        """Raises Busy."""
        if len(self._sessions) >= self.most and not self.give_way(SAFE_S):
            raise Busy(f"{self.most} sessions run already", retry_after_s=RETRY_S)

    def add(self, session: Session) -> None:
        """Raises Busy."""
        with self._lock:
            if len(self._sessions) >= self.most:
                raise Busy(f"{self.most} sessions run already", retry_after_s=RETRY_S)
            self._sessions[session.id] = session

    def get(self, session_id: str) -> Session:
        """Raises NotFound."""
        found = self._sessions.get(session_id)
        if found is None:
            raise unknown(session_id)
        return found

    def forget(self, session: Session) -> None:
        self._sessions.pop(session.id, None)

    def give_way(self, least_s: float = 0.0) -> bool:
        """Ends the oldest session that nobody ever looked at, if one is ``least_s`` old: on a full
        server those that were made and left must not keep others out. Whether one has ended."""
        with self._lock:
            left = [
                session
                for session in self._sessions.values()
                if (alone_s := session.unwatched_s)
                and alone_s >= max(least_s, session.seconds - _SEEN_S)
            ]
            if not left:
                return False
            oldest = max(left, key=lambda session: session.unwatched_s)
            del self._sessions[oldest.id]
        oldest.close("full")
        return True

    def expire(self) -> None:
        """Ends those whose time is over, and those whose thread is. Does not wait: each ends in a
        thread of its own."""
        for session in self.all():
            why = self._over(session)
            if why:
                start_thread(
                    threading.Thread(
                        target=session.close, args=(why,), name="session-end", daemon=True
                    )
                )

    def _over(self, session: Session) -> str:
        if session.dead:
            return "failed"
        if session.unwatched_s > self._grace_s:
            return "grace"
        return "idle" if session.idle_s > self._idle_s else ""

    def close(self) -> None:
        sessions = self.all()
        for session in sessions:
            session.hang_up()
        for session in sessions:
            try:
                session.close("stopping")
            except Exception:
                logger.exception("a session did not end")
