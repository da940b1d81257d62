from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from app_core.errors import BadInput
from app_core.face.track import crop_track, cycle_track, load_track, no_face, save_track
from app_core.landmarks import POINT_COUNT
from app_core.types import FaceTrack


def some_track(pictures: int = 3, strength: np.ndarray | None = None) -> FaceTrack:
    random = np.random.default_rng(1)
    boxes = random.uniform(0, 100, (pictures, 4))
    landmarks = random.uniform(0, 100, (pictures, POINT_COUNT, 2))
    return cycle_track(boxes, landmarks, 24.0, strength)


def test_a_track_comes_back_from_disk_as_it_was(tmp_path: Path) -> None:
    track = some_track(strength=np.float32([0, 0.5, 1]))
    save_track(tmp_path / "track.npz", track)
    again = load_track(tmp_path / "track.npz")
    assert np.array_equal(again.boxes, track.boxes)
    assert np.array_equal(again.landmarks, track.landmarks)
    assert again.fps == 24.0
    assert again.strength.tolist() == [0, 0.5, 1]
    with pytest.raises(ValueError, match="read-only"):
        again.landmarks[0, 0, 0] = 1


@pytest.mark.parametrize(
    "arrays",
    [
        {"boxes": np.zeros((2, 4)), "landmarks": np.zeros((2, 5, 2)), "fps": 25.0},
        {"boxes": np.zeros((2, 4)), "landmarks": np.zeros((1, POINT_COUNT, 2)), "fps": 25.0},
        {"boxes": np.zeros((2, 4)), "landmarks": np.zeros((2, POINT_COUNT, 2)), "fps": 0.0},
        {"boxes": np.zeros((2, 4)), "fps": 25.0},
        {"boxes": np.zeros(()), "landmarks": np.zeros((0, POINT_COUNT, 2)), "fps": 25.0},
        {
            "boxes": np.zeros((2, 4)),
            "landmarks": np.zeros((2, POINT_COUNT, 2)),
            "fps": 25.0,
            "strength": np.zeros(3),
        },
    ],
)
def test_other_arrays_are_refused(tmp_path: Path, arrays: dict[str, object]) -> None:
    np.savez(tmp_path / "track.npz", **arrays)
    with pytest.raises(BadInput, match="track.npz"):
        load_track(tmp_path / "track.npz")


@pytest.mark.parametrize("content", [b"", b"no archive at all", b"PK\x03\x04 cut short"])
def test_a_file_that_is_no_archive_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "track.npz").write_bytes(content)
    with pytest.raises(BadInput):
        load_track(tmp_path / "track.npz")


def test_a_pickled_array_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "track.npz", boxes=np.array([{}], object), landmarks=[0], fps=25.0)
    with pytest.raises(BadInput):
        load_track(tmp_path / "track.npz")


def test_points_follow_a_cut_and_a_scale() -> None:
    track = some_track()
    cut = crop_track(track, (10.0, 20.0), (2.0, 0.5))
    assert np.allclose(cut.landmarks[..., 0], (track.landmarks[..., 0] - 10) * 2, atol=1e-4)
    assert np.allclose(cut.landmarks[..., 1], (track.landmarks[..., 1] - 20) * 0.5, atol=1e-4)
    assert np.allclose(cut.boxes[:, 2], (track.boxes[:, 2] - 10) * 2, atol=1e-4)
    assert np.allclose(cut.boxes[:, 3], (track.boxes[:, 3] - 20) * 0.5, atol=1e-4)


def test_strength_follows_a_cut() -> None:
    track = some_track(strength=np.float32([0, 0.5, 1]))
    assert crop_track(track, (1, 2), (3, 4)).strength.tolist() == [0, 0.5, 1]


def test_a_file_without_strengths_draws_the_mouth_wherever_there_is_a_face(tmp_path: Path) -> None:
    track = some_track()
    boxes = track.boxes.copy()
    boxes[1] = np.nan
    np.savez(tmp_path / "track.npz", boxes=boxes, landmarks=track.landmarks, fps=25.0)
    assert load_track(tmp_path / "track.npz").strength.tolist() == [1, 0, 1]


def test_a_row_without_a_face_has_no_strength() -> None:
    track = some_track()
    landmarks = track.landmarks.copy()
    landmarks[0] = np.nan
    made = cycle_track(track.boxes, landmarks, 25.0, np.float32([1, 2, np.nan]))
    assert made.strength.tolist() == [0, 1, 0]
    assert no_face(4, 25.0).strength.tolist() == [0, 0, 0, 0]
