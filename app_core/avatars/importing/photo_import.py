"""A photo to the still of an avatar."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from app_core.avatars.importing.import_job import save_still
from app_core.avatars.importing.import_warnings import of_turning
from app_core.errors import NoFace
from app_core.face.detection import apart, middle
from app_core.face.face_choice import lying, turned
from app_core.face.flaws import SECOND_FACE, flaws, rivals
from app_core.media.ingest.photo_size import shown_size

if TYPE_CHECKING:
    from app_core.avatars.importing.import_job import ImportJob
    from app_core.face.detection import FaceDetection, FaceFinder, Point
    from app_core.types import UInt8

QUARTERS = (1, 3, 2)
"""In this order a picture is turned for a finder that sees upright faces only."""


def import_photo(job: ImportJob, pixels: UInt8) -> dict[str, Any]:
    """Fills the folder from BGR (height, width, 3); what its metadata tell of it. Raises NoFace, or
    BadInput for a face that is not there.
    """
    job.note("faces", 0.3)
    pixels = turn(pixels, -job.choice.quarters)
    point = _point(job, pixels)
    quarters, faces = 0, job.finder.faces(_rgb(pixels))
    free = job.choice.rotate is None
    if not faces and free and not job.finder.sees_turned:
        quarters, faces = _search_turned(job.finder, pixels)
    if not faces:
        raise NoFace("No face was found in the photo.", field="file")
    if point is not None:
        point = turned(point, _size(pixels), quarters)
    pixels = turn(pixels, quarters)
    chosen = job.choice.pick(faces, point)
    if free and lying(chosen.roll):
        again = _set_upright(job.finder, pixels, chosen)
        if again is not None:
            quarters, (pixels, faces, chosen) = quarters + lying(chosen.roll), again
    job.check()
    save_still(job.folder, pixels, chosen.box, chosen.landmarks)
    warnings = flaws(pixels, chosen.box, chosen.yaw)
    if rivals(chosen, faces):
        warnings.insert(0, SECOND_FACE)
    warnings += of_turning(quarters, lying(chosen.roll))
    return {"pictures": 1, "seen": 1, "people": len(faces), "warnings": warnings}


def turn(pixels: UInt8, quarters: int) -> UInt8:
    """Anticlockwise."""
    return np.ascontiguousarray(np.rot90(pixels, quarters)) if quarters % 4 else pixels


def _point(job: ImportJob, pixels: UInt8) -> Point | None:
    if not isinstance(job.choice.face, tuple):
        return None
    shown = shown_size(job.source)
    if job.choice.quarters % 2:
        shown = shown[::-1]
    return job.choice.point(shown, _size(pixels))


def _search_turned(finder: FaceFinder, pixels: UInt8) -> tuple[int, list[FaceDetection]]:
    for quarters in QUARTERS:
        faces = finder.faces(_rgb(turn(pixels, quarters)))
        if faces:
            return quarters, faces
    return 0, []


def _set_upright(
    finder: FaceFinder, pixels: UInt8, chosen: FaceDetection
) -> tuple[UInt8, list[FaceDetection], FaceDetection] | None:
    """The picture turned so that the face stands, unless it is not seen there."""
    quarters = lying(chosen.roll)
    upright = turn(pixels, quarters)
    there = turned(middle(chosen.box), _size(pixels), quarters)
    faces = finder.faces(_rgb(upright))
    if not faces:
        return None
    again = min(faces, key=lambda face: apart(middle(face.box), there))
    return (upright, faces, again) if abs(again.roll) < math.pi / 4 else None


def _size(pixels: UInt8) -> tuple[int, int]:
    return int(pixels.shape[1]), int(pixels.shape[0])


def _rgb(bgr: UInt8) -> UInt8:
    return np.ascontiguousarray(bgr[:, :, ::-1])
