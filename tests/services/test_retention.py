"""Faces that clients added go when nobody used them for long, and no others do."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from app_core.audio import AudioBuffer
from app_core.avatars.collection import Avatars
from app_core.avatars.library import AvatarLibrary
from app_core.avatars.metadata import read_metadata
from app_core.channel import Channel
from app_core.config import Config
from app_core.errors import Cancelled
from app_core.job import Job, JobStatus
from app_core.job_table import JobTable
from app_core.request import GenerateRequest
from app_core.services.privacy.retention import NOTE_S, USED, Retention
from app_core.sessions.stage import Spoken
from app_core.storage.scratch import Scratch
from tests.importing import Importer, make_still_avatar

DAY = 86_400.0
NOW = 1_800_000_000.0
CONSENT = "2026-11-21T12:00:00+00:00"


class Sessions:
    """Those that run."""

    def __init__(self) -> None:
        self.running: list[Spoken] = []

    def spoken(self) -> list[Spoken]:
        return self.running


class House:
    """A folder with an avatar of each kind, and a clock."""

    def __init__(self, home: Path, life_days: float = 3.0) -> None:
        self.folder, self.now = home / "avatars", NOW
        if not self.folder.exists():
            make_still_avatar(self.folder / "aigul")
            make_still_avatar(self.folder / "own", consent=CONSENT)
            make_still_avatar(self.folder / "by-hand")
            make_still_avatar(self.folder / "dropped", consent=CONSENT, dropped="a.jpg")
            make_still_avatar(self.folder / "old", consent=CONSENT)
            make_still_avatar(self.folder / "new", consent=CONSENT)
        config = Config(
            avatar="own",
            avatar_dir=self.folder,
            work_dir=home / "work",
            avatar_life_days=life_days,
        )
        self.removed: list[str] = []
        self.avatars = Avatars(
            config,
            AvatarLibrary(self.folder),
            Scratch(config.work_dir),
            Importer(),
            removed=lambda avatar, *_: self.removed.append(avatar),
        )
        self.jobs, self.sessions = JobTable(3600, 1 << 20), Sessions()
        self.retention = Retention(
            config,
            self.avatars,
            self.jobs,
            self.sessions,  # type: ignore[arg-type]
            clock=lambda: self.now,
        )

    def after(self, days: float) -> list[str]:
        """Those that a look removes then."""
        self.now = NOW + days * DAY
        self.removed.clear()
        self.retention.look()
        return sorted(self.removed)

    def there(self) -> set[str]:
        return {path.name for path in self.folder.iterdir()}


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def test_only_what_clients_added_and_nobody_used_goes(house: House) -> None:
    assert house.after(0) == []  # from the first look on they are counted, however old they are
    assert house.after(2) == []
    house.retention.used("new")
    assert house.after(3.1) == ["old"]
    assert house.after(4.9) == []
    assert house.after(5.1) == ["new"]
    assert house.after(1000) == []
    assert house.there() == {"aigul", "own", "by-hand", "dropped"}
    marks = {path.parent.name for path in house.folder.rglob(USED)}
    assert not marks


def test_the_last_use_outlives_a_restart(tmp_path: Path) -> None:
    first = House(tmp_path)
    assert first.after(0) == []
    assert first.after(2) == []
    first.retention.used("old")
    second = House(tmp_path)
    assert second.after(3.1) == ["new"]
    assert second.after(5.1) == ["old"]


def test_it_is_written_at_most_once_an_hour(house: House) -> None:
    house.retention.used("old")
    mark = house.folder / "old" / USED
    first = mark.stat()
    house.now += NOTE_S - 1
    house.retention.used("old")
    assert mark.stat().st_mtime == first.st_mtime == NOW
    house.now += 1
    house.retention.used("old")
    assert mark.stat().st_mtime == NOW + NOTE_S


def test_one_that_is_in_use_stays_and_its_time_begins_at_its_end(house: House) -> None:
    assert house.after(0) == []
    request = GenerateRequest(text="x", avatar="old")
    job = Job(request, AudioBuffer(8000), Channel(4), avatar="old")
    house.jobs.add(job)
    house.sessions.running.append(Spoken(avatars=["own", "new"]))
    assert house.after(100) == []
    job.end(JobStatus.CANCELLED, Cancelled("x"))
    house.sessions.running.clear()
    assert house.after(102.9) == []
    assert house.after(103.1) == ["new", "old"]


def test_without_a_life_nothing_is_noted_or_removed(tmp_path: Path) -> None:
    house = House(tmp_path, life_days=0.0)
    house.retention.used("old")
    assert house.after(0) == []
    assert house.after(10_000) == []
    assert not list(house.folder.rglob(USED))


def test_a_folder_that_cannot_be_written_keeps_its_face(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "touch", refuse)
    assert house.after(0) == []
    assert house.after(1000) == []
    assert {"old", "new"} <= house.there()


def test_a_clock_that_was_set_back_removes_nothing(house: House) -> None:
    assert house.after(0) == []
    os.utime(house.folder / "old" / USED, (NOW + 500 * DAY, NOW + 500 * DAY))
    house.retention.used("old")
    assert house.after(2) == []
    assert read_metadata(house.folder / "old")["consent"] == CONSENT


def test_the_service_notes_who_spoke(make_service: Any, config: Config, tmp_path: Path) -> None:
    from tests.conftest import checked_client

    folder = tmp_path / "faces"
    for name in ("aigul", "old"):
        make_still_avatar(folder / name, consent=CONSENT)
    settings = {"avatar": "aigul", "avatar_dir": folder, "avatar_life_days": 3.0, "sway": False}
    service = make_service(config=config.model_copy(update=settings), library=AvatarLibrary(folder))
    client = checked_client(service)
    asked = {"text": "one", "language": "en", "size": "128x128", "avatar": "old", "pace": "asap"}
    assert client.post("/api/stream_mjpeg", json=asked).data
    assert (folder / "old" / USED).is_file()
    (folder / "old" / USED).unlink()
    session = service.sessions.open(_session("old"))
    session.close()
    assert (folder / "old" / USED).is_file()
    assert not (folder / "aigul" / USED).exists()


def _session(avatar: str) -> Any:
    from app_core.request import SessionRequest

    return SessionRequest.parse({"language": "en", "size": "128x128", "avatar": avatar})
