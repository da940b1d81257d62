"""A folder of avatars with one in it, and what stands in for the work of an import."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.importing import Importer, make_still_avatar


@pytest.fixture
def importer() -> Importer:
    return Importer()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    make_still_avatar(tmp_path / "avatars" / "aigul", "Aigul")
    return tmp_path / "avatars"
