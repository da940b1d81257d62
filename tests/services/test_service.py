"""The whole line on fakes: order, mixing, stalls, failures, cancels."""

from __future__ import annotations

import gc
import threading
import uuid
import weakref
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from app_core.cancel_scope import Stale, never
from app_core.config import Config
from app_core.errors import (
    BadInput,
    Busy,
    Cancelled,
    Conflict,
    ModelFailed,
    NotFound,
    NotReady,
    VoiceFailed,
)
from app_core.job import JOB_BYTES, Job, JobStatus
from app_core.request import GenerateRequest, MjpegRequest
from app_core.services.lipsync_service import LipsyncService
from app_core.speech.text.piece import Piece
from app_core.types import PLAIN, Frame, Prosody, Word, frame_count
from tests.begun import begun
from tests.conftest import until
from tests.fakes import RATE, EchoModel, GreyLibrary, ToneVoice, ToneVoices, frame_number

Make = Callable[..., LipsyncService]
WORDS = "one two three four five"


def whole(frame: Frame) -> Frame:
    return frame


def asap(text: str = WORDS, **fields: object) -> MjpegRequest:
    return MjpegRequest(text=text, size="128x128", pace="asap", **fields)


def realtime(text: str = WORDS, **fields: object) -> MjpegRequest:
    return MjpegRequest(text=text, size="128x128", **fields)


@pytest.mark.parametrize("fps", [10, 25, 30, 59])
def test_every_frame_in_order_with_its_own_sound(service: LipsyncService, fps: int) -> None:
    job = begun(service, asap(fps=fps))
    frames = list(service.frames(job.id, whole))
    assert [frame_number(f.picture) for f in frames] == list(range(len(frames)))
    assert len(frames) == frame_count(len(job.sound), RATE, fps) == job.frames_total
    sound = np.concatenate([f.pcm for f in frames])
    np.testing.assert_array_equal(sound, job.sound.samples(0, len(job.sound)))
    assert [f.seconds for f in frames] == [n / fps for n in range(len(frames))]
    assert job.status is JobStatus.DONE
    assert job.progress == 1.0


