"""One batch for everybody: whoever stalls, breaks or leaves takes nothing from the others."""

from __future__ import annotations

import contextlib
import logging
import threading
import uuid
import wave
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app_core.engine.throughput import WINDOW_S, Throughput
from app_core.errors import Cancelled, ModelFailed
from app_core.job import JobStatus
from app_core.lipsync.wav2lip.model import Wav2LipModel
from app_core.lipsync.wav2lip.runtime import FaceAt
from app_core.request import GenerateRequest, MjpegRequest
from app_core.services.lipsync_service import LipsyncService
from app_core.types import Frame
from tests.begun import begun
from tests.conftest import until
from tests.fakes import EchoModel, FaceLibrary, FacePlate, ToneVoice, ToneVoices, frame_number

Make = Callable[..., LipsyncService]
SIZE, CURSED_SIZE = "128x128", "128x192"
WORDS = " ".join(["word"] * 15)
FRAMES = 75


def whole(frame: Frame) -> Frame:
    return frame


def ask(size: str = SIZE, pace: str = "asap", text: str = WORDS, **fields: Any) -> MjpegRequest:
    return MjpegRequest.parse({"text": text, "size": size, "pace": pace} | fields)


class Negative:
    """Draws each face as its negative. Faces that are cursed break their batch."""

    name, device, max_batch = "negative", "cpu", 16
    face_room = 0

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.gate.set()
        self.batches: list[int] = []
        self.cursed: set[int] = set()
        """What ``id`` says of their ``crops``."""

    def hold(self, crops: np.ndarray) -> np.ndarray:
        return crops

    def fill(self, held: np.ndarray, at: int, face: np.ndarray) -> None:
        held[at] = face

    def draw(self, mel: np.ndarray, faces: Sequence[FaceAt]) -> np.ndarray:
        assert self.gate.wait(10)
        crops = np.stack([face.crops[face.picture] for face in faces])
        if any(id(face.crops) in self.cursed for face in faces):
            raise RuntimeError("the face is cursed")
        self.batches.append(len(faces))
        return 255 - crops[:, 48:]

    def answer(self, mel: np.ndarray, faces: np.ndarray) -> np.ndarray:
        raise NotImplementedError

    def warm_up(self) -> None: ...


class Echo:
    """EchoModel as a case of these tests."""

    def __init__(self, make: Make) -> None:
        self.cursed_id = str(uuid.uuid4())
        self.model = EchoModel(max_batch=16, bad=[(self.cursed_id, 7)])
        self.gate = self.model.gate
        self.service = make(model=self.model)

    def curse(self) -> MjpegRequest:
        return ask(job_id=self.cursed_id)

    def right(self, frame: Frame) -> bool:
        return frame_number(frame.picture) == frame.index


