"""What nobody asks about is done all the same, whatever else fails."""

from __future__ import annotations

import logging
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app_core.audio import AudioBuffer
from app_core.channel import Channel
from app_core.config import Config
from app_core.engine.capacity import Capacity
from app_core.engine.stats_logger import StatsLogger
from app_core.errors import NotFound
from app_core.job import Job, JobStatus
from app_core.job_table import JobTable
from app_core.request import MjpegRequest
from app_core.services.watchdog import Duty, Watchdog
from app_core.speech.registry import Voices
from tests.conftest import until
from tests.fakes import ToneVoice


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


def test_the_log_s_figures_may_fail(caplog: pytest.LogCaptureFixture) -> None:
    class Engine:
        asked = 0

        @property
        def jobs(self) -> tuple[int, int]:
            self.asked += 1
            raise MemoryError

    engine: Any = Engine()
    caplog.set_level(logging.CRITICAL, logger="app_core.engine.stats_logger")
    stats_logger = StatsLogger(engine, Capacity(1.0, 1), between_s=0.01)
    stats_logger.start()
    try:
        assert until(lambda: engine.asked >= 3)
    finally:
        stats_logger.close()


class English(ToneVoice):
    id = engine = "english"
    languages = ("en",)


def test_the_voice_of_the_settings_is_a_preference(make_client: Any, config: Config) -> None:
    voices = Voices([ToneVoice(), English()])
    client = make_client(voices=voices, config=config.model_copy(update={"voice": "english"}))
    service = client.application.extensions["lipsync"]
    spoken: list[str] = []
    for voice in (voices.get("tone"), voices.get("english")):
        speak = voice.speak

        def heard(*rest: Any, speak: Any = speak, voice: Any = voice) -> Any:
            spoken.append(voice.id)
            return speak(*rest)

        voice.speak = heard  # type: ignore[method-assign]
    url, body = "/api/stream_mjpeg", {"text": "one", "size": "128x128", "pace": "asap"}
    for language in ("en", "ru", "kk"):
        answer = client.post(url, json=body | {"language": language})
        assert answer.status_code == 200
        answer.get_data()
        answer.close()
    assert spoken == ["english", "tone", "tone"]
    refused = client.post(url, json=body | {"language": "ru", "voice": "nobody"})
    assert (refused.status_code, refused.json["field"]) == (404, "voice")
    other = client.post(url, json=body | {"language": "ru", "voice": "english"})
    assert other.status_code == 200
    other.get_data()
    other.close()
    assert spoken[3:] == ["tone"], "of a language that the voice does not know"
    assert service.health()["status"] == "ready"


def test_a_voice_of_the_settings_that_is_nowhere_is_named_at_start(
    make_client: Any, config: Config, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    client = make_client(config=config.model_copy(update={"voice": "nobody"}))
    told = client.get("/api/health")
    assert told.status_code == 200
    assert told.json["status"] == "degraded"
    assert told.json["reason"] == "VOICE=nobody: there is no such voice; there is: tone"
    assert "VOICE=nobody" in caplog.text
    answer = client.post("/api/stream_mjpeg", json={"text": "one", "size": "128x128"})
    assert answer.status_code == 200
    answer.close()
