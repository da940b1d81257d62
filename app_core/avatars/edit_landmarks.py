"""The mouths of the avatars as their files have them: where they are, and moved by hand."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np

from app_core.avatars.library import CLIP_TRACK, TRACK
from app_core.avatars.metadata import change_metadata
from app_core.avatars.mouth_handles import carried, handles, moved
from app_core.errors import BadInput, NotFound, as_job_error
from app_core.face.track import cycle_track, load_track, save_track
from app_core.landmarks import POINTS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app_core.avatars.library import Avatar
    from app_core.avatars.mouth_handles import Points


def landmarks(avatar: Avatar) -> dict[str, Any]:
    """The still's size, and where the parts of its face are, pixels. Raises BadInput."""
    track = load_track(avatar.folder / TRACK)
    row = track.landmarks[0]
    if not np.isfinite(row).all():
        raise BadInput("There is no face in this avatar's still", field="avatar")
    return {
        "width": avatar.width,
        "height": avatar.height,
        "box": np.round(track.boxes[0], 2).tolist(),
        "points": {name: _rounded(row[where]) for name, where in POINTS.items()},
        "mouth": {name: _rounded(point) for name, point in handles(row).items()},
    }


def change_mouth(avatar: Avatar, points: Points | None, gains: Mapping[str, float]) -> None:
    """Moves the mouth's points in the still, and along with it in the clip, and sets the gains
    of ``jaw`` and ``open``. One at a time. Raises BadInput, NotFound or DiskFull.
    """
    try:
        if points:
            _move(avatar, points)
        if gains:
            there = {"jaw": avatar.jaw_gain, "open": avatar.open_gain}
            change_metadata(avatar.folder, {"gains": there | dict(gains)})
    except FileNotFoundError as error:
        raise NotFound("The avatar has been removed", field="avatar") from error
    except OSError as error:
        raise as_job_error(error) from error


def _move(avatar: Avatar, points: Points) -> None:
    """Both tracks are written before either takes its place."""
    still = load_track(avatar.folder / TRACK)
    row = still.landmarks[0]
    if not np.isfinite(row).all():
        raise BadInput("There is no face in this avatar's still", field="points")
    changed = moved(row, points, avatar.width, avatar.height)
    tracks = {TRACK: cycle_track(still.boxes, changed[None], still.fps, still.strength)}
    if avatar.clip is not None:
        clip = load_track(avatar.folder / CLIP_TRACK)
        after = carried(clip.landmarks, row, changed)
        tracks[CLIP_TRACK] = cycle_track(clip.boxes, after, clip.fps, clip.strength)
    drafts = {name: avatar.folder / f".{name}.{os.getpid()}" for name in tracks}
    try:
        for name, track in tracks.items():
            save_track(drafts[name], track)
        for name, draft in drafts.items():
            draft.replace(avatar.folder / name)
    finally:
        for draft in drafts.values():
            draft.unlink(missing_ok=True)


def _rounded(points: Any) -> Any:
    return np.round(points, 2).tolist()
