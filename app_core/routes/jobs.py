"""/api/jobs/<id>: how a render is doing, its sound, and its end."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from flask import Blueprint, Response, jsonify, request, send_file

from app_core.errors import Conflict, SoyleError, afresh
from app_core.media import wav
from app_core.routes.film import MIME, describe, kept
from app_core.routes.http.body import Body
from app_core.routes.http.caller import own
from app_core.routes.http.context import client_socket, cut_off, service
from app_core.routes.http.ranges import keep_one_range
from app_core.routes.http.shares import take_share
from app_core.routes.openapi.operation import JSON, MP4, WAV, Good, Operation
from app_core.routes.openapi.renders import FILM_PART, KEPT, RANGE, SOUND_PART
from app_core.routes.openapi.responses import JobAnswer
from app_core.shares import Holding

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from app_core.audio import AudioBuffer

blueprint = Blueprint("jobs", __name__)
JOB = (404,)
"""Statuses of what is asked of one job."""

CHUNK_S = 0.1
STILL_S = 0.25
"""Between two looks at whether the listener is still there."""


@blueprint.get("/api/jobs/<job_id>")
@Operation(
    "Jobs", "How a render is doing", (Good("The job", {JSON: JobAnswer}),), JOB, signable=True
)
def show(job_id: str) -> Response:
    return jsonify(describe(service().jobs.get(job_id, own())))


@blueprint.delete("/api/jobs/<job_id>")
@Operation(
    "Jobs",
    "Cancel a render; one that has ended stays as it is",
    (Good("The job", {JSON: JobAnswer}),),
    JOB,
)
def cancel(job_id: str) -> Response:
    return jsonify(describe(service().cancel(job_id, own())))


@blueprint.get("/api/jobs/<job_id>/result")
@Operation(
    "Jobs",
    "The film of a job that keeps it",
    (Good("The film", {MP4: None}, ("Content-Disposition",)), FILM_PART),
    KEPT,
    headers=RANGE,
    signable=True,
    details="Answers with the job's own error when it failed, and 409 while it is not done.",
)
def result(job_id: str) -> Response:
    job = service().jobs.get(job_id, own())
    if job.error is not None:
        raise afresh(job.error)
    if not job.ended:
        raise Conflict("The job is not done yet; ask /api/jobs/<id> how far it is")
    if job.result is None:
        raise Conflict("The job kept no film; ask for one with Prefer: respond-async")
    return kept(job.result, MIME, job.result_name)


@blueprint.get("/api/jobs/<job_id>/audio.wav")
@Operation(
    "Jobs",
    "The sound of a render, streamed while it is made",
    (Good("16-bit mono PCM", {WAV: None}), SOUND_PART),
    (*JOB, 416),
    headers=RANGE,
    signable=True,
)
def audio(job_id: str) -> Response:
    job = service().jobs.get(job_id, own())
    sound = job.sound
    if sound.complete:
        body = wav.WavFile(sound)
        keep_one_range(body.size)
        answer = send_file(body, mimetype="audio/wav", etag=False)  # type: ignore[arg-type]
        answer.content_length = body.size
        answer.make_conditional(request, accept_ranges=True, complete_length=body.size)
        return answer
    if request.method == "HEAD":
        return Response(mimetype="audio/wav")
    with take_share(Holding.LISTENERS).kept() as share:
        chunks = _growing(sound, partial(cut_off, client_socket()))

        def close() -> None:
            chunks.close()
            share.release()

        response = Response(Body(chunks, close, job.id), mimetype="audio/wav")
    response.headers["Cache-Control"] = "no-store"
    return response


def _growing(sound: AudioBuffer, gone: Callable[[], bool]) -> Generator[bytes]:
    """The sound while it is made. A render that fails ends it."""
    yield wav.header(sound.sample_rate, None)
    at, most = 0, int(sound.sample_rate * CHUNK_S)
    while not gone():
        try:
            pcm = sound.read(at, most, STILL_S)
        except TimeoutError:
            continue
        except SoyleError:
            return
        if not pcm:
            return
        at += len(pcm) // 2
        yield pcm
