"""/api/lipsync/video while the base video is prepared, when it is there, and when it fails."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from app_core import create_app
from app_core.config import Config
from app_core.services.lipsync_service import LipsyncService
from tests.browser.conftest import Visitor, serving
from tests.importing import GOOD, Importer, make_still_avatar

PATH = "/api/lipsync/video"


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Servers whose base video has some content."""
    monkeypatch.setattr("app_core.services.lipsync_service.DISK_LOOK_S", 0.1)
    importer, services = Importer(), []
    make_still_avatar(tmp_path / "avatars" / "aigul", "Aigul")

    def build(content: bytes) -> LipsyncService:
        base = tmp_path / "IMG_3899.MOV"
        base.write_bytes(content)
        config = Config(
            avatar_dir=tmp_path / "avatars",
            work_dir=tmp_path / "work",
            base_video_path=base,
            sway=False,
        )
        service = LipsyncService(config, importer=importer)
        service.start(wait_s=120)
        service.capacity.cores = 64
        services.append(service)
        return service

    yield build, importer
    importer.gate.set()
    for service in services:
        service.close()


def test_the_page_tells_how_far_it_is_and_when_it_is_there(visitor: Visitor, house: Any) -> None:
    build, importer = house
    importer.gate.clear()
    with serving(create_app(service=build(GOOD))) as address:
        page = visitor.open(address + PATH)
        page.locator("#status", has_text="Базовое видео готовится: 50 %").wait_for()
        importer.gate.set()
        page.locator("#status", has_text="Готово к работе").wait_for()
        page.locator("textarea").fill("Да.")
        page.locator("#make").click()
        page.locator("#status", has_text="Видео готово").wait_for()


def test_one_without_a_face_is_told_at_once(visitor: Visitor, house: Any) -> None:
    build, _ = house
    with serving(create_app(service=build(b"nobody"))) as address:
        page = visitor.open(address + PATH)
        page.get_by_role("alert").filter(has_text="Базовое видео не подошло").wait_for()
        page.locator("textarea").fill("Да.")
        page.locator("#make").click()
        page.get_by_role("alert").filter(has_text="No face was found").wait_for()
        visitor.expect_complaint("422")
