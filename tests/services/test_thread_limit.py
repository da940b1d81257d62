"""The machine has no thread left, at any moment: no child, file, place or job stays behind."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app_core.avatars.clip_frames import SharedFrames, StreamedFrames
from app_core.avatars.clip_plate import ClipPlate
from app_core.avatars.importing.import_queue import PLACES, Import, Imports
from app_core.errors import Busy, FfmpegFailed, SoyleError
from app_core.face.track import no_face
from app_core.job import Job
from app_core.lipsync.wav2lip import crops
from app_core.lipsync.wav2lip.crops import Crops
from app_core.media.ffmpeg import find_ffmpeg
from app_core.media.process import FfmpegProcess, InputPipe, input_pipes
from app_core.outputs.fragmented_mp4 import fragments
from app_core.outputs.mp4 import start_mp4
from app_core.outputs.output import Format
from app_core.request import ChunksRequest, Encoding, GenerateRequest
from app_core.services.lipsync_service import LipsyncService
from app_core.services.watchdog import Watchdog
from app_core.threads import start_thread
from app_core.types import Frame, Picture
from tests.avatars.test_clip_plate import Stream
from tests.begun import begun
from tests.below import files_below
from tests.clips import children
from tests.conftest import until
from tests.lipsync.wav2lip.test_crops import Film, OneColour
from tests.services.test_renders import live, nothing_is_left, whole

WORDS = "one two three"
FORMAT = Format(64, 48, fps=25, sample_rate=8000)


class Limit:
    """The ``allowed``-th start and all after it fail in the ``with`` block."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.allowed, self.hit = 10**6, False
        start = threading.Thread.start

        def limited(thread: threading.Thread) -> None:
            if self.allowed <= 0:
                self.hit = True
                raise RuntimeError("can't start new thread")
            self.allowed -= 1
            start(thread)

        patch.setattr(threading.Thread, "start", limited)

    def after(self, count: int) -> None:
        self.allowed, self.hit = count, False

    def lift(self) -> None:
        self.allowed = 10**6


@pytest.fixture
def limit(monkeypatch: pytest.MonkeyPatch) -> Limit:
    return Limit(monkeypatch)


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def files(service: LipsyncService) -> list[Path]:
    return files_below(service.config.work_dir)


def no_more(limit: Limit, work: Callable[[], object]) -> None:
    limit.after(0)
    with pytest.raises(Busy):
        work()
    assert limit.hit
    limit.lift()


def a_film(service: LipsyncService) -> None:
    job = begun(service, GenerateRequest(text=WORDS))
    service.render(job.id, service.config.work_dir / "film.mp4")
    (service.config.work_dir / "film.mp4").unlink()


def a_film_for_a_client(service: LipsyncService) -> None:
    job = begun(service, GenerateRequest(text=WORDS))
    service.videos.open(job, lambda: False).close()


def a_stream(service: LipsyncService) -> None:
    job = begun(service, GenerateRequest(text=WORDS))
    pieces = service.stream(job.id, "mp4")
    with pieces:
        for _ in pieces:
            pass


def a_reader(service: LipsyncService) -> None:
    with service.frames(service.submit(live(pace="asap")), whole) as frames:
        for _ in frames:
            pass


def ended(job: Job) -> None:
    assert until(lambda: job.ended)
    if job.error is not None:
        raise job.error


def a_kept_film(service: LipsyncService) -> None:
    job = begun(service, GenerateRequest(text=WORDS))
    service.videos.keep(job, "film.mp4")
    ended(job)
    service._forgotten(job)


def some_chunks(service: LipsyncService) -> None:
    asked = {"text": WORDS, "size": "128x128", "chunk_size": 2}
    job = service.chunks.start(ChunksRequest.model_validate(asked))
    try:
        ended(job)
    finally:
        assert until(lambda: f"film-{job.id[:8]}" not in {t.name for t in threading.enumerate()})
        service._forgotten(job)


