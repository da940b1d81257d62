"""A face made ready for its mouth to be moved: measures, lip curves, light and teeth.

A rig depends on the face's shape. Where it is in a picture is a Pose; over the cycle of a still,
or of a clip whose head moves as a whole, only the pose differs.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from app_core.landmarks import POINTS
from app_core.lipsync.viseme.curves import pchip
from app_core.lipsync.viseme.geometry import COLUMNS, Measures
from app_core.lipsync.viseme.teeth import teeth

if TYPE_CHECKING:
    from app_core.types import Float32, Picture

_OPEN_FROM = 0.03
"""A gap between the lips above this part of the chin's height is an open mouth."""
_SHADES = 128
BRIGHTEST = 1.2
"""Light at the last entry of the tint table."""


class Pose(NamedTuple):
    """Where the face's frame is in a picture, and the part of the picture that can change."""

    x: float
    """The origin, pixels from the picture's left edge."""
    y: float
    cos: float
    """Of the roll, times the scale against the rig."""
    sin: float
    left: int
    """The region that can change: left <= column < right, all four even."""
    top: int
    right: int
    bottom: int


@dataclass(frozen=True, slots=True, eq=False)
class Rig:
    measures: Measures
    curves: Float32
    """(6, COLUMNS), rows as in ``geometry``."""
    upper_teeth: Float32
    """(rows, columns, 4), RGBA."""
    lower_teeth: Float32
    tint: Float32
    """(128, 3): R, G, B of white enamel in light 0..BRIGHTEST."""


def make_rig(landmarks: Float32, picture: Picture) -> Rig:
    """From one picture's (POINT_COUNT, 2) landmarks, pixels."""
    pose = find_pose(landmarks, picture.width, picture.height)
    local = face_points(landmarks, pose)
    half_width, chin = _half_width(local), _chin(local)
    skin, light_side = _skin(picture, pose, half_width, chin)
    light = float(np.clip(skin.mean() * 1.42, 0.35, 1.08))
    measures, curves = _shape(local, pose, picture.height, light, light_side)
    return Rig(measures, curves, *teeth(half_width), _tint(skin))


def reshape_rig(rig: Rig, landmarks: Float32, pose: Pose, height: int) -> Rig:
    """The same face in another picture, ``height`` pixels high, where its shape differs."""
    local = face_points(landmarks, pose)
    light = rig.measures
    measures, curves = _shape(local, pose, height, light.light, light.light_side)
    return replace(rig, measures=measures, curves=curves)


