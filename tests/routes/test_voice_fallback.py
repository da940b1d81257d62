"""A client hears which voice speaks, and that one took over from another."""

from __future__ import annotations

from typing import Any

import pytest

from app_core.services.job_event_feed import JobEventFeed
from app_core.speech.registry import Voices
from tests.back_end import service_of
from tests.conftest import until
from tests.fakes import ToneVoice


class Breaking(ToneVoice):
    id, engine = "breaking", "glass"


BODY = {"text": "one two three. Four.", "language": "en", "size": "128x128"}


@pytest.fixture
def client(make_client: Any) -> Any:
    return make_client(voices=Voices([Breaking(fail_at="three."), ToneVoice()]))


@pytest.mark.parametrize(
    ("url", "more"),
    [
        ("/api/stream_mjpeg", {"pace": "asap"}),
        ("/api/lipsync/video", {}),
        ("/api/lipsync/video", {"stream": True}),
        ("/api/stream_chunks", {"chunk_size": 2}),
    ],
)
def test_the_voice_that_begins_is_in_the_answer_and_all_in_the_job(
    client: Any, url: str, more: dict[str, Any]
) -> None:
    answer = client.post(url, json=BODY | more)
    assert (answer.status_code, answer.headers["X-Voice"]) == (200, "breaking")
    answer.get_data()
    answer.close()
    job_id = answer.headers["X-Job-Id"]
    job = service_of(client).jobs.get(job_id)
    assert until(lambda: job.ended, 20)
    assert job.error is None
    assert client.get(f"/api/jobs/{job_id}").json["voices"] == ["breaking", "tone"]


def test_a_listener_hears_of_the_voice_that_took_over(client: Any) -> None:
    answer = client.post("/api/lipsync/video", json=BODY)
    answer.get_data()
    answer.close()
    job_id = answer.headers["X-Job-Id"]
    job = service_of(client).jobs.get(job_id)
    told = [news for news in JobEventFeed(job).news() if news["type"] == "voice_fallback"]
    assert told == [
        {
            "type": "voice_fallback",
            "voice": "breaking",
            "instead": "tone",
            "reason": "voice_failed",
            "start_s": 0.4,
        }
    ]
    words = [news["text"] for news in JobEventFeed(job).news() if news["type"] == "word"]
    assert words == ["one", "two", "three.", "Four."]
    assert until(lambda: job.ended, 20)


def test_a_pitch_that_the_voice_has_not_got_is_refused(client: Any) -> None:
    answer = client.post("/api/lipsync/video", json=BODY | {"pitch": 2})
    assert (answer.status_code, answer.json["field"]) == (400, "pitch")
    answer = client.post("/api/lipsync/video", json=BODY | {"pitch": 12.5})
    assert (answer.status_code, answer.json["field"]) == (400, "pitch")
