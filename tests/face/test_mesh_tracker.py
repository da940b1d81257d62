"""Tracking a face with networks that see a scene written down by the test."""

from __future__ import annotations

import numpy as np
import pytest

from app_core.face.blazeface import Detection
from app_core.face.detection import FaceDetection
from app_core.face.facemesh import MESH_POINTS, Mesh
from app_core.face.mesh_finder import MeshTracker
from app_core.face.view import Region, YuvView
from app_core.types import Picture

Face = tuple[float, float, float]
"""x and y of its middle, and its size."""


def mesh_at(face: Face, presence: float = 1.0) -> Mesh:
    x, y, size = face
    random = np.random.default_rng(2)
    points = random.uniform(-0.5, 0.5, (MESH_POINTS, 3)) * [1, 1, 0]
    points[0], points[1] = (-0.5, -0.5, 0), (0.5, 0.5, 0)
    points[[33, 263]] = [(-0.2, -0.1, 0), (0.2, -0.1, 0)]
    points[[234, 454]] = [(-0.5, 0, 0), (0.5, 0, 0)]
    points[[10, 152]] = [(0, -0.5, 0), (0, 0.5, 0)]
    return Mesh((points * size + [x, y, 0]).astype(np.float32), presence)


class SceneNetworks:
    """The faces of the picture that is shown now.

    ``ghosts``: the landmark network is sure of a face wherever it looks, as the real one often
    is. ``blind``: the detector sees none.
    """

    def __init__(self) -> None:
        self.now: list[Face] = []
        self.ghosts = self.blind = False
        self.searches: list[bool] = []
        self.mesh = self.short = self

    def fit(self, view: YuvView, region: Region) -> Mesh:
        near = [f for f in self.now if np.hypot(f[0] - region.x, f[1] - region.y) < 0.4 * f[2]]
        if near:
            return mesh_at(near[0])
        return mesh_at((region.x, region.y, region.side / 1.5), float(self.ghosts))

    def detect(self, view: YuvView, regions: list[Region]) -> list[Detection]:
        found = []
        for x, y, size in [] if self.blind else self.now:
            inside = any(max(abs(x - r.x), abs(y - r.y)) < r.side / 2 for r in regions)
            if inside:
                box = np.float32([x - size / 2, y - size / 2, x + size / 2, y + size / 2])
                found.append(Detection(box, np.zeros((6, 2), np.float32), 0.9))
        return found

    def faces(self, view: YuvView, *, thorough: bool) -> list[Mesh]:
        self.searches.append(thorough)
        return [] if self.blind else [mesh_at(face) for face in self.now]


class Show:
    def __init__(self) -> None:
        self.networks = SceneNetworks()
        self.tracker = MeshTracker(self.networks)  # type: ignore[arg-type]

    def __call__(self, *faces: Face, grey: int = 100) -> FaceDetection | None:
        self.networks.now = list(faces)
        plane = np.full((64, 64), grey, np.uint8)
        half = np.full((32, 32), 128, np.uint8)
        return self.tracker.next(Picture(plane, half, half))


def middle(detection: FaceDetection | None) -> list[float]:
    assert detection is not None
    return [float(v) for v in (detection.box[:2] + detection.box[2:]) / 2 - 0.5]


@pytest.fixture
def show() -> Show:
    return Show()


def test_a_face_is_looked_for_once_and_then_followed(show: Show) -> None:
    for step in range(20):
        assert middle(show((300 + 5 * step, 200, 100))) == pytest.approx([300 + 5 * step, 200])
    assert len(show.networks.searches) == 1


def test_the_largest_face_is_the_main_one(show: Show) -> None:
    assert middle(show((100, 100, 50), (400, 200, 90), (700, 100, 60))) == pytest.approx([400, 200])


def test_another_person_who_walks_in_is_not_followed(show: Show) -> None:
    show((300, 200, 100))
    for step in range(30):
        seen = show((300, 200, 100), (900 - 10 * step, 200, 180))
        assert middle(seen) == pytest.approx([300, 200])


