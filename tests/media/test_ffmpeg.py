from __future__ import annotations

import os
import resource
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from imageio_ffmpeg import get_ffmpeg_exe

from app_core.errors import DiskFull, FfmpegFailed
from app_core.media import decoder, process, raw_video, sound_file
from app_core.media.ffmpeg import IMPORT_MEMORY, QUIET, Ffmpeg, failure, find_ffmpeg, starved
from app_core.outputs import frame_encoder, mp4
from app_core.outputs.output import Format
from app_core.request import Encoding


def program(path: Path, version: str, encoders: str = "libx264 aac") -> Path:
    """Something that answers the questions of find_ffmpeg like an ffmpeg does."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        f"#!{sys.executable}\n"
        "import sys\n"
        f"print('{encoders}' if '-encoders' in sys.argv else '{version}')\n"
    )
    path.chmod(0o755)
    return path


def test_one_is_found_and_encodes() -> None:
    ffmpeg = find_ffmpeg()
    assert ffmpeg.major >= 5
    assert "libx264" in ffmpeg.encoders
    assert set(ffmpeg.encoders) <= {"libx264", "libx265", "h264_nvenc", "hevc_nvenc"}


def test_run_gives_the_output_back() -> None:
    tone = ["-f", "s16le", "-ar", "8000", "-ac", "1", "-i", "pipe:0"]
    output = find_ffmpeg().run([*tone, "-f", "s16le", "pipe:1"], data=bytes(range(200)))
    assert output == bytes(range(200))


def test_run_says_what_ffmpeg_said(tmp_path: Path) -> None:
    with pytest.raises(FfmpegFailed, match=r"code \d+: .*No such file"):
        find_ffmpeg().run(["-i", f"file:{tmp_path}/gone.mp4", "-f", "null", "-"])


def test_run_ends_one_that_hangs(tmp_path: Path) -> None:
    sleeper = tmp_path / "sleeper"
    sleeper.write_text(f"#!{sys.executable}\nimport time\ntime.sleep(60)\n")
    sleeper.chmod(0o755)
    with pytest.raises(FfmpegFailed, match="not done after"):
        Ffmpeg(str(sleeper), "n9.0").run([], timeout_s=0.3)


ENDLESS = ["-f", "lavfi", "-i", "testsrc2=size=1280x720:rate=30", "-c:v", "libx264"]


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="this system limits no child")
def test_a_child_that_wants_too_much_memory_ends_and_names_the_setting() -> None:
    small = replace(find_ffmpeg(), memory=100 << 20)
    with pytest.raises(FfmpegFailed, match="too little memory, see CHILD_MEMORY_MB"):
        small.run([*ENDLESS, "-preset", "veryslow", "-f", "null", "-"])


@pytest.mark.parametrize(
    "line",
    [
        "[h264 @ 0x55] get_buffer() failed",
        "[rawvideo @ 0x55] ff_frame_thread_encoder_init failed",
        "[vf#0:0 @ 0x55] Error sending frames to consumers: Resource temporarily unavailable",
    ],
)
def test_what_is_said_where_memory_is_short(line: str) -> None:
    """The last two where a thread has no room for its stack."""
    assert starved(["Stream mapping:", line])
    assert "too little memory" in str(failure(245, [line]))


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="this system limits no child")
def test_every_long_child_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that read an upload by no more than IMPORT_MEMORY, and those on a GPU not at all."""
    bounds: list[int] = []

    class Bounded(process.FfmpegProcess):
        def __init__(self, *given: Any, **more: Any) -> None:
            super().__init__(*given, **more)
            bounds.append(resource.prlimit(self.pid, resource.RLIMIT_DATA)[1])

    for module in (decoder, frame_encoder, raw_video, sound_file):
        monkeypatch.setattr(module, "FfmpegProcess", Bounded)
    ffmpeg = replace(find_ffmpeg(), memory=3 << 30)
    film, wav = tmp_path / "a.mp4", tmp_path / "a.mp3"
    with raw_video.RawWriter(ffmpeg, film, (64, 64), 25) as writer:
        for _ in range(2):
            writer.write(memoryview(bytes(64 * 64 * 3 // 2)))
        writer.finish()
    decoder.start_video_decoder(ffmpeg, film).close()
    with mp4.start_mp4(tmp_path / "b.mp4", Format(64, 64, 25, 8000), Encoding(), ffmpeg):
        pass
    ffmpeg.run(["-f", "lavfi", "-i", "sine=d=0.1", "-y", f"file:{wav}"])
    sound_file.SoundFile(wav, lambda: ffmpeg).close()
    assert bounds == [3 << 30, 3 << 30, 3 << 30, IMPORT_MEMORY]
    assert replace(ffmpeg, memory=1 << 30).upload_memory == 1 << 30
    assert ffmpeg.bound(["-c:v", "h264_nvenc"]) is ffmpeg.bound(["-hwaccel", "cuda"]) is None


@pytest.mark.parametrize(
    ("version", "major"),
    [("n9.0.2-17-g2a57", 9), ("5.1.9-0+deb12u1", 5), ("7.0.2-static", 7), ("N-12-g3f", 0)],
)
def test_major_version(version: str, major: int) -> None:
    assert Ffmpeg("ffmpeg", version).major == major


def test_the_newer_of_system_and_package_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    newer = program(tmp_path / "newer" / "ffmpeg", "ffmpeg version n99.0 Copyright")
    older = program(tmp_path / "older" / "ffmpeg", "ffmpeg version 5.1.9-0+deb12u1 Copyright")
    monkeypatch.setenv("PATH", str(newer.parent))
    assert find_ffmpeg().path == str(newer)
    monkeypatch.setenv("PATH", str(older.parent))
    assert find_ffmpeg().path == get_ffmpeg_exe()


def test_the_setting_alone_counts(tmp_path: Path) -> None:
    chosen = program(tmp_path / "ffmpeg", "ffmpeg version 5.1 Copyright")
    assert find_ffmpeg(str(chosen)) == Ffmpeg(str(chosen), "5.1")


def test_a_missing_binary_is_named(tmp_path: Path) -> None:
    with pytest.raises(FfmpegFailed, match=r"no ffmpeg at .*/gone"):
        find_ffmpeg(str(tmp_path / "gone"))


@pytest.mark.parametrize(
    ("version", "encoders", "words"),
    [
        ("ffmpeg version 4.4.1 Copyright", "libx264 aac", "5.1 or newer"),
        ("ffmpeg version 6.0 Copyright", "mpeg4 aac", "without libx264"),
        ("hello", "libx264 aac", "is not ffmpeg"),
    ],
)
def test_an_unfit_binary_is_refused(
    tmp_path: Path, version: str, encoders: str, words: str
) -> None:
    with pytest.raises(FfmpegFailed, match=words):
        find_ffmpeg(str(program(tmp_path / "ffmpeg", version, encoders)))


def test_none_at_all_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", str(tmp_path / "gone"))
    with pytest.raises(FfmpegFailed, match="install FFmpeg"):
        find_ffmpeg()


def test_endings() -> None:
    assert str(failure(-9, [])) == "ffmpeg was killed by signal 9"
    assert str(failure(1, ["one", "", "two"])) == "ffmpeg ended with code 1: one; two"
    said = "Error opening file:/srv/faces/me/loop.mp4, http://a.b/c/d: N/A 25/1"
    told = "ffmpeg ended with code 1: Error opening file:loop.mp4, http://a.b/c/d: N/A 25/1"
    assert str(failure(1, [said])) == told, "where it lies is nobody's business"
    assert isinstance(failure(228, ["av_write: No space left on device"]), DiskFull)


def test_a_full_disk_is_told_from_other_failures() -> None:
    if not os.path.exists("/dev/full"):
        pytest.skip("no /dev/full here")
    source = ["-f", "s16le", "-ar", "8000", "-ac", "1", "-i", "pipe:0"]
    with pytest.raises(DiskFull):
        find_ffmpeg().run([*source, "-y", "-f", "wav", "file:/dev/full"], data=bytes(1 << 20))


def test_every_run_is_quiet_and_asks_nothing() -> None:
    assert QUIET == ("-hide_banner", "-nostdin", "-loglevel", "error")
