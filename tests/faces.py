"""The embedded avatar as the tests of the face and of the mouth use it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache

import cv2
import numpy as np

from app_core.avatars.library import AvatarLibrary
from app_core.avatars.still_plate import StillPlate
from app_core.config import ROOT
from app_core.face.track import cycle_track
from app_core.landmarks import LIP_POINTS, POINTS
from app_core.lipsync.viseme.geometry import COLUMNS, TABLE_ROWS, form_mouth
from app_core.lipsync.viseme.moved_mouth import move_mouth
from app_core.lipsync.viseme.rig import find_pose, make_rig
from app_core.picture import from_bgr, to_bgr
from app_core.types import Picture

FOLDER = ROOT / "avatar"


def aigul(size: tuple[int, int] = (512, 512), sway: bool = False) -> StillPlate:
    """A plate of its own; its track is read-only."""
    if sway:
        return _read(size, sway)
    plate = _still(size)
    planes = plate.picture(0)
    still = Picture(planes.y.copy(), planes.u.copy(), planes.v.copy())
    return StillPlate(still, plate.track, (plate.jaw_gain, plate.open_gain), lively=False)


@cache
def _still(size: tuple[int, int]) -> StillPlate:
    """Read once: its file has two million pixels."""
    return _read(size, sway=False)


def _read(size: tuple[int, int], sway: bool) -> StillPlate:
    library = AvatarLibrary(FOLDER)
    return library.plate(library.get("aigul"), size, sway=sway)


def rolled(plate: StillPlate, degrees: float) -> StillPlate:
    """The plate's still and its points turned clockwise about the picture's middle."""
    angle, middle = math.radians(degrees), np.array([plate.width / 2, plate.height / 2])
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    shift = middle - turn @ middle
    centers = turn @ np.array([0.5, 0.5]) + shift - 0.5
    pixels = cv2.warpAffine(
        to_bgr(plate.picture(0)),
        np.column_stack([turn, centers]),
        (plate.width, plate.height),
        flags=cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_REPLICATE,
    )
    landmarks = plate.track.landmarks @ turn.T + shift
    return StillPlate(
        from_bgr(pixels),
        cycle_track(plate.track.boxes, landmarks, 25.0),
        (1.0, 1.0),
        lively=False,
    )


def speaking(plate: StillPlate, tracks: tuple[float, ...]) -> tuple[Picture, np.ndarray]:
    """The plate's still with its mouth drawn open, and the points of that picture."""
    landmarks, picture = plate.track.landmarks[0], plate.picture(0)
    pose = find_pose(landmarks, plate.width, plate.height)
    rig = make_rig(landmarks, picture)
    mouth = np.array(tracks, np.float32)
    table = np.empty((TABLE_ROWS, COLUMNS), np.float32)
    shape = form_mouth(rig.measures, rig.curves, mouth, table)
    x = rig.measures.first_x + rig.measures.column_step * np.arange(COLUMNS)
    across = np.linspace(-shape.half_width, shape.half_width, LIP_POINTS)
    turn = np.array([[pose.cos, pose.sin], [-pose.sin, pose.cos]])
    moved = landmarks.copy()
    for row, name in enumerate(("upper_outer", "upper_inner", "lower_inner", "lower_outer")):
        local = np.stack([across, np.interp(across, x, table[row])], 1)
        moved[POINTS[f"lip_{name}"]] = local @ turn + (pose.x, pose.y)
    moved[POINTS["chin"]] += np.array([0, 0.92 * shape.jaw_drop]) @ turn
    return move_mouth(rig, pose, picture, mouth), moved.astype(np.float32)


class Filmed:
    """A plate of any pictures and points."""

    jaw_gain = open_gain = 1.0

    def __init__(
        self,
        pictures: Sequence[Picture],
        landmarks: np.ndarray,
        strength: np.ndarray | None = None,
    ) -> None:
        self.pictures = pictures
        self.width, self.height = pictures[0].width, pictures[0].height
        boxes = np.concatenate([landmarks.min(1), landmarks.max(1)], 1)
        self.track = cycle_track(boxes, landmarks, 25.0, strength)

    def picture(self, index: int) -> Picture:
        return self.pictures[index]

    def frame_source(self, use_nvdec: bool = False, gently: bool = False) -> Filmed:
        return self

    def close(self) -> None:
        pass


def differs(one: Picture, other: Picture) -> np.ndarray:
    """(height, width): where any plane differs."""
    chroma = (one.u != other.u) | (one.v != other.v)
    return (one.y != other.y) | chroma.repeat(2, 0).repeat(2, 1)
