"""The points of a mouth moved by hand, in the still and along with it in the clip."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from app_core.errors import BadInput
from app_core.landmarks import LIP_POINTS, POINTS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from app_core.types import Float32

    Array = NDArray[np.float64]
    Points = Mapping[str, Sequence[float] | Sequence[Sequence[float]]]

CURVES = ("lip_upper_outer", "lip_upper_inner", "lip_lower_inner", "lip_lower_outer")
HANDLES = ("corner_left", "corner_right", "upper", "lower", "seam")
"""Points that stand for the whole mouth; ``seam`` is where the lips meet."""
LIPS = slice(POINTS[CURVES[0]].start, POINTS[CURVES[-1]].stop)
_ACROSS = ("upper", "seam", "lower")
_MIDDLE = LIP_POINTS // 2

_NARROWEST_PX = 6.0
_TALLEST = 1.6
"""Of the mouth, in its widths."""
_BACKWARDS = 0.02
"""How far a curve may run back, in half widths of the mouth: a found one is not exact either."""


def handles(landmarks: NDArray[Any]) -> dict[str, NDArray[Any]]:
    """Where the handles are in a picture's landmarks (points, 2)."""
    upper, inner_upper, inner_lower, lower = (landmarks[POINTS[name]] for name in CURVES)
    return {
        "corner_left": (upper[0] + lower[0]) / 2,
        "corner_right": (upper[-1] + lower[-1]) / 2,
        "upper": upper[_MIDDLE],
        "lower": lower[_MIDDLE],
        "seam": (inner_upper[_MIDDLE] + inner_lower[_MIDDLE]) / 2,
    }


def moved(landmarks: Float32, points: Points, width: int, height: int) -> Float32:
    """The landmarks (points, 2) of a still of ``width`` x ``height`` with its mouth moved.

    ``points`` has lip curves, or handles that the curves follow. Raises BadInput.
    """
    row = landmarks.astype(np.float64)
    wanted = {name: np.asarray(given, np.float64) for name, given in points.items()}
    for name, given in wanted.items():
        inside = (
            np.isfinite(given).all() and (given >= 0).all() and (given <= (width, height)).all()
        )
        if not inside:
            raise BadInput(f"'{name}' is not inside the picture", field="points")
    dragged = {name: wanted[name] for name in HANDLES if name in wanted}
    if dragged:
        _follow(row, dragged)
    for name in CURVES:
        if name in wanted:
            row[POINTS[name]] = wanted[name]
    _check(row, width, height)
    found: Float32 = row.astype(np.float32)
    return found


def carried(tracked: Float32, still: Float32, changed: Float32) -> Float32:
    """Landmarks (pictures, points, 2) with the lips moved in each picture as they were moved
    from ``still`` to ``changed``, in the face's own frame. Rows of NaN stay.
    """
    local = (changed - still)[LIPS] @ np.linalg.inv(_frames(still[None])[0]).T
    found: Float32 = tracked.copy()
    found[:, LIPS] += np.einsum("nik,pk->npi", _frames(tracked), local).astype(np.float32)
    return found


def _frames(landmarks: Float32) -> Float32:
    """(pictures, 2, 2): the columns are the way between the outer eye corners, and downwards."""
    left = landmarks[:, POINTS["eye_left_upper"]][:, 0]
    right = landmarks[:, POINTS["eye_right_upper"]][:, -1]
    along = right - left
    down = np.stack([-along[:, 1], along[:, 0]], 1)
    frames: Float32 = np.stack([along, down], 2)
    return frames


def _follow(row: Array, dragged: Mapping[str, Array]) -> None:
    """Moves the lip curves so that the mouth's handles come where they were dragged.

    The corners give a turn, a shift and a scale; what is then missing in the middle fades to
    nothing at the corners.
    """
    was = {name: np.asarray(point, np.float64) for name, point in handles(row).items()}
    now = {**was, **dragged}
    (from_middle, from_axes), (to_middle, to_axes) = _axes(was), _axes(now)
    into, onto = np.linalg.inv(from_axes).T, np.linalg.inv(to_axes).T
    local = (row[LIPS] - from_middle) @ into
    upper, seam, lower = ((was[name] - from_middle) @ into for name in _ACROSS)
    rises, falls = ((now[name] - to_middle) @ onto for name in ("upper", "lower"))
    rises, falls = rises - upper, falls - lower
    if "seam" in dragged:
        between = (now["seam"] - to_middle) @ onto - seam
    else:
        share = 0.5 if lower[1] <= upper[1] else (seam[1] - upper[1]) / (lower[1] - upper[1])
        between = rises * (1 - share) + falls * share
    anchors = np.stack([upper, seam, lower])
    # A handle that is not quite in the middle fades a little itself.
    steps = np.stack([rises, between, falls]) / np.maximum(1 - anchors[:, :1] ** 2, 0.2)
    order = np.argsort(anchors[:, 1], kind="stable")
    fades = np.maximum(1 - local[:, 0] ** 2, 0)
    heights = local[:, 1].copy()
    for axis in (0, 1):
        local[:, axis] += fades * np.interp(heights, anchors[order, 1], steps[order, axis])
    row[LIPS] = local @ to_axes.T + to_middle


def _axes(mouth: Mapping[str, Array]) -> tuple[Array, Array]:
    """Midway between the corners, and a matrix whose columns are half a mouth along and down."""
    half = (mouth["corner_right"] - mouth["corner_left"]) / 2
    if np.hypot(*half) * 2 < _NARROWEST_PX:
        raise BadInput("The corners of the mouth are too close together", field="points")
    middle = (mouth["corner_left"] + mouth["corner_right"]) / 2
    return middle, np.column_stack([half, (-half[1], half[0])])


def _check(row: Array, width: int, height: int) -> None:
    """Raises BadInput for lips that are no mouth."""
    if not ((row[LIPS] >= 0).all() and (row[LIPS] <= (width, height)).all()):
        raise BadInput("The mouth is not inside the picture", field="points")
    mouth = handles(row)
    eyes = row[POINTS["eye_right_upper"]][-1] - row[POINTS["eye_left_upper"]][0]
    across = mouth["corner_right"] - mouth["corner_left"]
    if float(across @ eyes) <= 0:
        raise BadInput("The left corner of the mouth must be left of the right one", field="points")
    middle, axes = _axes(mouth)
    local = {name: (row[POINTS[name]] - middle) @ np.linalg.inv(axes).T for name in CURVES}
    for name, curve in local.items():
        if (np.diff(curve[:, 0]) < -_BACKWARDS).any():
            raise BadInput(f"'{name}' must run from the left corner to the right", field="points")
    heights = [float(local[name][_MIDDLE, 1]) for name in CURVES]
    if not (heights[0] < heights[3] and heights[0] <= heights[1] + _BACKWARDS):
        raise BadInput("The upper lip must be above the lower one", field="points")
    if not (heights[1] <= heights[2] + _BACKWARDS and heights[2] <= heights[3] + _BACKWARDS):
        raise BadInput("The lips must not cross", field="points")
    if (heights[3] - heights[0]) / 2 > _TALLEST:
        raise BadInput("The mouth is too tall for its width", field="points")
