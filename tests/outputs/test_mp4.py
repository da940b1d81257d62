from __future__ import annotations

import os
import re
import signal
import subprocess
import threading
from pathlib import Path

import numpy as np
import pytest

from app_core.errors import DiskFull, FfmpegFailed
from app_core.media.ffmpeg import Ffmpeg, find_ffmpeg
from app_core.outputs.frame_encoder import COMMENT
from app_core.outputs.mp4 import Mp4Writer, start_mp4
from app_core.outputs.output import Format
from app_core.request import Encoding
from app_core.types import Frame, Picture, first_sample
from tests.below import children_of

WIDTH, HEIGHT = 64, 48
FPS = 25
RATE = 22050


@pytest.fixture(scope="module")
def ffmpeg() -> Ffmpeg:
    return find_ffmpeg()


def frame(index: int, fps: int = FPS, luma: int = 16, tone: bool = False) -> Frame:
    half = np.full((HEIGHT // 2, WIDTH // 2), 128, np.uint8)
    picture = Picture(np.full((HEIGHT, WIDTH), luma, np.uint8), half, half)
    clock = np.arange(first_sample(index, RATE, fps), first_sample(index + 1, RATE, fps)) / RATE
    sound = 0.5 * np.sin(2 * np.pi * 1000 * clock) if tone else np.zeros(len(clock))
    return Frame(index, index / fps, picture, sound.astype(np.float32))


def noisy(index: int) -> Frame:
    """A frame that does not compress."""
    noise = np.random.default_rng(index).integers(16, 235, (480, 640)).astype(np.uint8)
    half = noise[::2, ::2].copy()
    return Frame(index, index / FPS, Picture(noise, half, half), np.zeros(882, np.float32))


def writing(
    path: Path, ffmpeg: Ffmpeg, width: int = WIDTH, height: int = HEIGHT, fps: int = FPS
) -> Mp4Writer:
    encoding = Encoding(preset="ultrafast")
    return start_mp4(path, Format(width, height, fps, RATE), encoding, ffmpeg)


def write(path: Path, ffmpeg: Ffmpeg, frames: list[Frame], fps: int = FPS) -> None:
    with writing(path, ffmpeg, fps=fps) as writer:
        for each in frames:
            writer.write(each)
        writer.finish()


def packets(ffmpeg: Ffmpeg, path: Path, stream: str) -> np.ndarray:
    """(packets, 2): when each decoded piece is shown and how long, in seconds."""
    text = ffmpeg.run(["-i", f"file:{path}", "-map", stream, "-f", "framecrc", "-"]).decode()
    base = re.search(r"#tb 0: (\d+)/(\d+)", text)
    assert base is not None
    rows = [line.split(",")[2:4] for line in text.splitlines() if not line.startswith("#")]
    return np.array(rows, float) * int(base[1]) / int(base[2])


def luma_of(ffmpeg: Ffmpeg, path: Path) -> np.ndarray:
    raw = ffmpeg.run(["-i", f"file:{path}", "-f", "rawvideo", "-pix_fmt", "gray", "pipe:1"])
    return np.frombuffer(raw, np.uint8).reshape(-1, HEIGHT * WIDTH).mean(1)


def sound_of(ffmpeg: Ffmpeg, path: Path) -> np.ndarray:
    raw = ffmpeg.run(["-i", f"file:{path}", "-map", "0:a", "-f", "s16le", "pipe:1"])
    return np.frombuffer(raw, "<i2") / 32768


def described(ffmpeg: Ffmpeg, path: Path) -> str:
    argv = [ffmpeg.path, "-hide_banner", "-i", f"file:{path}"]
    return subprocess.run(argv, capture_output=True, text=True, stdin=subprocess.DEVNULL).stderr


def left_behind(folder: Path) -> tuple[list[str], list[str], list[int]]:
    """Files in ``folder``, threads of a writer, children of this process."""
    threads = [t.name for t in threading.enumerate() if t.name.startswith(("ffmpeg-", "sound-"))]
    return sorted(os.listdir(folder)), threads, children_of("self")


@pytest.mark.parametrize(("fps", "count"), [(25, 130), (60, 131), (10, 1), (30, 61)])
def test_every_frame_once_at_its_time_with_as_much_sound(
    tmp_path: Path, ffmpeg: Ffmpeg, fps: int, count: int
) -> None:
    path = tmp_path / "out.mp4"
    write(path, ffmpeg, [frame(i, fps, luma=16 + i) for i in range(count)], fps)
    video, sound = packets(ffmpeg, path, "0:v"), packets(ffmpeg, path, "0:a")
    assert np.allclose(video[:, 0], np.arange(count) / fps)
    assert np.allclose(luma_of(ffmpeg, path), (np.arange(count)) * 255 / 219, atol=2.5)
    assert sound[0, 0] == 0
    # A whole AAC packet, 1024 samples, may be counted as sound by FFmpeg up to 7.
    assert abs(sound[-1].sum() - count / fps) < max(1 / fps, 1024 / 48000)


def test_a_short_last_frame_is_filled_with_silence(tmp_path: Path, ffmpeg: Ffmpeg) -> None:
    last = Frame(4, 4 / FPS, frame(4).picture, np.zeros(10, np.float32))
    write(tmp_path / "out.mp4", ffmpeg, [*[frame(i) for i in range(4)], last])
    sound = packets(ffmpeg, tmp_path / "out.mp4", "0:a")
    assert abs(sound[-1].sum() - 5 / FPS) < 1 / FPS


def test_the_file_says_what_it_is(tmp_path: Path, ffmpeg: Ffmpeg) -> None:
    path = tmp_path / "out.mp4"
    write(path, ffmpeg, [frame(i) for i in range(5)])
    text = described(ffmpeg, path)
    assert re.search(r"comment\s*: " + COMMENT, text)
    assert re.search(r"Video: h264 .*yuv420p\(tv, smpte170m.*64x48.*, 25 fps", text)
    assert re.search(r"Audio: aac \(LC\).*48000 Hz, mono", text)
    data = path.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")
    # colr: on-screen colours; primaries, transfer and matrix 6 are SMPTE 170M (BT.601), tv range.
    assert b"colrnclx" + bytes([0, 6, 0, 6, 0, 6, 0]) in data


def test_a_key_frame_every_two_seconds_and_nowhere_else(tmp_path: Path, ffmpeg: Ffmpeg) -> None:
    path = tmp_path / "out.mp4"
    write(path, ffmpeg, [frame(i, luma=16 if i < 33 else 220) for i in range(130)])
    only_keys = ["-skip_frame", "nokey", "-i", f"file:{path}", "-map", "0:v", "-fps_mode"]
    text = ffmpeg.run([*only_keys, "passthrough", "-f", "framecrc", "-"]).decode()
    shown = [int(line.split(",")[2]) for line in text.splitlines() if not line.startswith("#")]
    assert shown == [0, 50, 100]


def test_a_tone_begins_with_its_flash(tmp_path: Path, ffmpeg: Ffmpeg) -> None:
    path = tmp_path / "out.mp4"
    write(path, ffmpeg, [frame(i, luma=235 if i == 30 else 16, tone=i >= 30) for i in range(60)])
    flash = int(np.argmax(luma_of(ffmpeg, path))) / FPS
    onset = int(np.argmax(np.abs(sound_of(ffmpeg, path)) > 0.1)) / 48000
    assert flash == 30 / FPS
    assert abs(onset - flash) < 0.5 / FPS


def test_finish_leaves_the_file_alone(tmp_path: Path, ffmpeg: Ffmpeg) -> None:
    write(tmp_path / "out.mp4", ffmpeg, [frame(i) for i in range(5)])
    assert left_behind(tmp_path) == (["out.mp4"], [], [])


def test_without_finish_nothing_is_left(tmp_path: Path, ffmpeg: Ffmpeg) -> None:
    with writing(tmp_path / "out.mp4", ffmpeg) as writer:
        writer.write(frame(0))
    writer.abort()
    assert left_behind(tmp_path) == ([], [], [])


def test_an_older_file_survives_a_failure(tmp_path: Path, ffmpeg: Ffmpeg) -> None:
    path = tmp_path / "out.mp4"
    path.write_bytes(b"older")
    with writing(path, ffmpeg) as writer:
        writer.write(frame(0))
    assert path.read_bytes() == b"older"


def test_killed_in_the_middle(tmp_path: Path, ffmpeg: Ffmpeg) -> None:
    writer = writing(tmp_path / "out.mp4", ffmpeg, 640, 480)
    writer.write(noisy(0))
    with pytest.raises(FfmpegFailed, match="signal 9"):
        assert writer.pid is not None
        os.kill(writer.pid, signal.SIGKILL)
        for index in range(1, 100):
            writer.write(noisy(index))
    assert left_behind(tmp_path) == ([], [], [])


def test_a_full_disk(tmp_path: Path, ffmpeg: Ffmpeg) -> None:
    if not os.path.exists("/dev/full"):
        pytest.skip("no /dev/full here")
    (tmp_path / "out.mp4.part").symlink_to("/dev/full")
    writer = writing(tmp_path / "out.mp4", ffmpeg, 640, 480)
    with pytest.raises(DiskFull):
        for index in range(100):
            writer.write(noisy(index))
    assert left_behind(tmp_path) == ([], [], [])


def test_a_folder_that_is_not_there(tmp_path: Path, ffmpeg: Ffmpeg) -> None:
    writer = writing(tmp_path / "gone" / "out.mp4", ffmpeg)
    with pytest.raises(FfmpegFailed, match="No such file"):
        for index in range(100):
            writer.write(frame(index))
        writer.finish()
    assert left_behind(tmp_path) == ([], [], [])


def test_a_picture_of_another_size_is_refused(tmp_path: Path, ffmpeg: Ffmpeg) -> None:
    with writing(tmp_path / "out.mp4", ffmpeg, 640, 480) as writer:
        with pytest.raises(ValueError, match="64x48"):
            writer.write(frame(0))
