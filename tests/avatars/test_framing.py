from __future__ import annotations

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from app_core.avatars.framing import frame_face, place
from app_core.avatars.library import AvatarLibrary
from app_core.avatars.preview import preview
from app_core.face.track import cut_track, cycle_track, save_track
from app_core.landmarks import POINTS
from app_core.media.decoder import ClipFootage
from app_core.media.ffmpeg import find_ffmpeg
from app_core.picture import to_bgr
from app_core.types import Cut
from tests.clips import make_avatar
from tests.faces import FOLDER, aigul

NARROW = [(1920, 128), (128, 1920), (1920, 256), (640, 128), (256, 1920)]
USUAL = [(512, 512), (1080, 1920), (1920, 1080), (720, 1280), (640, 480), (300, 400)]


@pytest.mark.parametrize("size", [*USUAL, *NARROW])
def test_the_whole_face_is_shown_at_any_size(size: tuple[int, int]) -> None:
    """Eyes to chin and from cheek to cheek: at 1920x128 the usual cut held a nose."""
    plate = aigul(size)
    assert plate.picture(0).y.shape == size[::-1]
    landmarks, box = plate.track.landmarks[0], plate.track.boxes[0]
    landmarks = np.delete(landmarks, POINTS["forehead"], 0)
    assert landmarks.min() >= 0
    assert (landmarks.max(0) <= size).all()
    fills = max((box[2] - box[0]) / size[0], (box[3] - box[1]) / size[1])
    assert 0.25 < fills < 1.3


@pytest.mark.parametrize("size", USUAL)
def test_usual_sizes_have_no_margins(size: tuple[int, int]) -> None:
    box = np.float32([338, 325, 742, 942])
    cut = frame_face(1080, 1920, box, size)
    assert (cut.margin_x, cut.margin_y) == (0, 0)
    assert cut.width == 1080 or cut.height == 1920
    assert cut.width / cut.height == pytest.approx(size[0] / size[1], rel=0.01)


def test_the_chin_stays_where_not_all_of_the_face_fits() -> None:
    box = np.float32([300, 300, 700, 1000])
    cut = frame_face(1000, 2000, box, (1000, 600))
    assert cut == Cut(0, 400, 1000, 600)


@pytest.mark.parametrize("size", [(1920, 128), (128, 1920)])
@pytest.mark.parametrize(
    "box",
    [[10, 20, 350, 400], [600, 800, 1070, 1910], [-50, -50, 1200, 2000], [500, 900, 560, 990]],
)
def test_the_part_lies_in_the_picture_and_keeps_its_shape(
    box: list[int], size: tuple[int, int]
) -> None:
    cut = frame_face(1080, 1920, np.float32(box), size)
    assert 0 <= cut.left <= 1080 - cut.width and 0 <= cut.top <= 1920 - cut.height
    wide, high = cut.inner(size)
    assert wide % 4 == high % 4 == 0 and min(wide, high) > 0
    assert wide / cut.width == pytest.approx(high / cut.height, rel=0.02)
    assert cut.margin_x % 2 == cut.margin_y % 2 == 0


@pytest.mark.parametrize("size", [(1920, 128), (128, 1920)])
def test_points_stay_on_their_pixels_between_margins(size: tuple[int, int]) -> None:
    """A red mark at the chin is where the track says."""
    still = aigul((1080, 1920))
    pixels = to_bgr(still.picture(0))
    x, y = still.track.landmarks[0, POINTS["chin"]][0]
    pixels[:] = 90
    cv2.circle(pixels, (int(x), int(y)), 25, (0, 0, 255), -1)
    cut = frame_face(1080, 1920, still.track.boxes[0], size)
    shown = place(pixels, cut, size)
    assert shown.shape == (size[1], size[0], 3)
    middle = shown[cut.margin_y : size[1] - cut.margin_y, cut.margin_x : size[0] - cut.margin_x]
    rows, columns = np.nonzero(middle[..., 2] > middle[..., 0].astype(int) + 60)
    found = columns.mean() + 0.5 + cut.margin_x, rows.mean() + 0.5 + cut.margin_y
    chin = cut_track(still.track, cut, size).landmarks[0, POINTS["chin"]][0]
    assert np.abs(chin - found).max() < 1


def test_a_clip_is_shown_as_a_still_is(tmp_path: Path) -> None:
    folder = make_avatar(tmp_path)
    library = AvatarLibrary(folder, footage=ClipFootage(find_ffmpeg))
    avatar = library.get("clip")
    whole = to_bgr(library.plate(avatar, static=False).picture(3))
    for size in ((640, 128), (128, 640)):
        plate = library.plate(avatar, size, static=False)
        shown = plate.picture(3)
        assert shown.y.shape == size[::-1]
        lips = plate.track.landmarks[3]
        assert lips.min() >= 0 and (lips.max(0) <= size).all()
        box = library.plate(avatar, static=False).track.boxes[0]
        cut = frame_face(whole.shape[1], whole.shape[0], box, size)
        off = np.abs(to_bgr(shown).astype(int) - place(whole, cut, size))
        assert off.mean() < 12, "two ways to scale, and the same picture"
        assert [int(plate.picture(k).y.mean()) for k in (3, 3)] == [int(shown.y.mean())] * 2
    library.close()


def test_a_video_without_a_face_is_cut_in_its_middle() -> None:
    assert frame_face(1000, 500, np.full(4, np.nan, np.float32), (500, 500)) == Cut(
        250, 0, 500, 500
    )


def test_the_preview_of_a_close_face_in_a_narrow_picture(tmp_path: Path) -> None:
    home = tmp_path / "narrow"
    shutil.copytree(FOLDER / "aigul", home, ignore=shutil.ignore_patterns("loop*"))
    still = cv2.imread(str(home / "still.png"))[:, 440:640]
    cv2.imwrite(str(home / "still.png"), still)
    track = aigul((1080, 1920)).track
    boxes = np.float32([[0, 325, 200, 942]])
    save_track(home / "track.npz", cycle_track(boxes, track.landmarks - [440, 0], 25.0))
    data = preview(AvatarLibrary(tmp_path).get("narrow"), 512, True)
    assert cv2.imdecode(np.frombuffer(data, np.uint8), 1).shape == (200, 200, 3)
