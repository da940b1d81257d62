"""What clients are told of an avatar: one that is there, on its way, or never came."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from app_core.avatars.importing.import_warnings import described
from app_core.avatars.library import CLIP_TRACK, TRACK
from app_core.avatars.metadata import METADATA, read_metadata
from app_core.errors import BadInput, NotFound
from app_core.face.track import load_track

if TYPE_CHECKING:
    from pathlib import Path

    from app_core.avatars.importing.import_queue import Import
    from app_core.avatars.library import Avatar, AvatarLibrary
    from app_core.errors import SoyleError
    from app_core.storage.claims import Told

BUILT_IN = "aigul"
_STAGES = ("waiting", "reading", "video", "faces", "cycle")


class _Facts(NamedTuple):
    fps: float | None
    seconds: float | None
    pictures: int
    faces: int
    people: int | None
    warnings: list[str]


class AvatarRecords:
    """Thread-safe. ``default`` is the avatar that speaks when a request names none."""

    def __init__(self, library: AvatarLibrary, default: str) -> None:
        self._library = library
        self._kept = (BUILT_IN, default)
        self._facts: dict[str, tuple[tuple[int, ...], _Facts]] = {}

    def ready(self, avatar_id: str) -> dict[str, Any]:
        """One that is there, also if it is broken. Raises NotFound."""
        try:
            avatar = self._library.get(avatar_id)
            facts = self._known(avatar)
        except BadInput as error:
            if avatar_id not in self._library.ids():
                raise NotFound("The avatar has been removed", field="avatar") from error
            nothing = _record(avatar_id, avatar_id, status="failed", stage="waiting", error=error)
            return nothing | {"removable": self.is_removable(avatar_id)}
        return {
            "id": avatar.id,
            "name": avatar.name,
            "kind": avatar.kind,
            "status": "ready",
            "stage": "done",
            "progress": 1.0,
            "width": avatar.width,
            "height": avatar.height,
            "fps": facts.fps,
            "seconds": facts.seconds,
            "finder": avatar.finder,
            "pictures": facts.pictures,
            "faces": facts.faces,
            "people": facts.people,
            "warnings": described(facts.warnings),
            "gains": {"jaw": avatar.jaw_gain, "open": avatar.open_gain},
            "clip": avatar.clip is not None,
            "removable": self.is_removable(avatar_id),
            "editable": avatar_id != BUILT_IN,
            "error": None,
        }

    @staticmethod
    def coming(item: Import) -> dict[str, Any]:
        """One that is being imported, or could not be."""
        return _record(
            item.id,
            item.name,
            status="importing" if item.error is None else "failed",
            stage=item.stage,
            progress=round(item.progress, 4),
            error=item.error,
        )

    @staticmethod
    def elsewhere(avatar_id: str, told: Told) -> dict[str, Any]:
        """One that another server imports, or could not."""
        about = told.about
        name, stage = str(about.get("name", avatar_id)), about.get("stage")
        progress, failure = about.get("progress"), about.get("error")
        record = _record(
            avatar_id,
            name,
            status="importing" if told.held else "failed",
            stage=stage if stage in _STAGES else "waiting",
            progress=round(progress, 4) if isinstance(progress, float) else 0.0,
            error=None,
        )
        return record if told.held else record | {"error": failure}

    def is_removable(self, avatar_id: str) -> bool:
        return avatar_id not in self._kept

    def forget(self, avatar_id: str) -> None:
        self._facts.pop(avatar_id, None)

    def _known(self, avatar: Avatar) -> _Facts:
        """Raises BadInput."""
        path = avatar.folder / (TRACK if avatar.clip is None else CLIP_TRACK)
        if not path.exists():
            return _Facts(None, None, 1, 0, None, [])
        try:
            stamp = (touched(path), touched(avatar.folder / METADATA))
            kept = self._facts.get(avatar.id)
            if kept is None or kept[0] != stamp:
                kept = self._facts[avatar.id] = (stamp, _facts(avatar, path))
        except (OSError, ValueError) as error:
            raise BadInput(f"The avatar {avatar.id} is broken: {error}", field="avatar") from error
        return kept[1]


def _facts(avatar: Avatar, path: Path) -> _Facts:
    """Raises BadInput, OSError or ValueError."""
    track, metadata = load_track(path), read_metadata(avatar.folder)
    pictures = len(track.boxes)
    faces = int(np.isfinite(track.boxes).all(1).sum())
    moving = avatar.clip is not None
    return _Facts(
        round(track.fps, 3) if moving else None,
        round(pictures / track.fps, 3) if moving else None,
        int(metadata.get("pictures", pictures)),
        int(metadata.get("seen", faces)),
        int(metadata["people"]) if "people" in metadata else None,
        [str(code) for code in metadata.get("warnings", [])],
    )


def touched(path: Path) -> int:
    """When a file was written, nanoseconds; 0 for one that is not there."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


def _record(
    avatar_id: str,
    name: str,
    *,
    status: str,
    stage: str,
    progress: float = 0.0,
    error: SoyleError | None,
) -> dict[str, Any]:
    """Of one that has nothing to show."""
    return {
        "id": avatar_id,
        "name": name,
        "kind": None,
        "status": status,
        "stage": stage,
        "progress": progress,
        "width": None,
        "height": None,
        "fps": None,
        "seconds": None,
        "finder": None,
        "pictures": None,
        "faces": None,
        "people": None,
        "warnings": [],
        "gains": {"jaw": 1.0, "open": 1.0},
        "clip": False,
        "removable": True,
        "editable": False,
        "error": None
        if error is None
        else {"error": str(error), "code": error.code, "field": error.field},
    }
