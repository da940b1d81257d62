"""Two models are loaded: each draws what asks for it, and fails alone."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from app_core.avatars.library import Avatar
from app_core.config import Config
from app_core.errors import BadInput, Busy, ModelFailed, NotReady
from app_core.job import Job, JobStatus
from app_core.lipsync import registry
from app_core.request import GenerateRequest, MjpegRequest
from app_core.services.lipsync_service import LipsyncService
from app_core.types import Frame, Mouth, MouthTask
from tests.begun import begun
from tests.conftest import checked_client, until
from tests.fakes import EchoModel, GreyLibrary, GreyPlate, frame_number
from tests.test_metrics import read

Make = Callable[..., LipsyncService]
WORDS = "one two three"
FRAMES = 15


class Named(EchoModel):
    """An EchoModel with a name; opens a face for each plate."""

    def __init__(self, name: str, nbytes: int = 0, **options: Any) -> None:
        super().__init__(**options)
        self.name = name
        self.face_bytes = nbytes
        self.opened: list[Any] = []
        self.closed = False

    def open(self, plate: Any) -> Any:
        class Face:
            nbytes = self.face_bytes

        self.opened.append(plate)
        return Face()

    def close(self) -> None:
        self.closed = True


class Missing(Named):
    def warm_up(self) -> None:
        raise BadInput("no weights", field="model")


@pytest.fixture
def light() -> Named:
    return Named("light", nbytes=3)


@pytest.fixture
def heavy() -> Named:
    return Named("heavy", nbytes=40)


@pytest.fixture
def make(
    make_service: Make, config: Config, light: Named, heavy: Named, monkeypatch: pytest.MonkeyPatch
) -> Make:
    monkeypatch.setattr(registry, "MODELS", {})

    def built(*models: Named, **parts: Any) -> LipsyncService:
        models = models or (light, heavy)
        for model in models:
            monkeypatch.setitem(registry.MODELS, model.name, lambda _, model=model: model)  # type: ignore[arg-type]
        names = ",".join(model.name for model in models)
        given = config.model_copy(update={"models": names})
        return make_service(model=None, config=given, **parts)

    return built


def film(**fields: Any) -> GenerateRequest:
    return GenerateRequest(text=WORDS, size="128x128", **fields)


def live(**fields: Any) -> MjpegRequest:
    return MjpegRequest(text=WORDS, size="128x128", **fields)


def numbers(service: LipsyncService, job: Job) -> list[int]:
    def number(frame: Frame) -> int:
        return frame_number(frame.picture)

    return list(service.frames(job.id, number))


def drawn(model: Named) -> set[str]:
    return {job for batch in model.batches for job, _ in batch} - {"trial"}


def test_a_request_picks_a_model(make: Make, light: Named, heavy: Named) -> None:
    service = make()
    jobs = {name: begun(service, film(model=name)) for name in ("auto", "light", "heavy")}
    for job in jobs.values():
        assert numbers(service, job) == list(range(FRAMES))
    assert drawn(light) == {jobs["auto"].id, jobs["light"].id}
    assert drawn(heavy) == {jobs["heavy"].id}
    assert light.threads - {"loader"} == {"engine-light"}
    assert heavy.threads - {"loader"} == {"engine-heavy"}
    with pytest.raises(BadInput, match="one of: auto, light, heavy$") as caught:
        service.submit(film(model="oracle"))
    assert caught.value.field == "model"


def test_both_draw_in_the_same_moment(make: Make) -> None:
    """Each waits, in the middle of a batch, until the other is in one too."""
    both = threading.Barrier(2)

    class Meeting(Named):
        def draw(self, tasks: Sequence[MouthTask]) -> list[Mouth]:
            if tasks[0].job_id != "trial" and tasks[0].index == 0:
                both.wait(10)
            return super().draw(tasks)

    service = make(Meeting("light"), Meeting("heavy"))
    jobs = [begun(service, film(model=name)) for name in ("light", "heavy")]
    assert [numbers(service, job) for job in jobs] == [list(range(FRAMES))] * 2


def test_a_model_that_stands_still_holds_up_no_other(make: Make, heavy: Named) -> None:
    service = make()
    heavy.gate.clear()
    try:
        waiting = begun(service, film(model="heavy"))
        assert numbers(service, begun(service, film(model="light"))) == list(range(FRAMES))
        assert not waiting.ended and not waiting.mouths.visited
    finally:
        heavy.gate.set()
    assert numbers(service, waiting) == list(range(FRAMES))


def test_a_thread_that_ends_ends_its_own_renders_alone(
    make: Make, light: Named, heavy: Named, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = make()
    client = checked_client(service)
    service._watchdog.close()  # this test is the watchdog
    for gate in (light.gate, heavy.gate):
        gate.clear()
    jobs = {name: begun(service, film(model=name)) for name in ("light", "heavy")}
    engine = service.backend.models[1].engine

    def raises(*_: object) -> None:
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(threading, "excepthook", lambda _: None)
        patch.setattr(engine._scheduler, "schedule", raises)
        patch.setattr(engine, "_break", raises)
        heavy.gate.set()
        assert until(lambda: not engine.alive)
    told = client.get("/api/health")
    assert (told.status_code, told.json["status"]) == (200, "degraded")
    assert told.json["reason"].startswith("heavy: the model's thread has ended")
    assert read(client)["soyle_model_ready", "heavy"] == 0
    assert read(client)["soyle_model_ready", "light"] == read(client)["soyle_ready",] == 1
    with pytest.raises(NotReady):
        service.submit(film(model="heavy"))
    service._renders.tend_engines()
    assert isinstance(jobs["heavy"].error, ModelFailed)
    assert not jobs["light"].ended
    light.gate.set()
    assert numbers(service, jobs["light"]) == list(range(FRAMES))
    assert jobs["light"].status is JobStatus.DONE
    assert client.get("/api/health").json["status"] == "ready"
    assert numbers(service, begun(service, film(model="heavy"))) == list(range(FRAMES))


def test_a_model_that_cannot_be_loaded_is_named_and_the_others_serve(
    make: Make, light: Named
) -> None:
    missing = Missing("heavy")
    service = make(missing, light)
    client = checked_client(service)
    told = client.get("/api/health")
    assert (told.status_code, told.json["status"]) == (200, "degraded")
    assert told.json["reason"] == "heavy: no weights"
    assert told.json["model"] == "light"
    assert [model["name"] for model in told.json["models"]] == ["light"]
    assert numbers(service, begun(service, film())) == list(range(FRAMES))
    with pytest.raises(BadInput, match="one of: auto, light$"):
        service.submit(film(model="heavy"))


def test_a_model_that_fails_its_trial_is_closed(make: Make, light: Named) -> None:
    class Broken(Named):
        def draw(self, tasks: Sequence[MouthTask]) -> list[Mouth]:
            raise MemoryError("no room")

    broken = Broken("heavy")
    service = make(light, broken)
    assert service.backend.condition() == ("degraded", "heavy: no room")
    assert broken.closed and not light.closed
    assert numbers(service, begun(service, film())) == list(range(FRAMES))


def test_without_any_model_it_is_offline_with_every_reason(make: Make) -> None:
    service = make(Missing("light"), Missing("heavy"))
    told = checked_client(service).get("/api/health")
    assert (told.status_code, told.json["status"]) == (503, "offline")
    assert told.json["reason"] == "light: no weights; heavy: no weights"
    assert (told.json["model"], told.json["models"]) == ("light", [])
    with pytest.raises(NotReady):
        service.submit(film())


def test_health_and_metrics_know_each_model(make: Make) -> None:
    service = make()
    client = checked_client(service)
    numbers(service, begun(service, film(model="heavy")))
    told = client.get("/api/health").json
    assert told["status"] == "ready"
    assert (told["model"], told["device"]) == ("light", "cpu")
    assert told["model_reason"] == "light: named in the settings"
    light, heavy = told["models"]
    assert (light["name"], heavy["name"]) == ("light", "heavy")
    assert heavy["device"] == "cpu" and heavy["reason"] == "heavy: named in the settings"
    assert light["frames_per_s"] == light["mean_batch"] == 0
    assert heavy["frames_per_s"] == told["capacity"]["frames_per_s"] == FRAMES / 5
    assert heavy["mean_batch"] == told["capacity"]["mean_batch"] >= 1
    assert heavy["sessions"] >= 1 and heavy["frame_ms"] > 0
    counted = read(client)
    assert counted["soyle_model_frames_per_second", "heavy"] == FRAMES / 5
    assert counted["soyle_model_frames_per_second", "light"] == 0
    assert counted["soyle_engine_frames_per_second",] == FRAMES / 5
    assert counted["soyle_engine_mean_batch",] == counted["soyle_model_mean_batch", "heavy"] >= 1
    assert counted["soyle_queue_frames", "engine"] == 0
    assert counted["soyle_model_queue_frames", "heavy"] == 0


def test_live_renders_of_both_share_the_cores(make: Make) -> None:
    service = make()
    light, heavy = (loaded.capacity for loaded in service.backend.models)
    light.calibrate(light.cores * 1000 / 25 / 8, 128, 128)  # 6 live renders fill CPU_SHARE
    heavy.calibrate(light.cores * 1000 / 25 / 4, 128, 128)
    text = " ".join(["word"] * 40)
    jobs = [begun(service, live(model="heavy").model_copy(update={"text": text}))]
    jobs += [begun(service, live().model_copy(update={"text": text})) for _ in range(4)]
    with pytest.raises(Busy):
        service.submit(live())
    with pytest.raises(Busy):
        service.submit(live(model="heavy"))
    service.cancel(jobs[0].id)
    assert light.snapshot().live == 4
    jobs += [begun(service, live()) for _ in range(2)]
    assert light.snapshot().live == heavy.snapshot().live == 6
    for job in jobs:
        service.cancel(job.id)
    assert light.snapshot().live == 0


def test_a_face_is_made_once_for_each_model_and_plate(
    make: Make, light: Named, heavy: Named
) -> None:
    class Library(GreyLibrary):
        def __init__(self) -> None:
            super().__init__()
            self.charged: dict[Any, int] = {}

        def charge(self, plate: Any, nbytes: int) -> None:
            self.charged[plate] = nbytes

        def plate(self, avatar: Avatar, size: Any = None, *, static: bool, sway: bool) -> GreyPlate:
            return super().plate(avatar, size, static=static, sway=sway)

    library = Library()
    service = make(library=library)
    for name in ("light", "heavy", "light", "heavy"):
        numbers(service, begun(service, film(model=name)))
    for model in (light, heavy):
        assert len(model.opened) == len(set(model.opened)) == 3, "512x512, its own, 128x128"
    assert set(library.charged.values()) == {43}, "what both hold of a plate"


def test_a_plate_that_one_model_opens_holds_up_no_other_model(make: Make) -> None:
    opening, go_on = threading.Event(), threading.Event()
    plate = GreyPlate()

    class Slow(Named):
        def open(self, given: Any) -> Any:
            if given is plate:
                opening.set()
                assert go_on.wait(10)
            return super().open(given)

    slow, light = Slow("heavy"), Named("light")
    backend = make(slow, light).backend
    held = threading.Thread(target=backend.face, args=(slow, plate))
    held.start()
    try:
        assert opening.wait(5)
        assert backend.face(light, plate) is backend.face(light, plate)
    finally:
        go_on.set()
        held.join()
    assert light.opened.count(plate) == slow.opened.count(plate) == 1


def test_the_log_names_the_model_of_its_figures(
    make: Make, heavy: Named, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="app_core.engine.figures")
    service = make()
    heavy.gate.clear()
    try:
        job = begun(service, live(model="heavy"))
        for loaded in service.backend.models:
            loaded.log_figures()
    finally:
        heavy.gate.set()
        service.cancel(job.id)
    name = "app_core.engine.figures"
    lines = [record.getMessage() for record in caplog.records if record.name == name]
    assert len(lines) == 1 and lines[0].endswith("late (heavy)")
