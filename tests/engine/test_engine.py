"""Nothing that a model, a thread limit, an array, a channel or a counter raises ends the engine."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import pytest

from app_core.audio import AudioBuffer
from app_core.channel import Channel, ChannelClosed
from app_core.engine import engine as module
from app_core.engine.engine import Engine
from app_core.errors import Busy, ModelFailed
from app_core.job import Job
from app_core.metrics import Metrics
from app_core.request import GenerateRequest, MjpegRequest
from app_core.types import Mouth, MouthTask
from tests.conftest import until
from tests.fakes import EchoModel

FRAMES = 20
BOOM = [
    RuntimeError("can't start new thread"),
    MemoryError(),
    RecursionError("too deep"),
    SystemExit(3),
]


class Fragile(EchoModel):
    """Does to the tasks of ``victim`` what the test says, from frame 7 on."""

    victim = ""

    def unready(self, task: MouthTask) -> bool:
        return True

    def spoil(self, mouth: Mouth) -> Any:
        return mouth

    def _hits(self, task: MouthTask) -> bool:
        return task.job_id == self.victim and task.index >= 7

    def ready(self, task: MouthTask) -> bool:
        return self.unready(task) if self._hits(task) else True

    def draw(self, tasks: Sequence[MouthTask]) -> list[Mouth]:
        drawn = super().draw(tasks)
        mouths = []
        for task, mouth in zip(tasks, drawn, strict=True):
            made = self.spoil(mouth) if self._hits(task) else mouth
            mouths += made if isinstance(made, list) else [made]
        return mouths


def make_job(channel: Channel[Mouth] | None = None, live: bool = False) -> Job:
    request = MjpegRequest(text="x") if live else GenerateRequest(text="x")
    mouths = Channel[Mouth](64) if channel is None else channel
    return Job(request=request, sound=AudioBuffer(8000), mouths=mouths, live=live)


def tasks(job: Job) -> list[MouthTask]:
    rows = np.arange(FRAMES, dtype=np.float32)[:, None]
    return [MouthTask(job.id, index, 0, None, row) for index, row in enumerate(rows)]


def begin(engine: Engine, job: Job) -> Job:
    engine.open(job)
    engine.submit(job, tasks(job))
    engine.finish(job)
    return job


def read(job: Job) -> list[int]:
    """The frames of a job. Raises what it ended with, TimeoutError when it hangs."""
    found = []
    while True:
        try:
            found.append(job.mouths.get(5.0).index)
        except ChannelClosed:
            return found


@pytest.fixture
def model() -> Fragile:
    return Fragile(max_batch=16)


@pytest.fixture
def engine(model: Fragile, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    monkeypatch.setattr(module, "PAUSE_S", 0.01)
    engine = Engine(model)
    engine.start()
    yield engine
    engine.close()
    assert not engine.alive


def survives(engine: Engine, model: Fragile, match: str = "echo failed") -> None:
    """The victim fails, another beside it and one after it do not."""
    model.gate.clear()
    victim, other = make_job(), make_job()
    model.victim = victim.id
    begin(engine, victim)
    begin(engine, other)
    model.gate.set()
    with pytest.raises(ModelFailed, match=match):
        read(victim)
    assert read(other) == list(range(FRAMES))
    assert read(begin(engine, make_job())) == list(range(FRAMES))
    assert engine.alive
    assert engine.jobs == (0, 0)


@pytest.mark.parametrize("error", BOOM, ids=lambda error: type(error).__name__)
def test_a_model_that_cannot_say_whether_it_is_ready(
    engine: Engine, model: Fragile, error: BaseException
) -> None:
    def raises(task: MouthTask) -> bool:
        raise error

    model.unready = raises  # type: ignore[method-assign]
    survives(engine, model, str(error) or type(error).__name__)


@pytest.mark.parametrize("error", BOOM, ids=lambda error: type(error).__name__)
def test_a_model_that_cannot_draw(engine: Engine, model: Fragile, error: BaseException) -> None:
    def raises(mouth: Mouth) -> Any:
        raise error

    model.spoil = raises  # type: ignore[method-assign]
    survives(engine, model, str(error) or type(error).__name__)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda mouth: [],
        lambda mouth: [mouth, mouth],
        lambda mouth: None,
        lambda mouth: Mouth(mouth.index + 1, mouth.picture, mouth.drawing),
        lambda mouth: Mouth(mouth.index, mouth.picture + 1, mouth.drawing),
        lambda mouth: Mouth(mouth.index, mouth.picture, [1.0]),  # type: ignore[arg-type]
        lambda mouth: Mouth(mouth.index, mouth.picture, np.array([np.nan], np.float32)),
        lambda mouth: Mouth(mouth.index, mouth.picture, np.array([np.inf])),
        lambda mouth: Mouth(mouth.index, mouth.picture, np.array([None])),
        lambda mouth: Mouth(mouth.index, mouth.picture, np.array(["0.5"])),
        lambda mouth: Mouth(mouth.index, mouth.picture, np.array([1j])),
        lambda mouth: Mouth(
            mouth.index, mouth.picture, np.array([(1, np.nan)], [("bgr", "u1"), ("weight", "f4")])
        ),
    ],
)
def test_mouths_that_are_none(
    engine: Engine, model: Fragile, spoil: Callable[[Mouth], Any]
) -> None:
    model.spoil = spoil  # type: ignore[method-assign]
    survives(engine, model)


class BadChannel(Channel[Mouth]):
    """Raises in one of its calls, once the first mouths are in."""

    def __init__(self, call: str) -> None:
        super().__init__(64)
        self._call = call

    def _maybe(self, call: str) -> None:
        if call == self._call and len(self) >= 4:
            raise MemoryError(call)

    def room(self) -> int:
        self._maybe("room")
        return super().room()

    def put(self, item: Mouth) -> None:
        self._maybe("put")
        super().put(item)

    def close(self, error: Exception | None = None, *, now: bool = False) -> None:
        super().close(error, now=now)
        self._maybe("close")


@pytest.mark.parametrize("call", ["room", "put", "close"])
def test_a_channel_that_raises_ends_its_own_job(engine: Engine, model: Fragile, call: str) -> None:
    model.gate.clear()
    victim, other = make_job(BadChannel(call)), make_job()
    begin(engine, victim)
    begin(engine, other)
    model.gate.set()
    assert read(other) == list(range(FRAMES))
    if call == "close":
        assert read(victim) == list(range(FRAMES))
    else:
        with pytest.raises(ModelFailed):
            read(victim)
    assert read(begin(engine, make_job())) == list(range(FRAMES))
    assert engine.alive
    assert engine.jobs == (0, 0)


@pytest.mark.parametrize("name", ["stage", "batch"])
def test_figures_that_cannot_be_counted_cost_no_frame(
    model: Fragile, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def raises(*_: object) -> None:
        raise ValueError("a label is missing")

    metrics = Metrics()
    monkeypatch.setattr(metrics, name, raises)
    engine = Engine(model, metrics)
    engine.start()
    try:
        for _ in range(2):
            assert read(begin(engine, make_job())) == list(range(FRAMES))
        assert engine.frames == 2 * FRAMES
    finally:
        engine.close()


def test_a_failure_of_the_engine_itself_ends_its_jobs_and_not_the_thread(
    engine: Engine, model: Fragile, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = engine._runner.run

    def raises(tasks: Any) -> Any:
        raise MemoryError("no room for a list")

    model.gate.clear()
    monkeypatch.setattr(engine._runner, "run", raises)
    jobs = [begin(engine, make_job()) for _ in range(3)]
    model.gate.set()
    for job in jobs:
        with pytest.raises(ModelFailed, match="no room for a list"):
            read(job)
    monkeypatch.setattr(engine._runner, "run", whole)
    assert read(begin(engine, make_job())) == list(range(FRAMES))
    assert engine.alive


def test_a_thread_that_ended_all_the_same_starts_again(
    engine: Engine, model: Fragile, monkeypatch: pytest.MonkeyPatch
) -> None:
    def raises(*_: object) -> None:
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(threading, "excepthook", lambda _: None)
        patch.setattr(engine._scheduler, "schedule", raises)
        patch.setattr(engine, "_break", raises)
        assert until(lambda: not engine.alive)
    engine.start()
    assert engine.alive
    assert read(begin(engine, make_job())) == list(range(FRAMES))


def test_no_thread_for_the_engine_is_busy(model: Fragile, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_more(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    engine = Engine(model)
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", no_more)
        with pytest.raises(Busy):
            engine.start()
    assert not engine.alive
    engine.close()


def test_another_job_of_the_same_id_is_not_dropped(engine: Engine, model: Fragile) -> None:
    model.gate.clear()
    first = make_job()
    second = make_job()
    second.id = first.id = str(uuid.uuid4())
    begin(engine, second)
    engine.drop(first)
    model.gate.set()
    assert read(second) == list(range(FRAMES))
