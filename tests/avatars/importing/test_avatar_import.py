from __future__ import annotations

import errno
import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from app_core.avatars.importing import clip_import, import_job
from app_core.avatars.importing import twin as avatar_twin
from app_core.avatars.importing.avatar_folder import discard_leftovers
from app_core.avatars.importing.avatar_import import (
    AvatarMetadata,
    import_avatar,
)
from app_core.avatars.importing.import_job import ImportTools
from app_core.avatars.importing.import_queue import Import
from app_core.avatars.importing.importer import import_work
from app_core.avatars.library import AvatarLibrary
from app_core.avatars.metadata import read_metadata
from app_core.config import ROOT, Config
from app_core.errors import (
    BadInput,
    Cancelled,
    Conflict,
    DiskFull,
    FfmpegFailed,
    FileChanged,
    NoFace,
    SoyleError,
    TooLarge,
    UnsupportedMedia,
)
from app_core.face.finder import find_finder
from app_core.face.track import load_track, save_track
from app_core.lipsync.viseme.model import VisemeModel
from app_core.media.decoder import ClipFootage
from app_core.media.ffmpeg import find_ffmpeg
from app_core.media.ingest.limits import IngestLimits
from app_core.types import MouthTask
from tests.clips import children
from tests.faces import FOLDER
from tests.uploads import FINE, HEIGHT, TAGS, WIDTH, BlueFinder, clip, decoded, mark, with_face

SIDE = 40
WHEN = "2026-11-21T12:00:00+00:00"


def photo(path: Path, turn: int = 0) -> Path:
    """A blue face at (60, 20) of a grey picture of 160x96."""
    pixels = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
    pixels[20 : 20 + SIDE, 60 : 60 + SIDE] = (40, 80, 250)
    Image.fromarray(np.rot90(pixels, turn)).save(path, "PNG")
    return path


def left(index: int) -> int:
    return 20 + 2 * index


def video(path: Path, faceless: range = range(0)) -> Path:
    """A blue face that goes to the right in 40 pictures."""

    def data(index: int) -> np.ndarray:
        picture = mark(index)
        return picture if index in faceless else with_face(picture, left(index), 40, SIDE)

    return clip(path, map(data, range(40)), coded=[*FINE, *TAGS])


class Desk:
    """Imports into a folder of avatars, and what was heard of their progress."""

    def __init__(self, folder: Path) -> None:
        self.avatars, self.finder = folder, BlueFinder()
        self.heard: list[tuple[str, float]] = []
        self.limits = IngestLimits()
        self.stop: Callable[[], bool] = bool

    def take(self, source: Path, name: str = "me") -> Path:
        home = self.avatars / name
        tools = ImportTools(find_ffmpeg, lambda: self.finder, self.limits)
        import_avatar(
            source,
            home,
            AvatarMetadata(name, "Me, myself", WHEN, jaw=1.25),
            tools,
            lambda stage, done: self.heard.append((stage, done)),
            lambda: self.stop(),
        )
        return home

    def left(self) -> list[str]:
        return sorted(entry.name for entry in self.avatars.iterdir())

    def library(self) -> AvatarLibrary:
        return AvatarLibrary(self.avatars, footage=ClipFootage(find_ffmpeg))


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    folder = tmp_path / "avatars"
    folder.mkdir()
    return Desk(folder)


def test_a_photo_becomes_an_avatar(desk: Desk, tmp_path: Path) -> None:
    source = photo(tmp_path / "upload")
    home = desk.take(source)
    assert desk.left() == ["me"]
    assert sorted(p.name for p in home.iterdir()) == [*("avatar.toml", "still.png", "track.npz")]
    metadata = read_metadata(home)
    sha256 = hashlib.sha256(source.read_bytes()).hexdigest()
    assert metadata["gains"] == {"jaw": 1.25, "open": 1.0}
    told = {name: metadata[name] for name in ("name", "kind", "finder", "sha256", "consent")}
    assert told == {
        "name": "Me, myself",
        "kind": "photo",
        "finder": "blue",
        "sha256": sha256,
        "consent": WHEN,
    }
    assert (metadata["pictures"], metadata["seen"]) == (1, 1)
    track = load_track(home / "track.npz")
    assert track.boxes.tolist() == [[60, 20, 100, 60]] and track.strength.tolist() == [1]
    plate = desk.library().plate(desk.library().get("me"), (128, 128))
    assert len(plate.track.boxes) > 100, "it breathes and sways"
    assert desk.heard == sorted(desk.heard, key=lambda heard: heard[1])
    assert [desk.heard[0], desk.heard[-1]] == [("reading", 0.0), ("faces", 1.0)]


