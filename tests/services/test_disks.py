"""Disks that are too small, fill, or cannot be written."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from app_core.config import Config
from app_core.errors import DiskFull, SoyleError, TooCostly
from app_core.job import JobStatus
from app_core.request import ChunksRequest, GenerateRequest
from app_core.services.lipsync_service import LipsyncService
from app_core.services.storage import disks as module
from app_core.services.storage.film_room import film_bytes
from app_core.storage import disk_room
from tests.below import files_below
from tests.conftest import until
from tests.fakes import EchoModel, ToneVoice, ToneVoices

Make = Callable[..., LipsyncService]
MIB = 1 << 20
LONG = " ".join(["word"] * 900)


class Disk:
    """Of everything: ``free`` MiB, and what files in ``folder`` take."""

    def __init__(self, folder: Path, free: float) -> None:
        self.folder, self.free = folder, free

    def __call__(self, folder: Path) -> SimpleNamespace:
        taken = 0
        for path in files_below(self.folder):
            with contextlib.suppress(FileNotFoundError):
                taken += path.stat().st_size if path.suffix == ".mp4" else 0
        return SimpleNamespace(f_bavail=int(self.free * MIB) - taken, f_frsize=1)


@pytest.fixture
def disk(config: Config, monkeypatch: pytest.MonkeyPatch) -> Disk:
    assert config.work_dir is not None
    disk = Disk(config.work_dir, 10_000)
    monkeypatch.setattr(disk_room.os, "statvfs", disk)
    return disk


def film(text: str = "one two three", **fields: object) -> GenerateRequest:
    return GenerateRequest.model_validate({"text": text, "size": "128x128", **fields})


def kept(service: LipsyncService, request: GenerateRequest) -> str:
    return service.make_film(request, None, bool, "film.mp4").job_id


def test_what_a_film_takes() -> None:
    """Of the avatar that is shipped: 579,489 bytes for ten seconds."""
    assert film_bytes(20, 512, 512, 25, 20) == pytest.approx(1.13e6, rel=0.05)
    assert film_bytes(20, 512, 512, 25, 14) == pytest.approx(1.78e6, rel=0.05)


def test_a_film_that_could_not_be_kept_is_refused_at_the_start(
    make_service: Make, config: Config
) -> None:
    service = make_service(config=config.model_copy(update={"cache_mb": 4}))
    large = film(LONG, size="1920x1920")
    with pytest.raises(TooCostly, match="CACHE_MB keeps 4 of results") as caught:
        kept(service, large)
    assert (caught.value.status, caught.value.field) == (400, "text")
    chunks = ChunksRequest(text=LONG, size="1920x1920")
    with pytest.raises(TooCostly):
        service.chunks.start(chunks)
    assert service.jobs.running() == []
    assert list(Path(str(config.work_dir)).glob("soyle-*")) == []
    small = service.jobs.get(kept(service, film()))
    assert until(lambda: small.status is JobStatus.DONE)


def test_a_film_that_is_sent_needs_no_room_among_the_kept(
    make_service: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = make_service()
    monkeypatch.setattr(service.disks.films, "quota", 10)
    with pytest.raises(TooCostly):
        kept(service, film())
    sent = service.make_film(film(), None, bool).film
    assert sent is not None
    with sent:
        assert sent.read(12)[4:8] == b"ftyp"


def test_a_film_that_grows_over_the_quota_ends(
    make_service: Make, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = make_service()
    monkeypatch.setattr(service.disks.films, "quota", 5000)
    monkeypatch.setattr(service.disks.films, "check", lambda job, size, kept: None)
    job = service.jobs.get(kept(service, film()))
    assert until(lambda: job.ended)
    assert isinstance(job.error, TooCostly) and "CACHE_MB" in str(job.error)
    assert until(lambda: list(Path(str(config.work_dir)).glob("soyle-*")) == [])
    chunked = service.chunks.start(ChunksRequest(text="one two three", size="128x128"))
    assert until(lambda: chunked.ended)
    assert isinstance(chunked.error, TooCostly)
    assert until(lambda: list(Path(str(config.work_dir)).glob("soyle-*")) == [])


def test_a_film_that_is_being_made_is_looked_at(
    make_service: Make, model: EchoModel, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = make_service()
    model.gate.clear()
    job = service.jobs.get(kept(service, film()))
    assert job.result is not None
    monkeypatch.setattr(service.disks, "_quota", 1000)
    with job.result.open("ab") as file:
        file.write(bytes(2000))
    service.disks.look(service._renders.end, service.avatars.imports)
    assert isinstance(job.error, TooCostly)
    model.gate.set()
    assert until(lambda: list(Path(str(config.work_dir)).glob("soyle-*")) == [])


def test_work_that_would_fill_the_reserve_is_refused(make_service: Make, disk: Disk) -> None:
    service = make_service()
    disk.free = 256.01
    for start in (
        lambda: kept(service, film(LONG)),
        lambda: service.make_film(film(LONG), None, bool),
        lambda: service.chunks.start(ChunksRequest(text=LONG, size="128x128")),
    ):
        with pytest.raises(DiskFull, match="disk of WORK_DIR, of which DISK_RESERVE_MB"):
            start()
    assert service.jobs.running() == []


def test_ended_results_make_room_oldest_first(make_service: Make, disk: Disk) -> None:
    service = make_service()
    jobs = []
    for _ in range(3):
        jobs.append(service.jobs.get(kept(service, film())))
        assert until(lambda: jobs[-1].ended)
    one = jobs[0].result_bytes
    needed = film_bytes(13 / 14, 128, 128, 25, 20)
    disk.free = 256 + (3 * one + needed - 1.5 * one) / MIB
    last = service.jobs.get(kept(service, film()))
    assert until(lambda: last.ended) and last.error is None
    there = [job.result is not None and job.result.exists() for job in (*jobs, last)]
    assert there == [False, False, True, True]


def test_a_disk_that_fills_frees_and_then_ends_what_writes_to_it(
    make_service: Make, model: EchoModel, disk: Disk, config: Config
) -> None:
    service = make_service()
    old = service.jobs.get(kept(service, film()))
    assert until(lambda: old.ended)
    model.gate.clear()
    running = service.jobs.get(kept(service, film()))
    streamed = service.make_film(film("a b c d", stream=True), None, bool)
    disk.free = 256 + 0.5 * old.result_bytes / MIB
    service.disks.look(service._renders.end, service.avatars.imports)
    assert old.result is not None and not old.result.exists()
    assert not running.ended, "there is room again"
    disk.free = 100
    service.disks.look(service._renders.end, service.avatars.imports)
    assert isinstance(running.error, DiskFull)
    assert not service.jobs.get(streamed.job_id).ended, "it does not write"
    model.gate.set()
    assert until(lambda: list(Path(str(config.work_dir)).glob("soyle-*")) == [])
    health = service.health()
    assert health["status"] == "degraded"
    assert f"the disk of WORK_DIR={config.work_dir} is full: 100 MiB are free" in health["reason"]
    disk.free = 10_000
    service.disks.look(service._renders.end, service.avatars.imports)
    assert service.health()["status"] == "ready"
    streamed.stream.close()


def test_folders_that_cannot_be_written_are_in_health(
    make_service: Make, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that become so later too; models are asked for by nobody."""
    clock = [0.0]
    service = make_service()
    service.disks._clock = lambda: clock[0]
    service.disks._tried_s = 0.0
    assert service.health()["status"] == "ready"
    assert not config.avatar_dir.exists(), "a look makes no folder"
    monkeypatch.setattr(module, "writable", lambda folder: False)

    def look() -> None:
        service.disks.look(service._renders.end, service.avatars.imports)

    look()
    assert service.health()["status"] == "ready", "not at every look"
    clock[0] = module.WRITE_S
    look()
    health = service.health()
    assert health["status"] == "degraded"
    assert health["reason"].split("; ") == [
        f"WORK_DIR={config.work_dir} cannot be written: no film can be made",
        f"AVATAR_DIR={config.avatar_dir} cannot be written: no face can be added",
    ]
    said = {disk["setting"]: disk["reason"] for disk in health["disks"]}
    assert said["MODELS_DIR"] == f"MODELS_DIR={config.models_dir} cannot be written"
    monkeypatch.undo()
    clock[0] = 2 * module.WRITE_S
    look()
    assert service.health()["status"] == "ready"


