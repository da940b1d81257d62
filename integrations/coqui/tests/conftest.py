from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from soyle_coqui.load import load
from soyle_coqui.model_thread import ModelThread
from soyle_coqui.server import SpeechServer
from soyle_coqui.torch_audio import import_torchaudio

import_torchaudio()  # before Coqui's own imports in the recipes

from tests import models  # noqa: E402


def until(true: Callable[[], Any], seconds: float = 30.0) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if true():
            return True
        time.sleep(0.01)
    return bool(true())


class Client:
    """Of one server."""

    def __init__(self, server: SpeechServer, key: str = "") -> None:
        self.server, self.key = server, key

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.server.server_port, timeout=60)

    def send(self, path: str, body: Any = None) -> http.client.HTTPResponse:
        """GET, or POST of ``body`` as JSON; the answer's connection is ``answer.connection``."""
        connection = self.connect()
        headers = {"Content-Type": "application/json"}
        if self.key:
            headers["Authorization"] = f"Bearer {self.key}"
        if body is None:
            connection.request("GET", path, headers=headers)
        else:
            connection.request("POST", path, json.dumps(body), headers)
        answer = connection.getresponse()
        answer.connection = connection  # type: ignore[attr-defined]
        return answer

    def speak(self, text: str, **fields: Any) -> http.client.HTTPResponse:
        told = {"model": "tts-1", "voice": "alloy", "input": text, **fields}
        return self.send("/v1/audio/speech", told)

    def pcm(self, text: str, **fields: Any) -> bytes:
        answer = self.speak(text, response_format="pcm", **fields)
        body = answer.read()
        assert answer.status == 200, body
        return body

    def refusal(self, path: str, body: Any) -> tuple[int, str]:
        answer = self.send(path, body)
        return answer.status, json.loads(answer.read())["error"]["message"]

    def health(self) -> dict[str, Any]:
        told: dict[str, Any] = json.loads(self.send("/health").read())
        return told


@contextmanager
def served(
    voice: Callable[[], Any], *, key: str = "", waiting: int = 4, patience_s: float = 120.0
) -> Iterator[Client]:
    model = ModelThread(voice, waiting=waiting, retry_s=0.05)
    server = SpeechServer(("127.0.0.1", 0), model, key, patience_s)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    model.start()
    try:
        yield Client(server, key)
    finally:
        server.shutdown()
        model.close()
        server.server_close()
        thread.join(5)


@contextmanager
def served_folder(path: Path, sample: Path | None = None) -> Iterator[Client]:
    """By the real loader; ready."""
    with served(lambda: load(path, sample, 1)) as client:
        assert until(lambda: client.server.model.status != "loading", 120)
        assert client.server.model.status == "ready", client.server.model.reason
        yield client


@pytest.fixture(scope="session")
def vits_client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with served_folder(models.vits(tmp_path_factory.mktemp("vits") / "model")) as client:
        yield client


@pytest.fixture(scope="session")
def xtts_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with models.narrow_decoder():
        yield models.xtts(tmp_path_factory.mktemp("xtts") / "model")


@pytest.fixture(scope="session")
def xtts_client(xtts_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    sample = models.sample(tmp_path_factory.mktemp("sample") / "me.wav")
    models.studio_speaker(xtts_folder, "Ana")
    with served_folder(xtts_folder, sample) as client:
        yield client
