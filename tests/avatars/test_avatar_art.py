"""The files of the embedded avatar, as drawn: its still, its clip, and where the face is."""

from __future__ import annotations

import re
import subprocess
import tomllib
from collections.abc import Iterator
from typing import NamedTuple

import cv2
import numpy as np
import pytest

from app_core.avatars.blink import BLINK_STARTS, LID_CURVE
from app_core.face.track import load_track
from app_core.landmarks import POINT_COUNT, POINTS
from app_core.media.ffmpeg import find_ffmpeg
from tests.faces import FOLDER
from tools.portrait.clip import clip_track
from tools.portrait.frame import Frame

AIGUL = FOLDER / "aigul"
PICTURES, FPS = 250, 25
WIDTH, HEIGHT = 1080, 1920


SHUT = [start + LID_CURVE.index(1.0) for start in BLINK_STARTS]
OPEN = [0, BLINK_STARTS[0] - 1, 90, 150, 220, PICTURES - 1]
LATER = [60, 125, 190]


class Film(NamedTuple):
    """Luma of the clip."""

    small: list[np.ndarray]
    """Every picture, a quarter as wide and high."""
    whole: dict[int, np.ndarray]
    """The pictures that tests look at closely."""


@pytest.fixture(scope="module")
def clip() -> Film:
    video = cv2.VideoCapture(str(AIGUL / "loop.mp4"))
    film = Film([], {})
    while (read := video.read())[0]:
        luma = cv2.cvtColor(read[1], cv2.COLOR_BGR2GRAY)
        if len(film.small) in (*SHUT, *OPEN, *LATER):
            film.whole[len(film.small)] = luma
        size = WIDTH // 4, HEIGHT // 4
        film.small.append(cv2.resize(luma, size, interpolation=cv2.INTER_AREA))
    video.release()
    return film


@pytest.fixture(scope="module")
def headers() -> str:
    """What ffmpeg says of the clip before it asks for an output."""
    argv = [find_ffmpeg().path, "-hide_banner", "-i", str(AIGUL / "loop.mp4")]
    return subprocess.run(argv, capture_output=True, timeout=60).stderr.decode()


def eye_boxes(row: np.ndarray) -> Iterator[tuple[slice, slice]]:
    """Rows and columns of both eyes' openings."""
    for side in ("left", "right"):
        upper = row[POINTS[f"eye_{side}_upper"]]
        lower = row[POINTS[f"eye_{side}_lower"]]
        width = upper[-1, 0] - upper[0, 0]
        left, right = int(upper[0, 0] + 0.3 * width), int(upper[-1, 0] - 0.3 * width)
        yield slice(int(upper[:, 1].min()) + 5, int(lower[:, 1].max()) - 6), slice(left, right)


def vertex(three: np.ndarray) -> float:
    """Where the parabola through values at -1, 0 and 1 has its top."""
    before, middle, after = (float(value) for value in three)
    return (before - after) / (2 * (before - 2 * middle + after))


def test_the_metadata_say_what_she_is() -> None:
    metadata = tomllib.loads((AIGUL / "avatar.toml").read_text("utf-8"))
    assert metadata["name"] == "Aigul"
    assert metadata["licence"] == "MIT"
    assert metadata["synthetic"] is True


def test_sizes() -> None:
    still = cv2.imread(str(AIGUL / "still.png"), cv2.IMREAD_UNCHANGED)
    assert still.shape == (HEIGHT, WIDTH, 3)
    files = [AIGUL / name for name in ("still.png", "loop.mp4")]
    assert sum(file.stat().st_size for file in files) < 8_000_000


def test_the_clip_is_tagged_and_of_a_constant_rate(headers: str) -> None:
    assert re.search(r"Video: h264 \(High\).* yuv420p\(tv, smpte170m", headers)
    assert f"{WIDTH}x{HEIGHT}" in headers
    assert re.search(rf"{FPS} fps", headers)
    assert "Audio:" not in headers
    assert "Duration: 00:00:10.00" in headers