def test_a_folder_behind_one_that_may_not_be_entered_is_in_health(
    make_service: Make, config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed, stat = tmp_path / "closed", os.stat
    closed.mkdir()

    def no_entry(path: object, **how: object) -> os.stat_result:
        if str(path).startswith(f"{closed}/"):
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return stat(path, **how)  # type: ignore[arg-type, call-overload, no-any-return]

    monkeypatch.setattr(os, "stat", no_entry)
    monkeypatch.setattr(module, "writable", lambda folder: folder != closed)
    asked = config.model_copy(update={"avatar_dir": closed / "avatars"})
    disks = module.Disks(asked, asked.work_dir, make_service().jobs)
    assert disks.reasons() == [
        f"AVATAR_DIR={closed}/avatars cannot be written: no face can be added"
    ]


def test_a_work_dir_that_cannot_be_is_said_for_as_long_as_another_is_taken(
    make_service: Make, config: Config, tmp_path: Path
) -> None:
    (tmp_path / "plain").write_text("no folder")
    wrong = tmp_path / "plain" / "work"
    service = make_service(config=config.model_copy(update={"work_dir": wrong}))
    assert f"WORK_DIR={wrong} cannot be written: /" in service.health()["reason"]
    job = service.jobs.get(kept(service, film()))
    assert until(lambda: job.status is JobStatus.DONE)


def test_a_folder_that_is_taken_away_is_no_bare_500(
    make_service: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = make_service()

    def take(name: str) -> Path:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(service.scratch, "take", take)
    with pytest.raises(SoyleError, match="/api/health says which folder") as caught:
        kept(service, film())
    assert caught.value.status == 500


def test_chunks_on_a_disk_that_fills_leave_nothing(
    make_service: Make, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = make_service(voices=ToneVoices(ToneVoice(word_s=0.5)))
    real, taken = service.scratch.take, []

    def take(name: str) -> Path:
        if len(taken) == 2:
            raise OSError(errno.ENOSPC, "No space left on device")
        taken.append(real(name))
        return taken[-1]

    monkeypatch.setattr(service.scratch, "take", take)
    job = service.chunks.start(ChunksRequest(text="a b c d e f", size="128x128", chunk_size=1))
    assert until(lambda: job.ended)
    assert isinstance(job.error, DiskFull)
    assert until(lambda: not any(path.exists() for path in taken))
    assert until(lambda: list(Path(str(config.work_dir)).glob("soyle-*")) == [])
