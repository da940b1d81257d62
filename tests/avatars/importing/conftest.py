"""Servers that share a folder of avatars."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.avatars.importing.servers import Server
from tests.importing import Importer


@pytest.fixture
def usual() -> type[Importer]:
    """What imports, where a test names nothing."""
    return Importer


@pytest.fixture
def make(folder: Path, tmp_path: Path, usual: type[Importer]) -> Iterator[Callable[..., Server]]:
    made: list[Server] = []

    def server(place: str, importer: Importer | None = None) -> Server:
        made.append(Server(folder, tmp_path / "work", place, importer or usual()))
        return made[-1]

    yield server
    for each in made:
        each.close()


@pytest.fixture
def pair(make: Callable[..., Server]) -> tuple[Server, Server]:
    return make("aaaaaaaa"), make("bbbbbbbb")
