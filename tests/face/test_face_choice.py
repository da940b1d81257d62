"""Which face of several, which side up, and what an import has to say about the picture."""

from __future__ import annotations

import math
import shutil
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from app_core.avatars.importing import clip_import
from app_core.avatars.importing.avatar_import import AvatarMetadata, import_avatar
from app_core.avatars.importing.import_job import ImportTools
from app_core.avatars.importing.import_warnings import SENTENCES, described
from app_core.errors import BadInput
from app_core.face.detection import FaceDetection
from app_core.face.face_choice import FaceChoice, read_choice, turned
from app_core.face.flaws import flaws, rivals
from app_core.face.track import load_track
from app_core.media.ffmpeg import find_ffmpeg
from app_core.types import Picture
from tests.faces import FOLDER
from tests.uploads import FINE, HEIGHT, TAGS, WIDTH, BlueFinder, clip, mark, with_face

LARGE, LESS = (20, 20, 40), (100, 40, 24)
"""Left, top and side of two faces of a picture of 160x96."""


class LyingFinder(BlueFinder):
    """Whoever is in a picture that is taller than wide lies on the side, the head to the right."""

    def _sighting(self, blue: np.ndarray, step: int) -> FaceDetection | None:
        seen = super()._sighting(blue, step)
        if seen is None or blue.shape[0] < blue.shape[1]:
            return seen
        middle = (seen.box[:2] + seen.box[2:]) / 2
        away = seen.landmarks - middle
        points = np.stack([-away[:, 1], away[:, 0]], 1) + middle
        return FaceDetection(points, seen.box, 0.0, 0.0, 1.0, roll=math.pi / 2)


class UprightFinder(BlueFinder):
    """Sees nobody in a picture that is taller than wide."""

    sees_turned = False

    def _sighting(self, blue: np.ndarray, step: int) -> FaceDetection | None:
        return super()._sighting(blue, step) if blue.shape[0] < blue.shape[1] else None


def pixels(*faces: tuple[int, int, int]) -> np.ndarray:
    found = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
    for left, top, side in faces:
        found[top : top + side, left : left + side] = (40, 80, 250)
    return found


def photo(path: Path, *faces: tuple[int, int, int], quarters: int = 0, grow: int = 1) -> Path:
    large = pixels(*faces).repeat(grow, 0).repeat(grow, 1)
    Image.fromarray(np.rot90(large, quarters)).save(path, "PNG")
    return path


