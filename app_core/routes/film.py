"""How a film is answered: whole, while it is made, or later."""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING

from flask import Response, jsonify, request, send_file, url_for

from app_core.errors import NotFound, SoyleError
from app_core.routes.http.access import signed
from app_core.routes.http.body import Body, ClientGone
from app_core.routes.http.context import address, client_socket, cut_off, leaving, tell_job
from app_core.routes.http.ranges import keep_one_range

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from typing import Any, BinaryIO

    from app_core.job import Job
    from app_core.request import FilmRequest
    from app_core.services.cancel_on_close import CancelOnClose
    from app_core.services.films.outcome import Outcome

MIME = "video/mp4"


def respond(outcome: Outcome, name: str) -> Response:
    """The answer of a render whose outcome is a film: 202 for one that is kept."""
    if outcome.stream is not None:
        response = _streamed(outcome.stream, outcome.job_id, outcome.codecs)
    elif outcome.film is not None:
        response = _whole(outcome.film, name)
        if outcome.aligned is not None:
            response.headers["X-Aligned"] = f"{outcome.aligned:.2f}"
    else:
        response = _accepted(outcome.description or {}, outcome.job_id)
    tell_job(response, outcome.job_id, outcome.voices)
    return response


def client_left(asked: FilmRequest) -> Callable[[], bool]:
    """Whether the client that waits for the film has gone."""
    return partial(cut_off, client_socket()) if asked.stream else leaving()


def describe(job: Job) -> dict[str, Any]:
    """The job as clients see it, with the addresses that belong to it."""
    return _addressed(job.describe(), job.id, kept=job.result is not None)


def _addressed(description: dict[str, Any], job_id: str, *, kept: bool) -> dict[str, Any]:
    done = kept and description["status"] == "done"
    return description | {
        "result_url": signed(url_for("jobs.result", job_id=job_id), job_id) if done else None,
        "audio_url": signed(url_for("jobs.audio", job_id=job_id), job_id),
        "captions_url": signed(url_for("captions.vtt", job_id=job_id), job_id),
        "subtitles_url": signed(url_for("captions.srt", job_id=job_id), job_id),
        "events_url": signed(address(f"/api/jobs/{job_id}/events"), job_id),
    }


def kept(path: Path, mimetype: str, name: str = "") -> Response:
    """A kept file, in parts where the client asks for them; an attachment when it has a name."""
    try:
        keep_one_range(path.stat().st_size)
        response = send_file(
            path, mimetype, as_attachment=bool(name), download_name=name or None, conditional=True
        )
    except FileNotFoundError:
        raise NotFound("The file has been removed from the server's disk") from None
    response.headers["Cache-Control"] = "private, no-cache"
    return response


def wants_async() -> bool:
    """RFC 7240: preferences are separated by commas, their parameters by semicolons."""
    asked = request.headers.get("Prefer", "").lower().split(",")
    return "respond-async" in {preference.partition(";")[0].strip() for preference in asked}


def _accepted(description: dict[str, Any], job_id: str) -> Response:
    response = jsonify(_addressed(description, job_id, kept=True))
    response.status_code = 202
    response.headers["Location"] = url_for("jobs.show", job_id=job_id)
    response.headers["Preference-Applied"] = "respond-async"
    return response


def _streamed(parts: CancelOnClose[bytes], job_id: str, codecs: str) -> Response:
    # A failure before the first byte is an answer with its real status.
    first = next(parts)

    def chunks() -> Iterator[bytes]:
        yield first
        try:
            yield from parts
        except SoyleError as error:
            raise ClientGone(error.code) from error

    response = Response(Body(chunks(), parts.close, job_id), mimetype=MIME)
    response.headers["X-Codecs"] = codecs
    response.headers["X-Audio-Url"] = signed(url_for("jobs.audio", job_id=job_id), job_id)
    response.headers["X-Accel-Buffering"] = "no"
    return response


def _whole(film: BinaryIO, name: str) -> Response:
    response = send_file(film, mimetype=MIME, as_attachment=True, download_name=name, etag=False)
    response.content_length = os.fstat(film.fileno()).st_size
    response.call_on_close(film.close)
    return response
