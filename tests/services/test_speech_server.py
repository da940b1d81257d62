"""The speech server is a child that is watched, and never outlives us."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from app_core.config import ROOT, Config
from app_core.services import backend
from app_core.services.speech_server import SpeechServer, open_speech_server
from tests.conftest import checked_client, until

if TYPE_CHECKING:
    from app_core.services.lipsync_service import LipsyncService

CHILD = Path(__file__).with_name("speech_child.py")


def argv(*arguments: str) -> list[str]:
    return [sys.executable, str(CHILD), *arguments]


@contextmanager
def watched(*arguments: str, clock: Callable[[], float] | None = None) -> Iterator[SpeechServer]:
    """Not started: the test looks itself."""
    server = SpeechServer(argv(*arguments), **({"clock": clock} if clock else {}))
    try:
        yield server
    finally:
        server.close()


def gone(pid: int) -> bool:
    """No such process, or a dead one that nobody has reaped."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def looked(server: SpeechServer, done: Callable[[], bool]) -> None:
    def look() -> bool:
        server.look()
        return done()

    assert until(look)


def test_a_child_tells_where_it_listens_and_what_it_speaks() -> None:
    with watched("healthy") as server:
        assert not server.ready
        looked(server, lambda: server.ready)
        assert server.describe() == {
            "status": "ready",
            "reason": None,
            "model": "tiny",
            "languages": ["ru", "en"],
            "sample_rate": 24000,
        }
        request = urllib.request.Request(server.url + "/health")
        request.add_header("Authorization", f"Bearer {server.key}")
        with urllib.request.urlopen(request, timeout=5) as answer:
            assert b"tiny" in answer.read()
        pid = server.pid
        assert pid is not None
    assert gone(pid)
    assert (server.url, server.ready) == ("", False)
    server.look()
    assert server.pid is None, "one that was closed stays so"


def test_its_own_thread_starts_it_and_starts_it_again() -> None:
    server = SpeechServer(argv("healthy"), look_s=0.05)
    server.start()
    try:
        assert until(lambda: server.ready)
        first = server.pid
        assert first is not None
        os.kill(first, signal.SIGKILL)
        assert until(lambda: server.ready and server.pid not in (None, first))
    finally:
        server.close()


def test_one_that_dies_is_started_later_each_time_and_its_last_words_are_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    now = 0.0
    starts: list[float] = []
    with watched("words", "no such model", clock=lambda: now) as server:
        for _ in range(9):
            while server.pid is None:
                server.look()
                if server.pid is None:
                    now += 0.5
            starts.append(now)
            looked(server, lambda: server.pid is None)
        assert server.status == "failed"
        assert server.reason == "the speech server ended with status 3: no such model"
    pauses = [later - sooner for sooner, later in zip(starts, starts[1:], strict=False)]
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60]
    assert caplog.text.count("status 3: no such model; next try in") == 9


def test_one_that_was_ready_for_a_minute_is_started_again_soon() -> None:
    now = 0.0
    with watched("healthy", clock=lambda: now) as server:
        for life_s, pause_s in ((0.0, 1.0), (0.0, 2.0), (60.0, 1.0)):
            looked(server, lambda: server.ready)
            now += life_s
            server.look()
            assert server.pid is not None
            os.kill(server.pid, signal.SIGKILL)
            looked(server, lambda: server.pid is None)
            assert (server.url, server.ready) == ("", False)
            assert server.languages == ("ru", "en"), "still the same model"
            now += pause_s - 0.1
            server.look()
            assert server.pid is None
            now += 0.1


def test_one_that_does_not_answer_is_killed() -> None:
    now = 0.0
    with watched("mute", clock=lambda: now) as server:
        server.look()
        pid = server.pid
        assert pid is not None
        assert until(lambda: list(server._lines) == ["nothing will come"])
        now = 60.0
        server.look()
        assert server.pid == pid, "it still has time"
        now = 60.5
        server.look()
        assert server.pid is None and gone(pid)
        assert server.reason == "the speech server did not answer for 60 s: nothing will come"


def test_what_it_lacks_is_told() -> None:
    with watched("broken", "model.pth is missing") as server:
        looked(server, lambda: server.status == "failed")
        assert server.reason == "model.pth is missing"
        assert server.pid is not None, "it may come right without being started again"
        with pytest.raises(urllib.error.HTTPError):  # nobody else may ask it
            urllib.request.urlopen(server.url + "/health", timeout=5)


def test_a_program_that_is_not_there(tmp_path: Path) -> None:
    server = SpeechServer([str(tmp_path / "python")], missing="run `make coqui`")
    server.look()
    assert server.status == "failed"
    assert server.reason.endswith("; run `make coqui`")
    server.close()


def test_the_child_ends_when_its_parent_is_killed() -> None:
    source = (
        "import sys, time\n"
        "from app_core.services.speech_server import SpeechServer\n"
        f"server = SpeechServer({argv('healthy')!r}, look_s=0.05)\n"
        "server.start()\n"
        "while not server.ready:\n"
        "    time.sleep(0.02)\n"
        "print(server.pid, flush=True)\n"
        "time.sleep(600)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", source], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert not gone(child)
        parent.kill()
    assert until(lambda: gone(child))


def test_the_settings_name_it(tmp_path: Path) -> None:
    assert open_speech_server(Config()) is None
    config = Config(coqui_model=tmp_path / "xtts", coqui_speaker=tmp_path / "me.wav")
    server = open_speech_server(config)
    assert server is not None
    assert server._argv[0] == str(ROOT / "integrations/coqui/.venv/bin/python")
    assert server._argv[1:4] == ["-m", "soyle_coqui", "serve"]
    assert str(tmp_path / "xtts") in server._argv and str(tmp_path / "me.wav") in server._argv


def test_the_service_starts_it_tells_of_it_and_ends_it(
    make_service: Callable[..., LipsyncService], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a child of ours in place of Coqui's."""
    reason = "the licence has not been agreed to"
    server = SpeechServer(argv("broken", reason), look_s=0.05)
    monkeypatch.setattr(backend, "open_speech_server", lambda config: server)
    service = make_service()
    service.reader.warm()  # as a thread of the service does, which must end before the test does
    assert until(lambda: server.status == "failed" and server.pid)
    answer = checked_client(service).get("/api/health")
    assert (answer.status_code, answer.json["status"]) == (200, "degraded")
    assert answer.json["reason"] == reason
    assert answer.json["speech_server"]["reason"] == reason
    pid = server.pid
    assert pid is not None
    service.close()
    assert gone(pid)
