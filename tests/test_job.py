from __future__ import annotations

import numpy as np
import pytest

from app_core import job_table as module
from app_core.audio import AudioBuffer
from app_core.channel import Channel
from app_core.errors import Busy, Cancelled, Conflict, DiskFull, NotFound, SoyleError, afresh
from app_core.job import JOB_BYTES, Job, JobStatus
from app_core.job_table import JobTable
from app_core.request import MjpegRequest
from app_core.types import Sentence


def job(samples: int = 0) -> Job:
    sound = AudioBuffer(8000)
    sound.append(np.zeros(samples, np.float32))
    sound.close()
    return Job(request=MjpegRequest(text="x"), sound=sound, mouths=Channel(4))


def test_the_first_ending_wins() -> None:
    one = job()
    assert one.end(JobStatus.FAILED, SoyleError("first"))
    assert not one.end(JobStatus.DONE)
    assert one.status is JobStatus.FAILED
    assert str(one.error) == "first"


def test_a_ticket_is_stale_after_cancel() -> None:
    one = job()
    one.ticket.check()
    one.scope.cancel()
    with pytest.raises(Cancelled):
        one.ticket.check()
    one.scope.ticket().check()


def test_progress_counts_dropped_frames() -> None:
    one = job()
    assert one.progress == 0.0
    one.frames_total, one.frames_done, one.frames_dropped = 10, 4, 1
    assert one.progress == 0.5
    assert one.describe()["frames"] == {
        "total": 10,
        "done": 4,
        "dropped": 1,
        "without_face": 0,
    }


def test_the_table_forgets_by_age_and_by_quota() -> None:
    table = JobTable(life_s=100, quota=1 << 20)
    old = job()
    table.add(old)
    old.end(JobStatus.DONE)
    assert table.get(old.id) is old
    assert old.ended_s is not None
    old.ended_s -= 100
    with pytest.raises(NotFound):
        table.get(old.id)

    table = JobTable(life_s=100, quota=50_000)
    jobs = [job(samples=10_000) for _ in range(4)]
    for one in jobs:
        table.add(one)
        one.end(JobStatus.DONE)
    table.expire()
    kept = [one for one in jobs if _known(table, one)]
    assert kept == jobs[2:], "the oldest go first"


def test_no_request_looks_through_the_jobs_that_are_remembered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With 160 of them that was a millisecond before each first picture, with more it was more."""
    table = JobTable(life_s=100, quota=1)
    jobs = [job(samples=10) for _ in range(5)]
    for one in jobs:
        table.add(one)
        one.end(JobStatus.DONE)
    asked: list[Job] = []
    measured = Job.nbytes.fget  # type: ignore[attr-defined]
    monkeypatch.setattr(Job, "nbytes", property(lambda one: asked.append(one) or measured(one)))
    one = job()
    table.add(one)
    assert table.get(one.id) is one
    assert table.running() == [one]
    assert not asked
    table.expire()
    assert len(asked) >= 5
    assert table.running() == [one]


def test_an_id_is_free_again_when_its_job_is_too_old_to_be_asked_for() -> None:
    gone: list[Job] = []
    table = JobTable(life_s=0.0, quota=1 << 20, forgotten=gone.append)
    first, second = job(), job()
    second.id = first.id
    table.add(first)
    with pytest.raises(Conflict):
        table.add(second)
    first.end(JobStatus.DONE)
    table.add(second)
    assert gone == [first]
    assert table.get(first.id) is second


def _known(table: JobTable, one: Job) -> bool:
    try:
        return table.get(one.id) is one
    except NotFound:
        return False


def test_the_table_forgets_by_what_jobs_hold_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sounds that found no place on the disk, marks and texts; not what lies in files."""
    monkeypatch.setattr(module, "IN_MEMORY", 3 * JOB_BYTES + 8000)
    table, ended = JobTable(life_s=100, quota=1 << 30), []
    for samples in (2000, 2000, 0, 0, 0):
        one = job(samples)
        ended.append(one)
        one.result_bytes = 10**6
        table.add(one)
        one.end(JobStatus.DONE)
        table.expire()
    kept = []
    for one in ended:
        try:
            kept.append(table.get(one.id))
        except NotFound:
            pass
    assert kept == ended[2:]
    ended[2].marks += [Sentence(0, "x", 0.0, 1.0)] * 20
    table.expire()
    with pytest.raises(NotFound):
        table.get(ended[2].id)


def test_an_error_that_is_kept_holds_no_frames() -> None:
    """Neither of its first way up nor of those on which it is raised again."""
    one = job()
    try:
        raise Conflict("taken", field="job_id")
    except Conflict as error:
        one.end(JobStatus.FAILED, error)
        one.mouths.close(error)
    kept = one.error
    assert kept is not None and kept.__traceback__ is None
    assert (type(kept), str(kept), kept.field) == (Conflict, "taken", "job_id")
    for _ in range(2):
        with pytest.raises(Conflict) as caught:
            one.mouths.get(0.0)
        assert len(caught.traceback) == 2
    busy = afresh(Busy("full", retry_after_s=7))
    assert (str(busy), busy.retry_after_s) == ("full", 7)


def test_running_jobs_are_never_forgotten() -> None:
    table = JobTable(life_s=0.0, quota=0)
    one = job(samples=10_000)
    table.add(one)
    assert table.get(one.id) is one
    assert table.running() == [one]
    with pytest.raises(Conflict):
        table.add(one)


def test_room_is_made_of_what_jobs_hold_and_not_of_what_became_of_them() -> None:
    gone: list[Job] = []

    def forgotten(one: Job) -> None:
        gone.append(one)
        one.release()

    table = JobTable(life_s=100, quota=1 << 30, forgotten=forgotten)
    done, failed = job(samples=1000), job(samples=1000)
    for one in (done, failed):
        table.add(one)
    done.end(JobStatus.DONE)
    failed.end(JobStatus.FAILED, DiskFull("The disk is full"))
    done.result_bytes = 10**6
    while table.forget_oldest():
        pass
    assert gone == [done, failed] and table.held() == 0
    assert table.record(failed.id) is failed
    for ask, of in ((table.get, failed), (table.get, done), (table.record, done)):
        with pytest.raises(NotFound, match="were removed to make room"):
            ask(of.id)
    table.clear()
    assert gone == [done, failed], "once"
    with pytest.raises(NotFound, match="There is no such job"):
        table.record(failed.id)
