from __future__ import annotations

import math

import numpy as np
import pytest

from app_core.face.facemesh import MESH_POINTS, FaceMesh, Mesh
from app_core.face.mesh_points import from_mesh, jaw_at_mouth
from app_core.face.view import Region, RgbView
from app_core.landmarks import POINT_COUNT, POINTS

VIEW = RgbView(np.zeros((300, 400, 3), np.uint8))


class StillFace:
    """A network that puts its points at the same place of every crop."""

    def __init__(self, spread: float = 60.0, logit: float = 8.0, shrink: float = 1.0) -> None:
        random = np.random.default_rng(4)
        self.points = random.uniform(-1, 1, (MESH_POINTS, 3)).astype(np.float32) * spread
        self.points[33], self.points[263] = (-30, -10, 0), (30, -10, 0)
        self.logit, self.shrink, self.calls = logit, shrink, 0

    def __call__(self, image: np.ndarray) -> dict[str, np.ndarray]:
        assert image.shape == (192, 192, 3)
        self.calls += 1
        local = self.points * self.shrink + [96, 96, 0]
        return {
            "conv2d_31": np.float32([[[[self.logit]]]]),
            "conv2d_21": local.reshape(1, 1, 1, -1).astype(np.float32),
        }


def test_points_come_back_in_the_pixels_of_the_picture() -> None:
    network = StillFace()
    mesh = FaceMesh(network).fit(VIEW, Region(200, 150, 384, 0.3))
    turn = np.array([[math.cos(0.3), -math.sin(0.3)], [math.sin(0.3), math.cos(0.3)]])
    expected = network.points[:, :2] * 2 @ turn.T + [200, 150]
    assert np.abs(mesh.points[:, :2] - expected).max() < 1e-3
    assert mesh.points[:, 2] == pytest.approx(network.points[:, 2] * 2)
    assert mesh.region.angle == pytest.approx(0.3, abs=1e-5)


def test_presence_is_the_logit_as_a_probability() -> None:
    assert FaceMesh(StillFace(logit=0.0)).fit(VIEW, Region(9, 9, 9)).presence == 0.5
    assert FaceMesh(StillFace(logit=-30)).fit(VIEW, Region(9, 9, 9)).presence < 1e-9


def test_refits_go_on_until_the_face_stays_where_it_is() -> None:
    settled, shrinking = StillFace(spread=64.0), StillFace(spread=64.0, shrink=0.9)
    faces = [FaceMesh(network) for network in (settled, shrinking)]
    for face in faces:
        face.refit(VIEW, face.fit(VIEW, Region(200, 150, 200)))
    assert settled.calls == 4, "three refits at least"
    assert shrinking.calls == 11, "and ten at most"


def turned(axis: int, angle: float) -> Mesh:
    """A flat face, turned about the vertical (1) or the horizontal (0) axis."""
    points = np.zeros((MESH_POINTS, 3), np.float32)
    points[234], points[454] = (-50, 0, 0), (50, 0, 0)
    points[10], points[152] = (0, -60, 0), (0, 60, 0)
    c, s = math.cos(angle), math.sin(angle)
    about = {0: [[1, 0, 0], [0, c, -s], [0, s, c]], 1: [[c, 0, -s], [0, 1, 0], [s, 0, c]]}
    return Mesh(points @ np.array(about[axis], np.float32).T, 1.0)


@pytest.mark.parametrize("angle", [-0.5, 0.0, 0.4])
def test_yaw_and_pitch_are_read_from_the_depth(angle: float) -> None:
    level = turned(0, 0.0).pitch
    assert turned(1, angle).yaw == pytest.approx(angle, abs=1e-5)
    assert turned(1, angle).pitch == pytest.approx(level, abs=1e-5)
    assert turned(0, angle).pitch - level == pytest.approx(angle, abs=1e-5)


def mesh_points() -> np.ndarray:
    """A face drawn by hand at the indices that are used."""
    points = np.zeros((MESH_POINTS, 3), np.float32)
    upper = (61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291)
    lower = (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291)
    for row, height in ((upper, -8.0), (lower, 10.0)):
        for index, x in zip(row, np.linspace(-30, 30, 11), strict=True):
            points[index, :2] = x, 60 + height * (1 - (x / 30) ** 2)
    left = (152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234)
    right = (152, 377, 400, 378, 379, 365, 397, 288, 361, 323, 454)
    for side, row in ((-1, left), (1, right)):
        for index, t in zip(row, np.linspace(0, math.pi / 2, 11), strict=True):
            points[index, :2] = side * 70 * math.sin(t), 120 * math.cos(t)
    points[10, :2] = 0, -80
    points[52, :2], points[159, :2] = (-30, -40), (-30, -10)
    points[282, :2], points[386, :2] = (30, -40), (30, -10)
    points[:, :2] += 200
    return points


def test_the_points_have_their_names() -> None:
    found = from_mesh(mesh_points())
    assert found.shape == (POINT_COUNT, 2)
    upper, lower = found[POINTS["lip_upper_outer"]], found[POINTS["lip_lower_outer"]]
    assert upper[[0, -1]].tolist() == [[170.5, 260.5], [230.5, 260.5]]
    assert (np.diff(upper[:, 0]) > 0).all()
    assert upper[8, 1] == pytest.approx(252.5, abs=0.1)
    assert lower[8, 1] == pytest.approx(270.5, abs=0.1)
    assert found[POINTS["chin"]][0].tolist() == [200.5, 320.5]
    brow = found[POINTS["brow_left"]][0]
    assert brow[0] == 170.5
    assert 160.5 < brow[1] < 170.5, "just under the brow, far above the lid"


def test_the_jaw_is_its_outline_between_mouth_and_chin() -> None:
    found = from_mesh(mesh_points())
    left, right = found[POINTS["jaw_left"]][0], found[POINTS["jaw_right"]][0]
    level = 260.5 + 0.33 * 60
    assert [left[1], right[1]] == pytest.approx([level, level], abs=0.01)
    assert left[0] - 200.5 == pytest.approx(200.5 - right[0], abs=0.01)
    expected = 70 * math.sin(math.acos((level - 200.5) / 120))
    assert right[0] - 200.5 == pytest.approx(expected, rel=0.02)


def test_the_jaw_of_a_turned_face_is_turned_with_it() -> None:
    upright, points = from_mesh(mesh_points()), mesh_points()
    c, s = math.cos(0.5), math.sin(0.5)
    turn = np.array([[c, -s], [s, c]], np.float32)
    points[:, :2] = (points[:, :2] + 0.5) @ turn.T - 0.5
    expected = upright[POINTS["jaw_left"]] @ turn.T
    assert from_mesh(points)[POINTS["jaw_left"]] == pytest.approx(expected, abs=0.01)


def test_a_jaw_that_never_comes_so_high_ends_at_its_end() -> None:
    corners = np.float32([0, 0]), np.float32([10, 0])
    outline = np.float32([[5, 30], [20, 25]])
    assert jaw_at_mouth(outline, corners, np.float32([5, 30])).tolist() == [20, 25]
    above = np.float32([[5, 1], [20, 0]])
    assert jaw_at_mouth(above, corners, np.float32([5, 30])).tolist() == [5, 1]
