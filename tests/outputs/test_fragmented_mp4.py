from __future__ import annotations

import os
import signal
import struct
import threading
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from app_core.errors import BadInput, FfmpegFailed, ModelFailed
from app_core.media.encoding import level
from app_core.media.ffmpeg import find_ffmpeg
from app_core.outputs.fragmented_mp4 import codecs, fragments
from app_core.outputs.output import Format
from app_core.request import Encoding
from app_core.types import Frame, Picture
from tests.conftest import until

FPS, RATE = 25, 8000
WIDTH, HEIGHT = 64, 48


def frame(index: int) -> Frame:
    y = np.full((HEIGHT, WIDTH), 40 + index % 100, np.uint8)
    half = np.full((HEIGHT // 2, WIDTH // 2), 128, np.uint8)
    pcm = np.sin(np.arange(RATE // FPS) * 0.3).astype(np.float32) * 0.5
    return Frame(index, index / FPS, Picture(y, half, half), pcm)


FORMAT = Format(WIDTH, HEIGHT, FPS, RATE)


def stream(frames: Iterator[Frame], encoding: Encoding | None = None) -> Iterator[bytes]:
    return fragments(frames, FORMAT, encoding or Encoding(), find_ffmpeg())


def boxes(data: bytes) -> list[str]:
    found, at = [], 0
    while at < len(data):
        size, name = struct.unpack_from(">I4s", data, at)
        found.append(name.decode())
        at += size
    assert at == len(data)
    return found


def nothing_runs() -> bool:
    names = [t.name for t in threading.enumerate()]
    return not [name for name in names if name.startswith(("fragments-", "sound-", "ffmpeg-"))]


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    yield
    assert until(nothing_runs), threading.enumerate()


def test_every_frame_arrives_in_fragments(tmp_path: Path) -> None:
    data = b"".join(stream(frame(n) for n in range(75)))
    found = boxes(data)
    assert found[:4] == ["ftyp", "moov", "moof", "mdat"]
    assert 12 <= found.count("moof") <= 20, "one every 0.2 s of 3 s"
    path = tmp_path / "film.mp4"
    path.write_bytes(data)
    film = cv2.VideoCapture(str(path))
    count = 0
    while film.read()[0]:
        count += 1
    film.release()
    assert count == 75


@pytest.mark.parametrize("preset", ["ultrafast", "veryfast"])
def test_the_codec_is_what_is_said(preset: str) -> None:
    data = b"".join(stream((frame(n) for n in range(5)), Encoding(preset=preset, crf=0)))
    at = data.index(b"avcC") + 5
    assert f"avc1.{data[at : at + 3].hex()}" == codecs(WIDTH, HEIGHT, FPS).split(",")[0]


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((512, 512, 25), 31),
        ((1280, 720, 30), 31),
        ((1280, 720, 60), 40),
        ((1080, 1920, 25), 40),
        ((1080, 1920, 60), 42),
        ((1920, 1920, 25), 50),
        ((1920, 1920, 60), 51),
    ],
)
def test_levels_have_room(size: tuple[int, int, int], expected: int) -> None:
    assert level(*size) == expected


def test_the_first_fragment_does_not_wait_for_the_last_frame() -> None:
    more = threading.Event()

    def slowly() -> Iterator[Frame]:
        for index in range(50):
            if index == 30:
                assert more.wait(10)
            yield frame(index)

    found = stream(slowly())
    early = b""
    for piece in found:
        early += piece
        if b"mdat" in early:
            break
    assert not more.is_set()
    more.set()
    assert boxes(early + b"".join(found)).count("moof") >= 8


def test_frames_wait_for_a_reader_that_does_not_take() -> None:
    made = []

    def endless() -> Iterator[Frame]:
        rng = np.random.default_rng(1)
        half = np.full((256, 256), 128, np.uint8)
        for index in range(100_000):
            noise = rng.integers(16, 235, (512, 512), np.uint8)
            made.append(index)
            yield Frame(index, index / FPS, Picture(noise, half, half), np.zeros(320, np.float32))

    found = fragments(endless(), Format(512, 512, FPS, RATE), Encoding(), find_ffmpeg())
    next(found)
    assert until(lambda: len(made) > 10)
    counts = [0]

    def stands_still() -> bool:
        counts.append(len(made))
        return len(counts) > 60 and counts[-1] == counts[-50]

    assert until(stands_still, 20), "frames are made though nobody takes them"
    found.close()  # type: ignore[attr-defined]


def test_closing_ends_process_and_threads() -> None:
    asked = []

    def endless() -> Iterator[Frame]:
        for index in range(100_000):
            asked.append(index)
            yield frame(index)

    found = stream(endless())
    next(found)
    found.close()  # type: ignore[attr-defined]
    assert until(nothing_runs, 2)
    assert len(asked) < 100_000


def test_the_error_of_a_frame_is_the_stream_s_own() -> None:
    def fails() -> Iterator[Frame]:
        yield frame(0)
        raise ModelFailed("frame 1 is cursed")

    with pytest.raises(ModelFailed, match="frame 1 is cursed"):
        list(stream(fails()))


def test_a_killed_ffmpeg_is_said() -> None:
    def endless() -> Iterator[Frame]:
        for index in range(100_000):
            yield frame(index)

    found = stream(endless())
    next(found)
    (name,) = [t.name for t in threading.enumerate() if t.name.startswith("fragments-")]
    os.kill(int(name.removeprefix("fragments-")), signal.SIGKILL)
    with pytest.raises(FfmpegFailed, match="killed by signal 9"):
        list(found)


def test_other_encoders_are_refused() -> None:
    with pytest.raises(BadInput) as caught:
        list(stream(iter([]), Encoding("libx265")))
    assert caught.value.field == "encoder"
