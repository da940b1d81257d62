"""What an uploaded photo says beside its face is kept nowhere, and a removal leaves no trace."""

from __future__ import annotations

import gc
import io
import logging
import threading
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from app_core.avatars.importing.avatar_import import AvatarMetadata, import_avatar
from app_core.avatars.importing.import_job import ImportTools
from app_core.avatars.importing.import_queue import Import
from app_core.avatars.library import AvatarLibrary
from app_core.config import Config
from app_core.log import JsonFormatter
from app_core.media.decoder import ClipFootage
from app_core.media.ffmpeg import find_ffmpeg
from tests.below import entries_below
from tests.conftest import checked_client, until
from tests.importing import make_still_avatar
from tests.uploads import FINE, TAGS, BlueFinder, clip, mark, with_face

MARK = "Madina7313"
PATH = "/api/avatars"
RENDER = {"text": "one two", "language": "en", "size": "128x128", "avatar": "x1"}


def photo() -> bytes:
    """With a place, a person and a packet of XMP in it."""
    pixels = np.full((192, 320, 3), 90, np.uint8)
    pixels[40:120, 120:200] = (40, 80, 250)
    exif = Image.Exif()
    exif[0x010E] = exif[0x9286] = f"{MARK} at home"
    exif.get_ifd(0x8825).update({1: "N", 2: (43.0, 14.0, 19.7313), 29: MARK})
    file = io.BytesIO()
    picture = Image.fromarray(pixels)
    picture.save(file, "JPEG", exif=exif, comment=MARK.encode(), quality=95)
    return file.getvalue()


def video(path: Path) -> bytes:
    """With a title and a place."""
    pictures = (with_face(mark(index), 20 + 2 * index, 40, 40) for index in range(40))
    clip(path, pictures, coded=[*FINE, *TAGS, "-metadata", f"title={MARK}"])
    content = path.read_bytes()
    path.unlink()
    assert MARK.encode() in content
    return content


