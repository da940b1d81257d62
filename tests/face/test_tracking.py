from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from app_core.face.detection import FaceDetection
from app_core.face.tracking import PITCH, YAW, follow
from app_core.landmarks import POINT_COUNT
from app_core.types import Picture

FPS = 25.0
SIZE = 100.0
GONE = None
_HALF = np.full((4, 4), 128, np.uint8)
PICTURE = Picture(np.full((8, 8), 90, np.uint8), _HALF, _HALF)


def sight(
    x: float = 300.0,
    yaw: float = 0.0,
    pitch: float = 0.0,
    size: float = SIZE,
    exact: bool = True,
    noise: np.ndarray | None = None,
) -> FaceDetection:
    face = np.random.default_rng(5).uniform(-0.4, 0.4, (POINT_COUNT, 2)) * size + [x, 200]
    box = np.float32([x - size / 2, 200 - size / 2, x + size / 2, 200 + size / 2])
    landmarks = (face if noise is None else face + noise).astype(np.float32)
    return FaceDetection(landmarks, box, yaw, pitch, 1.0, exact=exact)


class Script:
    """A finder whose tracker says what the test wrote."""

    name = "script"

    def __init__(
        self,
        detections: list[FaceDetection | None],
        cuts: tuple[int, ...] = (),
        disowned: dict[int, int] | None = None,
    ) -> None:
        self.detections, self.cuts, self.wrong = detections, cuts, disowned or {}
        self.at, self.cut, self.disowned = -1, False, 0

    def photo(self, rgb: np.ndarray) -> FaceDetection | None:
        raise AssertionError("a clip is no photo")

    sees_turned = True

    def faces(self, rgb: np.ndarray) -> list[FaceDetection]:
        raise AssertionError("a clip is no photo")

    def tracker(self, near: object = None) -> Script:
        return self

    def next(self, picture: Picture) -> FaceDetection | None:
        self.at += 1
        self.cut, self.disowned = self.at in self.cuts, self.wrong.get(self.at, 0)
        return self.detections[self.at]


def followed(script: Script, fps: float = FPS):
    return follow(script, iter([PICTURE] * len(script.detections)), fps)


def test_a_quiet_face_is_wholly_drawn() -> None:
    result = followed(Script([sight()] * 30))
    assert (result.seen, result.pictures, result.finder) == (30, 30, "script")
    assert result.track.strength.tolist() == [1] * 30
    assert result.track.landmarks == pytest.approx(np.stack([sight().landmarks] * 30), abs=1e-3)
    assert result.track.boxes[0].tolist() == [250, 150, 350, 250]
    assert result.track.fps == FPS


def test_noise_becomes_less_and_a_pan_does_not_lag() -> None:
    random = np.random.default_rng(1)
    rows = [sight(300 + 2 * i, noise=random.normal(0, 0.5, (POINT_COUNT, 2))) for i in range(60)]
    track = followed(Script(rows)).track  # type: ignore[arg-type]
    clean = np.stack([sight(300 + 2 * i).landmarks for i in range(60)])
    raw = np.stack([row.landmarks for row in rows])
    inner = slice(8, -8)
    assert np.abs(track.landmarks - clean)[inner].mean() < 0.6 * np.abs(raw - clean)[inner].mean()
    assert abs((track.landmarks - clean)[inner, :, 0].mean()) < 0.1


def test_a_short_gap_is_bridged_on_a_straight_line() -> None:
    rows = [sight(300 + i) if not 20 <= i < 24 else GONE for i in range(50)]
    result = followed(Script(rows))
    assert result.seen == 46
    assert result.track.strength.tolist() == [1] * 50
    middle = result.track.boxes[:, ::2].mean(1)
    assert middle[5:-5] == pytest.approx(np.arange(305, 345), abs=0.3)


def test_a_long_gap_has_no_face_and_the_mouth_fades_out_and_in() -> None:
    rows = [sight() if not 20 <= i < 30 else GONE for i in range(50)]
    track = followed(Script(rows)).track
    assert np.isnan(track.landmarks[20:30]).all()
    assert np.isfinite(track.landmarks[[19, 30]]).all()
    strength = track.strength
    assert strength[20:30].tolist() == [0] * 10
    assert (np.diff(strength[15:21]) < 0).all()
    assert (np.diff(strength[29:34]) > 0).all()
    assert strength[:15].tolist() == [1] * 15
    assert np.abs(np.diff(strength)).max() < 0.4


def test_a_gap_over_which_the_face_moved_far_is_not_bridged() -> None:
    rows = [sight(300 if i < 20 else 600) if not 20 <= i < 23 else GONE for i in range(40)]
    track = followed(Script(rows)).track
    assert np.isnan(track.boxes[20:23]).all()


