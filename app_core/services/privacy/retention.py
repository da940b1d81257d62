"""Faces that clients added go when nobody has used them for long; whoever uses one is noted."""

from __future__ import annotations

import contextlib
import logging
import os
import time
from typing import TYPE_CHECKING

from app_core.avatars.metadata import read_metadata
from app_core.errors import SoyleError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from app_core.avatars.collection import Avatars
    from app_core.config import Config
    from app_core.job_table import JobTable
    from app_core.services.live.sessions import LiveSessions

logger = logging.getLogger(__name__)

USED = ".used"
"""In an avatar's folder: when it was written is when the avatar was last used, to the hour."""
NOTE_S = 3600.0
_DAY_S = 86_400.0


class Retention:
    """``used`` is for any thread, ``look`` for one; neither does anything where life has no end."""

    def __init__(
        self,
        config: Config,
        avatars: Avatars,
        jobs: JobTable,
        sessions: LiveSessions,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._folder, self._life_s = config.avatar_dir, config.avatar_life_days * _DAY_S
        self._avatars, self._jobs, self._sessions = avatars, jobs, sessions
        self._clock = clock

    def used(self, avatar: str) -> None:
        """Its time begins anew. Never raises: where nothing can be written, nothing can be removed
        either."""
        if not self._life_s or not self._may_go(avatar):
            return
        with contextlib.suppress(OSError):
            self._note(self._folder / avatar / USED)

    def look(self) -> None:
        """Removes those whose time is over."""
        if not self._life_s:
            return
        for avatar in self._in_use():
            self.used(avatar)
        for entry in sorted(self._folder.iterdir()) if self._folder.is_dir() else ():
            if self._is_over(entry) and entry.name not in self._in_use():
                self._remove(entry.name)

    def _in_use(self) -> set[str]:
        """Ids of those that speak or are shown now."""
        shown = [avatar for spoken in self._sessions.spoken() for avatar in spoken.avatars]
        return {job.avatar for job in self._jobs.running()}.union(shown)

    def _is_over(self, folder: Path) -> bool:
        if not self._may_go(folder.name):
            return False
        try:
            noted_s = (folder / USED).stat().st_mtime
        except FileNotFoundError:  # it is new, or was here before anybody counted
            self.used(folder.name)
            return False
        except OSError:
            return False
        return self._clock() - noted_s > self._life_s + NOTE_S

    def _may_go(self, avatar: str) -> bool:
        """One that a client added, and not the server's own."""
        folder = self._folder / avatar
        if not avatar or not self._avatars.is_removable(avatar):
            return False
        try:
            metadata = read_metadata(folder)
        except (OSError, ValueError):
            return False
        return bool(metadata.get("consent")) and not metadata.get("dropped")

    def _note(self, file: Path) -> None:
        """At most once an hour. Raises OSError."""
        now = self._clock()
        if not file.exists() or abs(now - file.stat().st_mtime) >= NOTE_S:
            file.touch()
            os.utime(file, (now, now))

    def _remove(self, avatar: str) -> None:
        try:
            self._avatars.remove(avatar, "AVATAR_LIFE_DAYS")
            logger.info("the avatar %s was not used for so long that it is removed", avatar)
        except SoyleError as error:
            logger.warning("the avatar %s is not removed: %s", avatar, error)
        except OSError as error:
            logger.warning("the avatar %s is not removed: %s", avatar, error.strerror)
