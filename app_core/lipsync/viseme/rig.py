"""A face made ready for its mouth to be moved: measures, lip curves, light and teeth.

A rig depends on the face's shape. Where it is in a picture is a Pose; over the cycle of a still,
or of a clip whose head moves as a whole, only the pose differs.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from app_core.kernels import kernel
from app_core.landmarks import LIP_POINTS, LIPS, POINTS
from app_core.lipsync.viseme.curves import pchip
from app_core.lipsync.viseme.geometry import (
    COLUMNS,
    LOWER_INNER,
    SEAM,
    SMOOTH_SEAM,
    UPPER_INNER,
    Measures,
)
from app_core.lipsync.viseme.light import light_on_enamel, look, tint
from app_core.lipsync.viseme.own_mouth import NO_TABLE, own_table, peel
from app_core.lipsync.viseme.pose import Pose
from app_core.lipsync.viseme.teeth import teeth

if TYPE_CHECKING:
    from app_core.lipsync.viseme.curves import Float64
    from app_core.types import Float32, Picture


@dataclass(frozen=True, slots=True, eq=False)
class Rig:
    measures: Measures
    curves: Float32
    """(6, COLUMNS), rows as in ``geometry``."""
    upper_teeth: Float32
    """(rows, columns, 4), RGBA."""
    lower_teeth: Float32
    tint: Float32
    """(128, 3): R, G, B of white enamel in light 0..BRIGHTEST, in that picture."""
    own: Float32
    """(OWN_ROWS, COLUMNS), rows as in ``geometry``; or (0, COLUMNS)."""
    skin: float
    """Mean of R, G and B (0..1) around the mouth of the picture that the rig was made from."""


def make_rig(landmarks: Float32, picture: Picture, own: Float32 | None = None) -> Rig:
    """From one picture's (POINT_COUNT, 2) landmarks, pixels, with closed lips.

    ``own``: the picture's own landmarks, when its mouth is another.
    """
    pose = find_pose(landmarks, picture.width, picture.height)
    local = face_points(landmarks, pose)
    half_width, chin = _half_width(local), _chin(local)
    seen = look(picture.planes, pose, half_width, chin)
    light = light_on_enamel(seen, seen.skin)
    measures, curves = _shape(local, pose, picture, light, seen.side)
    upper, lower = teeth(half_width)
    rig = Rig(measures, curves, upper, lower, tint(seen, light), NO_TABLE, seen.skin)
    return rig if own is None else own_rig(rig, own, pose, picture)


def reshape_rig(rig: Rig, landmarks: Float32, pose: Pose, picture: Picture) -> Rig:
    """The same face in another picture, where its shape differs."""
    local = face_points(landmarks, pose)
    light = rig.measures
    measures, curves = _shape(local, pose, picture, light.light, light.light_side)
    return replace(rig, measures=measures, curves=curves, own=NO_TABLE)


def own_rig(rig: Rig, own: Float32, pose: Pose, picture: Picture) -> Rig:
    """``rig`` for a picture with the landmarks ``own``, whose mouth is not the rig's."""
    local = face_points(own, pose)
    lips, parted = _lips(local, pose, picture)
    table = own_table(lips, rig.curves, rig.measures, _chin(local))
    width = max(_half_width(local), rig.measures.half_width)
    return replace(rig, measures=rig.measures._replace(own_width=width, parted=parted), own=table)


def _lips(local: Float32, pose: Pose, picture: Picture) -> tuple[Float64, float]:
    """The lips' curves (4, LIP_POINTS, 2) as the picture has them, and how far they are parted."""
    lips = np.stack([local[POINTS[name]] for name in LIPS]).astype(float)
    planes = picture.planes
    parted = peel(planes, (pose.x, pose.y, pose.cos, pose.sin), lips, _chin(local))
    return lips, parted


def _shape(
    local: Float32, pose: Pose, picture: Picture, light: float, light_side: float
) -> tuple[Measures, Float32]:
    half_width, chin = _half_width(local), _chin(local)
    sides = local[POINTS["jaw_left"]][0], local[POINTS["jaw_right"]][0]
    jaw = 1.06 * max(-float(sides[0][0]), float(sides[1][0]))
    x = np.linspace(-1.25 * jaw, 1.25 * jaw, COLUMNS, dtype=np.float32)
    lips = _lips(local, pose, picture)[0]
    curves = _curves(lips, x.astype(float), half_width)
    measures = Measures(
        half_width,
        chin,
        float(local[POINTS["nose_base"]][0, 1]),
        jaw,
        float(sides[0][1] + sides[1][1]) / 2,
        _neck(pose, chin, picture.height),
        half_width,
        0.0,
        light,
        light_side,
        float(x[0]),
        float(x[1] - x[0]),
    )
    return measures, curves


def _half_width(local: Float32) -> float:
    lip = local[POINTS["lip_upper_outer"]]
    return float(lip[-1, 0] - lip[0, 0]) / 2


