from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from app_core.face.rest_frame import rest_frame
from app_core.face.track import cycle_track, no_face
from app_core.landmarks import POINTS
from app_core.types import FaceTrack
from tests.faces import aigul

REST = 7


def track(change: Callable[[np.ndarray], None], count: int = 20) -> FaceTrack:
    """``change`` does the same to the landmarks of every picture but one."""
    still = aigul((256, 256)).track
    landmarks = still.landmarks.repeat(count, 0).copy()
    for index in range(count):
        if index != REST:
            change(landmarks[index])
    return cycle_track(still.boxes.repeat(count, 0), landmarks, 25.0)


def opened(points: np.ndarray) -> None:
    points[POINTS["lip_lower_inner"], 1] += 12
    points[POINTS["lip_lower_outer"], 1] += 12


def turned(points: np.ndarray) -> None:
    points[POINTS["nose_base"], 0] += 8


def test_the_mouth_is_closed() -> None:
    assert rest_frame(track(opened)) == REST


def test_the_head_is_frontal() -> None:
    assert rest_frame(track(turned)) == REST


def test_a_blink_is_no_rest() -> None:
    """Most pictures are alike; in the only other one the lids meet."""
    found = track(lambda points: None)
    landmarks = found.landmarks.copy()
    for side in ("left", "right"):
        landmarks[:5, POINTS[f"eye_{side}_upper"]] = landmarks[:5, POINTS[f"eye_{side}_lower"]]
    index = rest_frame(cycle_track(found.boxes, landmarks, 25.0))
    assert index is not None and index >= 5


def test_a_faded_picture_is_not_chosen_though_its_mouth_is_closed() -> None:
    found = track(opened)
    strength = np.ones(20, np.float32)
    strength[REST] = 0.1
    index = rest_frame(cycle_track(found.boxes, found.landmarks, 25.0, strength))
    assert index is not None and index != REST


def test_pictures_without_a_face_are_passed_over() -> None:
    found = track(opened)
    boxes, landmarks = found.boxes.copy(), found.landmarks.copy()
    boxes[REST], landmarks[:10] = np.nan, np.nan
    assert rest_frame(cycle_track(boxes, landmarks, 25.0)) in range(10, 20)
    assert rest_frame(no_face(5, 25.0)) is None


@pytest.mark.parametrize("count", [1, 2])
def test_a_short_track(count: int) -> None:
    assert rest_frame(track(lambda points: None, count)) in range(count)
