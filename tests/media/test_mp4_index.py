"""Pictures counted from an index are those that ffmpeg decodes; where that is unsure, none are."""

from __future__ import annotations

import random
import subprocess
from pathlib import Path

import pytest

from app_core.media.decoder import measure_clip
from app_core.media.ffmpeg import QUIET, Ffmpeg, find_ffmpeg
from app_core.media.mp4_index import count_pictures

SOURCE = ("-f", "lavfi", "-i", "testsrc=size=128x96:rate=25:duration=3")
PLAIN = ("-c:v", "libx264", "-bf", "0", "-g", "25")


@pytest.fixture
def ffmpeg() -> Ffmpeg:
    return find_ffmpeg()


def make(ffmpeg: Ffmpeg, path: Path, *how: str, source: tuple[str, ...] = SOURCE) -> Path:
    subprocess.run([ffmpeg.path, *QUIET, *source, *how, str(path)], check=True)
    return path


def decoded(ffmpeg: Ffmpeg, path: Path) -> int:
    raw = ["-fps_mode", "passthrough", "-f", "rawvideo", "-pix_fmt", "gray", "pipe:1"]
    return len(ffmpeg.run(["-i", str(path), "-map", "0:v:0", *raw])) // (128 * 96)


@pytest.mark.parametrize("place", [(), ("-movflags", "+faststart")])
def test_a_plain_clip_is_counted(ffmpeg: Ffmpeg, tmp_path: Path, place: tuple[str, ...]) -> None:
    path = make(ffmpeg, tmp_path / "a.mp4", *PLAIN, *place)
    assert count_pictures(path) == decoded(ffmpeg, path) == 75
    assert measure_clip(ffmpeg, path).pictures == 75


def test_what_is_unsure_is_left_to_ffmpeg(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    plain = make(ffmpeg, tmp_path / "plain.mp4", *PLAIN)
    copied = ("-c", "copy")
    cut = make(ffmpeg, tmp_path / "cut.mp4", *copied, source=("-ss", "1.5", "-i", str(plain)))
    tone = ("-f", "lavfi", "-i", "sine=duration=3", "-c:a", "aac")
    unsure = [
        cut,
        make(ffmpeg, tmp_path / "sound.mp4", *tone, *PLAIN),
        make(ffmpeg, tmp_path / "pieces.mp4", *PLAIN, "-movflags", "+frag_keyframe+empty_moov"),
        make(ffmpeg, tmp_path / "a.mkv", *PLAIN),
    ]
    for path in unsure:
        assert count_pictures(path) is None, path.name
    assert decoded(ffmpeg, cut) < 75
    assert measure_clip(ffmpeg, unsure[1]).pictures == 75


def test_a_broken_index_is_none(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    whole = make(ffmpeg, tmp_path / "a.mp4", *PLAIN, "-movflags", "+faststart").read_bytes()
    broken, dice = tmp_path / "b.mp4", random.Random(1)
    for end in (0, 4, 8, 40, 60, 200, 700):
        broken.write_bytes(whole[:end])
        assert count_pictures(broken) is None, end
    for _ in range(300):
        data = bytearray(whole)
        for _ in range(8):
            data[dice.randrange(1500)] = dice.randrange(256)
        broken.write_bytes(data)
        count_pictures(broken)