def test_a_clip_becomes_an_avatar(desk: Desk, tmp_path: Path) -> None:
    home = desk.take(video(tmp_path / "photo.jpg.mov"))
    names = {"avatar.toml", "still.png", "track.npz", "loop.mp4", "loop.npz"}
    assert {path.name for path in home.iterdir()} == names
    metadata = read_metadata(home)
    assert (metadata["kind"], metadata["pictures"], metadata["seen"]) == ("clip", 40, 40)
    assert "cut_off" not in metadata
    track = load_track(home / "loop.npz")
    expected = [*range(40), *range(38, 0, -1)]
    assert len(decoded(home / "loop.mp4")) == len(track.boxes) == len(expected)
    assert track.fps == 25
    assert np.abs(track.boxes[:, 0] - [left(index) for index in expected]).max() < 1.5
    assert np.allclose(track.boxes[40:], track.boxes[38:0:-1]), "the way back is the way there"
    avatar = desk.library().get("me")
    assert (avatar.width, avatar.height, avatar.clip) == (WIDTH, HEIGHT, home / "loop.mp4")
    still, row = cv2.imread(str(home / "still.png")), load_track(home / "track.npz")
    assert len(row.boxes) == 1
    middle = int(row.boxes[0, [0, 2]].mean())
    blue, _, red = still[60, middle].tolist()
    assert blue > red + 60, "the points lie where the still has its face"
    stages = list(dict.fromkeys(stage for stage, _ in desk.heard))
    assert stages == ["reading", "video", "faces", "cycle"]
    parts = [done for _, done in desk.heard]
    assert parts == sorted(parts) and parts[-1] == 1


def test_each_picture_is_looked_at_once(desk: Desk, tmp_path: Path) -> None:
    desk.take(video(tmp_path / "a.mov"))
    assert desk.finder.followed == 40
    assert 0 < desk.finder.asked <= 8, "a few are looked at before"


def test_pictures_without_a_face_pass_untouched(desk: Desk, tmp_path: Path) -> None:
    away = range(12, 30)
    home = desk.take(video(tmp_path / "a.mov", faceless=away))
    assert read_metadata(home)["seen"] == 40 - len(away)
    library = desk.library()
    plate = library.plate(library.get("me"), static=False)
    lost = np.isnan(plate.track.boxes).any(1)
    assert lost[15] and lost[65] and not lost[5], "also on the way back"
    assert (plate.track.strength[lost] == 0).all() and plate.track.strength[0] == 1
    model = VisemeModel()
    face = model.open(plate)
    frame_source = plate.frame_source()
    try:
        for index in (15, 65):
            picture = frame_source.picture(index)
            task = MouthTask("job", index, index, face, np.ones(8, np.float32) * 0.7)
            drawn = model.apply(face, picture, model.draw([task])[0])
            assert np.array_equal(drawn.y, picture.y) and np.array_equal(drawn.u, picture.u)
    finally:
        frame_source.close()
        library.close()


@pytest.mark.parametrize("kind", ["photo", "clip"])
def test_no_face_anywhere(kind: str, desk: Desk, tmp_path: Path) -> None:
    source = tmp_path / "a"
    if kind == "photo":
        Image.new("RGB", (100, 100), (90, 90, 90)).save(source, "PNG")
    else:
        video(tmp_path / "a.mov", faceless=range(40)).rename(source)
    with pytest.raises(NoFace, match=f"No face was found in the {kind}") as raised:
        desk.take(source)
    error = raised.value
    assert (error.status, error.code, error.field) == (400, "no_face", "file")
    assert desk.left() == []


@pytest.mark.parametrize("turn", [1, 2, 3])
def test_a_photo_that_lies_on_its_side_is_set_upright(
    turn: int, desk: Desk, tmp_path: Path
) -> None:
    """By the roll of its face, when nothing else tells."""
    source = photo(tmp_path / "a.png", turn)
    find = desk.finder.faces

    def rolled(rgb: np.ndarray) -> Any:
        upright = rgb.shape[:2] == (HEIGHT, WIDTH) and rgb[25, 65, 2] > 200
        from dataclasses import replace

        roll = 0.1 if upright else -turn * np.pi / 2 + 0.1
        return [replace(seen, roll=roll) for seen in find(rgb)]

    desk.finder.faces = rolled  # type: ignore[method-assign]
    home = desk.take(source)
    assert cv2.imread(str(home / "still.png")).shape == (HEIGHT, WIDTH, 3)
    assert load_track(home / "track.npz").boxes.tolist() == [[60, 20, 100, 60]]
    lay = {"rotated", "was_upside_down", "sideways", "upside_down"}
    lay &= set(read_metadata(home)["warnings"])
    assert lay == {"was_upside_down" if turn == 2 else "rotated"}


