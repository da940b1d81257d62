from __future__ import annotations

import pytest

from app_core.audio import AudioBuffer
from app_core.channel import Channel
from app_core.errors import VoiceFailed
from app_core.job import Job, JobStatus
from app_core.request import MjpegRequest
from app_core.services import job_event_feed
from app_core.services.job_event_feed import JobEventFeed
from app_core.types import Sentence, Word


def new_job() -> Job:
    return Job(request=MjpegRequest(text="x"), sound=AudioBuffer(8000), mouths=Channel(4))


def test_news_are_told_once_and_in_order() -> None:
    job = new_job()
    ear = JobEventFeed(job)
    (first,) = ear.news()
    assert (first["type"], first["percent"], first["stage"]) == ("progress", 0.0, "speech")
    job.marks += [Sentence(0, "one two", 0.0, 1.0), Word("one", 0.0, 0.51239, 4, 7)]
    heard = ear.news()
    assert heard == [
        {"type": "sentence", "index": 0, "text": "one two", "start_s": 0.0, "end_s": 1.0},
        {"type": "word", "text": "one", "start_s": 0.0, "end_s": 0.512, "start": 4, "end": 7},
    ]
    job.marks.append(Word("two", 0.5, 1.0))
    assert [message["text"] for message in ear.news()] == ["two"]
    assert ear.news() == []
    late = JobEventFeed(job)
    assert [m["type"] for m in late.news()] == ["sentence", "word", "word", "progress"]


def test_progress_is_told_when_it_changed_and_not_too_often(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [100.0]
    monkeypatch.setattr(job_event_feed.time, "monotonic", lambda: now[0])
    job = new_job()
    ear = JobEventFeed(job)
    assert len(ear.news()) == 1
    job.frames_total, job.frames_done = 100, 10
    assert ear.news() == [], "too early"
    now[0] += 0.3
    (told,) = ear.news()
    assert (told["percent"], told["frames"]) == (10.0, 10)
    now[0] += 0.3
    job.timings["first_frame"] = 0.0
    job.frames_done = 50
    (told,) = ear.news()
    assert told["time_left_s"] is not None
    assert told["stage"] == "speech", "nothing was spoken yet"


@pytest.mark.parametrize("status", [JobStatus.DONE, JobStatus.FAILED])
def test_the_end_comes_after_everything_else(status: JobStatus) -> None:
    job = new_job()
    ear = JobEventFeed(job)
    ear.news()
    assert not ear.over
    job.marks.append(Word("one", 0.0, 0.5))
    job.end(status, None if status is JobStatus.DONE else VoiceFailed("no"))
    assert [message["type"] for message in ear.news()][0] == "word"
    assert ear.over
    assert ear.news() == []