class Network:
    """Wav2Lip on a runtime whose answers are known."""

    def __init__(self, make: Make) -> None:
        self.runtime = Negative()
        self.gate = self.runtime.gate
        self.service = make(model=Wav2LipModel(self.runtime), library=FaceLibrary())

    def curse(self) -> MjpegRequest:
        service = self.service
        plate = service.library.plate(
            service.library.get("grey"), (128, 192), static=True, sway=True
        )
        model = service.backend.model
        assert model is not None
        self.runtime.cursed.add(id(service.backend.face(model, plate).crops.held))
        return ask(CURSED_SIZE)

    def right(self, frame: Frame) -> bool:
        y = frame.picture.y
        source, drawn = int(y[0, 0]), int(y[int(0.7 * y.shape[0]), y.shape[1] // 2])
        return source == 40 + frame.index % 10 and abs(source + drawn - 255) < 24


@pytest.fixture(params=[Echo, Network])
def case(request: pytest.FixtureRequest, make_service: Make) -> Echo | Network:
    made: Echo | Network = request.param(make_service)
    return made


class Watching(threading.Thread):
    """Reads a job to its end."""

    def __init__(self, service: LipsyncService, asked: Any) -> None:
        super().__init__()
        self.frames: list[Frame] = []
        self.job = begun(service, asked)
        self.reader = service.frames(self.job.id, whole)
        self.start()

    def run(self) -> None:
        with contextlib.suppress(Cancelled):
            self.frames.extend(self.reader)


def test_nobody_loses_a_frame_to_a_stall_a_crash_or_a_leaver(case: Echo | Network) -> None:
    service = case.service
    case.gate.clear()
    stalled = service.frames(service.submit(ask(pace="realtime", text=WORDS * 4)), whole)
    leaver = service.frames(service.submit(ask(text=WORDS * 4)), whole)
    cursed = begun(service, case.curse())
    others = [Watching(service, ask(size)) for size in (SIZE, "160x128", SIZE)]
    film = Watching(service, GenerateRequest.parse({"text": WORDS, "size": SIZE}))
    case.gate.set()
    next(stalled)
    next(leaver)
    leaver.close()
    with pytest.raises(ModelFailed, match="cursed"):
        list(service.frames(cursed.id, whole))
    for watching in [*others, film]:
        watching.join(20)
        assert [frame.index for frame in watching.frames] == list(range(FRAMES))
        assert all(case.right(frame) for frame in watching.frames)
    assert cursed.status is JobStatus.FAILED
    stalled.close()


def test_live_frames_come_in_time_while_a_film_is_made(case: Echo | Network) -> None:
    service = case.service
    film = Watching(service, GenerateRequest.parse({"text": WORDS * 8, "size": SIZE}))
    live = Watching(service, ask(pace="realtime"))
    live.join(20)
    assert len(live.frames) + live.job.frames_dropped == FRAMES
    assert live.job.frames_dropped < FRAMES / 5
    assert all(case.right(frame) for frame in live.frames)
    service.cancel(film.job.id)
    film.join(10)


def test_the_first_batch_is_small_and_the_bounds_hold(make_service: Make) -> None:
    def sizes(**fields: Any) -> list[int]:
        model.batches.clear()
        model.gate.clear()
        job = begun(service, ask(text=WORDS * 4, **fields))
        assert until(lambda: service.health()["capacity"]["queue"] >= 200)
        model.gate.set()
        list(service.frames(job.id, whole))
        return [len(batch) for batch in model.batches]

    model = EchoModel(max_batch=960)
    service = make_service(model=model)
    usual, hasty = sizes(), sizes(low_latency=True)
    assert 1 <= usual[0] <= 4 and 1 <= hasty[0] <= 4
    assert max(hasty) <= 32 < max(usual)


def test_batch_size_override_bounds_every_batch(make_service: Make, tmp_path: Path) -> None:
    with wave.open(str(tmp_path / "speech.wav"), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(16000)
        out.writeframes(b"\0\1" * 16000)
    model = EchoModel(max_batch=960)
    service = make_service(model=model)
    for most in (1, 3, 960):
        model.batches.clear()
        service.process("avatar/grey", tmp_path / "speech.wav", batch_size_override=most)
        assert sum(map(len, model.batches)) == 25
        assert max(map(len, model.batches)) <= most


def test_a_second_job_on_the_same_face_spends_nothing_on_it(make_service: Make) -> None:
    read: list[int] = []

    class Watched(FacePlate):
        def picture(self, index: int) -> Any:
            read.append(index)
            return super().picture(index)

    class Library(FaceLibrary):
        def plate(self, avatar: Any, size: Any = None, *, static: bool, sway: bool) -> Any:
            return self._plates.setdefault(size, Watched(*(size or (64, 48))))

    service = make_service(model=Wav2LipModel(Negative()), library=Library())
    list(service.frames(service.submit(ask(text="one")), whole))
    assert until(lambda: all(thread.name != "faces" for thread in threading.enumerate()))
    read.clear()
    job = begun(service, ask(text="one two"))
    assert len(list(service.frames(job.id, whole))) == len(read) == 10


def test_the_pace_is_that_of_the_last_seconds() -> None:
    now = 100.0
    throughput = Throughput(lambda: now)
    assert throughput.frames_per_s == throughput.mean_batch == 0.0
    throughput.add(10)
    now += WINDOW_S / 2
    throughput.add(30)
    assert throughput.frames_per_s == 40 / WINDOW_S
    assert throughput.mean_batch == 20
    now += WINDOW_S / 2 + 0.1
    assert throughput.mean_batch == 30
    now += WINDOW_S
    assert throughput.frames_per_s == throughput.mean_batch == 0.0


def test_health_and_metrics_tell_the_engines_pace(make_client: Any) -> None:
    client = make_client()
    client.post("/api/stream_mjpeg", json={"text": WORDS, "size": SIZE, "pace": "asap"}).get_data()
    told = client.get("/api/health").json["capacity"]
    assert told["frames_per_s"] == FRAMES / WINDOW_S
    assert told["mean_batch"] > 1
    assert told["late"] == 0
    text = client.get("/metrics").text
    assert f"soyle_engine_frames_per_second {FRAMES / WINDOW_S}" in text
    for name in (
        "soyle_engine_mean_batch",
        "soyle_capacity_late_share",
        "soyle_capacity_model_fps",
    ):
        assert f"\n{name} " in text, name


def test_the_log_tells_figures_while_live_jobs_run(
    make_service: Make, caplog: pytest.LogCaptureFixture
) -> None:
    secret = "тайна"
    service = make_service(voices=ToneVoices(ToneVoice()))
    caplog.set_level(logging.INFO, logger="app_core.engine.figures")
    service._renders.log_figures()
    assert not caplog.records, "nothing runs"
    with service.frames(
        service.submit(ask(pace="realtime", text=" ".join([secret] * 99))), whole
    ) as reader:
        next(reader)
        service._renders.log_figures()
    line = caplog.records[0].getMessage()
    assert line.startswith("1 live and 0 file renders: ")
    assert "frames/s in batches of" in line and "late" in line
    assert secret not in caplog.text


def test_the_log_s_figures_are_a_duty(make_service: Make) -> None:
    service = make_service()
    duties = {duty.call for duty in service._watchdog._done_s}
    assert service._renders.log_figures in duties
