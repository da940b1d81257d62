"""One model on two devices: each has its engine, its faces and its speed; a job has its place."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from app_core.config import Config
from app_core.engine.core_budget import MODEL_SHARE
from app_core.errors import BadInput, Busy, ModelFailed, NotReady
from app_core.job import Job, JobStatus
from app_core.lipsync import registry
from app_core.request import GenerateRequest, MjpegRequest, SayRequest, SessionRequest
from app_core.services.devices.loaded_model import LoadedModel
from app_core.services.lipsync_service import LipsyncService
from app_core.sessions.session import Session
from app_core.types import Frame, Mouth, MouthTask, Placement
from tests.begun import begun
from tests.conftest import checked_client, until
from tests.fakes import EchoModel, GreyLibrary, GreyPlate, frame_number
from tests.test_metrics import read

Make = Callable[..., LipsyncService]
A, B = "cuda:0", "cuda:1"
FRAMES = 15
LONG = " ".join(["word"] * 60)


class Device(EchoModel):
    """An EchoModel that draws ``speed`` frames a second, and knows who had it draw."""

    def __init__(self, device: str, speed: float = 1e5, fault: str = "") -> None:
        super().__init__()
        self.name, self.device, self.frames_per_s = "net", f"{device} (fake)", speed
        self.fault, self.broken = fault, False
        self.drawn_in: set[int] = set()
        self.opened: list[GreyPlate] = []
        self.closed = False

    def warm_up(self) -> None:
        if self.fault:
            raise BadInput(self.fault, field="model")

    def open(self, plate: Any) -> str:
        self.opened.append(plate)
        return self.device

    def draw(self, tasks: Sequence[MouthTask]) -> list[Mouth]:
        assert {task.face for task in tasks} == {self.device}, "the faces lie on another device"
        if tasks[0].job_id != "trial":
            self.drawn_in.add(threading.get_ident())
            if self.broken:
                raise RuntimeError("the device has fallen off the bus")
        return super().draw(tasks)

    def apply(self, face: Any, picture: Any, mouth: Mouth) -> Any:
        assert face == self.device
        return super().apply(face, picture, mouth)

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def a() -> Device:
    return Device(A, speed=100)


@pytest.fixture
def b() -> Device:
    return Device(B, speed=60)


@pytest.fixture
def make(make_service: Make, config: Config, monkeypatch: pytest.MonkeyPatch) -> Make:
    def built(*models: Device, **settings: Any) -> LipsyncService:
        by_name = {model.device.split()[0]: model for model in models}
        monkeypatch.setattr(registry, "MODELS", {"net": lambda options: by_name[options.device]})
        monkeypatch.setattr(registry, "DEVICES", {"net": lambda _: tuple(by_name)})
        given = config.model_copy(update={"model": "net"} | settings)
        return make_service(model=None, config=given)

    return built


@pytest.fixture
def service(make: Make, a: Device, b: Device) -> LipsyncService:
    return make(a, b)


def film(**fields: Any) -> GenerateRequest:
    return GenerateRequest.parse({"text": "one two three", "size": "128x128"} | fields)


def live(**fields: Any) -> MjpegRequest:
    return MjpegRequest.parse({"text": LONG, "size": "128x128"} | fields)


def numbers(service: LipsyncService, job: Job) -> list[int]:
    def number(frame: Frame) -> int:
        return frame_number(frame.picture)

    return list(service.frames(job.id, number))


def device(job: Job) -> str:
    assert job.placement is not None
    return job.placement.device


def slack(service: LipsyncService) -> list[float]:
    return [round(loaded.capacity.slack, 1) for loaded in service.backend.models]


def loaded_on(service: LipsyncService, name: str) -> LoadedModel:
    found = service.backend.at(Placement("net", name))
    assert found is not None
    return found


@pytest.fixture
def ending(service: LipsyncService, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Ends the thread of a device's engine, as nothing that it draws can."""

    def raises(*_: object) -> None:
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(threading, "excepthook", lambda _: None)

        def end(name: str) -> None:
            engine = loaded_on(service, name).engine
            with pytest.MonkeyPatch.context() as inner:
                inner.setattr(engine._scheduler, "schedule", raises)
                inner.setattr(engine, "_break", raises)
                assert until(lambda: not engine.alive)

        yield end


