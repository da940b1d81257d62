"""Photos and clips that people put into AVATAR_DIR."""

from __future__ import annotations

import logging
import os
import threading
from pathlib import Path
from typing import Any

import pytest

from app_core.avatars.collection import Avatars
from app_core.avatars.importing import dropped_files as dropped
from app_core.avatars.importing.content import content_of
from app_core.avatars.importing.dropped_files import DroppedFiles
from app_core.avatars.importing.import_queue import Import
from app_core.avatars.library import AvatarLibrary
from app_core.avatars.metadata import read_metadata
from app_core.config import Config
from app_core.errors import Cancelled
from app_core.storage.scratch import Scratch
from tests.conftest import until
from tests.importing import GOOD, Importer, make_still_avatar


class Recorder(Importer):
    """Notes in the metadata what the import was made of, as a real one does."""

    def __call__(self, item: Import, home: Path) -> None:
        super().__call__(item, home)
        text = (home / "avatar.toml").read_text("utf-8")
        lines = f'sha256 = "{content_of(item.source)}"\ndropped = "{item.dropped}"\n'
        (home / "avatar.toml").write_text(lines + text, "utf-8")


class Folder:
    def __init__(self, tmp_path: Path) -> None:
        self.path = tmp_path / "avatars"
        make_still_avatar(self.path / "aigul", "Aigul")
        self.importer = Recorder()
        self.config = Config(avatar_dir=self.path, work_dir=tmp_path / "work")
        self.start()

    def start(self) -> None:
        """As a server that starts."""
        library = AvatarLibrary(self.path)
        self.avatars = Avatars(self.config, library, Scratch(self.config.work_dir), self.importer)
        self.files = DroppedFiles(self.path, self.avatars, self.path / "base.mov")
        self.avatars._removed = lambda _, sha256, dropped, owner: self.files.removed(
            sha256, dropped
        )

    def put(self, name: str, content: bytes = GOOD) -> Path:
        path = self.path / name
        path.write_bytes(content)
        return path

    def scan(self) -> None:
        for _ in range(3):
            self.files.scan()
        assert until(lambda: all(r["status"] != "importing" for r in self.avatars.all()))

    def statuses(self) -> dict[str, str]:
        return {record["id"]: record["status"] for record in self.avatars.all()}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(dropped, "STABLE_S", 0.0)
    made = Folder(tmp_path)
    yield made
    made.importer.gate.set()
    made.avatars.close()


def test_a_photo_becomes_an_avatar_and_stays_where_it_is(folder: Folder) -> None:
    path = folder.put("Әлия Нұр.JPG")
    folder.scan()
    assert folder.statuses() == {"aigul": "ready", "aliya-nur": "ready"}
    assert folder.avatars.describe("aliya-nur")["name"] == "Әлия Нұр"
    metadata = read_metadata(folder.path / "aliya-nur")
    assert "operator" in metadata["consent"] and metadata["dropped"] == "Әлия Нұр.JPG"
    assert path.read_bytes() == GOOD
    folder.scan()
    assert len(folder.importer.began) == 1


def test_progress_and_failures_are_told_as_of_an_upload(folder: Folder) -> None:
    folder.importer.gate.clear()
    folder.put("anna.png")
    folder.put("bek.mp4", b"nobody")
    for _ in range(2):
        folder.files.scan()
    assert until(lambda: folder.avatars.describe("anna")["progress"] == 0.5)
    folder.importer.gate.set()
    folder.scan()
    told = folder.avatars.describe("bek")
    assert (told["status"], told["error"]["code"]) == ("failed", "no_face")
    folder.scan()
    assert sorted(folder.importer.began) == ["anna", "bek"], "not tried again until it changes"
    folder.put("bek.mp4", GOOD + b"!")
    folder.scan()
    assert folder.statuses()["bek"] == "ready"


def test_a_file_that_is_being_copied_is_waited_for(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dropped, "STABLE_S", 60.0)
    now = [100.0]
    monkeypatch.setattr(dropped.time, "monotonic", lambda: now[0])
    path = folder.put("anna.jpg", b"half")
    for number in range(5):
        folder.files.scan()
        now[0] += 59
        path.write_bytes(b"half" * (number + 2))
        os.utime(path, (number, number))
    assert folder.importer.began == []
    folder.files.scan()
    now[0] += 61
    folder.files.scan()
    assert until(lambda: folder.importer.began == ["anna"])


@pytest.mark.parametrize("restarted", [False, True])
def test_what_was_removed_does_not_come_back(folder: Folder, restarted: bool) -> None:
    path = folder.put("anna.jpg")
    folder.scan()
    if restarted:
        folder.avatars.close()
        folder.start()
    folder.avatars.remove("anna")
    folder.scan()
    folder.avatars.close()
    folder.start()
    folder.put("copy.jpg")
    folder.scan()
    assert folder.statuses() == {"aigul": "ready"}
    path.unlink()
    (folder.path / "copy.jpg").unlink()
    folder.scan()
    folder.put("anna.jpg")
    folder.scan()
    assert folder.statuses() == {"aigul": "ready", "anna": "ready"}, "it was put there again"


def test_what_was_cancelled_does_not_come_back(folder: Folder) -> None:
    folder.importer.gate.clear()
    folder.put("anna.jpg")
    for _ in range(2):
        folder.files.scan()
    assert until(lambda: folder.importer.began == ["anna"])
    folder.avatars.remove("anna")
    folder.files.scan()
    folder.avatars.close()
    folder.importer.gate.set()
    folder.start()
    folder.scan()
    assert folder.statuses() == {"aigul": "ready"}