@pytest.mark.parametrize(
    "work", [a_reader, a_film, a_film_for_a_client, a_stream, a_kept_film, some_chunks]
)
def test_a_render_that_gets_no_thread_is_refused_whole(
    service: LipsyncService, limit: Limit, work: Callable[[LipsyncService], None]
) -> None:
    work(service)
    open_before = descriptors()
    for count in range(20):
        limit.after(count)
        try:
            work(service)
        except SoyleError:
            assert limit.hit
        reached = limit.hit
        limit.lift()
        assert until(lambda: nothing_is_left(service)), count
        assert until(lambda: not children()), count
        assert until(lambda: not files(service)), (count, files(service))
        assert until(lambda: descriptors() <= open_before), count
        if not reached:
            break
    assert not reached and count >= 1, "every start was refused once"
    work(service)


def test_a_process_without_its_listener_ends(limit: Limit) -> None:
    ffmpeg = find_ffmpeg()
    before = descriptors()
    argv = [ffmpeg.path, "-f", "lavfi", "-i", "color=s=64x64", "-f", "rawvideo", "pipe:1"]
    no_more(limit, lambda: FfmpegProcess(argv, inputs=[InputPipe()], output=True))
    assert not children()
    assert descriptors() == before


def test_a_process_that_cannot_be_started_closes_its_pipes(monkeypatch: pytest.MonkeyPatch) -> None:
    before = descriptors()
    with pytest.raises(FfmpegFailed):
        FfmpegProcess(["/nowhere/ffmpeg"], inputs=[InputPipe(), InputPipe()])
    with pytest.raises(ValueError):
        FfmpegProcess(["\0"], inputs=[InputPipe()])
    with pytest.raises(ZeroDivisionError), input_pipes(3):
        raise ZeroDivisionError
    assert descriptors() == before
    pipes = iter([os.pipe()])

    def one_pair() -> tuple[int, int]:
        try:
            return next(pipes)
        except StopIteration:
            raise OSError(24, "Too many open files") from None

    with monkeypatch.context() as patch:
        patch.setattr(os, "pipe", one_pair)
        with pytest.raises(FfmpegFailed, match="Too many open files"), input_pipes(2):
            pass
    assert descriptors() == before


@pytest.mark.parametrize("frame_source", [StreamedFrames, SharedFrames])
def test_a_frame_source_closes_what_it_cannot_read(limit: Limit, frame_source: Any) -> None:
    stream = Stream()
    no_more(limit, lambda: frame_source(stream, 10))
    assert stream.closed.is_set()


@pytest.mark.parametrize("keep", [False, True])
def test_a_clip_is_read_again_when_there_are_threads(limit: Limit, keep: bool) -> None:
    plate = ClipPlate(lambda nvdec, gently: Stream(), no_face(10, 25.0), (4, 4), (1.0, 1.0))
    plate.keep = keep
    no_more(limit, plate.frame_source)
    frame_source = plate.frame_source()
    assert int(frame_source.picture(7).y[0, 0]) == 7
    frame_source.close()
    plate.stop()


class Bursting(Stream):
    """Runs out of memory at a picture."""

    def read(self) -> Picture:
        if self.reads == 3:
            raise MemoryError("no room for a picture")
        return super().read()


@pytest.mark.parametrize("frame_source", [StreamedFrames, SharedFrames])
def test_whatever_stops_a_decoder_reaches_its_reader(frame_source: Any) -> None:
    reading = frame_source(Bursting(), 10)
    with pytest.raises(FfmpegFailed, match="no room for a picture"):
        for index in range(10):
            reading.picture(index)
    getattr(reading, "stop", reading.close)()


