"""Names that one process at a time has, until it lets go of them or dies."""

from __future__ import annotations

import fcntl
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app_core.config import ROOT
from app_core.storage import claims as module
from app_core.storage.claims import Claim, Claims
from tests.conftest import until

HOLD = """
import sys
from pathlib import Path
from app_core.storage.claims import Claims
claims = Claims(Path(sys.argv[1]), "0a1b2c3d")
claim = claims.take("anna", name="Anna")
sys.stdout.write("ready\\n")
sys.stdout.flush()
sys.stdin.read()
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "shared" / ".claims"


@pytest.fixture
def other_process(folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Has ``anna`` until it is killed."""
    line = [sys.executable, "-c", HOLD, str(folder)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(line, cwd=ROOT, **pipes) as process:
        assert process.stdout.readline() == b"ready\n"
        yield process
        process.kill()


def test_one_has_a_name_and_nothing_is_left_of_it(folder: Path) -> None:
    one, two = Claims(folder, "one"), Claims(folder, "two")
    claim = one.take("anna", name="Anna")
    for claims in (one, two):
        with pytest.raises(BlockingIOError):
            claims.take("anna")
    other = two.take("bek")
    told = two.look("anna")
    assert told is not None and told.held and told.place == "one"
    assert told.about["name"] == "Anna" and abs(told.about["since"] - time.time()) < 60
    assert one.look("anna") is None, "it is ours"
    assert one.names() == ["anna", "bek"]
    claim.release()
    claim.release()
    assert two.look("anna") is None
    two.take("anna").release()
    other.release()
    assert not folder.exists() and folder.parent.exists()


def test_a_killed_process_has_nothing(folder: Path, other_process: subprocess.Popen[bytes]) -> None:
    claims = Claims(folder)
    told = claims.look("anna")
    assert told is not None and (told.held, told.place) == (True, "0a1b2c3d")
    with pytest.raises(BlockingIOError):
        claims.take("anna")
    other_process.kill()
    other_process.wait(5)
    told = claims.look("anna")
    assert told is not None and not told.held
    claims.take("anna").release()
    assert not folder.exists()


def test_what_a_killed_process_left_is_cleared(
    folder: Path, other_process: subprocess.Popen[bytes]
) -> None:
    claims = Claims(folder)
    claims.clear("anna")
    assert claims.names() == ["anna"], "it is held"
    (folder / ".anna.json").write_text("half")
    other_process.kill()
    other_process.wait(5)
    assert claims.names() == ["anna"]
    claims.clear("anna")
    assert not folder.exists()


def test_others_are_told_how_far_it_is(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    one, two = Claims(folder, "one"), Claims(folder, "two")
    claim = one.take("anna", stage="waiting", progress=0.0)

    def told() -> tuple[Any, Any]:
        seen = two.look("anna")
        assert seen is not None
        return seen.about["stage"], seen.about["progress"]

    claim.tell(stage="waiting", progress=0.1)
    assert told() == ("waiting", 0.0)
    claim.tell(True, stage="reading", progress=0.2)
    assert told() == ("reading", 0.2)
    claim.tell(stage="reading", progress=0.3)
    now[0] += 1.1
    claim.tell()
    assert told() == ("reading", 0.3)
    claim.release()
    claim.tell(True, stage="late")
    assert not folder.exists()


@pytest.mark.parametrize("place", ["one", ""])
def test_the_last_words_stay_where_servers_have_names(folder: Path, place: str) -> None:
    claims, other = Claims(folder, place), Claims(folder, "two")
    claim = claims.take("anna", name="Anna")
    claim.release(why="no face")
    told = other.look("anna")
    assert (told is not None) == bool(place) == claim.left
    if told is not None:
        assert (told.held, told.about["name"], told.about["why"]) == (False, "Anna", "no face")
        assert other.names() == ["anna"]
    claim.clear()
    assert not folder.exists()


def test_whoever_looks_keeps_nobody_out(folder: Path) -> None:
    """To look is to lock it for a moment, together with others who look."""
    (folder / "anna").parent.mkdir(parents=True)
    (folder / "anna").touch()  # a killed process left it
    ends = threading.Event()

    def look() -> None:
        claims = Claims(folder)
        while not ends.is_set():
            claims.look("anna")

    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    claims = Claims(folder)
    taken = 0
    try:
        for _ in range(100):
            claims.take("anna").release()
            taken += 1
            folder.mkdir(exist_ok=True)
            (folder / "anna").touch()
    finally:
        ends.set()
        for thread in threads:
            thread.join()
    assert taken == 100


def test_among_many_who_take_and_let_go_one_has_it(folder: Path) -> None:
    inside, most, taken = [0], [0], [0]
    until_s = time.monotonic() + 10

    def work() -> None:
        claims, mine = Claims(folder), 0
        while mine < 40 and time.monotonic() < until_s:
            try:
                claim = claims.take("anna", name="x")
            except BlockingIOError:
                time.sleep(0)
                continue
            inside[0] += 1
            most[0] = max(most[0], inside[0])
            time.sleep(0)
            inside[0] -= 1
            claim.release()
            mine, taken[0] = mine + 1, taken[0] + 1

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1]
    assert taken == [160]
    assert not folder.exists()


def test_alone_waits_for_the_other_and_not_for_ever(folder: Path) -> None:
    one, two = Claims(folder), Claims(folder)
    claim = one.take("edit")
    with pytest.raises(BlockingIOError), two.alone("edit", wait_s=0.1):
        pass

    def give_up() -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError), two.alone("edit", give_up):
        pass
    threading.Timer(0.1, claim.release).start()
    with two.alone("edit"):
        assert not claim.held
    assert not folder.exists()


