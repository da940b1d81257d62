"""A clip's pictures to its face track: followed, bridged, smoothed, faded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from app_core.face.smoothing import limit_slope, smooth_face, smooth_values, smoothstep
from app_core.face.track import cycle_track
from app_core.landmarks import POINT_COUNT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from app_core.face.detection import FaceDetection, FaceFinder, Point
    from app_core.types import FaceTrack, Float32, Picture

BRIDGE_S = 0.2
"""A face that is back after this long was there all the time."""
FADE_S = 0.2
"""How long the mouth's movement takes to fade out before a face is lost, and in after it."""
YAW = (0.45, 0.70)
"""Radians where the fading begins and ends: further turned, a flat warp looks wrong."""
PITCH = (0.50, 0.75)

_POSE_SIGMA_S = 0.08
_BOX_SIGMA_S = 0.16
_JUMP = 0.5
"""Of the face's width: farther than a head comes in one picture."""
_LEAST_PICTURES = 3
"""A face that is seen in fewer than this and then lost again was none."""


@dataclass(frozen=True, slots=True, eq=False)
class Tracking:
    track: FaceTrack
    seen: int
    """Pictures in which a face was really found."""
    pictures: int
    finder: str = ""
    yaw: float = 0.0
    """How far the face is turned aside, radians: the median over the pictures that have it."""


@dataclass(slots=True)
class _Rows:
    """What was seen, picture by picture; NaN where nothing was."""

    points: Float32
    """(pictures, 2 + POINT_COUNT, 2): the box's corners, then the landmarks."""
    pose: Float32
    """(pictures, 2): yaw, pitch."""
    starts: list[int]
    """The first picture of each shot."""
    exact: bool
    """False when the points were put into boxes, which tremble."""

    @property
    def seen(self) -> np.ndarray:
        return np.asarray(np.isfinite(self.points).all((1, 2)))


def follow(
    finder: FaceFinder, pictures: Iterable[Picture], fps: float, near: Point | None = None
) -> Tracking:
    """The face at ``near``, else the main one. Holds landmarks only: each picture is looked at
    once and let go.
    """
    rows = _watch(finder, pictures, near)
    count = len(rows.points)
    strength = np.zeros(count, np.float32)
    _drop_islands(rows)
    seen = int(rows.seen.sum())
    yaw = float(np.median(np.abs(rows.pose[rows.seen, 0]))) if seen else 0.0
    for start, end in _shots(rows):
        points, pose = rows.points[start:end], rows.pose[start:end]
        _bridge(points, pose, fps)
        for first, last in _runs(points):
            part = points[first:last]
            points[first:last] = (
                smooth_face(part, fps, _width(part))
                if rows.exact
                else smooth_values(part, _BOX_SIGMA_S * fps)
            )
        strength[start:end] = fade(points, pose, fps)
    boxes = rows.points[:, :2].reshape(count, 4)
    track = cycle_track(boxes, rows.points[:, 2:], fps, strength)
    return Tracking(track, seen, count, finder.name, yaw)


def fade(points: Float32, pose: Float32, fps: float) -> Float32:
    """How much of the mouth is drawn in each picture of one shot, 0..1."""
    seen = np.isfinite(points).all((1, 2))
    turned = np.ones(len(points), np.float32)
    for first, last in _runs(points):
        for column, (begin, end) in enumerate((YAW, PITCH)):
            angle = np.abs(smooth_values(pose[first:last, column], _POSE_SIGMA_S * fps))
            turned[first:last] *= np.clip((end - angle) / (end - begin), 0.0, 1.0)
    return smoothstep(limit_slope(np.where(seen, turned, 0.0), 1 / max(FADE_S * fps, 1.0)))


def _watch(finder: FaceFinder, pictures: Iterable[Picture], near: Point | None) -> _Rows:
    tracker = finder.tracker(near)
    nothing = np.full((2 + POINT_COUNT, 2), np.nan, np.float32)
    points: list[Float32] = []
    pose: list[tuple[float, float]] = []
    starts = [0]
    exact = True
    for index, picture in enumerate(pictures):
        detection = tracker.next(picture)
        if tracker.cut and index:
            starts.append(index)
        for wrong in range(max(index - tracker.disowned, starts[-1]), index):
            points[wrong] = nothing
        exact = exact and (detection is None or detection.exact)
        points.append(nothing if detection is None else _row(detection))
        pose.append((np.nan, np.nan) if detection is None else (detection.yaw, detection.pitch))
    return _Rows(
        np.stack(points) if points else np.empty((0, *nothing.shape), np.float32),
        np.array(pose, np.float32).reshape(-1, 2),
        starts,
        exact,
    )


def _row(detection: FaceDetection) -> Float32:
    return np.concatenate([detection.box.reshape(2, 2), detection.landmarks]).astype(np.float32)


def _shots(rows: _Rows) -> Iterator[tuple[int, int]]:
    """First and end of each part that is smoothed by itself: cut by cut, jump by jump."""
    edges = sorted({*rows.starts, *_jumps(rows.points), len(rows.points)})
    yield from zip(edges, edges[1:], strict=False)


def _jumps(points: Float32) -> list[int]:
    """Where a face is suddenly elsewhere, or another size, from one picture to the next."""
    middle = points[:, :2].mean(1)
    width = points[:, 1, 0] - points[:, 0, 0]
    far = np.hypot(*np.diff(middle, axis=0).T) > _JUMP * width[:-1]
    grown = np.abs(np.diff(width)) > _JUMP * width[:-1]
    return [int(index) + 1 for index in np.flatnonzero(far | grown)]


def _runs(points: Float32) -> list[tuple[int, int]]:
    """First and end of each stretch in which there is a face."""
    seen = np.isfinite(points).all((1, 2)).astype(np.int8)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], seen, [0]])))
    return [(int(first), int(last)) for first, last in edges.reshape(-1, 2)]


def _bridge(points: Float32, pose: Float32, fps: float) -> None:
    """Short gaps are filled on a straight line; the rest stays without a face."""
    runs = _runs(points)
    for (_, first), (last, _) in zip(runs, runs[1:], strict=False):
        gap = last - first
        before, after = points[first - 1], points[last]
        far = np.hypot(*(after[:2].mean(0) - before[:2].mean(0)))
        if gap > max(round(BRIDGE_S * fps), 1) or far > _JUMP * _width(points[first - 1 : first]):
            continue
        for step in range(gap):
            part = (step + 1) / (gap + 1)
            points[first + step] = before + part * (after - before)
            pose[first + step] = pose[first - 1] + part * (pose[last] - pose[first - 1])


def _drop_islands(rows: _Rows) -> None:
    """A face that is there for a moment only, in the middle of a shot, was a mistake."""
    edges = [*rows.starts, len(rows.points)]
    for start, end in zip(edges, edges[1:], strict=False):
        for first, last in _runs(rows.points[start:end]):
            alone = first > 0 and last < end - start
            if alone and last - first < _LEAST_PICTURES:
                rows.points[start + first : start + last] = np.nan


def _width(points: Float32) -> float:
    """Of the face, the median over the pictures."""
    return float(np.median(points[:, 1, 0] - points[:, 0, 0]))
