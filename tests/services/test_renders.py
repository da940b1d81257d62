"""How a job begins and ends, whoever ends it and when."""

from __future__ import annotations

import contextlib
import sys
import threading
import uuid
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest

from app_core.errors import Cancelled, ModelFailed, NotFound, NotReady
from app_core.job import Job, JobStatus
from app_core.request import GenerateRequest, MjpegRequest
from app_core.services import renders as module
from app_core.services.admission import Admission
from app_core.services.lipsync_service import LipsyncService
from app_core.services.renders import Renders
from app_core.types import Frame
from tests.begun import begun
from tests.conftest import until
from tests.fakes import EchoModel, ToneVoice, ToneVoices

Make = Callable[..., LipsyncService]
WORDS = "one two three"


def whole(frame: Frame) -> Frame:
    return frame


def live(**fields: Any) -> MjpegRequest:
    return MjpegRequest(text=WORDS, size="128x128", **fields)


def film(**fields: Any) -> GenerateRequest:
    return GenerateRequest(text=WORDS, size="128x128", **fields)


def nothing_is_left(service: LipsyncService) -> bool:
    engine = service.backend.engine
    assert engine is not None
    return (
        service.capacity.snapshot().live == 0
        and engine.jobs == (0, 0)
        and engine.depth == 0
        and not service._renders._running
        and not service.jobs.running()
        and not any(thread.name.startswith("job-") for thread in threading.enumerate())
    )


class Cut:
    """Cancels by the id at the ``step``-th line of what begins a job."""

    def __init__(self, service: LipsyncService, job_id: str, step: int) -> None:
        self._service, self._job_id, self._left = service, job_id, step
        self._codes = (Renders.begin.__code__, Admission.admit.__code__)
        self.happened = False
        self.cancelled = False

    def trace(self, frame: FrameType, event: str, argument: Any) -> Any:
        if frame.f_code not in self._codes:
            return None
        if event == "line":
            self._left -= 1
            if self._left == 0:
                self.happened = True
                sys.settrace(None)
                with contextlib.suppress(NotFound):
                    self._service.cancel(self._job_id)
                    self.cancelled = True
        return self.trace


@pytest.mark.parametrize("ask", [live, film])
def test_a_cancel_at_any_step_of_the_beginning_leaves_nothing(
    service: LipsyncService, ask: Callable[..., Any]
) -> None:
    cancelled = 0
    for step in range(1, 200):
        job_id = str(uuid.uuid4())
        cut = Cut(service, job_id, step)
        job: Job | None = None
        before = sys.gettrace()
        sys.settrace(cut.trace)
        try:
            job = begun(service, ask(job_id=job_id))
        except Cancelled:
            assert cut.cancelled
        finally:
            sys.settrace(before)
        if not cut.happened:
            break
        if cut.cancelled:
            cancelled += 1
            assert service.jobs.get(job_id).status is JobStatus.CANCELLED, step
            if job is not None:
                with pytest.raises(Cancelled):
                    list(service.frames(job.id, whole))
        else:
            assert job is not None
            service.frames(job.id, whole).close()
        assert until(lambda: nothing_is_left(service)), step
    assert job is not None and not cut.happened, "every step was tried"
    service.cancel(job.id)
    assert cancelled >= 5


def test_an_ending_is_never_undone(service: LipsyncService) -> None:
    job = begun(service, film())
    service.cancel(job.id)
    assert not job.begin()
    assert job.status is JobStatus.CANCELLED


