"""/api/jobs/<id>/captions: what a render says, as captions for players and editors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, Response

from app_core.outputs.captions import SRT, VTT, subrip, webvtt
from app_core.outputs.cues import cues
from app_core.routes.http.context import service
from app_core.routes.jobs import JOB
from app_core.routes.openapi.operation import Good, Operation

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from app_core.outputs.cues import Cue

blueprint = Blueprint("captions", __name__)
GROWING = (
    "The text as it was sent, in phrases of at most two lines of 42 characters. While the job runs:"
    " what has been spoken so far; that of one that failed stays as far as it came."
)


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


def _answer(job_id: str, written: Callable[[Sequence[Cue]], str], kind: str) -> Response:
    job = service().jobs.get(job_id)
    ended = job.ended  # asked first: what is said until then is in the answer
    text = written(cues(job.marks[:], job.request.text))
    response = Response(text, content_type=f"{kind}; charset=utf-8")
    response.headers["Cache-Control"] = "private, no-cache" if ended else "no-store"
    return response
