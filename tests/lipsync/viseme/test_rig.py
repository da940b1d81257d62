from __future__ import annotations

import math

import numpy as np
import pytest

from app_core.landmarks import POINTS
from app_core.lipsync.viseme.curves import bell, pchip, smoothstep
from app_core.lipsync.viseme.geometry import COLUMNS, LOWER_INNER, UPPER_INNER, UPPER_OUTER
from app_core.lipsync.viseme.rig import find_pose, make_rig
from app_core.lipsync.viseme.teeth import teeth
from tests.faces import aigul, rolled


def test_pchip_meets_its_points_and_stays_between_them() -> None:
    x = np.array([0, 1, 2.5, 3, 5, 6], float)
    y = np.array([0, 2, 2, 5, 1, 1.5], float)
    assert np.allclose(pchip(x, y, x), y, atol=1e-6)
    fine = np.linspace(0, 6, 601)
    curve = pchip(x, y, fine)
    for low, high, one, other in zip(x, x[1:], y, y[1:], strict=False):
        piece = curve[(fine >= low) & (fine <= high)]
        assert piece.min() >= min(one, other) - 1e-6
        assert piece.max() <= max(one, other) + 1e-6


def test_pchip_has_the_slopes_of_the_paper() -> None:
    """Worked by hand from the slopes of Fritsch and Butland: 2.8 at the start, 0 at the turns."""
    at = np.array([0.5, 1.7, 2.75, 4.0, 5.5])
    curve = pchip(np.array([0, 1, 2.5, 3, 5, 6]), np.array([0, 2, 2, 5, 1, 1.5]), at)
    slope_start = ((2 * 1 + 1.5) * 2 - 1 * 0) / 2.5
    first = 0.5 * 0 + 0.5 * 2 + (slope_start - 0) / 8
    assert curve[0] == pytest.approx(first, abs=1e-5)
    assert curve[1] == pytest.approx(2.0, abs=1e-5)
    assert curve[2] == pytest.approx(3.5, abs=1e-5)
    assert curve[3] == pytest.approx(3.0, abs=1e-5)


def test_pchip_is_a_line_through_two_points_and_flat_outside() -> None:
    assert np.allclose(pchip(np.array([0, 2]), np.array([1, 3]), np.array([-1, 1, 9])), [1, 2, 3])


def test_the_bell_is_an_exponential_that_ends() -> None:
    squared = np.linspace(0, 12, 200)
    drawn = np.array([bell(value) for value in squared])
    assert np.abs(drawn - np.exp(-squared)).max() < 0.04
    assert (drawn[squared >= 8] == 0).all()
    assert [smoothstep(t) for t in (-1.0, 0.5, 2.0)] == [0.0, 0.5, 1.0]


def test_the_frame_of_the_face_is_the_landmarks() -> None:
    plate = aigul((720, 720))
    landmarks = plate.track.landmarks[0]
    rig = make_rig(landmarks, plate.picture(0))
    lip, chin = landmarks[POINTS["lip_upper_outer"]], landmarks[POINTS["chin"]][0]
    measures = rig.measures
    assert measures.half_width == pytest.approx((lip[-1, 0] - lip[0, 0]) / 2)
    assert measures.chin == pytest.approx(chin[1] - lip[0, 1])
    assert measures.parted == 0.0
    assert measures.own_width == measures.half_width
    assert measures.nose < 0 < measures.jaw_level < measures.chin < measures.neck
    x = measures.first_x + measures.column_step * np.arange(COLUMNS)
    middle = int(np.argmin(np.abs(x)))
    assert rig.curves[UPPER_OUTER, middle] == pytest.approx(lip[8, 1] - lip[0, 1], abs=0.3)
    assert np.array_equal(rig.curves[UPPER_INNER], rig.curves[LOWER_INNER])
    assert (rig.curves[:, np.abs(x) >= measures.half_width] == 0).all()


def test_a_roll_changes_the_pose_and_not_the_rig() -> None:
    plate = aigul()
    turned = rolled(plate, 12)
    straight = make_rig(plate.track.landmarks[0], plate.picture(0))
    tilted = make_rig(turned.track.landmarks[0], turned.picture(0))
    for name, value in straight.measures._asdict().items():
        other = getattr(tilted.measures, name)
        if name not in ("neck", "light", "light_side"):
            assert other == pytest.approx(value, abs=0.02), name
    assert np.abs(straight.curves - tilted.curves).max() < 0.05
    pose = find_pose(turned.track.landmarks[0], turned.width, turned.height)
    assert math.degrees(math.atan2(pose.sin, pose.cos)) == pytest.approx(12, abs=0.05)


def test_the_region_is_even_and_inside_the_picture() -> None:
    landmarks = aigul().track.landmarks[0]
    for shift in ((0, 0), (-170, 0), (200, 130), (0, -220), (0.7, 1.3)):
        moved = landmarks + np.float32(shift)
        pose = find_pose(moved, 512, 512)
        assert pose.left % 2 == pose.top % 2 == pose.right % 2 == pose.bottom % 2 == 0
        assert 0 <= pose.left < pose.right <= 512
        assert 0 <= pose.top < pose.bottom <= 512


def test_darker_skin_dims_the_mouth() -> None:
    plate = aigul()
    still, landmarks = plate.picture(0), plate.track.landmarks[0]
    dim = type(still)((still.y // 2 + 8).astype(np.uint8), still.u, still.v)
    bright, dark = make_rig(landmarks, still), make_rig(landmarks, dim)
    assert dark.measures.light < 0.75 * bright.measures.light


def test_light_from_the_left_is_seen() -> None:
    plate = aigul()
    still, landmarks = plate.picture(0), plate.track.landmarks[0]
    ramp = np.where(np.arange(still.width) < still.width // 2, 1.0, 0.5)
    lit = type(still)((16 + (still.y - 16.0) * ramp).astype(np.uint8), still.u, still.v)
    assert make_rig(landmarks, lit).measures.light_side == -1.0
    lit = type(still)((16 + (still.y - 16.0) * ramp[::-1]).astype(np.uint8), still.u, still.v)
    assert make_rig(landmarks, lit).measures.light_side == 1.0


def test_teeth_are_symmetrical_whiter_than_gums_and_premultiplied() -> None:
    for row in teeth(40.0):
        assert np.abs(row - row[:, ::-1])[..., 3].max() < 0.02
        assert (row[..., :3] <= row[..., 3:] * 1.1 + 1e-3).all()
        assert 0.4 < row[..., 3].mean() < 1.0
    upper, lower = teeth(40.0)
    assert upper[-1, :, 3].mean() < 0.3 < upper[0, :, 3].mean(), "edges are at the bottom"
    assert lower[0, :, 3].mean() < 0.3 < lower[-1, :, 3].mean(), "edges are at the top"
