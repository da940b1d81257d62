"""The real server, one for the tests of a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.conftest import until
from tests.server.test_server import Server, free_port

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    running = Server([free_port()], tmp_path_factory.mktemp("work"))
    try:
        assert until(running.ready, 90), running.log.read_text()
        yield running
    finally:
        assert running.stop() == 0
        assert list(running.work.iterdir()) == [], "films are left after the end"
