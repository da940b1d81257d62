"""Whether one more face has room: among the faces, and on the disk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app_core.errors import DiskFull
from app_core.storage.disk_room import folder_bytes

if TYPE_CHECKING:
    from pathlib import Path

    from app_core.media.ingest.probe import ClipFacts
    from app_core.storage.disk_room import DiskRoom

_BITS_A_PIXEL = 0.1
"""Of a clip as it is kept, about."""
_THERE_AND_BACK = 2


class AvatarRoom:
    """``quota`` bounds all faces in ``folder``, bytes; 0: no bound. Uploads lie on the disk of
    ``work`` while they wait, faces on that of ``faces``."""

    def __init__(self, folder: Path, quota: int, work: DiskRoom, faces: DiskRoom) -> None:
        self._folder, self._quota, self._work, self._faces = folder, quota, work, faces

    def check_upload(self, size: int) -> None:
        """Before it is read. It becomes part of its face. Raises DiskFull."""
        self._work.need(size, "The upload")
        self.check(size)

    def check(self, size: int) -> None:
        """Of what a face will take beside what is there. Raises DiskFull."""
        if self._quota:
            held = sum(map(folder_bytes, self._homes()))
            if held + size > self._quota:
                raise DiskFull(
                    f"The faces take {held >> 20} MiB of the {self._quota >> 20} of AVATARS_MB, "
                    f"and this one about {max(size >> 20, 1)} more: remove some"
                )
        self._faces.need(size, "The face")

    def _homes(self) -> list[Path]:
        """Files beside them are those that somebody put there to be imported."""
        try:
            return [home for home in self._folder.iterdir() if home.is_dir()]
        except OSError:
            return []


def clip_bytes(facts: ClipFacts) -> int:
    """What a clip will take as it is kept, about."""
    width, height = facts.size
    pictures = facts.seconds * facts.fps * _THERE_AND_BACK
    return round(pictures * width * height * _BITS_A_PIXEL / 8)