def test_each_device_has_its_own_weights_thread_and_trial(
    service: LipsyncService, a: Device, b: Device
) -> None:
    models = service.backend.models
    assert [loaded.model for loaded in models] == [a, b]
    assert [loaded.placement for loaded in models] == [Placement("net", A), Placement("net", B)]
    assert [loaded.engine.pulse.name for loaded in models] == [
        f"engine-net on {A}",
        f"engine-net on {B}",
    ]
    assert slack(service) == [100 * MODEL_SHARE, 60 * MODEL_SHARE]
    assert [len(model.opened) for model in (a, b)] == [2, 2], "its own, 512x512"


def test_a_job_goes_where_most_slack_is_and_stays_there(service: LipsyncService) -> None:
    jobs = [begun(service, live()) for _ in range(5)]
    # 90 and 54 frames a second; each takes 25 of them.
    assert [device(job) for job in jobs] == [A, A, B, A, B]
    assert slack(service) == [15.0, 4.0]
    for job in jobs:
        assert [job.id in loaded.engine._jobs for loaded in service.backend.models] == [
            device(job) == A,
            device(job) == B,
        ]


def test_both_are_drawn_on_at_once_each_in_its_own_thread(make: Make, a: Device, b: Device) -> None:
    both = threading.Barrier(2)

    def meet(model: Device) -> None:
        usual = model.draw

        def draw(tasks: Sequence[MouthTask]) -> list[Mouth]:
            if tasks[0].job_id != "trial" and tasks[0].index == 0:
                both.wait(10)
            return usual(tasks)

        model.draw = draw  # type: ignore[method-assign]

    for model in (a, b):
        meet(model)
    service = make(a, b)
    jobs = [begun(service, film()) for _ in range(2)]
    assert [device(job) for job in jobs] == [A, B], "films share what a device has left"
    assert [numbers(service, job) for job in jobs] == [list(range(FRAMES))] * 2
    assert len(a.drawn_in) == len(b.drawn_in) == 1
    assert a.drawn_in.isdisjoint(b.drawn_in)


def test_films_go_by_what_each_would_get(make: Make) -> None:
    fast, slow = Device(A, speed=400), Device(B, speed=100)
    service = make(fast, slow)
    for model in (fast, slow):
        model.gate.clear()
    try:
        # 360 frames a second, or 180, 120 and 90 for one of two, three and four; 90 there.
        jobs = [begun(service, film()) for _ in range(5)]
        assert [device(job) for job in jobs] == [A, A, A, B, A]
    finally:
        for model in (fast, slow):
            model.gate.set()


def test_a_full_device_is_passed_over_and_two_are_a_full_server(service: LipsyncService) -> None:
    client = checked_client(service)
    wide = begun(service, live(fps=60))
    assert device(wide) == A and slack(service) == [30.0, 54.0]
    assert device(begun(service, live(fps=40))) == B
    assert device(begun(service, live(fps=30))) == A, "there is no room for 30 more on the other"
    assert slack(service) == [0.0, 14.0]
    answer = client.post("/api/stream_mjpeg", json={"text": LONG, "size": "128x128"})
    assert answer.status_code == 503 and int(answer.headers["Retry-After"]) > 0
    assert len(service.jobs.running()) == 3
    assert device(begun(service, live(fps=14))) == B


def test_what_a_job_held_is_given_back_where_it_was(service: LipsyncService) -> None:
    jobs = [begun(service, live()) for _ in range(5)]
    with pytest.raises(Busy):
        begun(service, live())
    service.cancel(jobs[2].id)
    assert slack(service) == [15.0, 29.0]
    assert device(begun(service, live())) == B
    service.cancel(jobs[0].id)
    assert slack(service) == [40.0, 4.0]
    assert loaded_on(service, A).engine.jobs == (2, 0)
    assert loaded_on(service, B).engine.jobs == (2, 0)
    assert service.capacity.snapshot().live == 4
    assert device(begun(service, live())) == A


def test_a_face_lies_where_it_is_used_alone(service: LipsyncService, a: Device, b: Device) -> None:
    def on(size: tuple[int, int]) -> list[int]:
        return [
            sum((plate.width, plate.height) == size for plate in model.opened) for model in (a, b)
        ]

    assert numbers(service, begun(service, film())) == list(range(FRAMES))
    assert on((128, 128)) == [1, 0]
    numbers(service, begun(service, film()))
    assert on((128, 128)) == [1, 0], "once for all jobs"
    a.gate.clear()
    try:
        waits = begun(service, film(size="256x128"))
        assert device(waits) == A
        other = begun(service, film())
        assert device(other) == B
        numbers(service, other)
    finally:
        a.gate.set()
    assert on((128, 128)) == [1, 1]
    assert on((256, 128)) == [1, 0]


