from __future__ import annotations

import errno
import hashlib
import shutil
import threading
from collections import namedtuple
from collections.abc import Iterator
from pathlib import Path

import pytest

from app_core.errors import Cancelled, DiskFull, ModelFailed
from app_core.weights import download as module
from app_core.weights.download import TRIES, Bar, WebFile, download
from tests.file_server import FileServer, serving

CONTENT = bytes(range(256)) * 20_000
SHA256 = hashlib.sha256(CONTENT).hexdigest()
NAME = "w.pth"


@pytest.fixture
def server() -> Iterator[FileServer]:
    with serving({NAME: CONTENT}) as made:
        yield made


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The waits between two tries, which are not waited for."""
    asked: list[float] = []
    monkeypatch.setattr(module, "_wait", lambda seconds, stale: asked.append(seconds))
    return asked


def known(server: FileServer) -> WebFile:
    return WebFile(server.url(NAME), len(CONTENT), SHA256)


def untold(server: FileServer) -> WebFile:
    return WebFile(server.url(NAME), None, None)


def quiet(done: int, total: int | None) -> None: ...


def fetch(server: FileServer, path: Path) -> str:
    return download(known(server), path, quiet)


def begin(server: FileServer, path: Path, file: WebFile) -> None:
    """Leaves a part of the file: the server breaks off and is then broken."""
    server.breaks_after = [3_000_000]
    server.refusals = [200] + [503] * TRIES
    with pytest.raises(ModelFailed, match=r"503.*asking again goes on from 2\.[0-9] MiB"):
        download(file, path, quiet)
    server.refusals.clear()
    server.asked.clear()
    assert not path.exists()


def test_a_file_arrives_whole_with_its_progress(server: FileServer, tmp_path: Path) -> None:
    said: list[str] = []
    assert download(known(server), tmp_path / NAME, Bar(said.append)) == SHA256
    assert (tmp_path / NAME).read_bytes() == CONTENT
    assert said[-1] == f"[{'#' * 30}] 100 % 4.9 MiB"
    assert [path.name for path in tmp_path.iterdir()] == [NAME]


@pytest.mark.parametrize("lengths", [True, False])
def test_a_file_of_unknown_size_and_content(
    server: FileServer, tmp_path: Path, lengths: bool
) -> None:
    server.lengths = lengths
    told: list[tuple[int, int | None]] = []
    found = download(untold(server), tmp_path / NAME, lambda *of: told.append(of))
    assert found == SHA256
    assert told[-1] == (len(CONTENT), len(CONTENT) if lengths else None)
    assert (tmp_path / NAME).read_bytes() == CONTENT


@pytest.mark.parametrize("tags", [True, False])
@pytest.mark.parametrize("ranges", [True, False])
def test_what_broke_off_goes_on(
    server: FileServer, tmp_path: Path, ranges: bool, tags: bool
) -> None:
    server.tags = tags
    begin(server, tmp_path / NAME, known(server))
    server.ranges = ranges
    fetch(server, tmp_path / NAME)
    assert (tmp_path / NAME).read_bytes() == CONTENT
    ((_, wanted, mark),) = server.asked
    assert wanted == "bytes=3000000-" and (mark is not None) == tags
    assert [path.name for path in tmp_path.iterdir()] == [NAME]


@pytest.mark.parametrize("lengths", [True, False])
def test_a_broken_connection_is_tried_again_at_once(
    server: FileServer, tmp_path: Path, pauses: list[float], lengths: bool
) -> None:
    server.lengths = lengths
    server.breaks_after = [1_500_000, 1_500_000, 1000, 1000]
    assert download(known(server), tmp_path / NAME, quiet) == SHA256
    assert [wanted for _, wanted, _ in server.asked] == [
        None,
        "bytes=1500000-",
        "bytes=3000000-",
        "bytes=3001000-",
        "bytes=3002000-",
    ]
    assert pauses == [1.0, 1.0, 2.0, 4.0]  # what brings much begins anew


def test_a_server_that_is_busy_is_asked_again_when_it_says(
    server: FileServer, tmp_path: Path, pauses: list[float]
) -> None:
    server.refusals, server.retry_after = [429, 503], "7"
    fetch(server, tmp_path / NAME)
    assert pauses == [7.0, 7.0]
    server.refusals, server.retry_after = [503] * TRIES, "100000"
    with pytest.raises(ModelFailed, match="503"):
        fetch(server, tmp_path / NAME)
    assert max(pauses) == 60.0


def test_a_refusal_is_told_at_once(server: FileServer, tmp_path: Path) -> None:
    with pytest.raises(ModelFailed, match=r"/gone answers 404 Not Found"):
        download(WebFile(server.url("gone"), None, None), tmp_path / NAME, quiet)
    assert len(server.asked) == 1 and list(tmp_path.iterdir()) == []


def test_a_file_that_changed_is_not_joined_to_the_old_one(
    server: FileServer, tmp_path: Path
) -> None:
    begin(server, tmp_path / NAME, untold(server))
    changed = server.files[NAME] = CONTENT[::-1]
    download(untold(server), tmp_path / NAME, quiet)
    assert (tmp_path / NAME).read_bytes() == changed
    assert server.asked[0][1] == "bytes=3000000-"


def test_what_nothing_can_tell_from_a_changed_file_is_fetched_anew(
    server: FileServer, tmp_path: Path
) -> None:
    (tmp_path / f"{NAME}.part").write_bytes(CONTENT[::-1][:1000])
    download(untold(server), tmp_path / NAME, quiet)
    assert (tmp_path / NAME).read_bytes() == CONTENT


def test_a_part_that_is_no_beginning_is_fetched_anew(server: FileServer, tmp_path: Path) -> None:
    begin(server, tmp_path / NAME, untold(server))
    server.files[NAME] = short = CONTENT[:1000]
    server.tags = False
    (tmp_path / f"{NAME}.part.etag").write_text('"of before"')
    download(untold(server), tmp_path / NAME, quiet)
    assert (tmp_path / NAME).read_bytes() == short


def test_a_longer_part_than_the_file_is_fetched_anew(server: FileServer, tmp_path: Path) -> None:
    (tmp_path / f"{NAME}.part").write_bytes(CONTENT + b"more")
    fetch(server, tmp_path / NAME)
    assert (tmp_path / NAME).read_bytes() == CONTENT


def test_a_whole_part_needs_no_connection(server: FileServer, tmp_path: Path) -> None:
    (tmp_path / f"{NAME}.part").write_bytes(CONTENT)
    fetch(server, tmp_path / NAME)
    assert server.asked == [] and (tmp_path / NAME).read_bytes() == CONTENT


def test_another_content_is_refused_and_removed(server: FileServer, tmp_path: Path) -> None:
    with pytest.raises(ModelFailed, match="sha256"):
        download(WebFile(server.url(NAME), len(CONTENT), "0" * 64), tmp_path / NAME, quiet)
    assert list(tmp_path.iterdir()) == []


def test_a_file_of_another_length_is_not_taken(server: FileServer, tmp_path: Path) -> None:
    with pytest.raises(ModelFailed, match="has 5120000 bytes instead of 1000"):
        download(WebFile(server.url(NAME), 1000, SHA256), tmp_path / NAME, quiet)
    server.lengths = False
    with pytest.raises(ModelFailed, match="longer than 1000 bytes"):
        download(WebFile(server.url(NAME), 1000, SHA256), tmp_path / NAME, quiet)
    assert list(tmp_path.iterdir()) == []


def test_no_network_names_the_address(tmp_path: Path, pauses: list[float]) -> None:
    with pytest.raises(ModelFailed, match="http://127.0.0.1:9/w.pth: .*refused"):
        download(WebFile("http://127.0.0.1:9/w.pth", 5, SHA256), tmp_path / NAME, quiet)
    assert pauses == []


def test_too_small_a_disk_is_told_before_the_first_byte(
    server: FileServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10, 0, 1 << 20))
    with pytest.raises(DiskFull, match=r"w\.pth needs 4\.9 MiB in .*, where 1\.0 MiB are free"):
        fetch(server, tmp_path / NAME)
    assert not (tmp_path / f"{NAME}.part").exists()


def test_a_disk_that_fills_up_leaves_a_part_to_go_on_from(
    server: FileServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(module.os, "fsync", full)
        with pytest.raises(DiskFull, match=r"The disk is full: 4\.9 MiB of w\.pth are here"):
            fetch(server, tmp_path / NAME)
    assert not (tmp_path / NAME).exists()
    fetch(server, tmp_path / NAME)
    assert (tmp_path / NAME).read_bytes() == CONTENT and len(server.asked) == 1


def test_a_folder_that_cannot_be_written_is_named(server: FileServer, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ModelFailed, match=r"file/w\.pth cannot be written"):
        fetch(server, tmp_path / "file" / NAME)


def test_a_download_that_nobody_wants_stops_and_can_go_on(
    server: FileServer, tmp_path: Path
) -> None:
    server.hold = threading.Event()
    stale = threading.Event()

    def half(done: int, total: int | None) -> None:
        if done >= len(CONTENT) // 2:
            stale.set()
            server.hold.set()

    with pytest.raises(Cancelled):
        download(known(server), tmp_path / NAME, half, stale.is_set)
    kept = (tmp_path / f"{NAME}.part").stat().st_size
    assert len(CONTENT) // 2 <= kept < len(CONTENT)
    fetch(server, tmp_path / NAME)
    assert server.asked[-1][1] == f"bytes={kept}-"
    assert (tmp_path / NAME).read_bytes() == CONTENT
