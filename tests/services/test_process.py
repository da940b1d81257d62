from __future__ import annotations

import os
import signal
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from app_core.errors import FfmpegFailed
from app_core.media.ffmpeg import QUIET, find_ffmpeg
from app_core.media.process import FfmpegProcess, InputPipe

PLENTY = bytes(4 << 20)


def python(code: str) -> list[str]:
    """A child that does exactly what a test needs."""
    return [sys.executable, "-c", code]


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))


def gone(pid: int) -> bool:
    """Ended and reaped."""
    return not Path(f"/proc/{pid}").exists()


def test_two_pipes_in_and_the_output_back() -> None:
    code = "import sys; a, b = map(int, sys.argv[1:]); out = open(b, 'rb').read() + "
    code += "open(a, 'rb').read(); sys.stdout.buffer.write(out)"
    before = open_files()
    first, second = InputPipe(), InputPipe()
    argv = [*python(code), first.url.removeprefix("pipe:"), second.url.removeprefix("pipe:")]
    with FfmpegProcess(argv, inputs=[first, second], output=True) as process:
        process.write(first, b"one")
        process.write(second, b"two")
        first.close()
        second.close()
        buffer = bytearray(10)
        assert process.read(memoryview(buffer)) == 6
        assert bytes(buffer[:6]) == b"twoone"
        process.finish()
    assert gone(process.pid)
    assert open_files() == before


def test_an_array_is_filled_from_ffmpeg() -> None:
    pipe = InputPipe()
    shape = ["-f", "rawvideo", "-pixel_format", "gray", "-video_size", "16x8"]
    argv = [find_ffmpeg().path, *QUIET, *shape, "-i", pipe.url, "-f", "rawvideo", "pipe:1"]
    picture = np.arange(128, dtype=np.uint8).reshape(8, 16)
    found = np.zeros_like(picture)
    with FfmpegProcess(argv, inputs=[pipe], output=True) as process:
        process.write(pipe, picture.data)
        pipe.close()
        assert process.read(found.data) == 128
        assert process.read(memoryview(bytearray(1))) == 0
        process.finish()
    assert np.array_equal(found, picture)


def test_a_dead_child_is_a_failure_with_its_last_words() -> None:
    pipe = InputPipe()
    code = "import sys; print('early\\n' * 150 + 'the last word', file=sys.stderr); sys.exit(3)"
    with FfmpegProcess(python(code), inputs=[pipe]) as process:
        with pytest.raises(FfmpegFailed, match="ended with code 3: early; early; the last word"):
            while True:
                process.write(pipe, PLENTY)


def test_output_that_ends_badly_is_a_failure() -> None:
    code = "import sys; print('half', end='', flush=True); sys.exit('no more')"
    with FfmpegProcess(python(code), output=True) as process:
        with pytest.raises(FfmpegFailed, match="no more"):
            process.read(memoryview(bytearray(100)))


def test_a_bad_end_is_a_failure_at_finish() -> None:
    with FfmpegProcess(python("raise SystemExit('bad end')")) as process:
        with pytest.raises(FfmpegFailed, match="bad end"):
            process.finish()


def test_all_that_a_child_said_by_its_end_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    listen = FfmpegProcess._listen
    late = lambda process, stream: (time.sleep(0.2), listen(process, stream))  # noqa: E731
    monkeypatch.setattr(FfmpegProcess, "_listen", late)
    code = "import sys; print('Out of memory', file=sys.stderr)"
    with FfmpegProcess(python(code), output=True) as process:
        assert process.read(memoryview(bytearray(1))) == 0
        assert process.starved


def test_waits_are_bounded() -> None:
    before = open_files()
    pipe = InputPipe()
    sleeper = python("import time; time.sleep(60)")
    with FfmpegProcess(sleeper, inputs=[pipe], output=True, patience_s=0.2) as process:
        with pytest.raises(FfmpegFailed, match="took no data"):
            process.write(pipe, PLENTY)
        with pytest.raises(FfmpegFailed, match="gave no data"):
            process.read(memoryview(bytearray(1)))
        with pytest.raises(FfmpegFailed, match="did not end"):
            process.finish(0.1)
    assert gone(process.pid)
    assert open_files() == before


def test_one_that_ignores_the_request_to_end_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app_core.media.process._TERMINATE_S", 0.2)
    deaf = tmp_path / "deaf"
    code = "import pathlib, signal, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    code += f"pathlib.Path({str(deaf)!r}).touch(); time.sleep(60)"
    process = FfmpegProcess(python(code))
    while not deaf.exists():
        time.sleep(0.01)
    process.stop()
    process.stop()
    assert gone(process.pid)


def test_killed_in_the_middle_of_a_write() -> None:
    threads = threading.active_count()
    pipe = InputPipe()
    process = FfmpegProcess(python("import time; time.sleep(60)"), inputs=[pipe])
    killer = threading.Timer(0.2, os.kill, (process.pid, signal.SIGKILL))
    killer.start()
    with process, pytest.raises(FfmpegFailed, match="killed by signal 9"):
        process.write(pipe, PLENTY)
    killer.join()
    assert gone(process.pid)
    assert threading.active_count() == threads


def test_stop_frees_a_write_in_another_thread() -> None:
    pipe = InputPipe()
    process = FfmpegProcess(python("import time; time.sleep(60)"), inputs=[pipe])
    errors: list[Exception] = []

    def write() -> None:
        try:
            process.write(pipe, PLENTY)
        except FfmpegFailed as error:
            errors.append(error)

    writer = threading.Thread(target=write)
    writer.start()
    time.sleep(0.1)
    process.stop()
    writer.join(10)
    assert not writer.is_alive()
    assert len(errors) == 1


def test_a_missing_binary_leaves_nothing_open(tmp_path: Path) -> None:
    before = open_files()
    with pytest.raises(FfmpegFailed, match="could not be started"):
        FfmpegProcess([str(tmp_path / "gone")], inputs=[InputPipe()])
    assert open_files() == before