def test_a_render_that_is_refused_opens_no_face(
    service: LipsyncService, a: Device, b: Device
) -> None:
    for _ in range(5):
        begun(service, live())
    before = len(a.opened), len(b.opened)
    with pytest.raises(Busy):
        begun(service, live(size="640x480"))
    assert (len(a.opened), len(b.opened)) == before


def test_a_lost_device_is_told_passed_over_and_revived(
    service: LipsyncService, a: Device, b: Device, ending: Callable[[str], None]
) -> None:
    client = checked_client(service)
    service._watchdog.close()  # this test is the watchdog
    for model in (a, b):
        model.gate.clear()
    jobs = [begun(service, film()) for _ in range(2)]
    assert [device(job) for job in jobs] == [A, B]
    a.gate.set()
    ending(A)
    told = client.get("/api/health")
    assert (told.status_code, told.json["status"]) == (200, "degraded")
    assert told.json["reason"].startswith(f"net on {A}: the model's thread has ended")
    assert [each["status"] for each in told.json["models"][0]["devices"]] == ["lost", "ready"]
    counted = read(client)
    assert counted["soyle_device_ready", A, "net"] == 0
    assert counted["soyle_device_ready", B, "net"] == 1
    assert counted["soyle_model_ready", "net"] == counted["soyle_ready",] == 1
    passed = begun(service, live())
    assert device(passed) == B, "the other has more slack"
    service._renders.tend_engines()
    assert isinstance(jobs[0].error, ModelFailed)
    assert not jobs[1].ended and not passed.ended
    b.gate.set()
    assert numbers(service, jobs[1]) == list(range(FRAMES))
    assert jobs[1].status is JobStatus.DONE
    assert client.get("/api/health").json["status"] == "ready"
    again = begun(service, film())
    assert device(again) == A
    assert numbers(service, again) == list(range(FRAMES))


def test_with_every_device_lost_it_is_offline(
    service: LipsyncService, ending: Callable[[str], None]
) -> None:
    service._watchdog.close()
    for name in (A, B):
        ending(name)
    assert service.backend.condition()[0] == "offline"
    with pytest.raises(NotReady):
        service.submit(film())
    service._renders.tend_engines()
    assert numbers(service, begun(service, film())) == list(range(FRAMES))


def test_a_device_on_which_everything_fails_takes_no_more_work(
    service: LipsyncService, a: Device
) -> None:
    """It would have most slack of all: its jobs end at once."""
    a.broken = True
    failed = begun(service, film())
    with pytest.raises(ModelFailed, match="off the bus"):
        numbers(service, failed)
    assert device(failed) == A
    for _ in range(2):
        job = begun(service, film())
        assert device(job) == B
        assert numbers(service, job) == list(range(FRAMES))
    streams = [begun(service, live()) for _ in range(3)]
    assert [device(job) for job in streams] == [B, B, A], "rather than to refuse it"


def test_a_device_that_cannot_be_opened_is_named_and_the_others_serve(
    make: Make, b: Device
) -> None:
    missing = Device(A, fault="no such device")
    service = make(missing, b)
    told = checked_client(service).get("/api/health")
    assert (told.status_code, told.json["status"]) == (200, "degraded")
    assert told.json["reason"] == f"net on {A}: no such device"
    assert [each["name"] for each in told.json["models"][0]["devices"]] == [B]
    assert numbers(service, begun(service, film())) == list(range(FRAMES))


def test_the_settings_name_the_devices(make: Make, a: Device, b: Device) -> None:
    service = make(a, b, devices=B)
    assert [loaded.model for loaded in service.backend.models] == [b]
    assert service.backend.models[0].engine.pulse.name == "engine-net"
    assert not a.opened
    assert device(begun(service, film())) == ""