def test_what_cannot_begin_is_given_back(
    service: LipsyncService, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_room(*_: Any, **__: Any) -> None:
        raise MemoryError

    job_id = str(uuid.uuid4())
    assert service.backend.engine is not None
    with monkeypatch.context() as patch:
        patch.setattr(service.backend.engine, "open", no_room)
        with pytest.raises(MemoryError):
            service.submit(live(job_id=job_id))
    assert nothing_is_left(service)
    with pytest.raises(NotFound):
        service.jobs.get(job_id)


@pytest.mark.parametrize("ask", [live, film])
def test_a_job_that_nobody_reads_ends(
    service: LipsyncService, ask: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    job = begun(service, ask())
    assert until(lambda: len(job.mouths) > 0)
    service._renders.end_unread()
    assert job.status is JobStatus.RUNNING, "its reader may still come"
    monkeypatch.setattr(module, "UNREAD_S", 0.0)
    assert until(lambda: service._renders.end_unread() or job.ended)
    assert job.status is JobStatus.CANCELLED
    assert "Nobody read" in str(job.error)
    assert until(lambda: nothing_is_left(service))
    with pytest.raises(Cancelled, match="Nobody read"):
        service.frames(job.id, whole)


def test_a_failure_that_nobody_reads_ends_its_job(
    make_service: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = make_service(voices=ToneVoices(ToneVoice(fail_at="one")))
    job = begun(service, film())
    assert until(lambda: job.mouths.closed)
    monkeypatch.setattr(module, "UNREAD_S", 0.0)
    assert until(lambda: service._renders.end_unread() or job.ended)
    assert until(lambda: nothing_is_left(service))


def test_a_reader_that_waits_or_works_is_left_alone(
    make_service: Make, model: EchoModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "UNREAD_S", 0.0)
    service = make_service()
    model.gate.clear()
    job = begun(service, film())
    service._renders.end_unread()
    assert not job.ended, "there is nothing to read yet"
    model.gate.set()
    seen = 0
    for _ in service.frames(job.id, whole):
        service._renders.end_unread()
        assert not job.ended, "an encoder that takes its time"
        seen += 1
    assert seen == 15
    assert job.status is JobStatus.DONE


def test_a_reader_that_stays_away_for_good_is_no_reader(
    service: LipsyncService, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = begun(service, film())
    reader = service.frames(job.id, whole)
    next(reader)
    assert until(lambda: len(job.mouths) > 0)
    monkeypatch.setattr(module, "STALLED_S", 0.0)
    assert until(lambda: service._renders.end_unread() or job.ended)
    with pytest.raises(Cancelled):
        list(reader)


def test_an_engine_whose_thread_has_ended_is_told_and_replaced(
    make_client: Any, model: EchoModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = make_client()
    service: LipsyncService = client.application.extensions["lipsync"]
    engine = service.backend.engine
    assert engine is not None
    service._watchdog.close()  # this test is the watchdog

    def raises(*_: object) -> None:
        raise MemoryError

    job = begun(service, film())
    with monkeypatch.context() as patch:
        patch.setattr(threading, "excepthook", lambda _: None)
        patch.setattr(engine._scheduler, "schedule", raises)
        patch.setattr(engine, "_break", raises)
        assert until(lambda: not engine.alive)
    told = client.get("/api/health")
    assert told.status_code == 503
    assert told.json["status"] == "offline"
    assert "thread" in told.json["reason"]
    assert client.get("/api/health/live").status_code == 200
    with pytest.raises(NotReady):
        service.submit(film())
    service._renders.tend_engines()
    assert job.status is JobStatus.FAILED
    assert isinstance(job.error, ModelFailed)
    assert client.get("/api/health").json["status"] == "ready"
    assert len(list(service.frames(service.submit(film()), whole))) == 15


def test_only_a_render_of_a_client_has_a_last_moment(
    service: LipsyncService, model: EchoModel
) -> None:
    """A recording of hours may be said by a Python caller, on any machine."""
    model.gate.clear()
    theirs = service.jobs.get(service.submit(film(), owner="address 10.0.0.1"))
    ours = begun(service, film())
    for job in (ours, theirs):
        job.created_s -= service.config.max_render_s + 1
    service._renders.end_unread()
    assert (ours.ended, theirs.ended) == (False, True)
    model.gate.set()
