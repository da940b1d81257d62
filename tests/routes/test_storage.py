"""What clients are told of disks and quotas."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from flask.testing import FlaskClient

from app_core.config import Config
from app_core.services.lipsync_service import LipsyncService
from app_core.storage import disk_room
from tests.conftest import checked_client, until
from tests.fakes import EchoModel

Make = Callable[..., LipsyncService]
FILM = {"text": "one two three", "size": "128x128"}
ASYNC = {"Prefer": "respond-async"}


class Body(io.BytesIO):
    touched = False

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        self.touched = True
        return super().readinto(buffer)

    def read(self, size: int | None = -1) -> bytes:
        self.touched = True
        return super().read(size)


def upload(client: FlaskClient, size: int) -> tuple[int, dict[str, str], bool]:
    """Status, answer, and whether any of it was read."""
    kind = "multipart/form-data; boundary=x"
    body = Body(bytes(size))
    answer = client.post("/api/avatars", content_type=kind, input_stream=body)
    return answer.status_code, answer.get_json(), body.touched


def test_an_upload_beyond_the_quota_is_refused_before_it_is_read(
    make_service: Make, config: Config
) -> None:
    (config.avatar_dir / "there").mkdir(parents=True)
    (config.avatar_dir / "there" / "loop.mp4").write_bytes(bytes(3 << 20))
    (config.avatar_dir / "dropped.mp4").write_bytes(bytes(9 << 20))
    client = checked_client(make_service(config=config.model_copy(update={"avatars_mb": 5})))
    for _ in range(9):  # none holds a place
        status, error, touched = upload(client, 3 << 20)
        assert (status, error["code"], touched) == (507, "disk_full", False)
    assert error["error"] == (
        "The faces take 3 MiB of the 5 of AVATARS_MB, and this one about 3 more: remove some"
    )
    status, _, touched = upload(client, 1 << 20)
    assert (status, touched) == (400, True)


def test_films_that_have_no_room_say_which_setting(make_service: Make, config: Config) -> None:
    client = checked_client(make_service(config=config.model_copy(update={"cache_mb": 1})))
    long = {"text": " ".join(["word"] * 900), "size": "1920x1920"}
    for path in ("/api/generate", "/api/stream_chunks"):
        answer = client.post(path, json=long, headers=ASYNC)
        assert (answer.status_code, answer.get_json()["code"]) == (400, "too_costly")
        assert "CACHE_MB" in answer.get_json()["error"]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Of 3 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = shutil.which("mount")
    if mount is None or os.getuid() != 0:
        pytest.skip("a disk of our own needs root and mount")
    made = subprocess.run(
        [mount, "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(folder)], capture_output=True
    )
    if made.returncode:
        pytest.skip(f"no disk of our own can be mounted: {made.stderr.decode().strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def test_on_a_disk_that_is_full_ended_films_make_room_and_nothing_is_left(
    make_service: Make, config: Config, small_disk: Path
) -> None:
    settings = {"work_dir": small_disk, "disk_reserve_mb": 1}
    service = make_service(config=config.model_copy(update=settings))
    client = checked_client(service)

    ids: list[str] = []

    def begins() -> bool:
        answer = client.post("/api/generate", json=FILM, headers=ASYNC)
        ids.extend([answer.get_json()["id"]] if answer.status_code == 202 else [])
        return answer.status_code == 202

    def film() -> dict[str, str]:
        assert until(begins), "what an ended film held is given back a moment later"
        job = service.jobs.get(ids[-1])
        assert until(lambda: job.ended) and job.error is None
        assert until(lambda: not service.videos._threads), "its marks are put away"
        return {"id": job.id, "result": f"/api/jobs/{job.id}/result"}

    first = film()
    filler = small_disk / "filler"
    free = os.statvfs(small_disk)
    filler.write_bytes(bytes(free.f_bavail * free.f_frsize - (1 << 20) - 8192))
    second = film()
    for made, status in ((first, 404), (second, 200)):
        with client.get(made["result"]) as answer:
            assert answer.status_code == status
            assert status == 200 or "to make room" in answer.get_json()["error"]
    filler.write_bytes(bytes((3 << 20) - 64 * 1024))
    refused = client.post("/api/generate", json=FILM, headers=ASYNC)
    assert (refused.status_code, refused.get_json()["code"]) == (507, "disk_full")
    service.disks.look(service._renders.end, service.avatars.imports)
    health = client.get("/api/health").get_json()
    assert health["status"] == "degraded"
    assert f"the disk of WORK_DIR={small_disk} is full" in health["reason"]
    assert [path.name for path in small_disk.iterdir()] == ["filler"]
    filler.unlink()
    service.disks.look(service._renders.end, service.avatars.imports)
    assert client.get("/api/health").get_json()["status"] == "ready"
    assert film()


def test_a_film_that_failed_on_a_full_disk_is_remembered(
    make_service: Make, config: Config, model: EchoModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = make_service()
    client = checked_client(service)
    model.gate.clear()
    job_id = client.post("/api/generate", json=FILM, headers=ASYNC).get_json()["id"]
    job = service.jobs.get(job_id)
    assert until(lambda: job.sound.complete)
    full = SimpleNamespace(f_bavail=1, f_frsize=1)
    monkeypatch.setattr(disk_room.os, "statvfs", lambda folder: full)
    for _ in range(2):
        service.disks.look(service._renders.end, service.avatars.imports)
    model.gate.set()
    told = client.get(f"/api/jobs/{job_id}")
    assert (told.status_code, told.get_json()["error"]["code"]) == (200, "disk_full")
    for part in ("audio.wav", "captions.vtt", "result"):
        answer = client.get(f"/api/jobs/{job_id}/{part}")
        code = (507, "disk_full") if part == "result" else (404, "not_found")
        assert (answer.status_code, answer.get_json()["code"]) == code, part


@pytest.mark.parametrize("size", [600 << 20, 10**12, 10**26])
def test_an_upload_over_the_limit_is_refused_as_one_whatever_the_disk_has(
    make_service: Make, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, size: int
) -> None:
    full = SimpleNamespace(f_bavail=1, f_frsize=1)
    monkeypatch.setattr(disk_room.os, "statvfs", lambda folder: full)
    client = checked_client(make_service())
    caplog.clear()
    for path, field in (("/api/avatars", "file"), ("/api/generate", "audio")):
        answer = client.post(
            path,
            content_type="multipart/form-data; boundary=x",
            environ_overrides={"CONTENT_LENGTH": str(size)},
        )
        error = answer.get_json()
        assert (answer.status_code, error["code"], error["field"]) == (413, "too_large", field)
        assert error["error"] == "The file is larger than 512 MiB"
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


def test_a_full_disk_is_named_by_its_setting_and_costs_a_warning(
    make_service: Make, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    full = SimpleNamespace(f_bavail=1, f_frsize=1)
    monkeypatch.setattr(disk_room.os, "statvfs", lambda folder: full)
    client = checked_client(make_service())
    caplog.clear()
    status, error, touched = upload(client, 2 << 20)
    assert (status, error["code"], touched) == (507, "disk_full", False)
    assert error["error"] == (
        "The upload has no room on the disk of WORK_DIR, of which DISK_RESERVE_MB stays free"
    )
    told = [record.levelname for record in caplog.records if "disk_full" in record.getMessage()]
    assert told == ["WARNING"]