def test_the_end_lets_go_of_all(folder: Path) -> None:
    claims = Claims(folder)
    held = [claims.take(name) for name in ("anna", "bek")]
    claims.close()
    assert not any(claim.held for claim in held) and not folder.exists()


@pytest.mark.parametrize(("errno", "warned"), [(95, True), (37, True), (30, False), (13, False)])
def test_where_nothing_can_be_locked_everybody_has_it(
    folder: Path,
    errno: int,
    warned: bool,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise OSError(errno, "it does not work")

    if warned:
        monkeypatch.setattr(fcntl, "flock", refuse)
    else:
        monkeypatch.setattr(Path, "mkdir", refuse)
    one, two = Claims(folder, "one"), Claims(folder, "two")
    held = [one.take("anna", name="Anna"), one.take("anna"), two.take("bek")]
    held[0].tell(True, stage="reading")
    assert two.look("anna") is None
    with two.alone("anna"):
        pass
    for claim in held:
        claim.release(why="no face")
    assert caplog.text.count("cannot be locked") == (2 if warned else 0), "one says it once"
    assert folder.exists() == (errno == 37), "of a lock that fails now, another may have the file"


def test_an_empty_claim_holds_nothing() -> None:
    claim = Claim()
    claim.tell(True, stage="reading")
    claim.release(why="no")
    claim.clear()
    assert not claim.held and not claim.left


@pytest.mark.parametrize("content", [b"", b"[1]", b'{"place": ', b"\xff"])
def test_what_cannot_be_read_is_nothing(folder: Path, content: bytes) -> None:
    one, two = Claims(folder, "one"), Claims(folder, "two")
    claim = one.take("anna", name="Anna")
    (folder / "anna.json").write_bytes(content)
    assert two.look("anna") == (True, {})
    claim.release()


def test_it_is_told_whole(folder: Path) -> None:
    claims, seen, ends = Claims(folder, "one"), set[int](), threading.Event()
    claim = claims.take("anna", text="")

    def read() -> None:
        while not ends.is_set():
            seen.add(len(json.loads((folder / "anna.json").read_bytes())["text"]))

    reader = threading.Thread(target=read)
    reader.start()
    try:
        for size in (9000, 3) * 50:
            claim.tell(True, text="x" * size)
        assert until(lambda: len(seen) > 1)
    finally:
        ends.set()
        reader.join()
        claim.release()
    assert seen <= {0, 3, 9000}