@pytest.mark.parametrize("fps", [12.5, 25.0, 60.0])
def test_the_fade_lasts_a_fifth_of_a_second_at_any_rate(fps: float) -> None:
    count = int(2 * fps)
    rows: list[FaceDetection | None] = [sight()] * count + [GONE] * count
    strength = followed(Script(rows), fps).track.strength
    partial = int(((strength > 0) & (strength < 1)).sum())
    assert partial == pytest.approx(0.2 * fps, abs=1.5)


def test_a_cut_is_sharp() -> None:
    rows = [sight(300)] * 20 + [sight(320)] * 20
    track = followed(Script(rows, cuts=(20,))).track
    assert track.strength.tolist() == [1] * 40
    middle = track.boxes[:, ::2].mean(1)
    assert middle.tolist() == pytest.approx([300] * 20 + [320] * 20, abs=0.01)


def test_a_cut_to_a_shot_without_a_face_needs_no_fade() -> None:
    rows: list[FaceDetection | None] = [sight()] * 20 + [GONE] * 20
    strength = followed(Script(rows, cuts=(20,))).track.strength
    assert strength.tolist() == [1] * 20 + [0] * 20


def test_a_gap_across_a_cut_is_not_bridged() -> None:
    rows = [sight() if not 19 <= i < 22 else GONE for i in range(40)]
    track = followed(Script(rows, cuts=(20,))).track
    assert np.isnan(track.boxes[19:22]).all()


def test_a_jump_that_is_no_seen_cut_is_not_smoothed_over() -> None:
    rows = [sight(300)] * 20 + [sight(500)] * 20
    middle = followed(Script(rows)).track.boxes[:, ::2].mean(1)
    assert middle.tolist() == pytest.approx([300] * 20 + [500] * 20, abs=0.01)


def test_what_was_disowned_is_no_face() -> None:
    rows = [sight()] * 40
    result = followed(Script(rows, disowned={20: 8}))
    assert np.isnan(result.track.boxes[12:20]).all()
    assert np.isfinite(result.track.boxes[[11, 20]]).all()
    assert result.seen == 32


def test_disowning_stops_at_the_cut() -> None:
    result = followed(Script([sight()] * 40, cuts=(18,), disowned={20: 8}))
    assert result.seen == 38


def test_a_face_for_a_moment_in_the_middle_of_nothing_was_none() -> None:
    rows: list[FaceDetection | None] = [GONE] * 40
    rows[15:17] = [sight()] * 2
    assert followed(Script(rows)).seen == 0
    rows[15:18] = [sight()] * 3
    assert followed(Script(rows)).seen == 3


@pytest.mark.parametrize(
    ("name", "limits"), [("yaw", YAW), ("pitch", PITCH), ("yaw", [-a for a in YAW])]
)
def test_the_mouth_fades_where_the_head_turns_too_far(
    name: str, limits: tuple[float, float]
) -> None:
    begin, end = limits
    angles = np.interp(np.arange(100), [20, 60], [0.9 * begin, 1.2 * end])
    strength = followed(Script([sight(**{name: float(a)}) for a in angles])).track.strength
    assert strength[:15].tolist() == [1] * 15
    assert strength[65:].tolist() == [0] * 35
    assert (np.diff(strength) <= 1e-6).all()
    assert np.abs(np.diff(strength)).max() < 0.4


def test_a_quick_turn_fades_ahead_of_itself() -> None:
    rows = [sight(yaw=0.0 if i < 30 else 1.2) for i in range(60)]
    strength = followed(Script(rows)).track.strength
    assert strength[30] < 0.1
    assert np.abs(np.diff(strength)).max() < 0.4


def test_points_that_were_put_into_boxes_are_held_more_still() -> None:
    random = np.random.default_rng(3)
    xs = 300 + random.normal(0, 3, 60)
    quick = followed(Script([sight(float(x)) for x in xs])).track.boxes[8:-8, 0].std()
    smooth = followed(Script([sight(float(x), exact=False) for x in xs])).track.boxes[8:-8, 0].std()
    assert smooth < 0.6 * quick


def test_no_pictures_are_an_empty_track() -> None:
    result = followed(Script([]))
    assert (result.seen, result.pictures) == (0, 0)
    assert result.track.landmarks.shape == (0, POINT_COUNT, 2)


def test_one_picture_is_enough() -> None:
    result = followed(Script([sight()]))
    assert result.seen == 1
    assert result.track.strength.tolist() == [1]


def test_no_picture_is_held() -> None:
    alive = 0

    class Counted:
        def __init__(self) -> None:
            nonlocal alive
            alive += 1
            self.most = alive

        def __del__(self) -> None:
            nonlocal alive
            alive -= 1

    most = 0

    def pictures() -> Iterator[Counted]:
        nonlocal most
        for _ in range(50):
            picture = Counted()
            most = max(most, alive)
            yield picture
            del picture

    follow(Script([sight()] * 50), pictures(), FPS)  # type: ignore[arg-type]
    assert most <= 2