def test_pictures_follow_the_plate_in_its_own_time(service: LipsyncService) -> None:
    job = begun(service, asap(fps=50))
    greys = [int(f.picture.y[-1, -1]) - 40 for f in service.frames(job.id, whole)]
    assert greys == [(n // 2) % 10 for n in range(len(greys))]


def test_two_jobs_share_batches(make_service: Make) -> None:
    model = EchoModel(max_batch=64)
    service = make_service(model=model)
    model.gate.clear()
    jobs = [begun(service, asap()) for _ in range(2)]
    assert until(lambda: service.health()["capacity"]["queue"] >= 20)
    model.gate.set()
    for job in jobs:
        assert len(list(service.frames(job.id, whole))) == 25
    assert any(len({name for name, _ in batch}) == 2 for batch in model.batches)
    assert model.threads <= {"loader", "engine-echo"}


def test_a_stalled_reader_slows_nobody(service: LipsyncService) -> None:
    long = " ".join(["word"] * 60)
    stalled = begun(service, asap(long))
    holding = service.frames(stalled.id, whole)
    next(holding)
    job = begun(service, asap(long))
    assert len(list(service.frames(job.id, whole))) == 300
    assert len(stalled.mouths) <= 64
    holding.close()
    assert stalled.status is JobStatus.CANCELLED


def test_one_cursed_frame_fails_one_job(make_service: Make) -> None:
    cursed = str(uuid.uuid4())
    model = EchoModel(max_batch=64, bad=[(cursed, 7)])
    service = make_service(model=model)
    bad, good = begun(service, asap(job_id=cursed)), begun(service, asap())
    with pytest.raises(ModelFailed, match="frame 7 is cursed"):
        list(service.frames(bad.id, whole))
    assert bad.status is JobStatus.FAILED
    assert len(list(service.frames(good.id, whole))) == 25
    assert len(list(service.frames(service.submit(asap()), whole))) == 25


def test_a_failing_voice_fails_the_job_in_its_words(make_service: Make) -> None:
    service = make_service(voices=ToneVoices(ToneVoice(fail_at="three")))
    job = begun(service, asap())
    with pytest.raises(VoiceFailed, match="cannot say 'three'"):
        list(service.frames(job.id, whole))
    assert job.status is JobStatus.FAILED
    assert job.describe()["error"]["code"] == "voice_failed"


def test_nothing_to_say_is_bad_input(make_service: Make) -> None:
    class Mute(ToneVoice):
        def speak(self, piece: Piece, prosody: Prosody = PLAIN, stale: Stale = never):  # type: ignore[no-untyped-def]
            return iter(())

    service = make_service(voices=ToneVoices(Mute()))
    with pytest.raises(BadInput) as caught:
        list(service.frames(service.submit(asap("...")), whole))
    assert caught.value.field == "text"


def test_leaving_the_loop_cancels(make_service: Make) -> None:
    voice = ToneVoice(delay_s=0.02)
    service = make_service(voices=ToneVoices(voice))
    job = begun(service, asap(" ".join(["word"] * 200)))
    with service.frames(job.id, whole) as frames:
        next(frames)
    assert job.status is JobStatus.CANCELLED
    assert until(lambda: not [t for t in threading.enumerate() if t.name.startswith("job-")])
    assert voice.spoken < 200


def test_closing_before_the_first_frame_cancels(service: LipsyncService) -> None:
    job = begun(service, realtime())
    service.frames(job.id, whole).close()
    assert job.status is JobStatus.CANCELLED


def test_a_reader_that_is_gone_is_noticed_before_the_first_frame(make_service: Make) -> None:
    model = EchoModel()
    service = make_service(model=model)
    model.gate.clear()
    left = threading.Event()
    job = begun(service, realtime())
    threading.Timer(0.05, left.set).start()
    with pytest.raises(Cancelled):
        next(service.frames(job.id, whole, gone=left.is_set))
    model.gate.set()
    assert job.status is JobStatus.CANCELLED


def test_cancel_ends_a_live_reader_and_its_sound(service: LipsyncService) -> None:
    job = begun(service, realtime(" ".join(["word"] * 100)))
    frames = service.frames(job.id, whole)
    next(frames)
    service.cancel(job.id)
    with pytest.raises(Cancelled):
        for _ in frames:
            pass
    with pytest.raises(Cancelled):
        job.sound.read(10**9, 1, 1.0)


def test_live_pictures_are_dropped_when_late_and_sound_never(service: LipsyncService) -> None:
    job = begun(service, realtime(" ".join(["word"] * 10)))
    shown: list[Frame] = []
    stall = threading.Event()

    def slow(frame: Frame) -> Frame:
        if frame.index == 5:
            stall.wait(0.6)
        return frame

    for frame in service.frames(job.id, slow):
        shown.append(frame)
    assert job.frames_dropped >= 5
    assert len(shown) + job.frames_dropped == job.frames_total == 50
    numbers = [frame.index for frame in shown]
    assert numbers == sorted(set(numbers))
    assert job.sound.complete
    assert len(job.sound) == 10 * 0.2 * RATE


def test_progress_is_estimated_while_the_text_is_spoken(service: LipsyncService) -> None:
    job = begun(service, realtime(" ".join(["word"] * 100)))
    with service.frames(job.id, whole) as frames:
        for _ in range(5):
            next(frames)
        assert job.frames_total is None, "a live job speaks only a little ahead"
        assert 0.8 * 500 < job.frames_expected < 1.3 * 500
        assert 0 < job.progress < 0.03


def test_a_file_never_drops(service: LipsyncService) -> None:
    job = begun(service, GenerateRequest(text=WORDS))

    def slow(frame: Frame) -> int:
        threading.Event().wait(0.02)
        return frame.index

    assert list(service.frames(job.id, slow)) == list(range(25))


def test_full_means_no_and_the_others_go_on(make_service: Make, config: Config) -> None:
    service = make_service(config=config.model_copy(update={"max_jobs": 2}))
    long = " ".join(["word"] * 40)
    jobs = [begun(service, realtime(long)) for _ in range(2)]
    readers = [service.frames(job.id, whole) for job in jobs]
    for reader in readers:
        next(reader)
    with pytest.raises(Busy) as caught:
        service.submit(realtime())
    assert caught.value.retry_after_s >= 1
    for reader in readers:
        assert next(reader).index >= 1
        reader.close()
    assert len(list(service.frames(service.submit(asap("word")), whole))) == 5


def test_measured_capacity_refuses(service: LipsyncService) -> None:
    service.capacity.calibrate(service.capacity.cores * 1000 / 25 / 3, 128, 128)
    long = " ".join(["word"] * 40)
    readers = []
    with pytest.raises(Busy):
        for _ in range(8):
            readers.append(service.frames(service.submit(realtime(long)), whole))
    assert len(readers) == 2
    for reader in readers:
        next(reader)
        reader.close()
    assert service.capacity.snapshot().live == 0


def test_a_thread_that_cannot_start_is_busy_and_leaves_nothing(
    service: LipsyncService, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_more(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    job_id = str(uuid.uuid4())
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", no_more)
        with pytest.raises(Busy):
            service.submit(realtime(job_id=job_id))
    with pytest.raises(NotFound):
        service.jobs.get(job_id)
    assert service.capacity.snapshot().live == 0
    assert len(list(service.frames(service.submit(asap(job_id=job_id)), whole))) == 25


def test_a_taken_id_conflicts(service: LipsyncService) -> None:
    job_id = str(uuid.uuid4())
    list(service.frames(service.submit(asap(job_id=job_id)), whole))
    with pytest.raises(Conflict):
        service.submit(asap(job_id=job_id))


@pytest.mark.parametrize(
    ("fields", "error", "field"),
    [
        ({"model": "wav2lip"}, BadInput, "model"),
        ({"avatar": "nobody"}, NotFound, "avatar"),
        ({"voice": "nobody"}, NotFound, "voice"),
        ({"text": "x" * 5001}, BadInput, "text"),
    ],
)
def test_refusals_name_their_field(
    service: LipsyncService, fields: dict[str, str], error: type[Exception], field: str
) -> None:
    with pytest.raises(error) as caught:
        service.submit(asap(**{"text": WORDS} | fields))
    assert caught.value.field == field  # type: ignore[attr-defined]
    assert service.jobs.running() == []


def test_a_model_that_does_not_load_says_so(config: Config, make_service: Make) -> None:
    class Broken(EchoModel):
        def warm_up(self) -> None:
            raise ModelFailed("echo: no weights")

    service = make_service(model=Broken())
    assert service.health()["status"] == "offline"
    with pytest.raises(Busy, match="no weights"):
        service.submit(asap())


def test_close_ends_running_jobs(make_service: Make) -> None:
    service = make_service()
    job: Job = begun(service, realtime(" ".join(["word"] * 100)))
    reader = service.frames(job.id, whole)
    next(reader)
    service.close()
    with pytest.raises(NotReady, match="The server is stopping; try again"):
        list(reader)
    assert job.status is JobStatus.FAILED


def test_a_work_dir_that_cannot_be_written_is_told_and_passed_over(
    make_service: Callable[..., LipsyncService],
    config: Config,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    (tmp_path / "file").touch()
    closed = config.model_copy(update={"work_dir": tmp_path / "file" / "work"})
    service = make_service(config=closed)
    assert service.config.work_dir is None
    assert caplog.text.count("cannot be written") == 1
    job = begun(service, GenerateRequest(text="one"))
    service.render(job.id, tmp_path / "film.mp4")
    assert (tmp_path / "film.mp4").stat().st_size > 1000


def test_process_shows_every_frame_and_writes_the_film(
    service: LipsyncService, tmp_path: Path
) -> None:
    import wave

    with wave.open(str(tmp_path / "speech.wav"), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(16000)
        out.writeframes(b"\0\1" * 16000)
    seen: list[np.ndarray] = []
    path = service.process(
        "avatar/grey",
        tmp_path / "speech.wav",
        tmp_path / "film.mp4",
        frame_sink=seen.append,
        batch_size_override=2,
    )
    assert path == tmp_path / "film.mp4"
    assert path.stat().st_size > 1000
    assert len(seen) == 25
    assert seen[0].shape == (48, 64, 3)
    assert service.process("avatar/grey", tmp_path / "speech.wav") is None


@pytest.mark.parametrize("ends", ["reader", "model", "voice", "leaves"])
def test_a_job_that_failed_holds_nothing_of_its_render(make_service: Make, ends: str) -> None:
    """The job is remembered for an hour, its plate and pictures are not."""
    voice = ToneVoice(fail_at="four" if ends == "voice" else "")
    model = EchoModel(max_batch=4)
    service = make_service(model=model, voices=ToneVoices(voice))
    model.gate.clear()
    job = begun(service, asap())
    if ends == "model":
        model.bad.update((job.id, n) for n in range(8, 99))
    model.gate.set()
    composer = weakref.ref(service._renders.composer(job))
    frame = None

    def seen(frame: Frame) -> Frame:
        if ends == "reader" and frame.index == 3:
            raise BadInput("the reader cannot")
        return frame

    if ends == "reader":
        voice.delay_s = 0.1  # the sound is still growing when it is closed
    try:
        with service.frames(job.id, seen) as frames:
            for frame in frames:
                if ends == "leaves" and frame.index == 3:
                    break
    except (BadInput, ModelFailed, VoiceFailed):
        pass
    del frames, frame
    assert job.status in (JobStatus.FAILED, JobStatus.CANCELLED)
    assert job.error is not None and job.error.__traceback__ is None

    def gone() -> bool:
        gc.collect()
        return composer() is None

    assert until(gone)


def test_what_a_model_made_of_a_plate_goes_with_it(make_service: Make) -> None:
    """Also when the last batch that was drawn was of it."""

    class Made:
        nbytes = 77

    class Model(EchoModel):
        def open(self, plate: object) -> Made:  # type: ignore[override]
            return Made()

    class Library(GreyLibrary):
        charged: list[int] = []

        def charge(self, plate: object, nbytes: int) -> None:
            self.charged.append(nbytes)

    model, library = Model(), Library()
    service = make_service(model=model, library=library)
    job = begun(service, asap())
    plate = library.plate(library.get("grey"), (128, 128), static=False, sway=True)
    made = weakref.ref(service.backend.face(model, plate))
    for _ in service.frames(job.id, whole):
        pass
    assert job.status is JobStatus.DONE and made() is not None
    assert set(library.charged) == {77}
    del plate
    library._plates.clear()

    def gone() -> bool:
        gc.collect()
        return made() is None

    assert until(gone)


def test_a_work_dir_that_cannot_be_made_is_left_for_the_systems(
    config: Config, make_service: Make, caplog: pytest.LogCaptureFixture
) -> None:
    service = make_service(config=config.model_copy(update={"work_dir": Path("/proc/nope")}))
    assert service.config.work_dir is None
    assert [record.getMessage() for record in caplog.records if record.levelname == "WARNING"] == [
        "WORK_DIR /proc/nope cannot be written: the system's is taken"
    ]
    path = service.scratch.take("film.mp4")
    assert path.is_file()
    service.scratch.free(path)


def test_what_ended_jobs_say_leaves_the_memory(service: LipsyncService) -> None:
    jobs = []
    for _ in range(3):
        jobs.append(begun(service, asap(" ".join(["word"] * 200))))
        for _ in service.frames(jobs[-1].id, whole):
            pass
    for job in jobs:
        assert job.in_memory < JOB_BYTES + 3000
        words = [mark for mark in job.marks if isinstance(mark, Word)]
        assert (len(words), words[9].text, words[199].end_s) == (200, "word", 40.0)
    service.jobs.clear()
    assert service.spool._end == 0
