"""process(face_path, ...) for any photo, any clip and any avatar."""

from __future__ import annotations

import shutil
import threading
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from app_core.avatars.importing import face_paths as faces
from app_core.avatars.library import AvatarLibrary
from app_core.config import Config
from app_core.errors import BadInput, Cancelled, Conflict, NoFace, NotFound
from app_core.media.decoder import ClipFootage
from app_core.media.ffmpeg import find_ffmpeg
from tests.conftest import until
from tests.faces import FOLDER
from tests.importing import GOOD, SIZE, Importer, make_still_avatar
from tests.uploads import clip

Make = Callable[..., Any]


@pytest.fixture
def make(make_service: Make, folder: Path, importer: Importer, tmp_path: Path) -> Make:
    def made(models: Path | None = None, **parts: Any) -> Any:
        config = Config(
            avatar="aigul",
            avatar_dir=folder,
            work_dir=tmp_path / "work",
            sway=False,
            models_dir=models or tmp_path / "models",
        )
        library = AvatarLibrary(folder, 200, ClipFootage(find_ffmpeg))
        return make_service(config=config, library=library, **({"importer": importer} | parts))

    return made


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    path = tmp_path / "speech.wav"
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(16000)
        out.writeframes(b"\0\1" * 8000)
    return path


def given(folder: Path) -> Path:
    """What the stand-in imports."""
    path = folder / "me.jpg"
    path.write_bytes(GOOD)
    return path


