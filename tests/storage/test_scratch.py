from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from app_core.audio import SPILL_S, AudioBuffer
from app_core.config import ROOT
from app_core.storage.scratch import Scratch, writable
from app_core.storage.spool import Spool

HOLD = """
import sys
from pathlib import Path
from app_core.storage.scratch import Scratch
Scratch(Path(sys.argv[1])).take("film.mp4").write_text("half a film")
sys.stdout.write("ready\\n")
sys.stdout.flush()
sys.stdin.read()
"""


@pytest.fixture
def other_process(tmp_path: Path):  # type: ignore[no-untyped-def]
    """Holds a folder until it is killed, which removes nothing."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        yield process
        process.kill()


def test_the_last_file_takes_the_folder_along(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path)
    assert list(tmp_path.iterdir()) == []
    first, second = scratch.take("1.mp4"), scratch.take("2.mp4")
    assert first.parent == second.parent and first.read_bytes() == b""
    scratch.free(first)
    assert [second] == list(second.parent.iterdir())
    scratch.free(second)
    assert list(tmp_path.iterdir()) == []
    third = scratch.take("3.mp4")
    assert third.exists(), "a folder is made again"
    scratch.close()
    assert list(tmp_path.iterdir()) == []


def test_a_place_is_taken_once(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path)
    scratch.take("1.mp4")
    with pytest.raises(FileExistsError):
        scratch.take("1.mp4")
    scratch.close()


def test_folders_of_dead_processes_are_swept(
    tmp_path: Path, other_process: subprocess.Popen[bytes]
) -> None:
    (tmp_path / "somebody-else").mkdir()
    (held,) = tmp_path.glob("soyle-*")
    scratch = Scratch(tmp_path)
    assert scratch.sweep() == 0, "a living process keeps its films"
    assert (held / "film.mp4").read_text() == "half a film"
    other_process.kill()
    other_process.wait(5)
    mine = scratch.take("mine.mp4")
    assert scratch.sweep() == 1
    assert not held.exists()
    assert mine.exists()
    assert (tmp_path / "somebody-else").exists()
    scratch.close()


def test_a_folder_that_cannot_be_written_is_known_before(tmp_path: Path) -> None:
    assert writable(tmp_path) and writable(tmp_path / "not" / "there")
    assert list((tmp_path / "not" / "there").iterdir()) == []
    (tmp_path / "file").touch()
    assert not writable(tmp_path / "file") and not writable(tmp_path / "file" / "work")
    assert not writable(Path("/proc/nope")), "what permissions do not tell"


@pytest.mark.parametrize("gone", ["soyle-*", "."])
def test_a_folder_that_was_removed_under_it_is_made_anew(tmp_path: Path, gone: str) -> None:
    work = tmp_path / "work"
    scratch = Scratch(work)
    first = scratch.take("1.mp4")
    before = len(os.listdir("/proc/self/fd"))
    for folder in [*work.glob(gone)] if gone != "." else [work]:
        shutil.rmtree(folder)
    second = scratch.take("2.mp4")
    assert second.exists() and second.parent.parent == work
    assert len(os.listdir("/proc/self/fd")) == before, "the lock of the old one is let go"
    assert Scratch(work).sweep() == 0, "the new one is locked as the old one was"
    scratch.free(first)
    scratch.free(second)
    assert list(work.iterdir()) == []


@pytest.mark.parametrize("gone", ["work", "work/deep"])
def test_files_without_a_name_are_made_where_the_folder_is_gone(tmp_path: Path, gone: str) -> None:
    folder = tmp_path / "work" / "deep"
    folder.mkdir(parents=True)
    shutil.rmtree(tmp_path / gone)
    spool = Spool(folder)
    extent = spool.put([b"said"], 4)
    assert spool.read(extent, 0, 4) == b"said"
    spool.close()
    shutil.rmtree(tmp_path / gone)
    sound = AudioBuffer(8000, spills=True, spill=str(folder))
    sound.append(np.full(int(8000 * (SPILL_S + 1)), 0.5, np.float32))
    assert sound.in_memory == 0 and sound.samples(8000, 8001) == 0.5
    sound.release()
