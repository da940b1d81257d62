"""Clips as plates: kept or forward, on a stream that shows what is asked of it."""

from __future__ import annotations

import gc
import shutil
import threading
import weakref
from pathlib import Path

import numpy as np
import pytest

from app_core.avatars.clip_frames import READ_AHEAD, StreamedFrames
from app_core.avatars.clip_plate import ClipPlate
from app_core.avatars.library import AvatarLibrary
from app_core.avatars.still_plate import StillPlate
from app_core.errors import BadInput, Cancelled, FfmpegFailed, NotFound
from app_core.face.track import no_face
from app_core.landmarks import POINTS
from app_core.media.decoder import ClipFootage
from app_core.media.ffmpeg import find_ffmpeg
from app_core.types import Picture
from tests.clips import HEIGHT, PICTURES, WIDTH, children, luma, make_avatar, make_clip, make_track
from tests.conftest import until

COUNT = 10


class Stream:
    """Pictures whose luma is their number; fails or waits at one of them."""

    def __init__(self, fail_at: int = -1, wait_at: int = -1) -> None:
        self.fail_at, self.wait_at = fail_at, wait_at
        self.reads = 0
        self.closed = threading.Event()

    def read(self) -> Picture:
        index = self.reads
        self.reads += 1
        if index == self.fail_at:
            raise FfmpegFailed("broken")
        if index == self.wait_at:
            self.closed.wait(10)
        if self.closed.is_set():
            raise FfmpegFailed("closed")
        half = np.full((2, 2), 128, np.uint8)
        return Picture(np.full((4, 4), index % COUNT, np.uint8), half, half)

    def close(self) -> None:
        self.closed.set()


class Streams:
    """Opens one after the other."""

    def __init__(self, *streams: Stream) -> None:
        self.waiting, self.opened = list(streams), list[Stream]()
        self.gently = list[bool]()

    def __call__(self, use_nvdec: bool, gently: bool) -> Stream:
        self.gently.append(gently)
        self.opened.append(self.waiting.pop(0) if self.waiting else Stream())
        return self.opened[-1]


def plate(streams: Streams, keep: bool) -> ClipPlate:
    made = ClipPlate(streams, no_face(COUNT, 25.0), (4, 4), (1.0, 1.0))
    made.keep = keep
    return made


def number(picture: Picture) -> int:
    return int(picture.y[0, 0])


def test_kept_pictures_are_decoded_once_for_all() -> None:
    streams = Streams()
    shared = plate(streams, keep=True)
    one, other = shared.frame_source(), shared.frame_source()
    assert [number(one.picture(index)) for index in range(COUNT)] == list(range(COUNT))
    assert one.picture(3) is other.picture(3) is shared.picture(3)
    one.close()
    assert number(other.picture(COUNT - 1)) == COUNT - 1
    assert len(streams.opened) == 1
    assert until(streams.opened[0].closed.is_set)
    assert streams.opened[0].reads == COUNT


def test_what_is_shared_never_gives_way_to_live_work() -> None:
    streams = Streams()
    for keep in (True, False):
        plate(streams, keep).frame_source(gently=True).close()
    assert streams.gently == [False, True]


def test_the_first_picture_does_not_wait_for_the_last() -> None:
    streams = Streams(Stream(wait_at=5))
    shared = plate(streams, keep=True)
    assert number(shared.frame_source().picture(4)) == 4
    shared.stop()


def test_kept_pictures_that_failed_are_decoded_again() -> None:
    shared = plate(Streams(Stream(fail_at=4)), keep=True)
    frame_source = shared.frame_source()
    with pytest.raises(FfmpegFailed, match="broken"):
        frame_source.picture(6)
    assert number(frame_source.picture(2)) == 2
    assert number(shared.frame_source().picture(6)) == 6


def test_a_released_plate_decodes_forward_for_each_job() -> None:
    streams = Streams()
    shared = plate(streams, keep=True)
    kept = shared.frame_source()
    shared.release()
    with_own = shared.frame_source()
    assert number(kept.picture(7)) == number(with_own.picture(7)) == 7
    assert len(streams.opened) == 2
    with_own.close()


