from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

import numpy as np
import pytest

from app_core.errors import FfmpegFailed
from app_core.media.decoder import ClipDecoder, measure_clip
from app_core.media.ffmpeg import Ffmpeg, find_ffmpeg
from app_core.types import ClipShape, Cut, Picture
from tests.clips import HEIGHT, PICTURES, TAGS, WIDTH, children, luma, make_clip, pixels

WHOLE = Cut(0, 0, WIDTH, HEIGHT)
SIZE = (WIDTH, HEIGHT)


@pytest.fixture(scope="module")
def ffmpeg() -> Ffmpeg:
    return find_ffmpeg()


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clip(tmp_path_factory.mktemp("clip") / "loop.mp4")


def stacked(picture: Picture) -> np.ndarray:
    """(height * 3 / 2, width), as in ``clips.pixels``."""
    planes = [picture.y.ravel(), picture.u.ravel(), picture.v.ravel()]
    return np.concatenate(planes).reshape(-1, picture.width)


def test_a_clip_is_measured(ffmpeg: Ffmpeg, clip: Path) -> None:
    assert measure_clip(ffmpeg, clip) == ClipShape(WIDTH, HEIGHT, 25.0, PICTURES)


def test_every_picture_leaves_as_it_was_coded_and_the_loop_has_no_seam(
    ffmpeg: Ffmpeg, clip: Path
) -> None:
    with ClipDecoder(ffmpeg, clip, WHOLE, SIZE) as decoder:
        for index in range(2 * PICTURES + 10):
            found = decoder.read()
            assert np.array_equal(stacked(found), pixels(index % PICTURES)), index
            assert found.y.flags.c_contiguous and found.v.flags.c_contiguous
    assert children("stream_loop") == []


def test_a_cut_is_the_part_of_the_picture(ffmpeg: Ffmpeg, clip: Path) -> None:
    with ClipDecoder(ffmpeg, clip, Cut(22, 14, 64, 62), (64, 62)) as decoder:
        found = decoder.read()
    assert np.array_equal(found.y, pixels(0)[14:76, 22:86])


def test_a_scaled_picture_has_its_size_and_its_light(ffmpeg: Ffmpeg, clip: Path) -> None:
    for size in ((64, 48), (256, 192)):
        with ClipDecoder(ffmpeg, clip, WHOLE, size) as decoder:
            found = [decoder.read() for _ in range(3)]
        assert [(p.width, p.height) for p in found] == [size] * 3
        assert [int(p.y[2, 2]) for p in found] == [luma(index) for index in range(3)]


def test_colours_of_television_become_bt601(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    """Red of BT.709 is (63, 102, 240) in Y, U, V; of BT.601 (81, 90, 240)."""
    red = np.full((HEIGHT * 3 // 2, WIDTH), 63, np.uint8)
    red[HEIGHT : HEIGHT * 5 // 4] = 102
    red[HEIGHT * 5 // 4 :] = 240
    path = tmp_path / "red.mp4"
    raw = ["-f", "rawvideo", "-pixel_format", "yuv420p", "-video_size", f"{WIDTH}x{HEIGHT}"]
    tags = ["-color_range", "tv", "-colorspace", "bt709"]
    tags += ["-color_primaries", "bt709", "-color_trc", "bt709"]
    coded = ["-c:v", "libx264", "-qp", "0", *tags, f"file:{path}"]
    ffmpeg.run([*raw, *tags, "-i", "pipe:0", *coded], data=red.tobytes())
    with ClipDecoder(ffmpeg, path, WHOLE, SIZE) as decoder:
        found = decoder.read()
    assert [int(np.median(plane)) for plane in (found.y, found.u, found.v)] == pytest.approx(
        [81, 90, 240], abs=2
    )


def test_what_is_no_video_says_so(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    path = tmp_path / "text.mp4"
    path.write_text("no video")
    with pytest.raises(FfmpegFailed):
        measure_clip(ffmpeg, path)
    with ClipDecoder(ffmpeg, path, WHOLE, SIZE) as decoder, pytest.raises(FfmpegFailed):
        decoder.read()


def test_killed_in_the_middle(ffmpeg: Ffmpeg, clip: Path) -> None:
    with ClipDecoder(ffmpeg, clip, WHOLE, SIZE) as decoder:
        decoder.read()
        os.kill(decoder.pid, signal.SIGKILL)
        with pytest.raises(FfmpegFailed, match="signal 9|middle of a picture"):
            for _ in range(1000):
                decoder.read()
    assert children("stream_loop") == []


def test_close_frees_a_read_in_another_thread(ffmpeg: Ffmpeg, clip: Path) -> None:
    decoder = ClipDecoder(ffmpeg, clip, WHOLE, SIZE)
    os.kill(decoder.pid, signal.SIGSTOP)
    errors: list[Exception] = []

    def read() -> None:
        try:
            for _ in range(1000):
                decoder.read()
        except FfmpegFailed as error:
            errors.append(error)

    reader = threading.Thread(target=read)
    reader.start()
    decoder.close()
    decoder.close()
    reader.join(10)
    assert not reader.is_alive()
    assert len(errors) == 1
    with pytest.raises(FfmpegFailed):
        decoder.read()
    assert children("stream_loop") == []


@pytest.mark.parametrize(
    ("cut", "size"),
    [
        (Cut(6, 78, 1274, 364, 736, 0), (1920, 128)),
        (Cut(606, 0, 298, 716, 0, 806), (128, 1920)),
        (Cut(0, 0, 1280, 720), (128, 128)),
        (Cut(70, 40, 960, 540), (1280, 720)),
    ],
)
def test_grey_stays_grey(ffmpeg: Ffmpeg, tmp_path: Path, cut: Cut, size: tuple[int, int]) -> None:
    path = tmp_path / "grey.mp4"
    picture = np.full((720 * 3 // 2, 1280), 128, np.uint8)
    picture[:720] = np.random.default_rng(1).integers(16, 236, (720, 1280))
    raw = ["-f", "rawvideo", "-pixel_format", "yuv420p", "-video_size", "1280x720", *TAGS]
    coded = ["-c:v", "libx264", "-qp", "0", *TAGS, f"file:{path}"]
    ffmpeg.run([*raw, "-i", "pipe:0", *coded], data=picture.tobytes())
    with ClipDecoder(ffmpeg, path, cut, size) as decoder:
        found = decoder.read()
    for plane in (found.u, found.v):
        assert 127 <= plane.min() and plane.max() <= 129