def test_the_end_of_the_server_is_no_cancel_by_a_person(folder: Folder) -> None:
    folder.importer.gate.clear()
    folder.put("anna.jpg")
    for _ in range(2):
        folder.files.scan()
    folder.avatars.close()
    folder.importer.gate.set()
    folder.start()
    folder.scan()
    assert folder.statuses() == {"aigul": "ready", "anna": "ready"}


def test_the_same_content_is_imported_once_and_ids_are_not_taken_twice(folder: Folder) -> None:
    folder.put("aigul.jpg", b"another Aigul")
    folder.put("one.jpg")
    folder.put("two.jpg")
    folder.scan()
    assert folder.statuses() == {"aigul": "ready", "aigul-2": "ready", "one": "ready"}
    folder.avatars.close()
    folder.start()
    folder.scan()
    assert len(folder.importer.began) == 2


def test_its_avatar_stays_when_the_file_goes(folder: Folder) -> None:
    folder.put("anna.jpg")
    folder.scan()
    (folder.path / "anna.jpg").unlink()
    folder.scan()
    assert folder.statuses() == {"aigul": "ready", "anna": "ready"}


def test_other_files_are_left_alone(folder: Folder) -> None:
    for name in ("notes.txt", ".hidden.jpg", "anna.jpg.part", "base.mov", "README"):
        folder.put(name)
    (folder.path / "photos.jpg").mkdir()
    (folder.path / "gone.jpg").symlink_to("/nowhere")
    folder.scan()
    assert folder.statuses() == {"aigul": "ready"}


def test_a_memory_that_cannot_be_read_or_written_costs_no_avatar(
    folder: Folder, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    folder.put(".dropped.json", b'{"removed": 5}')

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "write_text", refuse)
    folder.importer = Importer()  # type: ignore[assignment]
    folder.start()
    folder.put("anna.jpg")
    folder.put("bek.jpg", b"another")
    monkeypatch.setattr(Importer, "__call__", lambda self, item, home: home.mkdir())
    for _ in range(3):
        folder.files.scan()
    assert until(lambda: (folder.path / "anna").is_dir() and (folder.path / "bek").is_dir())
    assert caplog.text.count("is not kept") == 1


def test_a_long_look_ends_with_the_server(folder: Folder) -> None:
    stop = threading.Event()

    def stopped() -> None:
        if stop.is_set():
            raise Cancelled("The server is stopping")

    files = DroppedFiles(folder.path, folder.avatars, None, stopped)
    folder.put("anna.jpg")
    files.scan()
    stop.set()
    with pytest.raises(Cancelled):
        files.scan()


def test_a_running_server_sees_them(
    make_service: Any, folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app_core.services.lipsync_service.DISK_LOOK_S", 0.02)
    service = make_service(
        config=folder.config, library=AvatarLibrary(folder.path), importer=Recorder()
    )
    folder.put("anna.jpg")
    assert until(lambda: "anna" in service.library.ids())
    service.avatars.remove("anna")
    folder.put("bek.jpg", b"another")
    assert until(lambda: "bek" in service.library.ids())
    assert service.library.ids() == ["aigul", "bek"]


@pytest.mark.parametrize("moved", [True, False])
def test_one_that_goes_while_it_is_imported_is_forgotten(folder: Folder, moved: bool) -> None:
    folder.importer.gate.clear()
    path = folder.put("anna.jpg")
    for _ in range(2):
        folder.files.scan()
    assert until(lambda: folder.importer.began == ["anna"])
    if moved:
        path.rename(folder.path / "bek.jpg")
    else:
        path.unlink()
    folder.files.scan()
    folder.importer.gate.set()
    folder.scan()
    expected = {"aigul": "ready", "bek": "ready"} if moved else {"aigul": "ready"}
    assert until(lambda: folder.statuses() == expected), folder.statuses()
    folder.scan()
    assert folder.statuses() == expected


def test_the_failure_of_a_file_goes_with_it(folder: Folder) -> None:
    path = folder.put("bek.mp4", b"nobody")
    folder.scan()
    folder.scan()
    assert folder.statuses() == {"aigul": "ready", "bek": "failed"}
    path.unlink()
    folder.files.scan()
    assert folder.statuses() == {"aigul": "ready"}


def test_a_failure_goes_when_the_file_becomes_another(folder: Folder) -> None:
    folder.put("anna.jpg")
    folder.put("bek.mp4", b"nobody")
    folder.scan()
    folder.scan()
    assert folder.statuses()["bek"] == "failed"
    folder.put("bek.mp4")
    folder.scan()
    assert folder.statuses() == {"aigul": "ready", "anna": "ready"}


def test_content_that_is_an_avatar_already_is_said_once(
    folder: Folder, caplog: pytest.LogCaptureFixture
) -> None:
    def told() -> list[str]:
        return [r.getMessage() for r in caplog.records if "already" in r.getMessage()]

    folder.put("anna.jpg")
    folder.scan()
    with caplog.at_level(logging.INFO):
        folder.put("bek.png")
        for _ in range(3):
            folder.scan()
        assert told() == ["bek.png is already the avatar anna"]
        folder.avatars.close()
        folder.start()
        folder.scan()
    assert told() == ["bek.png is already the avatar anna"] * 2, "and not of anna.jpg itself"
