"""Which finder is taken, and what each of them finds on the avatar's own face."""

from __future__ import annotations

import math
import threading
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from app_core.config import ROOT
from app_core.face import mesh_finder, network
from app_core.face.alignment_finder import (
    WEIGHTS,
    AlignmentFinder,
    from_68,
    has_alignment,
    hub_folder,
)
from app_core.face.cascade_finder import CascadeFinder, mean_face, put
from app_core.face.finder import FaceFinder, find_finder, finder_name
from app_core.face.mesh_finder import MESH, SHORT
from app_core.face.network import LiteRTNetwork, OpenCVNetwork
from app_core.face.track import load_track
from app_core.face.tracking import follow
from app_core.landmarks import POINTS
from app_core.picture import from_bgr
from app_core.types import Picture

AIGUL = ROOT / "avatar" / "aigul"
MOUTH = slice(POINTS["lip_upper_outer"].start, POINTS["lip_lower_outer"].stop)


@pytest.fixture(scope="module")
def rgb() -> np.ndarray:
    """540x960."""
    pixels = cv2.imread(str(AIGUL / "still.png"))
    assert pixels is not None
    small = cv2.resize(pixels, (540, 960), interpolation=cv2.INTER_AREA)
    return np.ascontiguousarray(small[..., ::-1])


@pytest.fixture(scope="module")
def drawn() -> np.ndarray:
    """Where its points were drawn."""
    return load_track(AIGUL / "track.npz").landmarks[0] / 2


@pytest.fixture(scope="module")
def finder(models: Path) -> FaceFinder:
    return find_finder(models)


def apart(one: np.ndarray, other: np.ndarray) -> float:
    """RMS, in parts of the distance between the drawn eyes."""
    return float(np.sqrt(((one - other) ** 2).sum(-1).mean())) / 100


def picture_of(rgb: np.ndarray) -> Picture:
    return from_bgr(np.ascontiguousarray(rgb[..., ::-1]))


def noisy(rgb: np.ndarray, random: np.random.Generator, sigma: float = 5.0) -> Picture:
    grains = random.normal(0, sigma, rgb.shape)
    return picture_of(np.clip(rgb + grains, 0, 255).round().astype(np.uint8))


def test_without_the_files_the_cascade_is_taken(tmp_path: Path) -> None:
    assert find_finder(tmp_path).name in ("cascade", "face-alignment")


def test_its_name_is_known_before_it_is_loaded(tmp_path: Path, models: Path) -> None:
    for folder in (tmp_path, models):
        assert finder_name(folder) == find_finder(folder).name


def test_broken_files_are_told_and_passed_over(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "face").mkdir()
    for name in (SHORT, MESH):
        (tmp_path / "face" / name).write_bytes(b"no network")
    assert find_finder(tmp_path).name != "mediapipe"
    assert SHORT in caplog.text or MESH in caplog.text


def test_the_networks_find_the_drawn_face(
    finder: FaceFinder, rgb: np.ndarray, drawn: np.ndarray
) -> None:
    assert finder.name == "mediapipe"
    seen = finder.photo(rgb)
    assert seen is not None
    assert seen.presence > 0.99
    assert seen.exact
    assert apart(seen.landmarks[MOUTH], drawn[MOUTH]) < 0.12
    assert max(abs(seen.yaw), abs(seen.pitch), abs(seen.roll)) < 0.15
    left, top, right, bottom = seen.box
    chin = drawn[POINTS["chin"]][0]
    assert left < chin[0] < right
    assert bottom == pytest.approx(chin[1], abs=15)
    assert top < drawn[POINTS["brow_left"]][0, 1]


def test_no_face_is_no_face(finder: FaceFinder) -> None:
    noise = np.random.default_rng(1).integers(0, 255, (300, 400, 3)).astype(np.uint8)
    assert finder.photo(noise) is None
    assert finder.photo(np.zeros((64, 64, 3), np.uint8)) is None
    assert finder.photo(np.full((2, 3, 3), 255, np.uint8)) is None


