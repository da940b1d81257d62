from __future__ import annotations

import numpy as np
import pytest

from app_core.face import smoothing
from app_core.face.smoothing import (
    limit_slope,
    smooth_face,
    smooth_points,
    smooth_values,
    smoothstep,
)

WIDTH = 200.0


def noise(pictures: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 1, (pictures, 40, 2)).astype(np.float32)


def spread(points: np.ndarray) -> float:
    return float(np.sqrt(((points - points.mean(0)) ** 2).sum(-1).mean()))


def test_a_trembling_face_is_held_still() -> None:
    points = 300 + noise(60)
    assert spread(smooth_points(points, 25.0, WIDTH)) < 0.5 * spread(points)


@pytest.mark.parametrize("speed", [0.1, 0.5, 2.0])
def test_a_pan_has_no_lag(speed: float) -> None:
    step = speed * WIDTH / 25
    points = noise(80) * 0.3
    points[..., 0] += (np.arange(80) * step)[:, None]
    behind = (points - smooth_points(points, 25.0, WIDTH))[10:-10, :, 0].mean()
    assert abs(behind) < 0.03 * step


def test_a_pan_without_noise_stays_as_it_is() -> None:
    points = np.zeros((50, 3, 2), np.float32)
    points[..., 1] = np.arange(50)[:, None] * 4.0
    smooth = smooth_points(points, 25.0, WIDTH)
    assert np.abs(smooth - points)[5:-5].max() < 0.5


def test_time_runs_the_same_in_both_directions() -> None:
    points = 100 + 5 * noise(40)
    backward = smooth_points(points[::-1].copy(), 25.0, WIDTH)[::-1]
    assert smooth_points(points, 25.0, WIDTH) == pytest.approx(backward, abs=1e-4)


def test_it_depends_on_the_size_of_the_face_only_by_scale() -> None:
    points = 100 + 5 * noise(40)
    large = smooth_points(points * 4, 25.0, WIDTH * 4)
    assert large / 4 == pytest.approx(smooth_points(points, 25.0, WIDTH), abs=1e-3)


@pytest.mark.parametrize("pictures", [0, 1])
def test_less_than_two_pictures_stay(pictures: int) -> None:
    points = noise(pictures)
    assert np.array_equal(smooth_points(points, 25.0, WIDTH), points)
    assert np.array_equal(smooth_values(points, 3.0), points)


def test_a_gaussian_keeps_a_line_to_its_ends() -> None:
    line = np.linspace(-3, 8, 30).astype(np.float32)
    assert smooth_values(line, 4.0) == pytest.approx(line, abs=1e-5)
    assert smooth_values(line[:3], 4.0) == pytest.approx(line[:3], abs=1e-5)
    many = np.stack([line, 2 * line], 1)
    assert smooth_values(many, 4.0) == pytest.approx(many, abs=1e-5)


def test_a_gaussian_quiets_noise() -> None:
    values = noise(200)[:, 0, 0]
    assert smooth_values(values, 3.0).std() < 0.4 * values.std()


def test_the_slope_is_limited_on_both_sides_and_nothing_rises() -> None:
    values = np.float32([1, 1, 1, 1, 0, 1, 1, 1, 1, 0.9])
    limited = limit_slope(values, 0.25)
    assert limited.tolist() == [1, 0.75, 0.5, 0.25, 0, 0.25, 0.5, 0.75, 1, pytest.approx(0.9)]
    assert values[1] == 1, "what was given stays"


def test_smoothstep_is_held_at_its_ends() -> None:
    assert smoothstep(np.float32([-1, 0, 0.5, 1, 2])).tolist() == [0, 0, 0.5, 1, 1]


def moving_head(pictures: int = 60) -> np.ndarray:
    """A face that shakes quickly, and turns and grows, as one body."""
    time = np.arange(pictures) / 25
    shape = np.random.default_rng(2).uniform(-100, 100, 40) + 1j * np.linspace(-100, 100, 40)
    turn = np.exp(0.3j * np.sin(5 * time)) * (1 + 0.1 * np.sin(3 * time))
    plane = 400 + 300j + 80 * np.sin(9 * time)[:, None] + turn[:, None] * shape
    return np.stack([plane.real, plane.imag], -1).astype(np.float32)


def test_a_moving_face_trembles_no_more_than_one_at_rest() -> None:
    clean, grains = moving_head(), 0.5 * noise(60)
    own = clean - clean.mean(1, keepdims=True)

    def tremble(points: np.ndarray) -> float:
        shaken = points - points.mean(1, keepdims=True) - own
        return float(np.sqrt(((shaken[2:] + shaken[:-2] - 2 * shaken[1:-1]) ** 2).mean()))

    noisy = clean + grains
    face = tremble(smooth_face(noisy, 25.0, WIDTH))
    assert face < 0.5 * tremble(smooth_points(noisy, 25.0, WIDTH))
    assert face < 0.3 * tremble(noisy)


def test_a_head_that_moves_as_one_body_keeps_its_shape() -> None:
    clean = moving_head()
    smooth = smooth_face(clean, 25.0, WIDTH)
    sides = [np.linalg.norm(p[:, 0] - p[:, 30], axis=-1) for p in (clean, smooth)]
    assert sides[1] == pytest.approx(sides[0], rel=0.03)
    assert np.abs((smooth - clean).mean()) < 0.5


def test_a_long_clip_is_smoothed_in_blocks_without_a_seam(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    points = moving_head(700) + noise(700)
    whole = smooth_face(points, 25.0, WIDTH)
    monkeypatch.setattr(smoothing, "_BLOCK", 300)
    assert np.abs(smooth_face(points, 25.0, WIDTH) - whole).max() < 0.1


def test_points_that_all_lie_together_stay_finite() -> None:
    points = np.full((5, 40, 2), 7, np.float32)
    assert smooth_face(points, 25.0, WIDTH) == pytest.approx(points)
    assert smooth_face(points[:1], 25.0, WIDTH) is not None