def test_a_lost_face_is_waited_for_while_another_is_there(show: Show) -> None:
    show((300, 200, 100))
    assert show((900, 200, 150)) is None
    assert show((900, 200, 150)) is None
    assert middle(show((900, 200, 150), (310, 200, 100))) == pytest.approx([310, 200])


def test_after_two_seconds_the_other_one_is_followed(show: Show) -> None:
    show((300, 200, 100))
    seen = [show((5000, 200, 150)) for _ in range(60)]
    assert seen[:49] == [None] * 49
    assert middle(seen[-1]) == pytest.approx([5000, 200])


def test_a_face_that_is_lost_is_found_again_in_the_same_picture(show: Show) -> None:
    show((300, 200, 100))
    assert middle(show((350, 200, 100))) == pytest.approx([350, 200])
    assert len(show.networks.searches) == 2


def test_a_cut_forgets_the_face(show: Show) -> None:
    show((300, 200, 100), grey=60)
    assert not show.tracker.cut
    seen = show((310, 200, 100), (900, 200, 150), grey=160)
    assert show.tracker.cut
    assert middle(seen) == pytest.approx([900, 200]), "the largest of the new shot"
    show((310, 200, 100), (900, 200, 150), grey=165)
    assert not show.tracker.cut


def test_a_cut_that_nobody_sees_is_found_by_the_detector(show: Show) -> None:
    """The landmark network goes on with a face that it invents."""
    show.networks.ghosts = True
    for _ in range(4):
        show((300, 200, 100))
    rows = [show((360, 260, 100)) for _ in range(10)]
    found = next(i for i, row in enumerate(rows) if middle(row) == pytest.approx([360, 260]))
    assert 0 < found < 5
    assert all(middle(row) == pytest.approx([360, 260]) for row in rows[found:])


def test_what_was_followed_since_the_detector_last_agreed_is_disowned(show: Show) -> None:
    show.networks.ghosts = True
    for _ in range(6):  # found, then agreed upon in the sixth
        show((300, 200, 100))
    disowned = []
    for _ in range(5):
        show((360, 260, 100))
        disowned.append(show.tracker.disowned)
    assert disowned == [0, 0, 0, 0, 4]
    show((360, 260, 100))
    assert show.tracker.disowned == 0


def test_a_face_that_left_is_let_go_though_the_landmarks_stay_sure(show: Show) -> None:
    show.networks.ghosts = True
    show((300, 200, 100))
    rows = [show() for _ in range(20)]
    gone = rows.index(None)
    assert gone == 14, "the third check in which no face is seen"
    assert rows[gone:] == [None] * (20 - gone)


def test_a_turned_face_that_the_detector_does_not_see_is_followed_on(show: Show) -> None:
    aside = mesh_at((300, 200, 100))
    aside.points[454, 2] = 150.0
    assert aside.yaw > 0.9
    show.networks.fit = lambda view, region: aside  # type: ignore[method-assign]
    show((300, 200, 100))
    show.networks.blind = True
    assert all(show((300, 200, 100)) is not None for _ in range(40))


def test_a_face_that_suddenly_has_another_size_is_checked_at_once(show: Show) -> None:
    show.networks.ghosts = True
    show((300, 200, 100))
    show.networks.now = [(800, 200, 100)]
    small = mesh_at((300, 200, 40))
    show.networks.fit = lambda view, region: small  # type: ignore[method-assign]
    show.networks.detect = lambda view, regions: [  # type: ignore[method-assign]
        Detection(np.float32([700, 100, 800, 200]), np.zeros((6, 2), np.float32), 0.9)
    ]
    show((800, 200, 100))
    assert len(show.networks.searches) == 2


def test_without_a_face_the_costly_search_is_rare(show: Show) -> None:
    assert [show() for _ in range(25)] == [None] * 25
    assert [i for i, thorough in enumerate(show.networks.searches) if thorough] == [0, 10, 20]
