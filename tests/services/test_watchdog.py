"""What nobody asks about is done all the same, whatever else fails."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest

from app_core.audio import AudioBuffer
from app_core.channel import Channel
from app_core.errors import NotFound
from app_core.job import Job, JobStatus
from app_core.job_table import JobTable
from app_core.request import MjpegRequest
from app_core.services.watchdog import Duty, Watchdog


def failing() -> None:
    raise MemoryError


def test_each_duty_in_its_time() -> None:
    now = 0.0
    done: list[str] = []
    watchdog = Watchdog(
        [
            Duty(lambda: done.append("often"), 1.0),
            Duty(failing, 1.0),
            Duty(lambda: done.append("seldom"), 5.0),
        ],
        clock=lambda: now,
    )
    watchdog.look()
    assert not done
    for second in range(1, 11):
        now = float(second)
        watchdog.look()
    assert done.count("often") == 10, "one that fails keeps none from being done"
    assert done.count("seldom") == 2


def test_the_thread_survives_its_duties() -> None:
    done = threading.Event()
    calls = 0

    def at_last() -> None:
        nonlocal calls
        calls += 1
        if calls < 3:
            raise RecursionError
        done.set()

    watchdog = Watchdog([Duty(at_last, 0.01)])
    watchdog.start()
    try:
        assert done.wait(5)
    finally:
        watchdog.close()


def ended_job() -> Job:
    sound = AudioBuffer(8000)
    sound.append(np.zeros(100, np.float32))
    sound.close()
    job = Job(request=MjpegRequest(text="x"), sound=sound, mouths=Channel(4))
    job.end(JobStatus.DONE)
    return job


def test_a_job_whose_files_cannot_be_removed_keeps_no_other() -> None:
    left: list[Job] = []

    def forgotten(job: Job) -> None:
        if not left:
            left.append(job)
            raise PermissionError(13, "not ours")
        left.append(job)

    table = JobTable(life_s=0.01, quota=1 << 20, forgotten=forgotten)
    jobs = [ended_job() for _ in range(3)]
    for job in jobs:
        table.add(job)
    time.sleep(0.02)
    table.expire()
    assert left == jobs
    for job in jobs:
        with pytest.raises(NotFound):
            table.get(job.id)
