from __future__ import annotations

import threading

import cv2
import numpy as np
import pytest

from app_core.avatars.blink import BLINK_STARTS, LID_CURVE, close_lids, closure, eyes_of
from app_core.avatars.still_plate import StillPlate
from app_core.avatars.sway import CYCLE_PICTURES
from app_core.face.track import cycle_track
from app_core.landmarks import POINT_COUNT, POINTS
from app_core.picture import from_bgr, to_bgr
from tests.faces import aigul, differs


@pytest.fixture(scope="module")
def plate() -> StillPlate:
    return aigul((360, 360), sway=True)


@pytest.fixture(scope="module")
def still() -> StillPlate:
    return aigul((360, 360), sway=False)


def test_white_black_and_red_are_bt601_in_tv_range() -> None:
    pixels = np.zeros((4, 6, 3), np.uint8)
    pixels[:, :2] = 255
    pixels[:, 4:] = (0, 0, 255)
    picture = from_bgr(pixels)
    assert picture.y[0].tolist() == [235, 235, 16, 16, 81, 81]
    assert picture.u[0].tolist() == [128, 128, 90]
    assert picture.v[0].tolist() == [128, 128, 240]


def test_chroma_is_the_mean_of_four_pixels() -> None:
    pixels = np.zeros((2, 2, 3), np.uint8)
    pixels[0, 0] = (0, 0, 255)
    assert from_bgr(pixels).v[0, 0] == pytest.approx(128 + 112 / 4, abs=1)


def test_picture_0_and_the_standing_plate_are_the_still(
    plate: StillPlate, still: StillPlate
) -> None:
    assert not differs(plate.picture(0), still.picture(0)).any()
    assert len(still.track.boxes) == len(still.track.landmarks) == 1
    assert len(plate.track.boxes) == len(plate.track.landmarks) == CYCLE_PICTURES
    assert plate.track.fps == 25.0
    assert np.allclose(plate.track.landmarks[0], still.track.landmarks[0], atol=1e-4)


def test_the_cycle_has_no_seam(plate: StillPlate) -> None:
    """From the last picture to the first is a step like all others."""
    points = np.concatenate([plate.track.landmarks, plate.track.landmarks[:1]])
    steps = np.linalg.norm(np.diff(points, axis=0), axis=2).max(1)
    assert steps[-1] <= steps[:-1].max() * 1.001
    assert steps.max() < 0.4, "pixels a picture"
    moved = np.linalg.norm(points - points[0], axis=2).max()
    assert 0.5 < moved < 0.02 * plate.height


def test_the_border_of_the_picture_does_not_move(plate: StillPlate) -> None:
    changed = differs(plate.picture(70), plate.picture(0))
    assert changed[60:300, 60:300].mean() > 0.2
    changed[4:-4, 4:-4] = False
    assert not changed.any()


@pytest.mark.parametrize("index", [25, 63, 100, 150, 212])
def test_points_move_with_the_pixels(plate: StillPlate, index: int) -> None:
    """The mouth's and the eyes' corners, followed by optical flow (Lucas and Kanade)."""
    corners = [POINTS["lip_upper_outer"], POINTS["eye_left_lower"], POINTS["eye_right_lower"]]
    rows = [end for part in corners for end in (part.start, part.stop - 1)]
    start, wanted = plate.track.landmarks[0][rows], plate.track.landmarks[index][rows]
    flow, found, _ = cv2.calcOpticalFlowPyrLK(
        plate.picture(0).y, plate.picture(index).y, start - 0.5, None, winSize=(21, 21)
    )
    assert found.all()
    assert np.abs(wanted - start).max() > 0.3
    assert np.abs(flow + 0.5 - wanted).max() < 0.12


def test_blinks_come_unevenly_and_not_at_once() -> None:
    assert all(closure(index) == 0 for index in range(30))
    waits = np.diff([*BLINK_STARTS, BLINK_STARTS[0] + CYCLE_PICTURES]) / 25
    assert 2 < waits.min() < waits.max() < 6
    assert len(set(waits.tolist())) == len(waits)
    assert BLINK_STARTS[-1] + len(LID_CURVE) < CYCLE_PICTURES
    assert max(LID_CURVE) == 1.0