def _chin(local: Float32) -> float:
    return float(local[POINTS["chin"]][0, 1])


def find_pose(landmarks: Float32, width: int, height: int) -> Pose:
    """Of one picture's (POINT_COUNT, 2) landmarks."""
    pose = find_poses(landmarks[None], width, height)[0]
    if pose is None:
        raise ValueError("a face without landmarks has no pose")
    return pose


def find_poses(landmarks: Float32, width: int, height: int) -> tuple[Pose | None, ...]:
    """Of (pictures, POINT_COUNT, 2) landmarks; None where there is no face."""
    poses: list[Pose | None] = [None] * len(landmarks)
    found = np.flatnonzero(np.isfinite(landmarks).all((1, 2)))
    rows = landmarks[found]
    left, right = rows[:, POINTS["lip_upper_outer"]][:, [0, -1]].swapaxes(0, 1)
    middle, along = (left + right) / 2, right - left
    roll = np.arctan2(along[:, 1], along[:, 0]).astype(float)
    cos, sin = np.cos(roll), np.sin(roll)
    chin_x, chin_y = (rows[:, POINTS["chin"]][:, 0] - middle).T
    chin = cos * chin_y - sin * chin_x
    sides = rows[:, [POINTS["jaw_left"].start, POINTS["jaw_right"].start]] - middle[:, None]
    jaw = 1.06 * np.abs(sides[..., 0] * cos[:, None] + sides[..., 1] * sin[:, None]).max(1)
    across = np.stack([-1.1 * jaw, -1.1 * jaw, 1.1 * jaw, 1.1 * jaw], 1)
    down = np.stack([-chin, 1.75 * chin, -chin, 1.75 * chin], 1)
    x = across * cos[:, None] - down * sin[:, None] + middle[:, :1]
    y = across * sin[:, None] + down * cos[:, None] + middle[:, 1:]
    regions = np.stack(
        [
            np.maximum((np.floor(x.min(1) / 2) - 1) * 2, 0),
            np.maximum((np.floor(y.min(1) / 2) - 1) * 2, 0),
            np.minimum((np.ceil(x.max(1) / 2) + 1) * 2, width),
            np.minimum((np.ceil(y.max(1) / 2) + 1) * 2, height),
        ],
        1,
    )
    places = np.stack([middle[:, 0], middle[:, 1], cos, sin], 1)
    for row, place, region in zip(
        found.tolist(), places.tolist(), regions.astype(int).tolist(), strict=True
    ):
        poses[row] = Pose(*place, *region)
    return tuple(poses)


def face_points(points: Float32, pose: Pose) -> Float32:
    """Picture points (n, 2) in the face's frame: from the mouth's middle, x along it."""
    turn = np.array([[pose.cos, -pose.sin], [pose.sin, pose.cos]])
    return np.asarray((points - np.array([pose.x, pose.y])) @ turn, np.float32)


def _neck(pose: Pose, chin: float, height: int) -> float:
    """1.7 chin heights down, or the picture's lower edge when that comes first."""
    return max(min(1.7 * chin, (height - pose.y - 4) / max(pose.cos, 0.5)), 1.1 * chin)


@kernel
def _curves(lips: np.ndarray, x: np.ndarray, half_width: float) -> Float32:
    """(6, COLUMNS) of (4, LIP_POINTS, 2) lips in the face's frame."""
    curves = np.zeros((6, COLUMNS), np.float32)
    across, down = np.empty(LIP_POINTS), np.empty(LIP_POINTS)
    for row in range(4):
        order = np.argsort(lips[row, :, 0])
        count = 0
        for k in order:
            if count == 0 or lips[row, k, 0] - across[count - 1] > 1e-3:
                across[count], down[count] = lips[row, k, 0], lips[row, k, 1]
                count += 1
        curves[row] = pchip(across[:count], down[:count], x)
    for k in range(COLUMNS):
        if abs(x[k]) >= half_width:
            curves[:4, k] = 0.0
        curves[LOWER_INNER, k] = max(curves[LOWER_INNER, k], curves[UPPER_INNER, k])
        curves[SEAM, k] = 0.35 * curves[UPPER_INNER, k] + 0.65 * curves[LOWER_INNER, k]
    _blur(curves[SEAM], x, half_width, curves[SMOOTH_SEAM])
    return curves


@kernel
def _blur(curve: Float32, x: np.ndarray, half_width: float, blurred: Float32) -> None:
    """``curve`` within the mouth after a Gaussian of 0.22 half widths."""
    sigma = 0.22 * half_width / (x[1] - x[0])
    reach = int(np.ceil(4 * sigma))
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    weights /= weights.sum()
    for k in range(COLUMNS):
        if abs(x[k]) >= half_width:
            continue
        total = 0.0
        for near in range(max(k - reach, 0), min(k + reach + 1, COLUMNS)):
            total += weights[near - k + reach] * curve[near]
        blurred[k] = total