def video(path: Path, *faces: tuple[int, int, int], lying: bool = False) -> Path:
    """Of 40 pictures; ``lying`` turns them clockwise."""

    def data(index: int) -> np.ndarray:
        picture = mark(index)
        for left, top, side in faces:
            picture = with_face(picture, left + index // 2 * 2, top, side)
        return picture

    upright = clip(path.with_suffix(".up.mov"), map(data, range(40)), coded=[*FINE, *TAGS])
    if not lying:
        return upright.rename(path)
    turning = ["-vf", "transpose=clock", *FINE, *TAGS, "-y", f"file:{path}"]
    find_ffmpeg().run(["-i", f"file:{upright}", *turning])
    return path


class Desk:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.finder = BlueFinder()

    def take(self, source: Path, name: str = "me", **choice: str) -> dict[str, Any]:
        from app_core.avatars.metadata import read_metadata

        home = self.folder / name
        metadata = AvatarMetadata(
            name, name, "", choice=read_choice(choice.get("face"), choice.get("rotate"))
        )
        tools = ImportTools(find_ffmpeg, lambda: self.finder)
        import_avatar(source, home, metadata, tools, lambda *_: None, bool)
        return read_metadata(home)

    def box(self, name: str = "me", track: str = "track.npz") -> list[int]:
        return [round(float(edge)) for edge in load_track(self.folder / name / track).boxes[0]]

    def size(self, name: str = "me") -> tuple[int, int]:
        high, wide = cv2.imread(str(self.folder / name / "still.png")).shape[:2]
        return wide, high


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    (tmp_path / "avatars").mkdir()
    return Desk(tmp_path / "avatars")


def box(left: int, top: int, side: int) -> list[int]:
    return [left, top, left + side, top + side]


# What a form says


def test_a_choice_is_read() -> None:
    assert read_choice(None, None) == read_choice("", "") == FaceChoice()
    assert read_choice("1", "270") == FaceChoice(1, 270)
    assert read_choice("12.5,7", "0") == FaceChoice((12.5, 7.0), 0)
    assert read_choice("12.5,7", "0").metadata == {"face": "12.5,7", "rotate": 0}
    assert FaceChoice().metadata == {}


@pytest.mark.parametrize("face", ["-1", "one", "1.5", "1,", "1,2,3", "nan,1", "\u0661", "123", " "])
def test_a_wrong_face_is_named(face: str) -> None:
    with pytest.raises(BadInput) as raised:
        read_choice(face, None)
    assert raised.value.field == "face"


@pytest.mark.parametrize("rotate", ["45", "-90", "360", "90.0", "left"])
def test_a_wrong_rotation_is_named(rotate: str) -> None:
    with pytest.raises(BadInput, match="90, 180 or 270") as raised:
        read_choice(None, rotate)
    assert raised.value.field == "rotate"


@pytest.mark.parametrize("quarters", range(-3, 4))
def test_a_point_turns_with_its_picture(quarters: int) -> None:
    picture = np.zeros((3, 5))
    picture[1, 4] = 1
    x, y = turned((4.5, 1.5), (5, 3), quarters)
    assert np.rot90(picture, quarters)[int(y), int(x)] == 1


# Several faces


@pytest.mark.parametrize("kind", ["photo", "clip"])
def test_the_largest_speaks_unless_another_is_chosen(desk: Desk, tmp_path: Path, kind: str) -> None:
    make = photo if kind == "photo" else video
    source = make(tmp_path / "two.mov", LARGE, LESS)
    track = "track.npz" if kind == "photo" else "loop.npz"
    metadata = desk.take(source, "largest")
    assert metadata["people"] == 2 and "second_face" in metadata["warnings"]
    assert desk.box("largest", track) == pytest.approx(box(*LARGE), abs=2)
    for number, face in enumerate(("1", "110,50", "159,95", "90,62")):
        desk.take(source, f"n{number}", face=face)
        assert desk.box(f"n{number}", track) == pytest.approx(box(*LESS), abs=2), face
    desk.take(source, "zero", face="0")
    assert desk.box("zero", track) == pytest.approx(box(*LARGE), abs=2)


@pytest.mark.parametrize("kind", ["photo", "clip"])
def test_a_face_that_is_not_there(desk: Desk, tmp_path: Path, kind: str) -> None:
    source = (photo if kind == "photo" else video)(tmp_path / "two.mov", LARGE, LESS)
    for face, words in {"2": "2 faces were found", "200,10": "160x96"}.items():
        with pytest.raises(BadInput, match=words) as raised:
            desk.take(source, face=face)
        assert raised.value.field == "face"
    assert list(desk.folder.iterdir()) == []


def test_another_choice_is_another_import(desk: Desk, tmp_path: Path) -> None:
    source = photo(tmp_path / "two.png", LARGE, LESS)
    desk.take(source, "a")
    desk.take(source, "b", face="1")
    assert desk.finder.asked == 2
    metadata = desk.take(Path(shutil.copy(source, tmp_path / "copy.png")), "c", face="1")
    assert desk.finder.asked == 2
    assert desk.box("c") == box(*LESS)
    assert (metadata["face"], metadata["people"]) == (1, 2)


def test_somebody_small_in_the_background_is_no_second_face(desk: Desk, tmp_path: Path) -> None:
    metadata = desk.take(photo(tmp_path / "a.png", (20, 10, 60), (120, 40, 20)))
    assert "second_face" not in metadata["warnings"] and metadata["people"] == 2


def test_a_point_is_in_pixels_of_the_file(desk: Desk, tmp_path: Path) -> None:
    """Also of one that is brought to a smaller size."""
    source = photo(tmp_path / "large.png", LARGE, LESS, grow=20)
    desk.take(source, face="2200,1000")
    assert desk.size() == (1920, 1152)
    assert desk.box() == box(1200, 480, 288)
    with pytest.raises(BadInput, match="3200x1920"):
        desk.take(source, "other", face="3300,1000")


# Which side is up


def test_a_photo_is_turned_as_asked(desk: Desk, tmp_path: Path) -> None:
    source = photo(tmp_path / "a.png", LARGE, LESS)
    metadata = desk.take(source, rotate="90", face="50,105")
    assert desk.size() == (HEIGHT, WIDTH)
    assert desk.box() == [HEIGHT - 64, 100, HEIGHT - 40, 124]
    assert metadata["rotate"] == 90 and "rotated" not in metadata["warnings"]


def test_a_clip_is_turned_as_asked(desk: Desk, tmp_path: Path) -> None:
    source = video(tmp_path / "a.mov", LARGE, LESS)
    for rotate, size, place in (
        ("0", (WIDTH, HEIGHT), box(*LARGE)),
        ("90", (HEIGHT, WIDTH), [HEIGHT - 60, 20, HEIGHT - 20, 60]),
        ("180", (WIDTH, HEIGHT), [WIDTH - 60, HEIGHT - 60, WIDTH - 20, HEIGHT - 20]),
        ("270", (HEIGHT, WIDTH), [20, WIDTH - 60, 60, WIDTH - 20]),
    ):
        desk.take(source, f"r{rotate}", rotate=rotate)
        assert desk.size(f"r{rotate}") == size
        assert desk.box(f"r{rotate}", "loop.npz") == pytest.approx(place, abs=2)


def test_a_rotation_goes_beyond_what_the_file_says(desk: Desk, tmp_path: Path) -> None:
    source = tmp_path / "a.jpg"
    exif = Image.Exif()
    exif[0x0112] = 6  # to be shown turned clockwise
    lying = Image.fromarray(np.rot90(pixels(LARGE)))
    lying.save(source, "JPEG", exif=exif, quality=95)
    desk.take(source, "shown", rotate="0")
    assert desk.size("shown") == (WIDTH, HEIGHT)
    desk.take(source, "more", rotate="180")
    assert desk.size("more") == (WIDTH, HEIGHT)
    assert desk.box("more") == pytest.approx([100, 36, 140, 76], abs=2)


@pytest.mark.parametrize("finder", [LyingFinder, UprightFinder])
@pytest.mark.parametrize("kind", ["photo", "clip"])
def test_what_lies_on_its_side_is_set_upright(
    desk: Desk, tmp_path: Path, kind: str, finder: type[BlueFinder]
) -> None:
    desk.finder = finder()
    if kind == "photo":
        source = photo(tmp_path / "a.png", LARGE, LESS, quarters=-1)
    else:
        source = video(tmp_path / "a.mov", LARGE, LESS, lying=True)
    metadata = desk.take(source)
    track = "track.npz" if kind == "photo" else "loop.npz"
    assert desk.size() == (WIDTH, HEIGHT)
    assert desk.box(track=track) == pytest.approx(box(*LARGE), abs=2)
    assert {"rotated", "second_face"} <= set(metadata["warnings"])
    desk.take(source, "second", face="1")
    assert desk.box("second", track) == pytest.approx(box(*LESS), abs=2)


def test_a_clip_whose_face_comes_late_is_set_upright_too(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clip_import, "first_pictures", lambda *_, **__: [])
    desk.finder = LyingFinder()
    metadata = desk.take(video(tmp_path / "a.mov", LARGE, lying=True))
    assert desk.size() == (WIDTH, HEIGHT)
    assert desk.box(track="loop.npz") == pytest.approx(box(*LARGE), abs=2)
    assert "rotated" in metadata["warnings"] and metadata["seen"] == 40


def test_whoever_says_how_to_turn_it_is_not_contradicted(desk: Desk, tmp_path: Path) -> None:
    desk.finder = LyingFinder()
    for source in (
        photo(tmp_path / "a.png", LARGE, quarters=-1),
        video(tmp_path / "a.mov", LARGE, lying=True),
    ):
        metadata = desk.take(source, source.suffix[1:], rotate="0")
        assert desk.size(source.suffix[1:]) == (HEIGHT, WIDTH)
        assert "rotated" not in metadata["warnings"]
        assert "sideways" in metadata["warnings"]


class RolledFinder(BlueFinder):
    """Everybody is rolled by so many quarters."""

    def __init__(self, quarters: int, settles: bool = False) -> None:
        """``settles``: those in the left half stand."""
        super().__init__()
        self.quarters, self.settles = quarters, settles

    def _sighting(self, blue: np.ndarray, step: int) -> FaceDetection | None:
        seen = super()._sighting(blue, step)
        if seen is None:
            return None
        middle = (seen.box[:2] + seen.box[2:]) / 2
        if self.settles and middle[0] < WIDTH / 2:
            return seen
        points = seen.landmarks - middle
        for _ in range(self.quarters):
            points = np.stack([-points[:, 1], points[:, 0]], 1)
        roll = self.quarters * math.pi / 2
        return FaceDetection(points + middle, seen.box, 0.0, 0.0, 1.0, roll=roll)


@pytest.mark.parametrize("kind", ["photo", "clip"])
@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_a_face_that_still_lies_is_told(
    desk: Desk, tmp_path: Path, kind: str, quarters: int
) -> None:
    desk.finder = RolledFinder(quarters)
    source = (photo if kind == "photo" else video)(tmp_path / "a.mov", LARGE)
    metadata = desk.take(source, rotate="0")
    lies = {"sideways", "upside_down", "rotated", "was_upside_down"} & set(metadata["warnings"])
    assert lies == {"upside_down" if quarters == 2 else "sideways"}


def test_a_photo_that_was_upside_down_is_told_so(desk: Desk, tmp_path: Path) -> None:
    desk.finder = RolledFinder(2, settles=True)
    metadata = desk.take(photo(tmp_path / "a.png", (100, 36, 40)))
    assert desk.box() == box(20, 20, 40)
    lay = {"sideways", "upside_down", "rotated", "was_upside_down"} & set(metadata["warnings"])
    assert lay == {"was_upside_down"}


class SideFinder(BlueFinder):
    """Ranks the faces of a clip's pictures by another rule than those of its first look."""

    def next(self, picture: Picture) -> FaceDetection | None:
        faces = self._sightings(picture.u > 180, 2)
        if self.near is None:
            return max(faces, key=lambda face: float(face.box[0]), default=None)
        return super().next(picture)


def test_the_first_face_is_the_one_that_speaks_also_of_equals(desk: Desk, tmp_path: Path) -> None:
    desk.finder = SideFinder()
    source = video(tmp_path / "two.mov", (20, 20, 32), (90, 40, 30))
    desk.take(source, "largest")
    desk.take(source, "zero", face="0")
    desk.take(source, "one", face="1")
    places = {name: desk.box(name, "loop.npz") for name in ("largest", "zero", "one")}
    assert places["largest"] == places["zero"] == pytest.approx(box(20, 20, 32), abs=2)
    assert places["one"] == pytest.approx(box(90, 40, 30), abs=2)


def test_no_two_numbers_are_one_face(desk: Desk, tmp_path: Path) -> None:
    """Though the largest of the first picture, where another is hidden, is so no more later."""

    def data(index: int) -> np.ndarray:
        picture = with_face(mark(index), 20, 20, 32)
        return picture if index < 8 else with_face(picture, 90, 30, 36)

    source = clip(tmp_path / "two.mov", map(data, range(80)), coded=[*FINE, *TAGS])
    for face in ("0", "1"):
        desk.take(source, f"n{face}", face=face)
    tracks = [load_track(desk.folder / f"n{face}" / "loop.npz") for face in ("0", "1")]
    assert tracks[0].boxes[40] == pytest.approx(box(90, 30, 36), abs=2)
    assert tracks[1].boxes[40] == pytest.approx(box(20, 20, 32), abs=2)


# What is wrong with the picture


@pytest.fixture(scope="module")
def drawn() -> tuple[np.ndarray, np.ndarray]:
    still = cv2.imread(str(FOLDER / "aigul" / "still.png"))
    return still, load_track(FOLDER / "aigul" / "track.npz").boxes[0]


def test_a_good_picture_has_no_flaws(drawn: Any) -> None:
    assert flaws(*drawn, 0.0) == []
    assert flaws(*drawn, math.radians(24)) == []


def test_each_flaw_is_seen_alone(drawn: Any) -> None:
    still, where = drawn
    wide = float(where[2] - where[0])
    assert flaws((still * 0.2).astype(np.uint8), where, 0.0) == ["dark"]
    assert flaws(cv2.GaussianBlur(still, (0, 0), 0.02 * wide), where, 0.0) == ["blurred"]
    assert flaws(still, where, -math.radians(26)) == ["turned"]
    scale = 60 / wide
    small = cv2.resize(still, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    assert flaws(small, where * scale, 0.0) == ["small"]


@pytest.mark.parametrize("edges", [(-50, -50, 30, 30), (1070, 1900, 1200, 2000), (5, 5, 5, 5)])
def test_a_face_at_the_edge_breaks_nothing(drawn: Any, edges: tuple[int, ...]) -> None:
    flaws(drawn[0], np.float32(edges), 0.0)


def test_rivals_are_told_by_their_size() -> None:
    def face(size: float) -> FaceDetection:
        return FaceDetection(np.zeros((1, 2), np.float32), np.float32([0, 0, size, size]), 0, 0, 1)

    main = face(100)
    assert rivals(main, [main, face(41), face(200), face(39)]) == 2
    assert rivals(main, [main]) == 0


def test_every_warning_has_a_sentence() -> None:
    told = described([*SENTENCES, "of another version"])
    assert [warning["code"] for warning in told] == list(SENTENCES)
    assert all(warning["sentence"].endswith(".") for warning in told)