def eye_pixels(plate: StillPlate, index: int, side: str) -> np.ndarray:
    """(pixels, 3) B, G, R inside the outline of the open eye."""
    landmarks = plate.track.landmarks[index]
    outline = np.concatenate(
        [landmarks[POINTS[f"eye_{side}_upper"]], landmarks[POINTS[f"eye_{side}_lower"]][::-1]]
    )
    mask = np.zeros((plate.height, plate.width), np.uint8)
    cv2.fillPoly(mask, [outline.astype(np.int32)], 1)
    return to_bgr(plate.picture(index))[mask > 0].astype(int)


@pytest.mark.parametrize("side", ["left", "right"])
def test_the_eyes_close_in_the_middle_of_a_blink(plate: StillPlate, side: str) -> None:
    """The pale white and the dark iris give way to skin, which is redder than blue."""
    shut = BLINK_STARTS[1] + LID_CURVE.index(1.0)
    for index, skin_from, skin_to in ((0, 0.0, 0.4), (shut, 0.6, 1.0)):
        blue, _, red = eye_pixels(plate, index, side).T
        skin = ((red - blue > 25) & (red > 130)).mean()
        assert skin_from <= skin <= skin_to


@pytest.mark.parametrize("off", [-0.02, 0.0, 0.015])
def test_a_closed_eye_shows_no_white(off: float) -> None:
    """Also when the points of its lids are a little off, in eye widths, as found ones are."""
    large = aigul((720, 720))
    landmarks, still = large.track.landmarks[0].copy(), large.picture(0)
    for side in ("left", "right"):
        upper, lower = POINTS[f"eye_{side}_upper"], POINTS[f"eye_{side}_lower"]
        width = np.ptp(landmarks[upper][:, 0])
        landmarks[upper, 1] += abs(off) * width
        landmarks[lower, 1] -= max(-off, 0.0) * width
    shut = to_bgr(close_lids(still, eyes_of(landmarks), 1.0)).astype(int)
    for side in ("left", "right"):
        eye = large.track.landmarks[0][POINTS[f"eye_{side}_upper"]]
        lower = large.track.landmarks[0][POINTS[f"eye_{side}_lower"]]
        left, right = int(eye[0, 0]), int(eye[-1, 0])
        part = shut[int(eye[:, 1].min()) : int(lower[:, 1].max()) + 8, left:right]
        white = (part[..., 2] - part[..., 0] < 25) & (part.mean(2) > 120)
        assert white.sum() == 0


def test_a_blink_leaves_the_brow_and_the_rest_alone(plate: StillPlate) -> None:
    landmarks = plate.track.landmarks[0]
    still = plate.picture(0)
    changed = differs(close_lids(still, eyes_of(landmarks), 1.0), still)
    brow = min(landmarks[POINTS[f"brow_{side}"]][0, 1] for side in ("left", "right"))
    lower = max(landmarks[POINTS[f"eye_{side}_lower"]][:, 1].max() for side in ("left", "right"))
    rows = np.flatnonzero(changed.any(1))
    assert rows.min() >= int(brow) - 2
    assert rows.max() <= lower + 4


def test_a_plate_without_a_face_stands(still: StillPlate) -> None:
    lost = cycle_track(np.full((1, 4), np.nan), np.full((1, POINT_COUNT, 2), np.nan), 25.0)
    plate = StillPlate(still.picture(0), lost, (1.0, 1.0), lively=True)
    assert len(plate.track.boxes) == 1
    assert plate.picture(0) is still.picture(0)


def test_kept_pictures_are_shared_and_released(still: StillPlate) -> None:
    plate = StillPlate(still.picture(0), still.track, (1.0, 1.0), lively=True)
    assert plate.picture(9) is not plate.picture(9)
    plate.keep = True
    assert plate.picture(9) is plate.picture(9)
    kept = plate.picture(9)
    assert plate.picture(10).y.base is kept.y.base, "one piece of memory for all"
    assert plate.kept_bytes == plate.cycle_bytes
    plate.release()
    assert plate.kept_bytes == 0
    again = plate.picture(9)
    assert again is not kept
    assert not differs(again, kept).any()


def test_many_threads_see_the_same_pictures(still: StillPlate) -> None:
    plate = StillPlate(still.picture(0), still.track, (1.0, 1.0), lively=True)
    plate.keep = True
    seen: list[list[bytes]] = [[] for _ in range(4)]

    def read(into: list[bytes]) -> None:
        into.extend(plate.picture(index).y.tobytes() for index in range(36, 52))

    threads = [threading.Thread(target=read, args=(into,)) for into in seen]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen[0]) == 16
    assert all(into == seen[0] for into in seen)