def test_the_same_bytes_are_not_worked_on_twice(desk: Desk, tmp_path: Path) -> None:
    source = video(tmp_path / "a.mov")
    first = desk.take(source)
    copy = Path(shutil.copy(source, tmp_path / "b.mp4"))
    second = desk.take(copy, "again")
    assert desk.finder.followed == 40
    for name in ("still.png", "track.npz", "loop.mp4", "loop.npz"):
        assert (first / name).read_bytes() == (second / name).read_bytes()
    assert read_metadata(first) == read_metadata(second)
    shutil.rmtree(first)
    assert desk.library().plate(desk.library().get("again"), static=False).width == WIDTH


def test_work_is_not_taken_again_when_it_would_differ(desk: Desk, tmp_path: Path) -> None:
    source = photo(tmp_path / "a.png")
    first = desk.take(source)
    desk.finder = BlueFinder("better")
    assert read_metadata(desk.take(source, "two"))["finder"] == "better"
    assert desk.finder.asked == 1
    shutil.rmtree(desk.avatars / "two")
    desk.finder = BlueFinder()
    track = load_track(first / "track.npz")
    moved = type(track)(track.boxes, track.landmarks + 1, track.fps, track.strength)
    save_track(first / "track.npz", moved)
    third = desk.take(source, "three")
    assert desk.finder.asked == 1, "a hand has moved the points of the first"
    assert np.array_equal(load_track(third / "track.npz").landmarks, track.landmarks)
    desk.limits = IngestLimits(max_pixels=1000)
    with pytest.raises(TooLarge):
        desk.take(source, "four")


