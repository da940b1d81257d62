"""Every output by the one protocol, on the same made-up frames."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from email.parser import BytesParser
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from app_core.errors import Cancelled, FfmpegFailed, ModelFailed, SoyleError
from app_core.media.ffmpeg import Ffmpeg, find_ffmpeg
from app_core.outputs import mjpeg
from app_core.outputs.fragmented_mp4 import FragmentedMp4
from app_core.outputs.mjpeg import WAITING, Mjpeg
from app_core.outputs.mp4 import Mp4Writer
from app_core.outputs.output import Format, OutOfOrder, Output
from app_core.request import Encoding
from app_core.types import Frame, Picture, first_sample
from tests.clips import children
from tests.conftest import until

FORMAT = Format(width=64, height=48, fps=25, sample_rate=22050)
KINDS = ("mp4", "fragmented", "mjpeg")
ENCODING = Encoding(preset="ultrafast")


def frame(index: int) -> Frame:
    """Its picture is lighter than the one before, its sound a tone."""
    half = np.full((FORMAT.height // 2, FORMAT.width // 2), 128, np.uint8)
    luma = np.full((FORMAT.height, FORMAT.width), 40 + 2 * index, np.uint8)
    ends = [first_sample(n, FORMAT.sample_rate, FORMAT.fps) for n in (index, index + 1)]
    pcm = 0.5 * np.sin(np.arange(*ends) * 0.3).astype(np.float32)
    return Frame(index, index / FORMAT.fps, Picture(luma, half, half), pcm)


def payload(error: SoyleError) -> dict[str, Any]:
    return {"error": str(error), "code": error.code, "field": error.field}


@pytest.fixture(params=KINDS)
def output(request: pytest.FixtureRequest, tmp_path: Path) -> Output:
    return made(request.param, tmp_path)


def made(kind: str, folder: Path) -> Output:
    if kind == "mp4":
        return Mp4Writer(folder / "film.mp4", ENCODING, find_ffmpeg())
    return FragmentedMp4(ENCODING, find_ffmpeg()) if kind == "fragmented" else Mjpeg(85, payload)


def nothing_runs() -> bool:
    names = [thread.name for thread in threading.enumerate()]
    return not children() and not [n for n in names if n.startswith(("sound-", "ffmpeg-"))]


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    yield
    assert until(nothing_runs), threading.enumerate()


def test_nothing_is_taken_before_the_start(output: Output, tmp_path: Path) -> None:
    with pytest.raises(OutOfOrder, match=r"write\(\) of an output that is new"):
        output.write(frame(0))
    with pytest.raises(OutOfOrder, match=r"finish\(\)"):
        output.finish()
    assert nothing_runs() and list(tmp_path.iterdir()) == []


def test_it_starts_once_and_takes_nothing_after_its_end(output: Output) -> None:
    output.start(FORMAT)
    with pytest.raises(OutOfOrder, match="started"):
        output.start(FORMAT)
    output.write(frame(0))
    output.finish()
    for call in (lambda: output.write(frame(1)), output.finish, lambda: output.start(FORMAT)):
        with pytest.raises(OutOfOrder, match="finished"):
            call()
    output.abort()


@pytest.mark.parametrize("frames", [None, 0, 3])
def test_abort_leaves_nothing(output: Output, tmp_path: Path, frames: int | None) -> None:
    if frames is not None:
        output.start(FORMAT)
        for index in range(frames):
            output.write(frame(index))
    output.abort(ModelFailed("the mouth is lost"))
    output.abort()
    assert nothing_runs() and list(tmp_path.iterdir()) == []
    if frames is not None:
        with pytest.raises(ModelFailed, match="the mouth is lost"):
            output.write(frame(0))
        with pytest.raises(ModelFailed):
            output.finish()


def test_what_is_stopped_without_a_reason_was_cancelled(output: Output) -> None:
    output.start(FORMAT)
    output.abort()
    with pytest.raises(Cancelled):
        output.write(frame(0))


def test_one_stream_of_frames_goes_to_all(tmp_path: Path) -> None:
    """As a session attaches them: each reader in its own thread, nobody's pace but the frames'."""
    file = made("mp4", tmp_path)
    film, pictures = FragmentedMp4(ENCODING, find_ffmpeg()), Mjpeg(85, payload)
    outputs: list[Output] = [file, film, pictures]
    got: dict[str, bytes] = {}

    def read(name: str, pieces: Iterator[bytes]) -> None:
        got[name] = b"".join(pieces)

    for each in outputs:
        each.start(FORMAT)
    readers = [
        threading.Thread(target=read, args=("film", film.pieces())),
        threading.Thread(target=read, args=("pictures", pictures.pieces())),
    ]
    for reader in readers:
        reader.start()
    for index in range(30):
        for each in outputs:
            each.write(frame(index))
    for each in outputs:
        each.finish()
    for reader in readers:
        reader.join(20)
    (tmp_path / "fragmented.mp4").write_bytes(got["film"])
    assert decoded(tmp_path / "film.mp4") == decoded(tmp_path / "fragmented.mp4") == 30
    shown = [int(part["X-Frame"]) for part in parts(got["pictures"])]
    assert shown == sorted(shown) and shown[0] == 0
    assert len(shown) + pictures.dropped == 30


def decoded(path: Path) -> int:
    film, count = cv2.VideoCapture(str(path)), 0
    while film.read()[0]:
        count += 1
    film.release()
    return count


def parts(body: bytes) -> list[Any]:
    head = f"Content-Type: {mjpeg.CONTENT_TYPE}\r\n\r\n".encode()
    message = BytesParser().parsebytes(head + body)
    assert not message.defects
    return list(message.get_payload())


def test_pictures_that_nobody_takes_are_dropped_and_never_wait() -> None:
    output = Mjpeg(85, payload)
    output.start(FORMAT)
    for index in range(WAITING + 5):
        output.write(frame(index))
    output.finish()
    assert output.dropped == 5
    found = parts(b"".join(output.pieces()))
    assert [int(part["X-Frame"]) for part in found] == list(range(WAITING))


def test_inline_and_through_the_buffer_the_bytes_are_the_same() -> None:
    written, inline = Mjpeg(85, payload), Mjpeg(85, payload)
    written.start(FORMAT)
    for index in range(WAITING):
        written.write(frame(index))
    written.finish()
    own = inline.body(inline.encode(frame(index)) for index in range(WAITING))
    assert b"".join(written.pieces()) == b"".join(own)


def test_the_last_part_of_pictures_says_what_went_wrong() -> None:
    output = Mjpeg(85, payload)
    output.start(FORMAT)
    pieces = output.pieces()
    output.write(frame(0))
    body = next(pieces)
    output.abort(ModelFailed("the mouth is lost"))
    picture, failure = parts(body + b"".join(pieces))
    assert picture.get_content_type() == "image/jpeg"
    assert json.loads(failure.get_payload(decode=True)) == {
        "error": "the mouth is lost",
        "code": "model_failed",
        "field": None,
    }


def test_the_reader_of_a_film_gets_what_it_was_aborted_with() -> None:
    output = FragmentedMp4(ENCODING, find_ffmpeg())
    output.start(FORMAT)
    pieces = output.pieces()
    for index in range(20):
        output.write(frame(index))
    assert next(pieces)
    output.abort(ModelFailed("the mouth is lost"))
    with pytest.raises(ModelFailed, match="the mouth is lost"):
        list(pieces)


@pytest.mark.parametrize("kind", ["fragmented", "mjpeg"])
def test_a_reader_who_leaves_stops_the_output(kind: str, tmp_path: Path) -> None:
    output: Any = made(kind, tmp_path)
    output.start(FORMAT)
    pieces = output.pieces()
    for index in range(20):
        output.write(frame(index))
    next(pieces)
    pieces.close()
    assert nothing_runs()
    with pytest.raises(Cancelled):
        output.write(frame(20))


def test_an_abort_from_another_thread_ends_a_write_that_waits() -> None:
    output = FragmentedMp4(ENCODING, find_ffmpeg())
    output.start(Format(640, 480, 25, 22050))
    noise = np.random.default_rng(1).integers(16, 235, (480, 640)).astype(np.uint8)
    half = noise[::2, ::2].copy()
    ended: list[Exception] = []

    def write() -> None:
        try:
            for index in range(100_000):
                picture = Picture(np.roll(noise, index * 7), half, half)
                output.write(Frame(index, index / 25, picture, np.zeros(882, np.float32)))
        except SoyleError as error:
            ended.append(error)

    writer = threading.Thread(target=write)
    writer.start()
    assert not until(lambda: not writer.is_alive(), 1.5), "nobody reads, so it waits"
    output.abort(ModelFailed("the mouth is lost"))
    writer.join(10)
    assert [str(error) for error in ended] == ["the mouth is lost"]


def test_a_film_that_cannot_be_started_leaves_nothing(tmp_path: Path) -> None:
    nowhere = Ffmpeg("/nonexistent/ffmpeg", "8.0")
    outputs: list[Output] = [
        Mp4Writer(tmp_path / "film.mp4", ENCODING, nowhere),
        FragmentedMp4(ENCODING, nowhere),
    ]
    for output in outputs:
        with pytest.raises(FfmpegFailed, match="could not be started"):
            output.start(FORMAT)
        with pytest.raises(SoyleError):
            output.write(frame(0))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", ["mp4", "fragmented"])
def test_a_picture_of_another_size_is_refused(kind: str, tmp_path: Path) -> None:
    output = made(kind, tmp_path)
    output.start(Format(640, 480, 25, 22050))
    with pytest.raises(ValueError, match="64x48"):
        output.write(frame(0))
    output.abort()