@pytest.mark.parametrize("wait_at", [-1, 5], ids=["decoded", "decoding"])
def test_pictures_go_with_the_last_job_that_reads_them(wait_at: int) -> None:
    """At once: a cycle of references would keep them until the collector comes by."""
    shared = plate(Streams(Stream(wait_at=wait_at)), keep=True)
    one, other = shared.frame_source(), shared.frame_source()
    slab = weakref.ref(one.picture(4).y.base)
    gc.disable()
    try:
        shared.release()
        assert (shared.kept_bytes, shared.keep) == (shared.cycle_bytes, False)
        one.close()
        assert number(other.picture(3)) == 3
        other.close()
        assert shared.kept_bytes == 0
        assert slab() is None
        with pytest.raises(Cancelled):
            other.picture(3)
    finally:
        gc.enable()


def test_a_plate_keeps_again_after_it_gave_up() -> None:
    streams = Streams()
    shared = plate(streams, keep=True)
    shared.picture(2)
    assert shared.idle
    shared.release()
    shared.keep = True
    one, other = shared.frame_source(), shared.frame_source()
    assert not shared.idle
    assert one.picture(3) is other.picture(3)
    assert len(streams.opened) == 2
    assert shared.kept_bytes == shared.cycle_bytes
    shared.stop()


def test_a_reel_that_failed_counts_no_more() -> None:
    shared = plate(Streams(Stream(fail_at=4)), keep=True)
    failed = shared.frame_source()
    with pytest.raises(FfmpegFailed):
        failed.picture(6)
    again = shared.frame_source()
    assert shared.kept_bytes == 2 * shared.cycle_bytes
    failed.close()
    assert shared.kept_bytes == shared.cycle_bytes
    again.close()
    shared.stop()


def test_forward_goes_round_passes_over_and_repeats() -> None:
    frame_source = plate(Streams(), keep=False).frame_source()
    asked = [0, 0, 1, 3, 3, 9, 0, 5, 4]
    assert [number(frame_source.picture(index)) for index in asked] == asked
    frame_source.close()


def test_reading_ahead_is_bounded() -> None:
    stream = Stream()
    frame_source = StreamedFrames(stream, COUNT)
    frame_source.picture(0)
    assert until(lambda: stream.reads == READ_AHEAD + 2)
    assert not until(lambda: stream.reads > READ_AHEAD + 2, seconds=0.2)
    frame_source.close()
    assert stream.closed.is_set()


def test_a_failure_comes_after_what_was_decoded() -> None:
    frame_source = StreamedFrames(Stream(fail_at=2), COUNT)
    assert [number(frame_source.picture(index)) for index in (0, 1)] == [0, 1]
    with pytest.raises(FfmpegFailed, match="broken"):
        frame_source.picture(2)
    frame_source.close()


def test_close_frees_a_reader_that_waits() -> None:
    frame_source = StreamedFrames(Stream(wait_at=1), COUNT)
    errors: list[Exception] = []

    def read() -> None:
        try:
            frame_source.picture(1)
        except (Cancelled, FfmpegFailed) as error:
            errors.append(error)

    reader = threading.Thread(target=read)
    reader.start()
    frame_source.close()
    reader.join(5)
    assert not reader.is_alive()
    assert len(errors) == 1


def test_a_picture_far_in_leaves_no_stream_open() -> None:
    streams = Streams()
    assert number(plate(streams, keep=False).picture(6)) == 6
    assert streams.opened[0].closed.is_set()


