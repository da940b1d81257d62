"""The base video: whatever BASE_VIDEO_PATH names speaks, once its face has been found."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, Any

from app_core.errors import BadInput, Busy, Cancelled, NotFound, NotReady, SoyleError, UnusableVideo

if TYPE_CHECKING:
    from pathlib import Path

    from app_core.avatars.importing.face_paths import Faces
    from app_core.avatars.importing.import_queue import Import
    from app_core.avatars.library import Avatar, AvatarLibrary

_RETRY_S = 5


class BaseVideo:
    """Thread-safe. A clip with a track beside it, ``<name>.npz``, is taken as it is; any other
    clip or photo is imported, in the background, and again when it changes.
    """

    def __init__(self, path: Path | None, faces: Faces, library: AvatarLibrary) -> None:
        self.path = path
        self._faces, self._library = faces, library
        self._item: Import | None = None

    def look(self) -> None:
        """Begins the import when there is something to import."""
        if self.path is None or not os.path.isfile(self.path) or self._has_track():
            return
        with contextlib.suppress(OSError, Busy):
            self._looked()

    def avatar(self) -> Avatar:
        """Raises NotFound, NotReady with the percentage, UnusableVideo with the reason, or what
        made the import fail.
        """
        assert self.path is not None
        if not os.path.isfile(self.path):
            raise self._missing()
        try:
            if self._has_track():
                return self._library.video(self.path)
            item = self._looked()
        except (FileNotFoundError, NotFound) as error:
            raise self._missing() from error
        except OSError as error:
            raise UnusableVideo(f"The base video cannot be read: {error.strerror}") from error
        if not item.ended.is_set() or isinstance(item.error, Cancelled):
            percent = int(100 * item.progress)
            raise NotReady(
                f"The base video {self.path.name} is being prepared: {percent} %",
                retry_after_s=_RETRY_S,
            )
        if item.error is not None:
            raise self._failure(item.error)
        return self._faces.avatar(item)

    def describe(self) -> dict[str, Any] | None:
        """For clients: status (importing, ready or failed), progress 0..1 and error; None when
        no base video is set. Begins nothing.
        """
        if self.path is None:
            return None
        item = self._item
        if not os.path.isfile(self.path):
            return _state("failed", 0.0, self._missing())
        if self._has_track():
            return _state("ready", 1.0)
        if item is None or not item.ended.is_set():
            return _state("importing", item.progress if item else 0.0)
        if item.error is not None:
            return _state("failed", item.progress, self._failure(item.error))
        return _state("ready", 1.0)

    def _looked(self) -> Import:
        assert self.path is not None
        self._item = self._faces.look(self.path)
        return self._item

    def _has_track(self) -> bool:
        return self.path is not None and os.path.isfile(self.path.with_suffix(".npz"))

    def _missing(self) -> NotFound:
        there = self.path is not None and os.path.exists(self.path)
        wrong = "is no file" if there else "is missing"
        return NotFound(f"The base video {wrong}; BASE_VIDEO_PATH is {self.path}")

    def _failure(self, error: SoyleError) -> SoyleError:
        if not isinstance(error, BadInput) or self.path is None:
            return error
        return UnusableVideo(f"The base video {self.path.name} cannot speak: {error}")


def _state(status: str, progress: float, error: SoyleError | None = None) -> dict[str, Any]:
    failure = error and {"error": str(error), "code": error.code, "field": error.field}
    return {"status": status, "progress": round(progress, 4), "error": failure}
