"""Wav2Lip from a published file to pictures: the real command line, the real server."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from app_core.lipsync.model import ModelOptions
from app_core.lipsync.registry import open_model
from app_core.types import frame_count
from tests.conftest import until
from tests.seeded_weights import state as seeded
from tests.server.test_server import ROOT, Server, free_port

BODY = {"text": "Сәлем, әлем!", "language": "kk", "size": "128x128"}
RUNTIME = "openvino" if importlib.util.find_spec("openvino") else "torch"

pytestmark = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs Linux's /proc")


def models(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "app.py", "models", *words]
    environ = os.environ | {"MODELS_DIR": str(folder)}
    return subprocess.run(
        command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of models with the seeded weights, brought there from the authors' container."""
    folder = tmp_path_factory.mktemp("weights")
    whole = {
        "state_dict": {f"module.{name}": tensor for name, tensor in seeded().items()},
        "optimizer": {"state": {}, "param_groups": []},
        "global_step": 1,
        "global_epoch": 1,
    }
    torch.save(whole, folder / "wav2lip.pth", _use_new_zipfile_serialization=False)
    done = models(folder / "models", "import", str(folder / "wav2lip.pth"))
    assert done.returncode == 0, done.stderr
    (folder / "wav2lip.pth").unlink()
    return folder / "models"


@pytest.fixture(scope="module")
def server(
    imported: Path, short_clip: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    work = tmp_path_factory.mktemp("work")
    settings = {"MODEL": "wav2lip", "MODELS_DIR": str(imported), "CPU_SHARE": "1"}
    settings["AVATAR_DIR"] = str(short_clip)
    running = Server([free_port()], work, settings)
    try:
        assert until(running.ready, 120), running.log.read_text()
        yield running
    finally:
        running.stop()


def post(server: Server, path: str, body: dict[str, object]) -> tuple[bytes, dict[str, str]]:
    request = urllib.request.Request(
        server.url + path, json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        return answer.read(), dict(answer.headers)


def pictures(stream: bytes) -> list[np.ndarray]:
    """Of an MJPEG answer, in its own order."""
    assert re.findall(rb"X-Frame: (\d+)", stream) == [
        str(n).encode() for n in range(stream.count(b"X-Frame:"))
    ]
    found = []
    for part in stream.split(b"--frame\r\n")[1:]:
        head, _, body = part.partition(b"\r\n\r\n")
        length = int(re.findall(rb"Content-Length: (\d+)", head)[0])
        found.append(cv2.imdecode(np.frombuffer(body[:length], np.uint8), cv2.IMREAD_COLOR))
    return found


def test_the_list_names_the_imported_file(imported: Path) -> None:
    listed = models(imported, "list").stdout
    assert re.search(r"^wav2lip  here .*non-commercial", listed, re.MULTILINE), listed


def test_health_says_what_runs_and_why(server: Server) -> None:
    told = server.json("/api/health")
    assert told["status"] == "ready"
    assert told["model"] == "wav2lip"
    assert RUNTIME in told["device"] or "cuda" in told["device"]
    assert told["model_reason"] == "wav2lip: named in the settings"
    assert told["capacity"]["model_fps"] > 0


def test_mjpeg_shows_every_frame_of_the_sound(server: Server) -> None:
    stream, headers = post(server, "/api/stream_mjpeg", BODY | {"pace": "asap"})
    shown = pictures(stream)
    with urllib.request.urlopen(server.url + headers["X-Audio-Url"], timeout=10) as answer:
        sound = answer.read()
    rate = int.from_bytes(sound[24:28], "little")
    assert len(shown) == frame_count((len(sound) - 44) // 2, rate, 25) > 20
    assert all(picture.shape == (128, 128, 3) for picture in shown)
    assert max(np.abs(a.astype(int) - shown[0]).max() for a in shown) > 40, "no mouth moves"


def test_a_film_is_as_long_as_its_sound(server: Server, tmp_path: Path) -> None:
    film, _ = post(server, "/api/generate", BODY)
    (tmp_path / "film.mp4").write_bytes(film)
    video = cv2.VideoCapture(str(tmp_path / "film.mp4"))
    frames = 0
    while video.read()[0]:
        frames += 1
    video.release()
    stream, _ = post(server, "/api/stream_mjpeg", BODY | {"pace": "asap"})
    assert frames == len(pictures(stream)) > 20


def test_the_batches_are_counted(server: Server) -> None:
    post(server, "/api/stream_mjpeg", BODY | {"pace": "asap"})
    told = server.json("/api/health")["capacity"]
    assert told["mean_batch"] > 1
    with urllib.request.urlopen(f"{server.url}/metrics", timeout=10) as answer:
        assert "soyle_batch_frames_count" in answer.read().decode()


def test_auto_takes_it_or_says_why_not(imported: Path) -> None:
    model, why, _ = open_model("auto", ModelOptions(imported))
    if model.name == "wav2lip":
        assert why == "wav2lip: the best that runs here"
    else:
        assert re.search(r"not wav2lip: \d+ frames/s are too few", why), why
