"""A clip to the cycle of an avatar, and the picture in which its face rests to the still."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from app_core.avatars.importing.avatar_room import clip_bytes
from app_core.avatars.importing.import_job import save_still
from app_core.avatars.importing.import_warnings import TRUNCATED, of_turning
from app_core.avatars.importing.photo_import import QUARTERS, turn
from app_core.avatars.library import CLIP, CLIP_TRACK
from app_core.errors import NoFace
from app_core.face.detection import apart, middle
from app_core.face.face_choice import lying, no_such_face, turned
from app_core.face.flaws import SECOND_FACE, flaws, rivals
from app_core.face.rest_frame import rest_frame
from app_core.face.track import cycle_track, save_track
from app_core.face.tracking import follow
from app_core.landmarks import POINTS
from app_core.media.ingest.loop import make_cycle, one_picture
from app_core.media.ingest.mezzanine import encode_forward, first_pictures
from app_core.media.ingest.mezzanine import turned as turned_clip
from app_core.picture import to_bgr

if TYPE_CHECKING:
    from app_core.avatars.importing.import_job import ImportJob
    from app_core.face.detection import FaceDetection, Point
    from app_core.face.tracking import Tracking
    from app_core.media.ingest.loop import Forward
    from app_core.media.ingest.probe import ClipFacts
    from app_core.types import FaceTrack, Picture

READ = 0.02
"""Where the progress of a clip stands after reading it."""
_LOOKED, _CYCLE = 0.05, 0.6

_EQUAL = 0.75
"""Of the chosen face's width: a face so large may be the largest in other pictures."""


@dataclass(frozen=True, slots=True)
class _Look:
    """What the first pictures of a clip say."""

    quarters: int = 0
    """Anticlockwise: they set the face upright."""
    near: Point | None = None
    """Where the chosen face is then; None: the largest is, and no other is nearly so large."""
    people: int = 0
    crowded: bool = False
    """Another face may have been meant."""


def import_clip(job: ImportJob, facts: ClipFacts) -> dict[str, Any]:
    """Fills the folder; what its metadata tell of it. Raises NoFace, or BadInput for a face that is
    not there, and what ``encode_forward`` raises.
    """
    job.tools.room(clip_bytes(facts))
    job.note("video", READ)
    facts = turned_clip(facts, job.choice.quarters)
    look = _look(job, facts)
    job.check()
    facts = turned_clip(facts, -look.quarters)
    forward, seen = _forward(job, facts, look.near)
    quarters = look.quarters
    free = job.choice.rotate is None and not quarters
    if free and (more := _lying(seen.track)):  # its face came too late to be seen lying
        near = look.near and turned(look.near, facts.size, more)
        quarters, facts = more, turned_clip(facts, -more)
        forward, seen = _forward(job, facts, near)
    job.note("faces", _CYCLE)
    warnings = _keep_rest_frame(job, facts, forward, seen)
    job.check()
    job.note("cycle", _CYCLE)
    cycle = make_cycle(
        job.tools.ffmpeg(),
        forward,
        facts,
        job.folder / CLIP,
        lambda part: job.note("cycle", _CYCLE + part * (1 - _CYCLE) * 0.99),
        job.cancelled,
    )
    save_track(job.folder / CLIP_TRACK, _rows(seen.track, cycle))
    if look.crowded:
        warnings.insert(0, SECOND_FACE)
    warnings += [TRUNCATED] * forward.cut_off + of_turning(quarters, _lying(seen.track))
    cut_off = {"cut_off": True} if forward.cut_off else {}
    people = {"people": max(look.people, 1), "warnings": warnings}
    return {"pictures": forward.pictures, "seen": seen.seen} | cut_off | people


def _forward(job: ImportJob, facts: ClipFacts, near: Point | None) -> tuple[Forward, Tracking]:
    ffmpeg, tools = job.tools.ffmpeg(), job.tools
    return encode_forward(
        ffmpeg,
        job.source,
        facts,
        tools.limits,
        job.folder,
        lambda pictures: follow(job.finder, pictures, facts.fps, near),
        lambda part: job.note("video", _LOOKED + part * (_CYCLE - _LOOKED)),
        job.cancelled,
        use_nvdec=tools.use_nvdec and ffmpeg.nvdec,
    )