@pytest.mark.parametrize("side", [0.03, 0.06, 0.12])
def test_a_small_face_in_a_tall_picture_is_found(
    finder: FaceFinder, rgb: np.ndarray, side: float
) -> None:
    first = finder.photo(rgb)
    assert first is not None
    scale = side * 1920 / float(first.box[2] - first.box[0])
    small = cv2.resize(rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    tall = np.full((1920, 1080, 3), 110, np.uint8)
    tall[300 : 300 + small.shape[0], 400 : 400 + small.shape[1]] = small[:1620, :680]
    seen = finder.photo(tall)
    assert seen is not None
    expected = first.landmarks * scale + [400, 300]
    assert apart(seen.landmarks, expected) < 0.15 * scale


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_a_picture_that_lies_on_its_side_says_so(
    finder: FaceFinder, rgb: np.ndarray, quarters: int
) -> None:
    seen = finder.photo(np.ascontiguousarray(np.rot90(rgb, -quarters)))
    assert seen is not None
    error = (seen.roll - quarters * math.pi / 2 + math.pi) % (2 * math.pi) - math.pi
    assert abs(error) < 0.15


def test_the_largest_of_two_faces_is_taken(finder: FaceFinder, rgb: np.ndarray) -> None:
    small = cv2.resize(rgb, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    both = np.full((960, 900, 3), 128, np.uint8)
    both[:, :540] = rgb
    both[200 : 200 + 480, 600:870] = small
    seen = finder.photo(both)
    assert seen is not None
    assert seen.box[2] < 540


def test_opencv_runs_the_same_networks(
    models: Path, rgb: np.ndarray, finder: FaceFinder, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_litert = finder.photo(rgb)
    for module in (network, mesh_finder):
        monkeypatch.setattr(module, "has_litert", lambda: False)
    opened = network.open_network(models / "face" / MESH)
    assert isinstance(opened, OpenCVNetwork)
    without = find_finder(models).photo(rgb)
    assert with_litert is not None
    assert without is not None
    assert apart(with_litert.landmarks, without.landmarks) < 0.001


def test_a_runtime_that_does_not_import_is_passed_over(
    models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: Any, path: Path) -> None:
        raise ImportError("not for this machine")

    monkeypatch.setattr(LiteRTNetwork, "__init__", fail)
    monkeypatch.setattr(network, "has_litert", lambda: True)
    assert isinstance(network.open_network(models / "face" / MESH), OpenCVNetwork)


def test_a_still_with_noise_is_held(finder: FaceFinder, rgb: np.ndarray) -> None:
    random = np.random.default_rng(7)
    track = follow(finder, (noisy(rgb, random) for _ in range(40)), 25.0).track
    width = float(track.boxes[0, 2] - track.boxes[0, 0])
    mouth = track.landmarks[10:, MOUTH]
    spread = float(np.sqrt(((mouth - mouth.mean(0)) ** 2).sum(-1).mean()))
    assert spread < 0.003 * width


def test_a_pan_has_no_lag(finder: FaceFinder, rgb: np.ndarray) -> None:
    random, step = np.random.default_rng(7), 4
    frames = [np.roll(rgb, step * i, axis=1) for i in range(24)]
    track = follow(finder, (noisy(frame, random) for frame in frames), 25.0).track
    seen = track.landmarks[4:-4, MOUTH, 0].mean(1)
    moved = np.polyfit(np.arange(len(seen)), seen, 1)
    assert moved[0] == pytest.approx(step, abs=0.03)
    first = follow(finder, iter([picture_of(rgb)] * 5), 25.0).track.landmarks[2, MOUTH, 0].mean()
    assert seen - np.arange(4, 20) * step == pytest.approx(first, abs=0.2 * step)


def test_a_face_that_leaves_and_comes_back(finder: FaceFinder, rgb: np.ndarray) -> None:
    random = np.random.default_rng(7)
    empty = np.full_like(rgb, rgb[100:300, 20:40].mean().astype(np.uint8))
    frames = [rgb] * 12 + [empty] * 12 + [rgb] * 12
    result = follow(finder, (noisy(frame, random) for frame in frames), 25.0)
    assert result.seen == 24
    assert result.track.strength[12:24].max() == 0
    assert np.isfinite(result.track.landmarks[[0, 11, 24, 35]]).all()


def test_threads_share_a_finder(finder: FaceFinder, rgb: np.ndarray) -> None:
    alone, found = finder.photo(rgb), []
    threads = [threading.Thread(target=lambda: found.append(finder.photo(rgb))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert alone is not None
    assert [np.array_equal(each.landmarks, alone.landmarks) for each in found] == [True] * 4


# The last resort.


def test_the_cascade_puts_a_mean_face_into_its_box(rgb: np.ndarray, drawn: np.ndarray) -> None:
    seen = CascadeFinder().photo(rgb)
    assert seen is not None
    assert not seen.exact
    assert apart(seen.landmarks[MOUTH], drawn[MOUTH]) < 0.35


def test_the_cascade_finds_nothing_in_noise() -> None:
    noise = np.random.default_rng(1).integers(0, 255, (300, 400, 3)).astype(np.uint8)
    assert CascadeFinder().photo(noise) is None


def test_the_cascade_follows_a_clip(rgb: np.ndarray) -> None:
    frames = (picture_of(np.roll(rgb, 3 * i, axis=1)) for i in range(12))
    result = follow(CascadeFinder(), frames, 25.0)
    assert result.seen >= 10
    middle = np.nanmean(result.track.boxes[:, ::2], axis=1)
    assert middle[-2] - middle[1] == pytest.approx(27, abs=8)


def test_the_mean_face_is_symmetrical_and_never_blinks() -> None:
    face = mean_face()
    for side, other in (("left", "right"), ("right", "left")):
        for part in ("eye_{}_upper", "eye_{}_lower", "jaw_{}", "brow_{}"):
            one, two = face[POINTS[part.format(side)]], face[POINTS[part.format(other)]]
            assert one[:, 0] == pytest.approx(1 - two[::-1, 0], abs=1e-6)
            assert one[:, 1] == pytest.approx(two[::-1, 1], abs=1e-6)
        assert np.array_equal(
            face[POINTS[f"eye_{side}_upper"]], face[POINTS[f"eye_{side}_lower"]]
        ), "lids on one line are never drawn shut"
    for name in ("lip_upper_outer", "lip_lower_inner", "eye_left_upper", "eye_right_upper"):
        assert (np.diff(face[POINTS[name], 0]) > 0).all()
    moved = put(100, 50, 200).landmarks
    assert moved == pytest.approx(face * 200 + [100, 50], abs=1e-3)


# face-alignment, which is not installed here: its behaviour, and what is made of its points.


def sixty_eight(x: float = 200.0, y: float = 150.0, size: float = 100.0) -> np.ndarray:
    """A face in the iBUG scheme."""
    points = np.zeros((68, 2))
    turn = np.linspace(0, math.pi, 17)
    points[:17] = np.stack([-np.cos(turn), -0.2 + 1.2 * np.sin(turn)], 1)
    points[17:22] = np.stack([np.linspace(-0.8, -0.2, 5), np.full(5, -0.5)], 1)
    points[22:27] = np.stack([np.linspace(0.2, 0.8, 5), np.full(5, -0.5)], 1)
    points[27:31] = np.stack([np.zeros(4), np.linspace(-0.3, 0.2, 4)], 1)
    points[31:36] = np.stack([np.linspace(-0.2, 0.2, 5), np.full(5, 0.3)], 1)
    for first, middle in ((36, -0.5), (42, 0.5)):
        angle = np.radians([180, 240, 300, 0, 60, 120])
        points[first : first + 6] = np.stack(
            [middle + 0.2 * np.cos(angle), -0.2 + 0.1 * np.sin(angle)], 1
        )
    angle = np.radians([180, 210, 240, 270, 300, 330, 0, 30, 60, 90, 120, 150])
    points[48:60] = np.stack([0.4 * np.cos(angle), 0.55 + 0.2 * np.sin(angle)], 1)
    angle = np.radians([180, 225, 270, 315, 0, 45, 90, 135])
    points[60:68] = np.stack([0.35 * np.cos(angle), 0.55 + 0.05 * np.sin(angle)], 1)
    return (points * size + [x, y]).astype(np.float32)


class FakeAlignment:
    """Sees one face, wherever it is asked; its detector sees it only while it is there."""

    def __init__(self) -> None:
        self.face_detector = self
        self.sure, self.searches, self.there = 0.9, 0, True

    def detect_from_image(self, image: np.ndarray) -> list[np.ndarray]:
        self.searches += 1
        scale = image.shape[1] / 400
        return [np.array([100, 80, 300, 280, 1 / scale]) * scale] if self.there else []

    def get_landmarks_from_image(
        self, image: np.ndarray, detected_faces: list[np.ndarray], return_landmark_score: bool
    ) -> tuple[list[np.ndarray], list[np.ndarray], None]:
        assert return_landmark_score
        left, top, right, bottom = detected_faces[0][:4]
        sure = self.sure if self.there else 0.05
        middle = (left + right) / 2
        return [sixty_eight(middle - 0.5, 149.5)], [np.full(68, sure)], None


def test_it_is_used_only_with_its_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    found = "app_core.face.alignment_finder.importlib.util.find_spec"
    monkeypatch.setattr(found, lambda name: object())
    assert hub_folder() == tmp_path / "hub" / "checkpoints"
    assert not has_alignment()
    hub_folder().mkdir(parents=True)
    for name in WEIGHTS:
        (hub_folder() / name).write_bytes(b"weights")
    assert has_alignment()
    assert find_finder(tmp_path).name == "face-alignment"
    monkeypatch.setattr(found, lambda name: None)
    assert find_finder(tmp_path).name == "cascade"


def test_its_points_become_ours() -> None:
    seen = from_68(sixty_eight(), 0.9)
    face = seen.landmarks
    assert face[POINTS["lip_upper_outer"]][[0, -1]] == pytest.approx(
        np.float32([[160, 205], [240, 205]]), abs=1e-3
    )
    assert face[POINTS["lip_upper_outer"]][8, 1] == pytest.approx(185, abs=0.1)
    assert face[POINTS["lip_lower_outer"]][8, 1] == pytest.approx(225, abs=0.1)
    assert face[POINTS["lip_lower_inner"]][8, 1] == pytest.approx(210, abs=0.1)
    assert face[POINTS["chin"]][0] == pytest.approx([200, 250], abs=1e-3)
    assert face[POINTS["jaw_left"]][0, 1] == pytest.approx(205 + 0.33 * 45, abs=0.1)
    assert face[POINTS["forehead"]][0, 1] < 100
    for name in ("eye_left_upper", "eye_right_lower", "lip_lower_inner"):
        assert (np.diff(face[POINTS[name], 0]) > 0).all()
    assert (seen.yaw, seen.roll) == pytest.approx((0, 0), abs=1e-3)


def test_its_mouth_is_a_curve_and_no_polygon() -> None:
    upper = from_68(sixty_eight(), 0.9).landmarks[POINTS["lip_upper_outer"]]
    oval = 205 - 20 * np.sqrt(np.maximum(1 - ((upper[:, 0] - 200) / 40) ** 2, 0))
    assert np.abs(upper[1:-1, 1] - oval[1:-1]).max() < 1.5


def test_its_turned_head_has_a_yaw() -> None:
    points = sixty_eight()
    points[30, 0] += 40
    assert from_68(points, 0.9).yaw == pytest.approx(math.asin(0.4), abs=0.01)


def test_it_finds_a_face_in_a_large_photo() -> None:
    net = FakeAlignment()
    seen = AlignmentFinder(net).photo(np.zeros((1600, 2000, 3), np.uint8))
    assert seen is not None
    assert seen.landmarks[POINTS["chin"]][0, 0] == pytest.approx(1000, abs=4)
    net.there = False
    assert AlignmentFinder(net).photo(np.zeros((400, 400, 3), np.uint8)) is None


def test_it_searches_once_and_then_follows() -> None:
    net = FakeAlignment()
    picture = picture_of(np.zeros((400, 400, 3), np.uint8))
    tracker = AlignmentFinder(net).tracker()
    assert [tracker.next(picture) is not None for _ in range(5)] == [True] * 5
    assert net.searches == 1
    net.there = False
    assert tracker.next(picture) is None
    net.there = True
    assert tracker.next(picture) is not None
    assert net.searches == 3