def test_the_clip_has_a_key_frame_each_second() -> None:
    """Only the frames that need no other are decoded, and each tells its time."""
    show = ["-skip_frame", "nokey", "-i", str(AIGUL / "loop.mp4"), "-vf", "showinfo"]
    argv = [find_ffmpeg().path, "-hide_banner", *show, "-f", "null", "-"]
    said = subprocess.run(argv, capture_output=True, timeout=60).stderr.decode()
    times = [float(time) for time in re.findall(r"pts_time:([\d.]+)", said)]
    assert times == [float(second) for second in range(PICTURES // FPS)]


def test_the_clip_is_whole_and_starts_with_the_still(clip: Film) -> None:
    assert len(clip.small) == PICTURES
    assert clip.whole[0].shape == (HEIGHT, WIDTH)
    still = cv2.cvtColor(cv2.imread(str(AIGUL / "still.png")), cv2.COLOR_BGR2GRAY)
    assert cv2.absdiff(still, clip.whole[0]).mean() < 2.0


def test_the_clip_has_no_seam_and_is_never_still(clip: Film) -> None:
    small = clip.small
    steps = [
        float(cv2.absdiff(one, next_).mean())
        for one, next_ in zip(small, small[1:] + small[:1], strict=True)
    ]
    assert steps[-1] <= max(steps[:-1])
    far = cv2.absdiff(small[0], small[PICTURES // 3]).mean()
    assert far > 4 * steps[-1]


def test_there_is_one_row_of_points_a_picture() -> None:
    still, loop = load_track(AIGUL / "track.npz"), load_track(AIGUL / "loop.npz")
    assert still.landmarks.shape == (1, POINT_COUNT, 2)
    assert loop.landmarks.shape == (PICTURES, POINT_COUNT, 2)
    assert loop.boxes.shape == (PICTURES, 4)
    assert loop.fps == FPS
    assert np.allclose(loop.landmarks[0], still.landmarks[0])
    assert np.allclose(loop.boxes[0], still.boxes[0])
    points = np.concatenate([loop.landmarks, loop.landmarks[:1]])
    steps = np.linalg.norm(np.diff(points, axis=0), axis=2).max(1)
    assert steps[-1] <= steps[:-1].max()
    assert 2 < np.linalg.norm(points - points[0], axis=2).max() < 30


def test_the_points_are_those_that_are_drawn() -> None:
    drawn, kept = clip_track(Frame(WIDTH, HEIGHT, 2)), load_track(AIGUL / "loop.npz")
    assert np.allclose(drawn.landmarks, kept.landmarks, atol=1e-3)
    assert np.allclose(drawn.boxes, kept.boxes, atol=1e-3)


@pytest.mark.parametrize("index", LATER)
@pytest.mark.parametrize(
    "part", ["lip_upper_outer", "lip_lower_outer", "nose_base", "eye_left_upper", "eye_right_upper"]
)
def test_points_follow_the_pixels(clip: Film, index: int, part: str) -> None:
    """The surroundings of a point in picture 0 are looked for in a later picture."""
    loop = load_track(AIGUL / "loop.npz")
    start, now = (loop.landmarks[at, POINTS[part]].mean(0) for at in (0, index))
    reach, search = 70, 24
    left, top = (int(value) - reach for value in start)
    patch = clip.whole[0][top : top + 2 * reach, left : left + 2 * reach]
    around = clip.whole[index][
        top - search : top + 2 * reach + search,
        left - search : left + 2 * reach + search,
    ]
    scores = cv2.matchTemplate(around, patch, cv2.TM_CCOEFF_NORMED)
    _, best, _, (x, y) = cv2.minMaxLoc(scores)
    assert best > 0.8
    peak = [x + vertex(scores[y, x - 1 : x + 2]), y + vertex(scores[y - 1 : y + 2, x])]
    moved = np.array(peak) - search
    assert np.abs(moved - (now - start)).max() <= 1.0


def test_eyes_close_in_blinks_and_only_there(clip: Film) -> None:
    """The upper half of an open eye shows the dark of iris and pupil; a shut one is skin."""
    loop = load_track(AIGUL / "loop.npz")

    def skin(index: int) -> list[float]:
        eyes = [clip.whole[index][box] for box in eye_boxes(loop.landmarks[index])]
        return [float((eye[: len(eye) // 2] > 90).mean()) for eye in eyes]

    for index in SHUT:
        assert min(skin(index)) > 0.95
    for index in OPEN:
        assert max(skin(index)) < 0.70


def test_blinks_come_at_irregular_times() -> None:
    gaps = np.diff([*SHUT, SHUT[0] + PICTURES])
    assert len(gaps) == 3
    assert gaps.max() - gaps.min() >= FPS / 2
