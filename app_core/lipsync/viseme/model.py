"""The model that needs no weights: eight articulation numbers move the mouth of a picture."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from app_core.landmarks import LIP_POINTS, POINT_COUNT, POINTS
from app_core.lipsync.viseme.geometry import COLUMNS, OWN_ROWS
from app_core.lipsync.viseme.heard.heard_articulation import HeardArticulation
from app_core.lipsync.viseme.moved_mouth import move_mouth
from app_core.lipsync.viseme.neutral import neutral_mouths
from app_core.lipsync.viseme.pose import Pose
from app_core.lipsync.viseme.rig import Rig, find_pose, find_poses, make_rig, own_rig, reshape_rig
from app_core.types import Mouth, Picture

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app_core.lipsync.model import FeatureStream, Plate
    from app_core.types import Float32, MouthTask

_LEAST = np.array([0, 0, -1, 0, 0, 0, 0, 0], np.float32)
_AT_REST = 1e-3
_PRACTICE_RATE = 16_000
_SAME_SHAPE = 0.03
"""Points of two pictures are one shape when none is further off than this, in half mouth widths."""
_RIGS = 512
"""Rigs that one face keeps for pictures of other shapes."""
_RIG_BYTES = 2 * OWN_ROWS * COLUMNS * 4 + 2048
"""Curves, own table and measures; the teeth are shared."""
_POSE_BYTES = 512
"""Of a tuple of eight numbers."""


@dataclass(frozen=True, slots=True, eq=False)
class Face:
    """One plate's face: its rig and where it is in each picture."""

    rig: Rig | None
    """None when no picture has a face."""
    poses: tuple[Pose | None, ...]
    """None where the picture has no face."""
    gains: Float32
    """(8,): what the tracks are multiplied by."""
    strength: Float32
    """(pictures,): how much of the movement is drawn, 0..1."""
    landmarks: Float32
    """(pictures, POINT_COUNT, 2): those of the plate's track."""
    neutral: Float32
    """The same, with the mouth from which speech is drawn."""
    reshaped: frozenset[int]
    """The pictures in which the face's shape is not the rig's."""
    differing: frozenset[int]
    """The pictures whose own mouth is not the neutral one."""
    rigs: dict[int, Rig]
    """Those of other shapes that were made already."""

    @property
    def nbytes(self) -> int:
        """At most, with every rig."""
        rigs = min(len(self.reshaped), _RIGS) * _RIG_BYTES
        neutral = 0 if self.neutral is self.landmarks else self.neutral.nbytes
        return rigs + neutral + len(self.poses) * _POSE_BYTES

    def rig_of(self, index: int, picture: Picture) -> Rig | None:
        """The rig for a picture. Thread-safe: two threads may make the same one once each."""
        pose = self.poses[index]
        if self.rig is None or pose is None or index not in self.reshaped:
            return self.rig
        rig = self.rigs.get(index)
        if rig is None:
            rig = reshape_rig(self.rig, self.neutral[index], pose, picture)
            if index in self.differing:
                rig = own_rig(rig, self.landmarks[index], pose, picture)
            if len(self.rigs) >= _RIGS:
                self.rigs.clear()
            self.rigs[index] = rig
        return rig