def photo(path: Path) -> Path:
    """The drawn face as a JPEG of somebody's."""
    path.parent.mkdir(parents=True, exist_ok=True)
    still = cv2.imread(str(FOLDER / "aigul" / "still.png"))
    half = cv2.resize(still, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    cv2.imwrite(str(path), half)
    return path


def film(path: Path) -> Path:
    """A second and more of the drawn face, which moves to the right."""
    still = cv2.imread(str(FOLDER / "aigul" / "still.png"))
    small = cv2.resize(still, (360, 640), interpolation=cv2.INTER_AREA)
    pictures = []
    for index in range(30):
        moved = np.roll(small, 2 * index, 1)
        pictures.append(cv2.cvtColor(moved, cv2.COLOR_BGR2YUV_I420))
    return clip(path, pictures, size=(360, 640))


def process(service: Any, face: Any, sound: Path, **more: Any) -> list[np.ndarray]:
    seen: list[np.ndarray] = []
    service.process(face, sound, frame_sink=seen.append, **more)
    return seen


@pytest.mark.parametrize("finder", ["networks", "cascade"])
def test_the_documents_own_snippet(
    make: Make, tmp_path: Path, sound: Path, finder: str, request: pytest.FixtureRequest
) -> None:
    models = request.getfixturevalue("models") if finder == "networks" else None
    service = make(models, importer=None)
    avatar_image = photo(tmp_path / "elsewhere" / "me.jpg")
    frames: list[np.ndarray] = []
    service.process(
        face_path=str(avatar_image),
        audio_path=str(sound),
        output_path=None,
        static=True,
        frame_sink=frames.append,
        batch_size_override=32,
    )
    assert len(frames) == 13
    assert frames[0].shape == (960, 540, 3)
    assert service.library.ids() == ["aigul"], "it is no avatar of its own"


@pytest.mark.parametrize("finder", ["networks", "cascade"])
def test_a_clip_moves_and_its_still_does_not(
    make: Make, tmp_path: Path, sound: Path, finder: str, request: pytest.FixtureRequest
) -> None:
    models = request.getfixturevalue("models") if finder == "networks" else None
    service = make(models, importer=None)
    path = film(tmp_path / "me.mp4")
    moving = process(service, path, sound, static=False)
    assert moving[0].shape == (640, 360, 3)
    assert np.abs(moving[12].astype(int) - moving[2]).mean() > 3
    still = process(service, path, sound, static=True)
    assert np.abs(still[12].astype(int) - still[2]).mean() < 0.5


def test_an_avatar_by_its_id_its_folder_and_a_file_in_it(
    make: Make, folder: Path, sound: Path, importer: Importer, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = make()
    for face in ("aigul", folder / "aigul", str(folder / "aigul" / "still.png")):
        assert process(service, face, sound)[0].shape == (SIZE[1], SIZE[0], 3)
    monkeypatch.chdir(folder)
    shutil.copytree(folder / "aigul", folder / "local")
    assert len(process(service, "local", sound)) == 13
    assert importer.began == []


def test_the_second_time_is_free(
    make: Make, importer: Importer, tmp_path: Path, sound: Path
) -> None:
    path = given(tmp_path)
    service = make()
    process(service, path, sound)
    process(service, path, sound)
    importer.gate.clear()  # an import would not end
    copy = Path(shutil.copy(path, tmp_path / "another name.jpg"))
    process(service, copy, sound)
    service.close()
    process(make(), copy, sound)
    assert len(importer.began) == 1


def test_content_that_is_known_waits_for_no_other_import(
    make: Make, importer: Importer, tmp_path: Path, sound: Path
) -> None:
    path = given(tmp_path)
    first = make()
    process(first, path, sound)
    first.close()
    service = make()
    importer.gate.clear()
    with service.avatars.upload() as upload:
        upload.place().write_bytes(b"long")
        item = service.avatars.add(upload, "long")
    assert until(lambda: item.stage == "faces")
    assert len(process(service, path, sound)) == 13
    importer.gate.set()
    assert item.ended.wait(5)


@pytest.mark.parametrize(
    ("content", "error"), [(b"nobody", NoFace), (b"broken", BadInput), (b"", BadInput)]
)
def test_what_cannot_speak_is_named(
    make: Make, tmp_path: Path, sound: Path, content: bytes, error: type[BadInput]
) -> None:
    path = tmp_path / "grass.jpg"
    path.write_bytes(content)
    service = make(**({} if content else {"importer": None}))
    for _ in range(2):
        with pytest.raises(error, match=r"grass\.jpg") as raised:
            process(service, path, sound)
        assert type(raised.value) is error and raised.value.field == "face_path"


def test_a_file_that_may_not_be_read_is_named(
    make: Make, tmp_path: Path, sound: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> str:
        raise PermissionError(13, "Permission denied")

    path = given(tmp_path)
    service = make()
    monkeypatch.setattr(faces, "content_of", refuse)
    with pytest.raises(BadInput, match=r"me\.jpg: .*Permission denied") as raised:
        process(service, path, sound)
    assert raised.value.field == "face_path"


def test_what_another_server_imports_meanwhile_is_taken(
    make: Make, tmp_path: Path, sound: Path
) -> None:
    path = given(tmp_path)

    def late(item: Any, home: Path) -> None:
        make_still_avatar(home)
        raise Conflict("There is an avatar with this id")

    assert len(process(make(importer=late), path, sound)) == 13


@pytest.mark.parametrize("face", ["nobody", "nowhere/me.jpg", "empty"])
def test_what_is_not_there_is_named(
    make: Make, tmp_path: Path, sound: Path, face: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(NotFound, match=face) as raised:
        process(make(), face, sound)
    assert raised.value.field == "face_path"


def test_a_photo_that_changes_is_another(
    make: Make, importer: Importer, tmp_path: Path, sound: Path
) -> None:
    path = given(tmp_path)
    service = make()
    process(service, path, sound)
    path.write_bytes(b"somebody else")
    process(service, path, sound)
    assert len(importer.began) == 2


def test_an_import_that_is_gone_from_the_disk_is_made_again(
    make: Make, importer: Importer, folder: Path, tmp_path: Path, sound: Path
) -> None:
    path = given(tmp_path)
    service = make()
    process(service, path, sound)
    shutil.rmtree(folder / ".imports")
    process(service, path, sound)
    assert len(importer.began) == 2


def test_whoever_waits_is_told_of_the_end(
    make: Make, importer: Importer, tmp_path: Path, sound: Path
) -> None:
    path = given(tmp_path)
    service = make()
    importer.gate.clear()
    raised: list[BaseException] = []

    def run() -> None:
        try:
            process(service, path, sound)
        except Cancelled as error:
            raised.append(error)

    waiting = threading.Thread(target=run)
    waiting.start()
    assert until(lambda: importer.began)
    service.close()
    waiting.join(5)
    assert not waiting.is_alive() and len(raised) == 1


def test_where_avatars_cannot_be_written_imports_lie_beside_the_work(
    make: Make,
    folder: Path,
    tmp_path: Path,
    sound: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    real = Path.mkdir

    def mkdir(self: Path, *args: Any, **more: Any) -> None:
        if folder in self.parents:
            raise OSError(30, "Read-only file system", str(self))
        real(self, *args, **more)

    monkeypatch.setattr(Path, "mkdir", mkdir)
    path = given(tmp_path)
    service = make()
    process(service, path, sound)
    (home,) = (tmp_path / "work").glob("soyle-imports-*/*")
    assert (home / "still.png").is_file()
    assert caplog.text.count("cannot be written") == 1
    service.close()
    assert home.is_dir(), "it is there at the next start"


def test_imports_that_nobody_names_any_more_go(
    make: Make, folder: Path, tmp_path: Path, sound: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(faces, "KEPT", 2)
    monkeypatch.setattr(faces, "UNUSED_S", -1.0)
    for number in range(6):
        path = tmp_path / f"{number}.jpg"
        path.write_bytes(GOOD + bytes([number]))
        service = make()
        process(service, path, sound)
        service.close()
    assert len(list((folder / ".imports").iterdir())) == 3, "the newest, and two more"


def test_a_file_that_goes_meanwhile_is_named(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = make()
    path = given(tmp_path)

    def goes(path: Path) -> tuple[int, int]:
        raise FileNotFoundError(2, "No such file or directory", str(path))

    monkeypatch.setattr(faces, "stamp_of", goes)
    with pytest.raises(BadInput, match=r"me\.jpg: The file changed or went") as refused:
        service.faces.at(path)
    assert refused.value.field == "face_path"