@pytest.fixture(scope="module")
def avatars(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_avatar(tmp_path_factory.mktemp("avatars"))


def make_library(folder: Path, room_mb: float = 200) -> AvatarLibrary:
    return AvatarLibrary(folder, room_mb, ClipFootage(find_ffmpeg))


def test_the_clip_is_asked_for(avatars: Path) -> None:
    library = make_library(avatars)
    avatar = library.get("clip")
    moving = library.plate(avatar, static=False)
    assert isinstance(moving, ClipPlate)
    assert (moving.width, moving.height) == (WIDTH, HEIGHT)
    assert len(moving.track.boxes) == PICTURES
    assert [int(moving.picture(i).y[0, 0]) for i in (0, 7, 49)] == [luma(i) for i in (0, 7, 49)]
    assert library.plate(avatar, static=False, sway=False) is moving
    assert isinstance(library.plate(avatar, (128, 128)), StillPlate)
    assert isinstance(AvatarLibrary(avatars).plate(avatar, (128, 128), static=False), StillPlate)
    library.close()
    assert children("stream_loop") == []


def test_a_crop_frames_the_face_and_its_points(avatars: Path) -> None:
    library = make_library(avatars)
    avatar = library.get("clip")
    whole = library.plate(avatar, static=False)
    square = library.plate(avatar, (HEIGHT, HEIGHT), static=False)
    shift = whole.track.landmarks[0] - square.track.landmarks[0]
    assert np.ptp(shift, axis=0).max() < 1e-3
    assert shift[0, 0] > 0 and shift[0, 0] % 2 == 0 and shift[0, 1] == 0
    left = int(shift[0, 0])
    assert np.array_equal(square.picture(5).y, whole.picture(5).y[:, left : left + HEIGHT])
    lips = square.track.landmarks[0, POINTS["lip_upper_outer"]]
    assert (lips > 0).all() and (lips < HEIGHT).all()
    library.close()


def test_a_clip_is_kept_only_when_it_fits(avatars: Path) -> None:
    pictures = PICTURES * WIDTH * HEIGHT * 3 / 2 / 2**20
    fits, large = make_library(avatars, 1.1 * pictures), make_library(avatars, pictures)
    assert fits.plate(fits.get("clip"), static=False).keep
    assert not large.plate(large.get("clip"), static=False).keep


def test_a_track_of_another_clip_is_refused(tmp_path: Path) -> None:
    folder = make_avatar(tmp_path)
    make_track(folder / "clip" / "loop.npz", pictures=49)
    library = make_library(folder)
    with pytest.raises(BadInput, match="loop.npz has 49 rows, loop.mp4 50 pictures"):
        library.plate(library.get("clip"), static=False)


def test_a_damaged_clip_says_so(tmp_path: Path) -> None:
    folder = make_avatar(tmp_path)
    (folder / "clip" / "loop.mp4").write_bytes(b"no video")
    library = make_library(folder)
    with pytest.raises(BadInput, match="clip loop.mp4 is broken"):
        library.plate(library.get("clip"), (128, 96), static=False)
    with pytest.raises(BadInput, match="clip loop.mp4 is broken"):
        library.plate(library.get("clip"), static=False)


def test_a_face_that_was_removed_meanwhile_says_so(tmp_path: Path) -> None:
    folder = make_avatar(tmp_path)
    library = make_library(folder, room_mb=0)
    plate = library.plate(library.get("clip"), static=False)
    shutil.rmtree(folder / "clip")
    with pytest.raises(NotFound) as caught:
        plate.picture(0)
    assert str(caught.value) == "The face has been removed"


def test_a_video_of_nobody(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    library = make_library(tmp_path)
    with pytest.raises(NotFound, match="gone.mp4"):
        library.video(tmp_path / "gone.mp4")
    base = make_clip(tmp_path / "base.mp4", pictures=12, fps=30)
    plates = [library.plate(library.video(base), static=False) for _ in range(2)]
    assert plates[0] is plates[1]
    assert plates[0].track.fps == 30
    assert np.isnan(plates[0].track.landmarks).all()
    assert len(plates[0].track.boxes) == 12
    assert caplog.text.count("no face track base.npz") == 1
    make_track(tmp_path / "base.npz", pictures=12)
    known = library.plate(library.video(base), static=False)
    assert np.isfinite(known.track.landmarks).all()
    library.close()
