"""How the speech of a file gives way to live frames."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from app_core.engine.capacity import Capacity
from app_core.pipeline import job_thread
from app_core.request import GenerateRequest, MjpegRequest
from app_core.services.lipsync_service import LipsyncService
from tests.conftest import until
from tests.fakes import ToneVoice, ToneVoices

TEXT = "One two three four. Five six seven eight. Nine ten eleven twelve."


def test_the_speech_of_a_file_waits_while_live_frames_are_tight(
    make_service: Callable[..., LipsyncService], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_thread, "MOST_WAIT_S", 60.0)
    tight = [True]
    monkeypatch.setattr(Capacity, "tight", property(lambda _: tight[0]))
    service = make_service(voices=ToneVoices(ToneVoice()))
    with service.frames(service.submit(MjpegRequest(text=TEXT)), lambda frame: frame) as frames:
        assert list(frames), "a live one goes on"
    job = service.jobs.get(service.submit(GenerateRequest(text=TEXT)))
    assert until(lambda: len(job.sound) > 0), "its first sentence is spoken"
    spoken = len(job.sound)
    assert not until(lambda: len(job.sound) > spoken, 0.2)
    tight[0] = False
    assert until(lambda: job.sound.closed)
    assert len(job.sound) > spoken


def test_but_it_never_stands_still(
    make_service: Callable[..., LipsyncService], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_thread, "MOST_WAIT_S", 0.01)
    monkeypatch.setattr(Capacity, "tight", property(lambda _: True))
    service = make_service(voices=ToneVoices(ToneVoice()))
    job = service.jobs.get(service.submit(GenerateRequest(text=TEXT)))
    assert until(lambda: job.sound.closed)


def test_one_that_is_dropped_does_not_wait_on(
    make_service: Callable[..., LipsyncService], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_thread, "MOST_WAIT_S", 60.0)
    monkeypatch.setattr(Capacity, "tight", property(lambda _: True))
    service = make_service(voices=ToneVoices(ToneVoice()))
    job_id = service.submit(GenerateRequest(text=TEXT))
    job = service.jobs.get(job_id)
    assert until(lambda: len(job.sound) > 0)
    service.cancel(job_id)
    assert until(lambda: job.ended)
