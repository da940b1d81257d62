"""Jobs by plain data: an id, a format, bytes; and who ends a job."""

from __future__ import annotations

import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app_core.cancel_scope import never
from app_core.errors import BadInput, Cancelled, NotFound
from app_core.job import JobStatus
from app_core.media.sound_file import SoundFile
from app_core.request import FilmRequest, GenerateRequest, MjpegRequest, VideoRequest
from app_core.services.lipsync_service import LipsyncService
from app_core.types import Frame
from tests.begun import begun
from tests.conftest import until
from tests.fakes import EchoModel

WORDS = "one two three"
"""Fifteen frames."""


def whole(frame: Frame) -> Frame:
    return frame


def film(**fields: Any) -> GenerateRequest:
    return GenerateRequest(text=WORDS, size="128x128", **fields)


def asap(**fields: Any) -> MjpegRequest:
    return MjpegRequest(text=WORDS, size="128x128", pace="asap", **fields)


@pytest.mark.parametrize(
    ("format", "begins", "marker", "count"),
    [("mjpeg", b"\r\nContent-Type: image/jpeg", b"X-Frame: ", 15), ("mp4", None, b"ftyp", 1)],
)
def test_an_id_and_a_format_give_bytes(
    service: LipsyncService, format: Any, begins: bytes | None, marker: bytes, count: int
) -> None:
    job_id = service.submit(film())
    with service.stream(job_id, format) as pieces:
        body = b"".join(pieces)
    assert body.startswith(begins or b"")
    assert body.count(marker) == count
    assert service.jobs.get(job_id).status is JobStatus.DONE
    with pytest.raises(Cancelled):
        service.stream(job_id, format)


def test_no_job_no_bytes(service: LipsyncService) -> None:
    with pytest.raises(NotFound):
        service.stream("nobody", "mjpeg")


@pytest.mark.parametrize("format", ["mjpeg", "mp4"])
def test_leaving_the_bytes_cancels(service: LipsyncService, format: Any) -> None:
    job = begun(service, GenerateRequest(text=WORDS * 100, size="128x128"))
    with service.stream(job.id, format) as pieces:
        next(pieces)
    assert job.status is JobStatus.CANCELLED


@pytest.mark.parametrize("kind", [GenerateRequest, VideoRequest])
def test_the_outcome_of_a_film(service: LipsyncService, kind: type[FilmRequest]) -> None:
    def asked(**fields: Any) -> FilmRequest:
        return kind.model_validate({"text": WORDS, "size": "128x128", "fps": 30} | fields)

    sent = service.make_film(asked(), None, never)
    assert (sent.stream, sent.description, sent.codecs, sent.fps) == (None, None, "", 30)
    assert sent.film is not None
    with sent.film as opened:
        assert opened.read()[4:8] == b"ftyp"
    kept = service.make_film(asked(), None, never, "mine.mp4")
    assert kept.film is kept.stream is None
    assert kept.description is not None and kept.description["id"] == kept.job_id
    job = service.jobs.get(kept.job_id)
    assert until(lambda: job.ended)
    assert job.result is not None and job.result_name == "mine.mp4"
    streamed = service.make_film(asked(stream=True), None, never, "not kept.mp4")
    assert streamed.film is streamed.description is None
    assert streamed.codecs == "avc1.64001f, mp4a.40.2"
    assert streamed.stream is not None
    assert b"".join(streamed.stream)[4:8] == b"ftyp"


def test_the_outcome_of_a_stream(service: LipsyncService) -> None:
    outcome = service.stream_mjpeg(asap(fps=30), None, never, never)
    assert outcome.fps == 30
    assert outcome.stream is not None
    assert len(list(outcome.stream)) == 18
    assert service.jobs.get(outcome.job_id).status is JobStatus.DONE


def test_a_recording_whose_render_is_refused_is_closed(
    service: LipsyncService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, closed = tmp_path / "speech.wav", []
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 16000, 0, "NONE", ""))
        file.writeframes(np.zeros(16000, "<i2").tobytes())
    close = SoundFile.close
    monkeypatch.setattr(SoundFile, "close", lambda self: (closed.append(self), close(self))[1])
    for refused in (
        lambda: service.stream_mjpeg(asap(avatar="nobody"), path, never, never),
        lambda: service.make_film(film(avatar="nobody"), path, never),
        lambda: service.make_film(VideoRequest(text=WORDS, encoder="none"), path, never),
    ):
        with pytest.raises((BadInput, NotFound)):
            refused()
        assert closed
        closed.clear()


def test_who_reads_to_the_end_of_a_playout_ends_the_job(
    service: LipsyncService, model: EchoModel
) -> None:
    job = begun(service, film())
    assert len(list(service._renders.playout(job, whole))) == 15
    assert not job.ended
    assert service._renders.end(job, None)
    other = begun(service, film())
    other.makes_film = True
    assert len(list(service.frames(other.id, whole))) == 15
    assert other.status is JobStatus.DONE
    assert other.statistics is not None