def test_a_twin_that_is_being_removed_is_passed_over(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = photo(tmp_path / "a.png")
    first = desk.take(source)
    link = avatar_twin.link

    def gone(origin: Path, target: Path) -> None:
        if origin == first / "still.png":
            raise FileNotFoundError(origin)
        link(origin, target)

    monkeypatch.setattr(avatar_twin, "link", gone)
    assert desk.take(source, "two") and desk.finder.asked == 2


def test_a_name_that_is_taken_stays_as_it_is(desk: Desk, tmp_path: Path) -> None:
    home = desk.take(photo(tmp_path / "a.png"))
    before = (home / "avatar.toml").read_bytes()
    with pytest.raises(Conflict):
        desk.take(photo(tmp_path / "b.png"))
    assert (home / "avatar.toml").read_bytes() == before

    def meanwhile() -> bool:
        (desk.avatars / "late").mkdir(exist_ok=True)
        (desk.avatars / "late" / "file").touch()
        return False

    desk.stop = meanwhile
    with pytest.raises(Conflict):
        desk.take(photo(tmp_path / "c.png"), "late")
    assert desk.left() == ["late", "me"]


@pytest.mark.parametrize("after", ["reading", "video", "faces", "cycle"])
def test_cancel_leaves_nothing_at_any_stage(after: str, desk: Desk, tmp_path: Path) -> None:
    desk.stop = lambda: any(stage == after for stage, _ in desk.heard)
    with pytest.raises(Cancelled):
        desk.take(video(tmp_path / "a.mov"))
    assert desk.left() == [] and children("ffmpeg") == []


def test_a_full_disk_is_told_and_leaves_nothing(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    for module in (import_job, clip_import):
        monkeypatch.setattr(module, "save_track", full)
    for source in (photo(tmp_path / "a.png"), video(tmp_path / "a.mov")):
        with pytest.raises(DiskFull):
            desk.take(source)
        assert desk.left() == []


@pytest.mark.parametrize("code", [errno.EACCES, errno.EROFS])
def test_a_folder_that_cannot_be_written_is_told_without_its_path(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise OSError(code, "refused", str(desk.avatars))

    source = photo(tmp_path / "a.png")
    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(SoyleError, match="AVATAR_DIR") as raised:
        desk.take(source)
    assert str(tmp_path) not in str(raised.value)


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"", BadInput),
        (b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n", UnsupportedMedia),
        (b"ffconcat version 1.0\nfile /etc/passwd\n", UnsupportedMedia),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", UnsupportedMedia),
        (b"\xff\xd8\xff\xe0 no picture", BadInput),
        (b"\0\0\0\x18ftypisom no clip", BadInput),
        (b"\x1a\x45\xdf\xa3 no clip", BadInput),
    ],
)
def test_bad_uploads_are_refused_and_leave_nothing(
    content: bytes, error: type[BadInput], desk: Desk, tmp_path: Path
) -> None:
    source = tmp_path / "upload.mp4"
    source.write_bytes(content)
    with pytest.raises(error) as raised:
        desk.take(source)
    assert type(raised.value) is error and raised.value.field == "file"
    assert 400 <= raised.value.status < 500
    assert "/" not in str(raised.value), "no path of the server is told"
    assert desk.left() == [] and desk.finder.asked == 0


def test_a_clip_cut_off_says_so_in_its_card(desk: Desk, tmp_path: Path) -> None:
    pictures = [with_face(mark(index), 20 + index, 40, SIDE) for index in range(90)]
    indexed = [*FINE, *TAGS, "-movflags", "+faststart"]
    source = clip(tmp_path / "a.mp4", pictures, coded=indexed)
    source.write_bytes(source.read_bytes()[: int(source.stat().st_size * 0.7)])
    metadata = read_metadata(desk.take(source))
    assert "truncated" in metadata["warnings"]
    assert metadata["cut_off"] is True and 25 <= metadata["pictures"] < 80


def test_without_ffmpeg_photos_still_come_in(desk: Desk, tmp_path: Path) -> None:
    def none() -> Any:
        raise FfmpegFailed("No usable ffmpeg was found")

    tools = ImportTools(none, lambda: desk.finder)
    metadata = AvatarMetadata("me", "Me", WHEN)
    import_avatar(
        photo(tmp_path / "a.png"), desk.avatars / "me", metadata, tools, lambda *_: None, bool
    )
    with pytest.raises(FfmpegFailed):
        import_avatar(
            video(tmp_path / "a.mov"), desk.avatars / "two", metadata, tools, lambda *_: None, bool
        )
    assert desk.left() == ["me"]


def test_who_added_a_face_stands_in_its_metadata(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app_core.face.finder.find_finder", lambda _: desk.finder)
    work = import_work(Config(avatar_dir=desk.avatars), find_ffmpeg)
    source = photo(tmp_path / "a.png")
    for name, owner in (("hers", "token anna"), ("own", "")):
        home = desk.avatars / name
        work(Import(name, name, WHEN, source, owner=owner), home)
        assert read_metadata(home).get("owner", "") == owner


def test_what_a_killed_server_left_is_removed(desk: Desk, tmp_path: Path) -> None:
    home = desk.take(photo(tmp_path / "a.png"))
    (desk.avatars / ".two.part-12345678").mkdir()
    (desk.avatars / ".two.part-12345678" / "forward.mp4").touch()
    discard_leftovers(desk.avatars)
    assert desk.left() == ["me"] and (home / "still.png").is_file()


def test_the_drawn_face_is_found_by_the_real_models(tmp_path: Path) -> None:
    models = ROOT / "models"
    if not list((models / "face").glob("*.tflite")):
        pytest.skip("the face models are not here: python app.py models pull face")
    home = tmp_path / "me"
    tools = ImportTools(find_ffmpeg, lambda: find_finder(models))
    still = FOLDER / "aigul" / "still.png"
    import_avatar(still, home, AvatarMetadata("me", "Me", WHEN), tools, lambda *_: None, bool)
    own, found = load_track(FOLDER / "aigul" / "track.npz"), load_track(home / "track.npz")
    off = np.hypot(*(own.landmarks[0] - found.landmarks[0]).T)
    assert np.median(off) < 0.15 * (own.boxes[0, 2] - own.boxes[0, 0])


@pytest.mark.parametrize("when", ["before", "while it is looked at"])
@pytest.mark.parametrize("make", [photo, video])
def test_a_file_that_goes_meanwhile_is_said_to_have_gone(
    desk: Desk, tmp_path: Path, when: str, make: Callable[[Path], Path]
) -> None:
    source = make(tmp_path / "a.mov")
    find = desk.finder.faces

    def goes(rgb: np.ndarray) -> Any:
        source.unlink(missing_ok=True)
        return find(rgb)

    if when == "before":
        source.unlink()
    desk.finder.faces = goes  # type: ignore[method-assign]
    with pytest.raises(FileChanged, match="changed or went while it was read") as refused:
        desk.take(source)
    assert (refused.value.status, refused.value.field) == (400, "file")
    assert desk.left() == []
