"""Models come only after their licence has been agreed to, and go on where they broke off."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from soyle_coqui.__main__ import main
from soyle_coqui.licence import CC_BY_NC, CPML, NAME, agreed

XTTS = {
    "config.json": b'{"model": "xtts"}',
    "vocab.json": b"{}",
    "speakers_xtts.pth": b"speakers",
    "model.pth": bytes(range(256)) * 1000,
}


class Hub(HTTPServer):
    files: dict[str, bytes]
    cut: int | None = None
    """Bytes after which a file breaks off."""
    asked: list[tuple[str, str | None]]


class Handler(BaseHTTPRequestHandler):
    server: Hub

    def do_GET(self) -> None:
        wanted = self.headers["Range"]
        self.server.asked.append((self.path, wanted))
        data = self.server.files.get(self.path.lstrip("/"))
        if data is None:
            self.send_error(404)
            return
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted else 0
        self.send_response(206 if wanted else 200)
        self.send_header("Content-Length", str(len(data) - start))
        self.end_headers()
        self.wfile.write(data[start : self.server.cut])

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def hub() -> Iterator[Hub]:
    server = Hub(("127.0.0.1", 0), Handler)
    server.files, server.asked = dict(XTTS), []
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join(5)


def pull(hub: Hub, name: str, folder: Path, *more: str) -> int:
    source = f"http://127.0.0.1:{hub.server_port}"
    return main(["pull", name, "--to", str(folder), "--from", source, *more])


def test_nothing_comes_without_an_agreement(
    hub: Hub, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "xtts"
    assert pull(hub, "xtts", folder) == 1
    told = capsys.readouterr()
    assert "CPML" in told.out and CPML.url in told.out
    assert "add --accept-licence" in told.err
    assert not hub.asked and not folder.exists()


def test_a_model_comes(hub: Hub, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "xtts"
    assert pull(hub, "xtts", folder, "--accept-licence") == 0
    assert {name: (folder / name).read_bytes() for name in XTTS} == XTTS
    assert agreed(folder, CPML)
    sums = json.loads((folder / "sha256.json").read_text())
    assert sums["model.pth"] == hashlib.sha256(XTTS["model.pth"]).hexdigest()
    assert "recorded now, compared with nothing" in capsys.readouterr().out
    hub.asked.clear()
    assert pull(hub, "xtts", folder) == 0
    assert not hub.asked, "it is here already"


def test_it_goes_on_where_it_broke_off(
    hub: Hub, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "xtts"
    hub.cut = 100_000
    assert pull(hub, "xtts", folder, "--accept-licence") == 1
    assert "broke off after 100000 of 256000 bytes of model.pth" in capsys.readouterr().err
    hub.cut = None
    assert pull(hub, "xtts", folder) == 0
    assert hub.asked[-1] == ("/model.pth", "bytes=100000-")
    assert (folder / "model.pth").read_bytes() == XTTS["model.pth"]


def test_mms_comes_in_an_archive(hub: Hub, tmp_path: Path) -> None:
    packed = io.BytesIO()
    files = {
        "kaz/G_100000.pth": b"weights",
        "kaz/vocab.txt": "а\nб\n".encode(),
        "kaz/config.json": b'{"data": {"sampling_rate": 16000}}',
        "../outside.txt": b"no",
        "kaz/D_100000.pth": b"not needed",
    }
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    hub.files = {"kaz.tar.gz": packed.getvalue()}
    folder = tmp_path / "in" / "mms-kaz"
    assert pull(hub, "mms-kaz", folder, "--accept-licence") == 0
    names = {path.name for path in folder.iterdir()}
    assert names == {"G_100000.pth", "vocab.txt", "config.json", NAME, "sha256.json"}
    assert agreed(folder, CC_BY_NC)
    assert [path.name for path in folder.parent.iterdir()] == ["mms-kaz"]


def test_what_does_not_come(hub: Hub, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    del hub.files["vocab.json"]
    assert pull(hub, "xtts", tmp_path / "xtts", "--accept-licence") == 1
    assert "404" in capsys.readouterr().err
    assert pull(hub, "bark", tmp_path / "bark", "--accept-licence") == 1
    assert "there are: xtts, mms-kaz" in capsys.readouterr().err