class Blue:
    """The real import, with a finder of blue faces. ``gate`` holds it when it is clear."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.gate.set()
        self.began = threading.Event()

    def __call__(self, item: Import, home: Path) -> None:
        tools = ImportTools(find_ffmpeg, BlueFinder)
        metadata = AvatarMetadata(item.id, item.name, item.consent, choice=item.choice)

        def note(stage: str, progress: float) -> None:
            self.began.set()
            self.gate.wait(10.0)
            item.note(stage, progress)

        import_avatar(item.source, home, metadata, tools, note, item.cancelled)


class Place:
    """A service with its client, its folders and its log."""

    def __init__(self, make: Callable[..., Any], home: Path) -> None:
        self.home, self.blue = home, Blue()
        make_still_avatar(home / "avatars" / "aigul", "Aigul")
        config = Config(
            avatar="aigul", avatar_dir=home / "avatars", work_dir=home / "work", sway=False
        )
        library = AvatarLibrary(home / "avatars", footage=ClipFootage(find_ffmpeg))
        self.service = make(config=config, library=library, importer=self.blue)
        self.client = checked_client(self.service)

    def add(self, content: bytes, name: str, **headers: str) -> Any:
        fields = {"consent": "true", "id": "x1", "file": (io.BytesIO(content), name)}
        return self.client.post(PATH, data=fields, headers=headers)

    def files(self) -> list[Path]:
        return [path for path in entries_below(self.home) if MARK in path.name or _holds(path)]


def _holds(path: Path) -> bool:
    if not path.is_file():
        return False
    content = path.read_bytes().lower()
    forms = (MARK.lower().encode(), MARK.lower().encode("utf-16-le"))
    return any(form in content for form in forms)


def held(root: object) -> list[str]:
    """Where the mark stands in what is reached from ``root``, a service: not in types and code."""
    skipped = (type, types.ModuleType, types.FunctionType, types.CodeType, logging.Logger)
    seen, found, ahead = {id(root)}, [], [(root, "service")]
    while ahead:
        thing, path = ahead.pop()
        for other in gc.get_referents(thing):
            if id(other) in seen or isinstance(other, (*skipped, types.FrameType)):
                continue
            seen.add(id(other))
            text = other.decode("utf-8", "replace") if isinstance(other, bytes) else other
            if isinstance(text, str):
                found += [f"{path}: {text[:80]}"] * (MARK in text or MARK.lower() in text)
            elif len(path) < 400:
                ahead.append((other, f"{path}.{type(other).__name__}"))
    return found


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture) -> Iterator[Callable[[], str]]:
    caplog.set_level(logging.INFO)
    form = JsonFormatter()
    yield lambda: "".join(form.format(record) for record in caplog.records)


@pytest.fixture
def place(make_service: Any, tmp_path: Path) -> Place:
    return Place(make_service, tmp_path)


def served(place: Place) -> bytes:
    """All that a client can fetch of the avatar."""
    addresses = [f"{PATH}/x1/preview.jpg?size=256", f"{PATH}/x1/preview.jpg?square=true"]
    return b"".join(place.client.get(address).data for address in addresses)


@pytest.mark.parametrize("kind", ["photo", "clip"])
def test_what_stands_beside_the_face_is_not_kept(place: Place, tmp_path: Path, kind: str) -> None:
    content = photo() if kind == "photo" else video(tmp_path / "made.mp4")
    answer = place.add(content, f"upload.{'jpg' if kind == 'photo' else 'mp4'}")
    assert answer.status_code == 201
    assert place.files() == []
    pictures = served(place)
    assert MARK.encode() not in pictures
    assert b"Exif" not in pictures
    folder = tmp_path / "avatars" / "x1"
    with Image.open(folder / "still.png") as still:
        assert still.info.keys() <= {"dpi"}
    assert not list(folder.glob("source*"))
    film = place.client.post("/api/generate", json=RENDER, buffered=True)
    assert film.status_code == 200
    assert MARK.encode() not in film.data


def test_a_removal_leaves_no_trace(place: Place, told: Callable[[], str]) -> None:
    assert place.add(photo(), f"{MARK}.jpg").json["name"] == MARK
    assert place.files()
    assert held(place.service)
    served(place)
    place.client.get(PATH).close()
    place.client.get(f"{PATH}/x1/landmarks").close()
    assert place.client.post("/api/generate", json=RENDER, buffered=True).status_code == 200
    session = place.client.post("/api/sessions", json={"avatar": "x1", "size": "128x128"}).json
    running = place.service.sessions.get(session["session_id"])
    assert until(lambda: running.seconds > 0.2)
    assert place.client.delete(f"{PATH}/x1").status_code == 200

    before = running.seconds  # it goes on with what it has
    assert until(lambda: running.seconds > before + 0.2)
    assert not running.dead
    running.close()
    place.service.library.forget_gone()
    gc.collect()
    assert place.files() == []
    assert sorted(path.name for path in (place.home / "avatars").iterdir()) == ["aigul"]
    assert held(place.service) == []
    assert MARK not in told()
    assert MARK.lower() not in told()
    assert place.client.get(f"{PATH}/x1").status_code == 404


def test_a_removal_amid_the_import_leaves_no_trace(place: Place, told: Callable[[], str]) -> None:
    place.blue.gate.clear()
    assert place.add(photo(), f"{MARK}.jpg", Prefer="respond-async").status_code == 202
    assert place.blue.began.wait(5.0)
    assert held(place.service)
    threading.Timer(0.2, place.blue.gate.set).start()
    assert place.client.delete(f"{PATH}/x1").status_code == 200
    place.service.library.forget_gone()
    gc.collect()
    assert until(lambda: not held(place.service))
    assert place.files() == []
    assert sorted(path.name for path in (place.home / "avatars").iterdir()) == ["aigul"]
    work = place.home / "work"
    assert not work.exists() or not list(work.iterdir())
    assert MARK not in told()


def test_a_preview_made_amid_the_removal_is_not_kept(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    from app_core.avatars import previews

    assert place.add(photo(), "a.jpg").status_code == 201
    real = previews.preview

    def slow(*asked: Any) -> bytes:
        made = real(*asked)
        place.service.avatars.remove("x1")
        return made

    monkeypatch.setattr(previews, "preview", slow)
    place.client.get(f"{PATH}/x1/preview.jpg").close()
    assert not place.service.avatars._previews