def _look(job: ImportJob, facts: ClipFacts) -> _Look:
    ffmpeg, tools, choice = job.tools.ffmpeg(), job.tools, job.choice
    shown = facts.shown[::-1] if choice.quarters % 2 else facts.shown
    point = choice.point(shown, facts.size)
    pictures = first_pictures(
        ffmpeg,
        job.source,
        facts,
        tools.limits,
        job.folder,
        use_nvdec=tools.use_nvdec and ffmpeg.nvdec,
    )
    quarters, seen = 0, _faces(job, pictures, 0)
    free = choice.rotate is None
    if free and not any(seen) and not job.finder.sees_turned:
        quarters, seen = _search_turned(job, pictures)
    if point is not None:
        point = turned(point, facts.size, quarters)
    chosen = _chosen(job, seen, point)
    if chosen is None:
        return _Look(quarters, point)
    with_faces = [faces for faces in seen if faces]
    same = [_nearest(faces, middle(chosen.box)) for faces in with_faces]
    if free and not quarters:
        votes, count = Counter(lying(face.roll) for face in same).most_common(1)[0]
        quarters = votes if 2 * count >= len(same) else 0
        where = turned(middle(chosen.box), facts.size, quarters)
    else:
        where = middle(chosen.box)
    each = list(zip(same, with_faces, strict=True))
    crowded = sum(rivals(face, faces) > 0 for face, faces in each)
    unclear = any(rivals(face, faces, _EQUAL) for face, faces in each)
    return _Look(
        quarters,
        where if choice.face or unclear else None,
        max(map(len, with_faces)),
        crowded >= min(2, len(with_faces)),
    )


def _chosen(
    job: ImportJob, seen: list[list[FaceDetection]], point: Point | None
) -> FaceDetection | None:
    """By a point: of the first picture that has it. By its number: of the one picture that has the
    most faces, so that no two numbers are one face. Raises BadInput.
    """
    if point is not None:
        nearest = [_nearest(faces, point) for faces in seen if faces]
        return next((face for face in nearest if _holds(face, point)), next(iter(nearest), None))
    index = job.choice.face if isinstance(job.choice.face, int) else 0
    faces = max(seen, key=len, default=[])
    if index and index >= len(faces):
        raise no_such_face(index, len(faces))
    return faces[index] if faces else None


def _holds(face: FaceDetection, point: Point) -> bool:
    left, top, right, bottom = face.box
    return bool(left <= point[0] <= right and top <= point[1] <= bottom)


def _nearest(faces: list[FaceDetection], point: Point) -> FaceDetection:
    return min(faces, key=lambda face: apart(middle(face.box), point))


def _faces(job: ImportJob, pictures: list[Picture], quarters: int) -> list[list[FaceDetection]]:
    found = []
    for picture in pictures:
        job.check()
        bgr = turn(to_bgr(picture), quarters)
        found.append(job.finder.faces(np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8)))
    return found


def _search_turned(
    job: ImportJob, pictures: list[Picture]
) -> tuple[int, list[list[FaceDetection]]]:
    for quarters in QUARTERS:
        seen = _faces(job, pictures, quarters)
        if 2 * sum(map(bool, seen)) >= len(pictures):
            return quarters, seen
    return 0, [[] for _ in pictures]


def _lying(track: FaceTrack) -> int:
    """Quarters anticlockwise that set the face upright in most of its pictures."""
    ends = [track.landmarks[:, POINTS[f"eye_{side}_upper"]] for side in ("left", "right")]
    across = (ends[1] - ends[0]).mean(1)
    across = across[np.isfinite(across).all(1)]
    if not len(across):
        return 0
    quarters = np.round(np.arctan2(across[:, 1], across[:, 0]) / (math.pi / 2)).astype(int) % 4
    most = Counter(quarters.tolist()).most_common(1)[0]
    return int(most[0]) if 2 * most[1] >= len(quarters) else 0


def _keep_rest_frame(
    job: ImportJob, facts: ClipFacts, forward: Forward, seen: Tracking
) -> list[str]:
    """Its flaws."""
    index = rest_frame(seen.track) if seen.seen else None
    if index is None:
        raise NoFace("No face was found in the clip.", field="file")
    still = to_bgr(one_picture(job.tools.ffmpeg(), forward, facts, index))
    box = seen.track.boxes[index]
    save_still(job.folder, still, box, seen.track.landmarks[index])
    return flaws(still, box, seen.yaw)


def _rows(track: FaceTrack, rows: list[int]) -> FaceTrack:
    return cycle_track(track.boxes[rows], track.landmarks[rows], track.fps, track.strength[rows])