def test_faces_that_get_no_thread_are_cut_out_later(
    limit: Limit, monkeypatch: pytest.MonkeyPatch
) -> None:
    plate = Film(list(range(6)))
    boxes = np.tile(np.int32([20, 20, 100, 100]), (6, 1))
    no_more(limit, lambda: Crops(plate, boxes, OneColour(), None))
    plate.broken = True
    found = Crops(plate, boxes, OneColour(), None)
    assert until(lambda: found._error is not None)
    plate.broken = False
    found._again_s = 0.0
    limit.after(0)
    assert not found.ready(0), "a thread is asked for, in vain"
    assert limit.hit
    assert found.ready(0), "what is wrong is said at once"
    with pytest.raises(Busy):
        found.at(0)
    found.close()
    limit.lift()
    again = Crops(plate, boxes, OneColour(), None)
    again.at(5)
    again.close()
    assert crops.PATIENCE_S > 0


def test_an_import_without_a_thread_gives_its_place_back(limit: Limit, tmp_path: Path) -> None:
    done: list[str] = []
    imports = Imports(lambda item: done.append(item.id), lambda path: None, 10.0)

    def add(name: str) -> Import:
        imports.reserve()
        item = Import(name, name, "", tmp_path / name)
        try:
            imports.start(item)
        except Busy:
            imports.give_up()
            raise
        return item

    try:
        for number in range(PLACES + 1):
            no_more(limit, lambda number=number: add(f"refused-{number}"))
        assert not imports.all()
        for number in range(PLACES + 1):
            assert add(f"taken-{number}").ended.wait(5)
        assert len(done) == PLACES + 1
    finally:
        imports.close()


def test_whatever_an_import_raises_the_next_one_is_done(tmp_path: Path) -> None:
    done: list[str] = []

    def work(item: Import) -> None:
        done.append(item.id)
        if item.id == "deep":
            raise RecursionError
        if item.id == "leaving":
            raise SystemExit(1)

    def free(path: Path) -> None:
        raise MemoryError

    imports = Imports(work, free, 10.0)
    try:
        for name in ("deep", "leaving", "good") * PLACES:
            imports.reserve()
            item = Import(name, name, "", tmp_path / name)
            imports.start(item)
            assert item.ended.wait(5)
            assert (item.error is None) == (name == "good")
        assert len(done) == 3 * PLACES
    finally:
        imports.close()


def frame() -> Frame:
    half = np.full((24, 32), 128, np.uint8)
    return Frame(0, 0.0, Picture(np.full((48, 64), 50, np.uint8), half, half), np.zeros(320))


def test_sound_that_cannot_be_written_fails_its_film(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A film whose sound was cut is no film."""
    write = InputPipe.write

    def sound_fails(pipe: InputPipe, *rest: Any) -> None:
        if threading.current_thread().name.startswith("sound-"):
            raise MemoryError("no room for sound")
        write(pipe, *rest)

    monkeypatch.setattr(InputPipe, "write", sound_fails)
    with (
        pytest.raises(FfmpegFailed, match="no room for sound"),
        start_mp4(tmp_path / "film.mp4", FORMAT, Encoding(), find_ffmpeg()) as writer,
    ):
        writer.write(frame())
        writer.finish()
    assert not list(tmp_path.iterdir())

    def frames() -> Iterator[Frame]:
        yield frame()

    with pytest.raises(FfmpegFailed, match="no room for sound"):
        list(fragments(frames(), FORMAT, Encoding(), find_ffmpeg()))
    assert not children()


def test_a_bad_encoder_of_a_stream_leaves_no_pipe() -> None:
    before = descriptors()
    with pytest.raises(SoyleError):
        next(fragments(iter(()), FORMAT, Encoding("libx265"), find_ffmpeg()))
    assert descriptors() == before


def test_a_thread_that_did_not_start_can_be_started_again(limit: Limit) -> None:
    thread = threading.Thread(target=int)
    no_more(limit, lambda: start_thread(thread))
    start_thread(thread)
    thread.join()
    watchdog = Watchdog([])
    no_more(limit, watchdog.start)
    watchdog.close()
