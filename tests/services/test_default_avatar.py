"""AVATAR names the one that speaks when a request names none; it may come later, or broken."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app_core.avatars.library import AvatarLibrary
from app_core.config import Config
from app_core.media.decoder import ClipFootage
from app_core.media.ffmpeg import find_ffmpeg
from tests.conftest import checked_client
from tests.importing import make_still_avatar

Make = Callable[..., Any]
FILM = {"text": "one", "preset": "ultrafast"}
URL = "/api/lipsync/video"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "own"


@pytest.fixture
def make(make_service: Make, folder: Path, tmp_path: Path) -> Make:
    def made() -> Any:
        config = Config(avatar="aigul", avatar_dir=folder, work_dir=tmp_path / "work", sway=False)
        library = AvatarLibrary(folder, 200, ClipFootage(find_ffmpeg))
        return make_service(config=config, library=library)

    return made


def posted(service: Any, avatar: str | None = None) -> int:
    answer = checked_client(service).post(URL, json=FILM | ({"avatar": avatar} if avatar else {}))
    answer.close()
    return int(answer.status_code)


def test_without_the_default_the_others_speak_until_it_comes(
    make: Make, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    make_still_avatar(folder / "anna", "Anna")
    with caplog.at_level(logging.ERROR):
        service = make()
    reason = f"AVATAR=aigul is not in AVATAR_DIR={folder}"
    assert [record.getMessage() for record in caplog.records] == [reason]
    client = checked_client(service)
    told = client.get("/api/health")
    assert (told.status_code, told.json["status"], told.json["reason"]) == (200, "degraded", reason)
    assert told.json["capacity"]["sessions"] >= 1
    assert posted(service, "anna") == 200
    refused = client.post(URL, json=FILM)
    assert (refused.status_code, refused.json["field"]) == (404, "avatar")
    make_still_avatar(folder / "aigul", "Aigul")
    told = client.get("/api/health").json
    assert (told["status"], told["reason"]) == ("ready", None)
    assert posted(service) == 200
    shutil.rmtree(folder / "aigul")
    assert client.get("/api/health").json["status"] == "degraded"


@pytest.mark.parametrize("empty", [False, True], ids=["no folder", "an empty folder"])
def test_without_any_avatar_the_one_that_is_shipped_measures_the_model(
    make: Make, folder: Path, empty: bool
) -> None:
    if empty:
        folder.mkdir()
    service = make()
    assert service.health()["status"] == "degraded"
    assert service.health()["capacity"]["sessions"] >= 1
    make_still_avatar(folder / "anna", "Anna")
    assert posted(service, "anna") == 200


@pytest.mark.parametrize("broken", ["still.png", "track.npz", "avatar.toml"])
def test_a_broken_default_degrades_and_is_named(make: Make, folder: Path, broken: str) -> None:
    make_still_avatar(folder / "aigul", "Aigul")
    make_still_avatar(folder / "anna", "Anna")
    (folder / "aigul" / broken).write_bytes(b"nothing")
    service = make()
    health = service.health()
    assert health["status"] == "degraded"
    assert "aigul is broken" in health["reason"]
    assert posted(service, "anna") == 200
