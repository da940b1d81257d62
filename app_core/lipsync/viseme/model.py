"""The model that needs no weights: eight articulation numbers move the mouth of a picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from app_core.landmarks import LIP_POINTS, POINT_COUNT, POINTS
from app_core.lipsync.viseme.displacement import displace
from app_core.lipsync.viseme.geometry import COLUMNS, TABLE_ROWS, form_mouth
from app_core.lipsync.viseme.mouth_interior import draw_interior
from app_core.lipsync.viseme.rig import (
    Pose,
    Rig,
    face_points,
    find_pose,
    make_rig,
    reshape_rig,
)
from app_core.lipsync.viseme.warp import warp_skin
from app_core.types import Mouth, Picture

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app_core.lipsync.model import FeatureStream, Plate
    from app_core.types import Float32, MouthTask

_LEAST = np.array([0, 0, -1, 0, 0, 0, 0, 0], np.float32)
_AT_REST = 1e-3
_CELL = 4
"""Pixels between the nodes where the displacement is computed."""
_LARGE = 90.0
"""From this half mouth width on, pixels, the nodes are twice as far apart."""


_SAME_SHAPE = 0.03
"""Points of two pictures are one shape when none is further off than this, in half mouth widths."""
_RIGS = 512
"""Rigs that one face keeps for pictures of other shapes."""


@dataclass(frozen=True, slots=True, eq=False)
class Face:
    """One plate's face: its rig and where it is in each picture."""

    rig: Rig | None
    """None when no picture has a face."""
    poses: tuple[Pose | None, ...]
    """None where the picture has no face."""
    gains: Float32
    """(8,): what the tracks are multiplied by."""
    others: dict[int, Float32]
    """The landmarks of the pictures in which the face's shape is not the rig's."""
    rigs: dict[int, Rig]
    """Those of them that were made already."""

    def rig_of(self, index: int, height: int) -> Rig | None:
        """The rig for a picture. Thread-safe: two threads may make the same one once each."""
        pose, landmarks = self.poses[index], self.others.get(index)
        if self.rig is None or pose is None or landmarks is None:
            return self.rig
        rig = self.rigs.get(index)
        if rig is None:
            rig = reshape_rig(self.rig, landmarks, pose, height)
            if len(self.rigs) >= _RIGS:
                self.rigs.clear()
            self.rigs[index] = rig
        return rig


class VisemeModel:
    name = "viseme"
    device = "cpu"
    max_batch = 256
    lookahead_s = 0.12

    def open(self, plate: Plate) -> Face:
        landmarks = plate.track.landmarks
        poses = tuple(
            find_pose(row, plate.width, plate.height) if np.isfinite(row).all() else None
            for row in landmarks
        )
        gains = np.ones(8, np.float32)
        gains[0], gains[1] = plate.jaw_gain, plate.open_gain
        seen = next((index for index, pose in enumerate(poses) if pose is not None), None)
        if seen is None:
            return Face(None, poses, gains, {}, {})
        rig = make_rig(landmarks[seen], plate.picture(seen))
        return Face(rig, poses, gains, _other_shapes(landmarks, poses, seen), {})

    def features(self, fps: int) -> FeatureStream:
        from app_core.lipsync.viseme.features import Articulation

        return Articulation(fps)

    def draw(self, tasks: Sequence[MouthTask]) -> list[Mouth]:
        return [Mouth(task.index, task.picture, _tracks(task)) for task in tasks]

    def apply(self, face: Face, picture: Picture, mouth: Mouth) -> Picture:
        """``picture`` itself when there is nothing to draw, or no face."""
        pose, rig = face.poses[mouth.picture], face.rig_of(mouth.picture, picture.height)
        tracks = mouth.drawing
        if rig is None or pose is None:
            return picture
        if not rig.measures.open_source and np.abs(tracks).max() < _AT_REST:
            return picture
        return move_mouth(rig, pose, picture, tracks)

    def warm_up(self) -> None:
        """Compiles the kernels, or loads them from numba's cache on disk."""
        landmarks, picture = _practice_face()
        rig = make_rig(landmarks, picture)
        pose = find_pose(landmarks, picture.width, picture.height)
        move_mouth(rig, pose, picture, np.full(8, 0.5, np.float32))


def _other_shapes(
    landmarks: Float32, poses: tuple[Pose | None, ...], first: int
) -> dict[int, Float32]:
    """The rows of ``landmarks`` whose mouth and jaw are not as in the picture ``first``."""
    names = ("lip_upper_outer", "lip_upper_inner", "lip_lower_inner", "lip_lower_outer")
    parts = [POINTS[name] for name in (*names, "chin", "jaw_left", "jaw_right", "nose_base")]
    points = np.concatenate([np.arange(part.start, part.stop) for part in parts])
    found = {}
    shape: Float32 | None = None
    for index, pose in enumerate(poses[first:], first):
        if pose is None:
            continue
        local = face_points(landmarks[index][points], pose)
        if shape is None:
            shape = local
            most = _SAME_SHAPE * float(np.ptp(local[:LIP_POINTS, 0])) / 2
        if np.abs(local - shape).max() > most:
            found[index] = landmarks[index]
    return found


def _tracks(task: MouthTask) -> Float32:
    asked = np.asarray(task.features, np.float32) * task.face.gains
    return np.asarray(np.clip(asked, _LEAST, np.float32(1)), np.float32)


def move_mouth(rig: Rig, pose: Pose, picture: Picture, tracks: Float32) -> Picture:
    """A copy of ``picture`` with the mouth of ``tracks`` (8,)."""
    source = picture.y, picture.u, picture.v
    target = picture.y.copy(), picture.u.copy(), picture.v.copy()
    table = np.empty((TABLE_ROWS, COLUMNS), np.float32)
    shape = form_mouth(rig.measures, rig.curves, tracks, table)
    cell = _CELL if rig.measures.half_width < _LARGE else 2 * _CELL
    nodes = displace(pose, cell, rig.measures, shape, table)
    warp_skin(source, target, pose, cell, nodes)
    draw_interior(
        target, pose, rig.measures, shape, table, rig.upper_teeth, rig.lower_teeth, rig.tint
    )
    return Picture(*target)


def _practice_face() -> tuple[Float32, Picture]:
    """A grey picture with the points that a rig needs, to compile with."""
    landmarks = np.zeros((POINT_COUNT, 2), np.float32)
    arch = np.linspace(-1, 1, LIP_POINTS)
    for name, bulge in (("upper_outer", -5), ("upper_inner", 0), ("lower_inner", 0)):
        landmarks[POINTS[f"lip_{name}"]] = np.stack([48 + 12 * arch, 60 + bulge * (1 - arch**2)], 1)
    landmarks[POINTS["lip_lower_outer"]] = np.stack([48 + 12 * arch, 66 - 6 * arch**2], 1)
    for name, point in (
        ("nose_base", (48, 52)),
        ("chin", (48, 80)),
        ("jaw_left", (28, 68)),
        ("jaw_right", (68, 68)),
    ):
        landmarks[POINTS[name]] = point
    half = np.full((48, 48), 128, np.uint8)
    return landmarks, Picture(np.full((96, 96), 128, np.uint8), half, half.copy())