def _shape(
    local: Float32, pose: Pose, height: int, light: float, light_side: float
) -> tuple[Measures, Float32]:
    half_width, chin = _half_width(local), _chin(local)
    sides = local[POINTS["jaw_left"]][0], local[POINTS["jaw_right"]][0]
    jaw = 1.06 * max(-float(sides[0][0]), float(sides[1][0]))
    x = np.linspace(-1.25 * jaw, 1.25 * jaw, COLUMNS, dtype=np.float32)
    curves, open_source = _curves(local, x, half_width, chin)
    measures = Measures(
        half_width,
        chin,
        float(local[POINTS["nose_base"]][0, 1]),
        jaw,
        float(sides[0][1] + sides[1][1]) / 2,
        _neck(pose, chin, height),
        float(open_source),
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


def find_pose(landmarks: Float32, width: int, height: int, scale: float = 1.0) -> Pose:
    """``scale``: the face's size here against the picture its rig was made from."""
    lip = landmarks[POINTS["lip_upper_outer"]]
    middle, along = (lip[0] + lip[-1]) / 2, lip[-1] - lip[0]
    roll = math.atan2(float(along[1]), float(along[0]))
    cos, sin = math.cos(roll), math.sin(roll)
    turn = np.array([[cos, sin], [-sin, cos]])
    chin = float((turn @ (landmarks[POINTS["chin"]][0] - middle))[1])
    sides = np.stack([landmarks[POINTS[name]][0] for name in ("jaw_left", "jaw_right")]) - middle
    jaw = 1.06 * float(np.abs(sides @ turn[0]).max())
    corners = np.array([[x, y] for x in (-1.1 * jaw, 1.1 * jaw) for y in (-chin, 1.75 * chin)])
    corners = corners @ turn + middle
    left, top = (np.floor(corners.min(0) / 2).astype(int) - 1) * 2
    right, bottom = (np.ceil(corners.max(0) / 2).astype(int) + 1) * 2
    return Pose(
        float(middle[0]),
        float(middle[1]),
        cos * scale,
        sin * scale,
        max(int(left), 0),
        max(int(top), 0),
        min(int(right), width),
        min(int(bottom), height),
    )


def face_points(points: Float32, pose: Pose) -> Float32:
    """Picture points (n, 2) in the face's frame: from the mouth's middle, x along it."""
    turn = np.array([[pose.cos, -pose.sin], [pose.sin, pose.cos]])
    return np.asarray((points - np.array([pose.x, pose.y])) @ turn, np.float32)


def _neck(pose: Pose, chin: float, height: int) -> float:
    """1.7 chin heights down, or the picture's lower edge when that comes first."""
    return max(min(1.7 * chin, (height - pose.y - 4) / max(pose.cos, 0.5)), 1.1 * chin)


def _curves(local: Float32, x: Float32, half_width: float, chin: float) -> tuple[Float32, bool]:
    curves = np.zeros((6, COLUMNS), np.float32)
    names = ("lip_upper_outer", "lip_upper_inner", "lip_lower_inner", "lip_lower_outer")
    for row, name in enumerate(names):
        points = local[POINTS[name]]
        points = points[np.argsort(points[:, 0])]
        apart = np.concatenate([[True], np.diff(points[:, 0]) > 1e-3])
        curves[row] = pchip(points[apart, 0], points[apart, 1], x)
    mouth = np.abs(x) < half_width
    curves[:4, ~mouth] = 0.0
    upper, lower = curves[1], np.maximum(curves[2], curves[1])
    curves[2] = lower
    open_source = bool((lower - upper).max() > _OPEN_FROM * chin)
    seam = (0.35 * upper + 0.65 * lower) * (0.65 if open_source else 1.0)
    curves[4] = seam
    curves[5] = np.where(mouth, _blurred(seam, 0.22 * half_width / float(x[1] - x[0])), 0.0)
    return curves, open_source


def _blurred(curve: Float32, sigma: float) -> Float32:
    """A Gaussian of ``sigma`` samples; 0 beyond the ends."""
    reach = math.ceil(4 * sigma)
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    padded = np.pad(curve, reach)
    return np.convolve(padded, kernel / kernel.sum(), mode="valid").astype(np.float32)


def _skin(picture: Picture, pose: Pose, half_width: float, chin: float) -> tuple[Float32, float]:
    """Mean R, G, B (0..1) of both cheeks and the chin, and which cheek is lighter."""
    spots = np.array([[-1.5, -0.1], [1.5, -0.1], [0.0, 0.55]]) * np.array([half_width, chin])
    turn = np.array([[pose.cos, pose.sin], [-pose.sin, pose.cos]])
    spots = spots @ turn + np.array([pose.x, pose.y])
    reach = max(2, int(0.08 * chin))
    means = np.stack([_mean(picture, float(x), float(y), reach) for x, y in spots])
    luma = means[:, 0]
    red = luma + 1.402 * means[:, 2]
    blue = luma + 1.772 * means[:, 1]
    green = luma - 0.344136 * means[:, 1] - 0.714136 * means[:, 2]
    colors = np.clip(np.stack([red, green, blue], 1), 0, 1)
    sides = colors[:2].mean(1)
    return colors.mean(0).astype(np.float32), float(np.sign(sides[1] - sides[0]))


def _mean(picture: Picture, x: float, y: float, reach: int) -> Float32:
    """Mean full-range Y (0..1), U and V (-0.5..0.5) of a square around a point."""

    def mean(plane: np.ndarray, scale: float) -> float:
        high, wide = plane.shape
        row = min(max(int(y * scale), 0), high - 1)
        column = min(max(int(x * scale), 0), wide - 1)
        span = max(1, int(reach * scale))
        square = plane[max(row - span, 0) : row + span, max(column - span, 0) : column + span]
        return float(square.mean())

    return np.array(
        [
            (mean(picture.y, 1.0) - 16) / 219,
            (mean(picture.u, 0.5) - 128) / 224,
            (mean(picture.v, 0.5) - 128) / 224,
        ],
        np.float32,
    )


def _tint(skin: Float32) -> Float32:
    """Shadows in the mouth go red-brown, not grey, and take a little of the light's colour."""
    light = np.linspace(0, BRIGHTEST, _SHADES)[:, None]
    white = np.clip(skin / max(float(skin.mean()), 1e-3), 0.8, 1.25) ** 0.22
    return np.asarray(light ** np.array([0.92, 1.18, 1.30]) * white, np.float32)