class VisemeModel:
    name = "viseme"
    device = "cpu"
    max_batch = 256
    frames_per_s = 1e5

    def open(self, plate: Plate) -> Face:
        landmarks, strength = plate.track.landmarks, plate.track.strength
        neutral, differs = neutral_mouths(landmarks)
        poses = find_poses(neutral, plate.width, plate.height)
        gains = np.ones(8, np.float32)
        gains[0], gains[1] = plate.jaw_gain, plate.open_gain
        seen = next((index for index, pose in enumerate(poses) if pose is not None), None)
        rig, reshaped = None, np.zeros(len(poses), bool)
        if seen is not None:
            own = landmarks[seen] if differs[seen] else None
            rig = make_rig(neutral[seen], plate.picture(seen), own)
            if _shapes_differ(landmarks, neutral, seen):
                reshaped = np.asarray(np.isfinite(landmarks).all((1, 2)))
                reshaped[seen] = False
        return Face(
            rig,
            poses,
            gains,
            strength,
            landmarks,
            neutral,
            frozenset(np.flatnonzero(reshaped).tolist()),
            frozenset(np.flatnonzero(differs).tolist()),
            {},
        )

    def features(self, fps: int) -> FeatureStream:
        from app_core.lipsync.viseme.features import Articulation

        return Articulation(fps)

    def draw(self, tasks: Sequence[MouthTask]) -> list[Mouth]:
        return [Mouth(task.index, task.picture, _tracks(task)) for task in tasks]

    def apply(self, face: Face, picture: Picture, mouth: Mouth) -> Picture:
        """``picture`` itself when there is nothing to draw, or no face."""
        pose, strength = face.poses[mouth.picture], float(face.strength[mouth.picture])
        if pose is None or strength <= 0.0:
            return picture
        tracks = mouth.drawing
        resting = np.abs(tracks).max() < _AT_REST
        if resting and mouth.picture not in face.differing:
            return picture
        rig = face.rig_of(mouth.picture, picture)
        if rig is None:
            return picture
        return move_mouth(rig, pose, picture, tracks * np.float32(strength), strength)

    def rest(self, index: int, picture: int) -> Mouth:
        return Mouth(index, picture, np.zeros(8, np.float32))

    def eased(self, mouth: Mouth, weight: float) -> Mouth:
        return replace(mouth, drawing=mouth.drawing * np.float32(weight))

    def ready(self, task: MouthTask) -> bool:
        return True

    def close(self) -> None: ...

    def warm_up(self) -> None:
        """Compiles the kernels, or loads them from numba's cache on disk."""
        landmarks, picture = _practice_face()
        pose = find_pose(landmarks, picture.width, picture.height)
        rig = own_rig(make_rig(landmarks, picture), landmarks, pose, picture)
        move_mouth(rig, pose, picture, np.full(8, 0.5, np.float32))
        HeardArticulation(_PRACTICE_RATE, 0.0).push(np.zeros(_PRACTICE_RATE, np.float32))


def _shapes_differ(landmarks: Float32, neutral: Float32, first: int) -> bool:
    """Whether mouth and jaw are anywhere not as in the picture ``first``: then each picture has
    a shape of its own, or the change from one to the other would be seen."""
    names = ("lip_upper_outer", "lip_upper_inner", "lip_lower_inner", "lip_lower_outer")
    parts = [POINTS[name] for name in (*names, "chin", "jaw_left", "jaw_right", "nose_base")]
    which = np.concatenate([np.arange(part.start, part.stop) for part in parts])
    ends = POINTS["lip_upper_outer"].start, POINTS["lip_upper_outer"].stop - 1
    for points in (landmarks, neutral) if neutral is not landmarks else (landmarks,):
        found = points[first:][np.isfinite(points[first:]).all((1, 2))]
        left, right = found[:, ends[0]], found[:, ends[1]]
        along = right - left
        along = along / np.hypot(along[:, 0], along[:, 1])[:, None]
        local = found[:, which] - ((left + right) / 2)[:, None]
        x = local[..., 0] * along[:, None, 0] + local[..., 1] * along[:, None, 1]
        y = local[..., 1] * along[:, None, 0] - local[..., 0] * along[:, None, 1]
        most = _SAME_SHAPE * float(np.ptp(x[0, :LIP_POINTS])) / 2
        if max(np.abs(x - x[0]).max(), np.abs(y - y[0]).max()) > most:
            return True
    return False


def _tracks(task: MouthTask) -> Float32:
    asked = np.asarray(task.features, np.float32) * task.face.gains
    return np.asarray(np.clip(asked, _LEAST, np.float32(1)), np.float32)


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
