from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from app_core.errors import ModelFailed
from app_core.weights.download import download

CONTENT = bytes(range(256)) * 20_000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class FileServer(ThreadingHTTPServer):
    """Serves CONTENT with ranges; can break off, and can ignore ranges."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.breaks_after: int | None = None
        self.ranges = True
        self.asked: list[str | None] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/weights.pth"


class Handler(BaseHTTPRequestHandler):
    server: FileServer

    def do_GET(self) -> None:
        wanted = self.headers.get("Range")
        self.server.asked.append(wanted)
        start = int(wanted[6:-1]) if wanted and self.server.ranges else 0
        body = CONTENT[start:]
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: self.server.breaks_after])

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def server() -> Iterator[FileServer]:
    with FileServer() as made:
        thread = threading.Thread(target=made.serve_forever)
        thread.start()
        yield made
        made.shutdown()
        thread.join()


def fetch(server: FileServer, path: Path) -> list[str]:
    said: list[str] = []
    download(server.url, path, len(CONTENT), SHA256, said.append)
    return said


def test_a_file_arrives_whole_with_its_progress(server: FileServer, tmp_path: Path) -> None:
    said = fetch(server, tmp_path / "w.pth")
    assert (tmp_path / "w.pth").read_bytes() == CONTENT
    assert said[-1].startswith("[##############################] 100 %")
    assert not list(tmp_path.glob("*.part"))


@pytest.mark.parametrize("ranges", [True, False])
def test_what_broke_off_goes_on(server: FileServer, tmp_path: Path, ranges: bool) -> None:
    server.breaks_after, server.ranges = 3_000_000, ranges
    with pytest.raises(ModelFailed, match=r"asking again goes on from 2\.[0-9] MiB"):
        fetch(server, tmp_path / "w.pth")
    assert not (tmp_path / "w.pth").exists()
    server.breaks_after = None
    fetch(server, tmp_path / "w.pth")
    assert (tmp_path / "w.pth").read_bytes() == CONTENT
    assert server.asked[0] is None and server.asked[1] == "bytes=3000000-"


def test_another_content_is_refused_and_removed(server: FileServer, tmp_path: Path) -> None:
    with pytest.raises(ModelFailed, match="sha256"):
        download(server.url, tmp_path / "w.pth", len(CONTENT), "0" * 64, lambda _: None)
    assert list(tmp_path.iterdir()) == []


def test_a_longer_file_is_not_taken(server: FileServer, tmp_path: Path) -> None:
    with pytest.raises(ModelFailed, match="longer than 1000 bytes"):
        download(server.url, tmp_path / "w.pth", 1000, SHA256, lambda _: None)


def test_no_network_names_the_address(tmp_path: Path) -> None:
    with pytest.raises(ModelFailed, match="http://127.0.0.1:9/w.pth: .*refused"):
        download("http://127.0.0.1:9/w.pth", tmp_path / "w.pth", 5, SHA256, lambda _: None)
