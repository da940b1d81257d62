"""Pictures of avatars that stay ready, for as long as the avatars are there."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from app_core.avatars.library import STILL, TRACK
from app_core.avatars.metadata import METADATA
from app_core.avatars.preview import preview
from app_core.avatars.records import touched

if TYPE_CHECKING:
    from pathlib import Path

    from app_core.avatars.library import Avatar

MOST_BYTES = 8 << 20


class Previews:
    """Thread-safe. ``folder``: of the avatars."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made: dict[str, bytes] = {}
        """By their ETags, which begin with the avatar's id."""
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._made)

    @property
    def nbytes(self) -> int:
        return sum(map(len, list(self._made.values())))

    def get(self, avatar: Avatar, longest: int, square: bool) -> tuple[bytes, str]:
        """A JPEG and its ETag, another one when the avatar's files are. Raises as ``preview``."""
        made = [touched(avatar.folder / name) for name in (STILL, TRACK)]
        tag = f"{avatar.id}.{made[0]:x}-{made[1]:x}-{longest}-{square:d}"
        found = self._made.get(tag)
        if found is None:
            found = preview(avatar, longest, square)
            with self._lock:
                if (avatar.folder / METADATA).is_file():  # and has not been removed meanwhile
                    self._made[tag] = found
                while self.nbytes > MOST_BYTES:
                    del self._made[next(iter(self._made))]
        return found, tag

    def forget(self, avatar_id: str) -> None:
        with self._lock:
            for tag in [tag for tag in self._made if tag.partition(".")[0] == avatar_id]:
                del self._made[tag]

    def forget_gone(self) -> None:
        """Those of avatars that are not there any more."""
        for avatar_id in {tag.partition(".")[0] for tag in list(self._made)}:
            if not (self._folder / avatar_id / METADATA).is_file():
                self.forget(avatar_id)
