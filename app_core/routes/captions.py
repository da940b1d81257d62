"""/api/jobs/<id>/captions and /api/chunk/captions/<id>: what a render or a chunk of it says, as
captions for players and editors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, Response

from app_core.outputs.captions import SRT, VTT, subrip, webvtt
from app_core.outputs.cues import cues
from app_core.routes.http.caller import own
from app_core.routes.http.context import leaving, service
from app_core.routes.jobs import JOB
from app_core.routes.openapi.operation import Good, Operation
from app_core.routes.openapi.renders import CHUNK

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from app_core.outputs.cues import Cue

    Written = Callable[[Sequence[Cue]], str]

blueprint = Blueprint("captions", __name__)
GROWING = (
    "The text as it was sent, in phrases of at most two lines of 42 characters. While the job runs:"
    " what has been spoken so far; that of one that failed stays as far as it came."
)
OF_A_CHUNK = "Waits while the chunk is being spoken. Times are those of its film and its sound."


@blueprint.get("/api/jobs/<job_id>/captions.vtt")
@Operation(
    "Jobs",
    "Captions of a render, with the time of each word",
    (Good("WebVTT", {VTT: None}),),
    JOB,
    signable=True,
    details=GROWING,
)
def vtt(job_id: str) -> Response:
    return _answer(job_id, webvtt, VTT)


@blueprint.get("/api/jobs/<job_id>/captions.srt")
@Operation(
    "Jobs",
    "Captions of a render for players that know no WebVTT",
    (Good("SubRip", {SRT: None}),),
    JOB,
    signable=True,
    details=GROWING,
)
def srt(job_id: str) -> Response:
    return _answer(job_id, subrip, SRT)


@blueprint.get("/api/chunk/captions/<chunk_id>.vtt")
@Operation(
    "Render",
    "Captions of a chunk, with the time of each word in its film",
    (Good("WebVTT", {VTT: None}),),
    CHUNK,
    signable=True,
    details=OF_A_CHUNK,
)
def chunk_vtt(chunk_id: str) -> Response:
    return _answer_of_chunk(chunk_id, webvtt, VTT)


@blueprint.get("/api/chunk/captions/<chunk_id>.srt")
@Operation(
    "Render",
    "Captions of a chunk for players that know no WebVTT",
    (Good("SubRip", {SRT: None}),),
    CHUNK,
    signable=True,
    details=OF_A_CHUNK,
)
def chunk_srt(chunk_id: str) -> Response:
    return _answer_of_chunk(chunk_id, subrip, SRT)


def _answer(job_id: str, written: Written, kind: str) -> Response:
    job = service().jobs.get(job_id, own())
    ended = job.ended  # asked first: what is said until then is in the answer
    return _file(written(cues(job.marks[:], job.request.text)), kind, whole=ended)


def _answer_of_chunk(chunk_id: str, written: Written, kind: str) -> Response:
    job, chunk = service().chunks.spoken(chunk_id, leaving(), own())
    return _file(written(cues(chunk.marks[:], job.request.text)), kind, whole=True)


def _file(text: str, kind: str, *, whole: bool) -> Response:
    response = Response(text, content_type=f"{kind}; charset=utf-8")
    response.headers["Cache-Control"] = "private, no-cache" if whole else "no-store"
    return response
