"""Voices on their way, from a server of the test."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app_core.errors import BadInput, Busy, Conflict, NotFound
from app_core.services.voices.pulls import VoicePulls
from app_core.weights.voices import faults
from tests.conftest import until
from tests.file_server import FileServer, serving
from tests.voice_files import CARD, WEIGHTS, voice_of

Make = Callable[..., VoicePulls]


@pytest.fixture
def server() -> Iterator[FileServer]:
    with serving({"card": CARD, "weights": WEIGHTS}) as made:
        yield made


@pytest.fixture
def make(server: FileServer, tmp_path: Path) -> Iterator[Make]:
    made: list[VoicePulls] = []

    def build(pulled: Callable[[str], None] = lambda voice_id: None) -> VoicePulls:
        catalogue = (
            voice_of(server, "anna"),
            voice_of(server, "boris"),
            voice_of(server, "oleg", commercial=False, weights_licence="CC-BY-NC-4.0"),
            voice_of(server, "xtts", files=(), how="make tube"),
        )
        made.append(VoicePulls(tmp_path, catalogue, pulled))
        return made[-1]

    yield build
    if server.hold is not None:
        server.hold.set()
    for pulls in made:
        pulls.close()
    assert not [thread for thread in threading.enumerate() if thread.name == "voice-pull"]


def status(pulls: VoicePulls, name: str) -> str:
    return str(pulls.describe(f"tube:{name}")["status"])


def test_a_voice_comes_and_is_told_of_first(make: Make, tmp_path: Path) -> None:
    seen: list[tuple[str, str]] = []
    pulls = make(lambda voice_id: seen.append((voice_id, status(pulls, "anna"))))
    assert status(pulls, "anna") == "missing"
    started = pulls.start("tube:anna", accepted=False)
    assert (started["status"], started["error"]) == ("pulling", None)
    assert until(lambda: status(pulls, "anna") == "ready")
    assert seen == [("tube:anna", "pulling")]
    assert faults(pulls.catalogue[0], tmp_path) == []
    again = pulls.start("tube:anna", accepted=False)
    assert (again["status"], again["stage"], again["progress"]) == ("ready", "done", 1.0)
    assert again["size"] == len(WEIGHTS)


def test_one_at_a_time_and_who_comes_second_joins(make: Make, server: FileServer) -> None:
    server.hold = threading.Event()
    pulls = make()
    for name in ("anna", "boris", "anna", "boris"):
        pulls.start(f"tube:{name}", accepted=False)
    assert until(lambda: pulls.describe("tube:anna")["stage"] == "downloading")
    assert pulls.describe("tube:boris")["stage"] == "waiting"
    server.hold.set()
    assert until(lambda: status(pulls, "boris") == "ready" == status(pulls, "anna"))
    assert [path for path, _, _ in server.asked] == ["card", "weights"] * 2


def test_progress_is_told_on_the_way(make: Make, server: FileServer) -> None:
    pulls = make()
    pulls.start("tube:anna", accepted=False)
    assert until(lambda: status(pulls, "anna") == "ready")
    (pulls._models / "tube" / "anna.onnx").unlink()
    server.hold = threading.Event()
    pulls.start("tube:anna", accepted=False)
    assert until(lambda: pulls.describe("tube:anna")["progress"] == 0.5)


def test_a_running_pull_is_cancelled_and_goes_on_later(make: Make, server: FileServer) -> None:
    pulls = make()
    server.files["card"] = b""
    server.hold = threading.Event()
    pulls.start("tube:anna", accepted=False)
    pulls.start("tube:boris", accepted=False)
    pulls.cancel("tube:boris")
    assert status(pulls, "boris") == "missing"
    pulls.cancel("tube:anna")
    assert status(pulls, "anna") == "missing"
    with pytest.raises(Conflict, match="tube:anna is not on its way"):
        pulls.cancel("tube:anna")
    server.hold.set()
    pulls.start("tube:anna", accepted=False)
    assert until(lambda: status(pulls, "anna") == "ready")
    assert status(pulls, "boris") == "missing"


def test_a_failure_is_told_until_the_next_try(make: Make, server: FileServer) -> None:
    weights = server.files.pop("weights")
    pulls = make()
    pulls.start("tube:anna", accepted=False)
    assert until(lambda: status(pulls, "anna") == "failed")
    error = pulls.describe("tube:anna")["error"]
    assert error["code"] == "model_failed" and "answers 404" in error["error"]
    server.files["weights"] = weights
    assert pulls.start("tube:anna", accepted=False)["error"] is None
    assert until(lambda: status(pulls, "anna") == "ready")


def test_a_failure_can_be_forgotten(make: Make, server: FileServer) -> None:
    server.files.clear()
    pulls = make()
    pulls.start("tube:anna", accepted=False)
    assert until(lambda: status(pulls, "anna") == "failed")
    pulls.cancel("tube:anna")
    assert status(pulls, "anna") == "missing"


def test_a_listener_that_fails_keeps_no_voice_back(make: Make) -> None:
    def fail(voice_id: str) -> None:
        raise RuntimeError(voice_id)

    pulls = make(fail)
    for name in ("anna", "boris"):
        pulls.start(f"tube:{name}", accepted=False)
    assert until(lambda: status(pulls, "anna") == "ready" == status(pulls, "boris"))


def test_what_is_refused(make: Make, server: FileServer) -> None:
    pulls = make()
    with pytest.raises(BadInput, match=r"CC-BY-NC-4\.0") as caught:
        pulls.start("tube:oleg", accepted=False)
    assert caught.value.field == "accept_licence"
    with pytest.raises(NotFound):
        pulls.start("tube:nobody", accepted=True)
    with pytest.raises(Conflict, match="make tube"):
        pulls.start("tube:xtts", accepted=True)
    assert server.asked == []
    pulls.start("tube:oleg", accepted=True)
    assert until(lambda: status(pulls, "oleg") == "ready")


def test_closing_ends_what_runs_and_takes_no_more(make: Make, server: FileServer) -> None:
    server.hold = threading.Event()
    pulls = make()
    pulls.start("tube:anna", accepted=False)
    pulls.start("tube:boris", accepted=False)
    assert until(lambda: len(server.asked) == 1)
    threading.Timer(0.1, server.hold.set).start()
    pulls.close()
    with pytest.raises(Busy):
        pulls.start("tube:oleg", accepted=True)
    assert [path for path, _, _ in server.asked] == ["card"]
