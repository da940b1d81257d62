from __future__ import annotations

import shutil
import threading
from pathlib import Path

import cv2
import numpy as np
import pytest

from app_core.avatars.library import AvatarLibrary
from app_core.avatars.still_plate import StillPlate
from app_core.errors import BadInput, NotFound
from app_core.landmarks import POINTS
from tests.faces import FOLDER


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(FOLDER / "aigul", tmp_path / "aigul")
    return tmp_path


def test_the_embedded_avatar_is_there() -> None:
    library = AvatarLibrary(FOLDER)
    assert "aigul" in library.ids()
    avatar = library.get("aigul")
    assert (avatar.name, avatar.width, avatar.height) == ("Aigul", 1080, 1920)


@pytest.mark.parametrize("wrong", ["", "..", "../aigul", "aigul/", "Aigul", "a" * 65, "nobody"])
def test_an_unknown_avatar_names_those_there_are(wrong: str) -> None:
    with pytest.raises(NotFound, match="aigul") as caught:
        AvatarLibrary(FOLDER).get(wrong)
    assert caught.value.field == "avatar"


def test_no_folder_is_no_avatars(tmp_path: Path) -> None:
    library = AvatarLibrary(tmp_path / "nowhere")
    assert library.ids() == []
    with pytest.raises(NotFound, match="none"):
        library.get("aigul")


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("avatar.toml", b"name = "),
        ("avatar.toml", b"licence = 'MIT'"),
        ("avatar.toml", b"name = 'x'\ngains = 3"),
        ("avatar.toml", b"name = 'x'\n[gains]\njaw = 'wide'"),
        ("avatar.toml", b"\xff\xfe"),
        ("still.png", b"GIF89a"),
        ("still.png", b""),
    ],
)
def test_a_broken_avatar_says_so(folder: Path, file: str, content: bytes) -> None:
    (folder / "aigul" / file).write_bytes(content)
    with pytest.raises(BadInput, match="aigul is broken"):
        AvatarLibrary(folder).get("aigul")


def test_a_damaged_picture_says_so(folder: Path) -> None:
    still = folder / "aigul" / "still.png"
    still.write_bytes(still.read_bytes()[:60])
    library = AvatarLibrary(folder)
    with pytest.raises(BadInput, match="aigul is broken"):
        library.plate(library.get("aigul"))


def test_a_lost_track_says_so(folder: Path) -> None:
    library = AvatarLibrary(folder)
    (folder / "aigul" / "track.npz").unlink()
    with pytest.raises(BadInput, match="aigul is broken"):
        library.plate(library.get("aigul"))


def test_gains_come_from_the_card(folder: Path) -> None:
    (folder / "aigul" / "avatar.toml").write_text("name = 'x'\n[gains]\njaw = 0.5\nopen = 1.5\n")
    library = AvatarLibrary(folder)
    plate = library.plate(library.get("aigul"), (128, 128))
    assert (plate.jaw_gain, plate.open_gain) == (0.5, 1.5)


def test_a_plate_is_made_once_and_again_when_the_files_change(folder: Path) -> None:
    library = AvatarLibrary(folder)
    avatar = library.get("aigul")
    plate = library.plate(avatar, (128, 128))
    assert library.plate(avatar, (128, 128)) is plate
    assert library.plate(avatar, (128, 128), static=False) is plate
    assert library.plate(avatar, (128, 128), sway=False) is not plate
    assert library.plate(avatar, (130, 128)) is not plate
    still = folder / "aigul" / "still.png"
    pixels = cv2.imread(str(still))
    assert cv2.imwrite(str(still), pixels[:, ::-1])
    assert library.plate(avatar, (128, 128)) is not plate


def test_threads_that_ask_together_get_one_plate(folder: Path) -> None:
    library = AvatarLibrary(folder)
    avatar = library.get("aigul")
    start = threading.Barrier(4)
    plates: list[StillPlate] = []

    def ask() -> None:
        start.wait(5)
        plates.append(library.plate(avatar, (160, 160)))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(plates) == 4
    assert len({id(plate) for plate in plates}) == 1


def test_kept_pictures_stay_within_their_room(folder: Path) -> None:
    one = 250 * 128 * 128 * 3 // 2
    library = AvatarLibrary(folder, picture_cache_mb=2.5 * one / 2**20)
    avatar = library.get("aigul")
    first, second = (library.plate(avatar, size) for size in ((128, 128), (126, 128)))
    assert first.keep and second.keep
    library.plate(avatar, (128, 128))
    third = library.plate(avatar, (128, 126))
    assert (first.keep, second.keep, third.keep) == (True, False, True)
    big = library.plate(avatar, (512, 512))
    assert not big.keep
    assert first.keep and third.keep
    assert big.picture(3).width == 512


@pytest.mark.parametrize("size", [(128, 128), (270, 480), (480, 270), (1080, 1920), (720, 720)])
def test_any_size_frames_the_face(size: tuple[int, int]) -> None:
    library = AvatarLibrary(FOLDER)
    plate = library.plate(library.get("aigul"), size, sway=False)
    picture = plate.picture(0)
    assert (picture.width, picture.height) == (plate.width, plate.height) == size
    assert picture.u.shape == picture.v.shape == (size[1] // 2, size[0] // 2)
    lips = plate.track.landmarks[0, POINTS["lip_upper_outer"]]
    assert (lips > 0).all() and (lips < size).all()
    left, right = plate.track.boxes[0, [0, 2]]
    assert (left + right) / 2 == pytest.approx(size[0] / 2, rel=0.03)
    if size[0] <= size[1]:
        assert left > 0 and right < size[0]


def test_the_points_lie_on_the_picture_at_every_size() -> None:
    """The line between the lips is the darkest across the mouth, and the track knows where."""
    library = AvatarLibrary(FOLDER)
    for size in ((360, 360), (270, 480), (1080, 1920)):
        plate = library.plate(library.get("aigul"), size, sway=False)
        seam = plate.track.landmarks[0, POINTS["lip_upper_inner"]][8]
        reach = max(3, size[1] // 80)
        column = plate.picture(0).y[int(seam[1]) - reach : int(seam[1]) + reach + 1, int(seam[0])]
        found = int(np.argmin(column)) - reach + int(seam[1]) + 0.5
        assert found == pytest.approx(seam[1], abs=max(1.5, size[1] / 400))