def test_a_model_without_a_device_of_its_own_stays_one(
    make_service: Make, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[EchoModel] = []

    def one(_: object) -> EchoModel:
        opened.append(EchoModel())
        return opened[-1]

    monkeypatch.setattr(registry, "MODELS", {"echo": one})
    settings = {"model": "echo", "devices": f"{A},{B}"}
    service = make_service(model=None, config=config.model_copy(update=settings))
    assert len(opened) == len(service.backend.models) == 1
    engines = [t.name for t in threading.enumerate() if t.name.startswith("engine")]
    assert engines == ["engine-echo"]


def test_one_name_stands_for_all_devices(service: LipsyncService) -> None:
    client = checked_client(service)
    begun(service, live())
    numbers(service, begun(service, film()))
    told = client.get("/api/health").json
    (model,) = told["models"]
    assert (told["model"], model["name"]) == ("net", "net")
    assert told["device"] == model["device"] == f"{A} (fake), {B} (fake)"
    assert told["model_reason"] == model["reason"] == "net: named in the settings"
    assert told["capacity"]["model_fps"] == model["model_fps"] == 160
    assert told["capacity"]["sessions"] == model["sessions"] == 3 + 2
    assert [(each["name"], each["model_fps"], each["sessions"]) for each in model["devices"]] == [
        (A, 100, 3),
        (B, 60, 2),
    ]
    assert [each["slack_fps"] for each in model["devices"]] == [65, 54]
    assert sum(each["frames_per_s"] for each in model["devices"]) == model["frames_per_s"] > 0
    counted = read(client)
    assert counted["soyle_device_slack_frames_per_second", A, "net"] == 65
    assert counted["soyle_device_slack_frames_per_second", B, "net"] == 54
    assert counted["soyle_model_sessions", "net"] == 5
    with pytest.raises(BadInput, match="one of: auto, net$"):
        service.submit(film(model="oracle"))


def test_a_session_has_one_device_for_its_life(
    service: LipsyncService, a: Device, b: Device
) -> None:
    def opened(**fields: Any) -> Session:
        asked = {"language": "en", "size": "128x128"} | fields
        return service.sessions.open(SessionRequest.parse(asked))

    first = opened(fps=50)
    second = opened()
    assert slack(service) == [40.0, 29.0]
    service.sessions.say(second, SayRequest.parse({"text": LONG}))
    assert until(lambda: b.drawn_in)
    assert not a.drawn_in
    sizes = [(plate.width, plate.height) for plate in b.opened]
    service.sessions.switch_avatar(second, "aigul")
    assert [(plate.width, plate.height) for plate in b.opened] == sizes, "GreyLibrary has one plate"
    third = opened(fps=40)
    assert slack(service) == [0.0, 29.0]
    with pytest.raises(Busy):
        opened(fps=30)
    for session in (first, second, third):
        service.sessions.close(session)
    assert slack(service) == [90.0, 54.0]


def test_a_log_line_of_figures_names_the_device(
    service: LipsyncService, a: Device, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="app_core.engine.figures")
    a.gate.clear()
    try:
        begun(service, live())
        service._renders.log_figures()
    finally:
        a.gate.set()
    name = "app_core.engine.figures"
    lines = [record.getMessage() for record in caplog.records if record.name == name]
    assert len(lines) == 1 and lines[0].endswith(f"late (net on {A})")


def test_what_is_opened_is_closed(make: Make, a: Device, b: Device) -> None:
    service = make(a, b)
    service.close()
    assert a.closed and b.closed
    assert not any(thread.name.startswith("engine") for thread in threading.enumerate())


def test_both_devices_hold_a_charge_of_one_plate(
    make_service: Make, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Face(str):
        nbytes = 7

    class Charged(GreyLibrary):
        def __init__(self) -> None:
            super().__init__()
            self.charged: dict[Any, int] = {}

        def charge(self, plate: Any, nbytes: int) -> None:
            self.charged[plate] = nbytes

    class Heavy(Device):
        def open(self, plate: Any) -> str:
            return Face(super().open(plate))

    models = {A: Heavy(A), B: Heavy(B)}
    monkeypatch.setattr(registry, "MODELS", {"net": lambda options: models[options.device]})
    monkeypatch.setattr(registry, "DEVICES", {"net": lambda _: (A, B)})
    library = Charged()
    given = config.model_copy(update={"model": "net"})
    service = make_service(model=None, config=given, library=library)
    numbers(service, begun(service, film()))
    by_size = {(plate.width, plate.height): n for plate, n in library.charged.items()}
    assert by_size == {(512, 512): 14, (64, 48): 14, (128, 128): 7}
