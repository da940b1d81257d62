"""How a film is answered: whole, while it is made, or later."""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING

from flask import Response, jsonify, request, send_file, url_for

from app_core.errors import NotFound, SoyleError
from app_core.routes.http.access import signed
from app_core.routes.http.body import Body, ClientGone
from app_core.routes.http.context import client_socket, cut_off, leaving, service
from app_core.routes.http.ranges import keep_one_range

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from typing import Any

    from app_core.job import Job

    Gone = Callable[[], bool]

MIME = "video/mp4"


def respond(
    job: Job,
    name: str,
    write: Callable[[Path, Gone], None],
    pieces: Callable[[Gone], Iterator[bytes]] | None = None,
    codecs: str = "",
) -> Response:
    """The answer of a job whose outcome is a film; it ends the job, also on failure.

    ``write(path, gone)`` writes the whole MP4. ``pieces(gone)``, given when the client asked for
    ``stream``, yields a fragmented one as it is made, in ``codecs`` (RFC 6381). With
    ``Prefer: respond-async`` the answer is 202 and the film is kept as the job's result.
    """
    if pieces is not None:
        response = _streamed(job, pieces, codecs)
    elif wants_async():
        response = _accepted(job, name, write)
    else:
        response = _whole(job, name, write)
    response.headers["X-Job-Id"] = job.id
    response.headers["Cache-Control"] = "no-store"
    return response


def describe(job: Job) -> dict[str, Any]:
    """The job as clients see it, with the addresses that belong to it."""
    told = job.describe()
    done = job.result is not None and told["status"] == "done"
    told["result_url"] = signed(url_for("jobs.result", job_id=job.id), job.id) if done else None
    told["audio_url"] = signed(url_for("jobs.audio", job_id=job.id), job.id)
    told["events_url"] = signed(f"/api/jobs/{job.id}/events", job.id)
    return told


def kept(path: Path, mimetype: str, name: str = "") -> Response:
    """A kept file, in parts where the client asks for them; an attachment when it has a name."""
    try:
        keep_one_range(path.stat().st_size)
        response = send_file(
            path, mimetype, as_attachment=bool(name), download_name=name or None, conditional=True
        )
    except FileNotFoundError:
        raise NotFound("The film has been removed; films are kept for an hour") from None
    response.headers["Cache-Control"] = "private, no-cache"
    return response


def wants_async() -> bool:
    """RFC 7240: preferences are separated by commas, their parameters by semicolons."""
    asked = request.headers.get("Prefer", "").lower().split(",")
    return "respond-async" in {preference.partition(";")[0].strip() for preference in asked}


def _accepted(job: Job, name: str, write: Callable[[Path, Gone], None]) -> Response:
    service().films.keep(job, write, name)
    response = jsonify(describe(job))
    response.status_code = 202
    response.headers["Location"] = url_for("jobs.show", job_id=job.id)
    response.headers["Preference-Applied"] = "respond-async"
    return response


def _streamed(job: Job, pieces: Callable[[Gone], Iterator[bytes]], codecs: str) -> Response:
    parts = service().films.stream(job, pieces, partial(cut_off, client_socket()))
    # A failure before the first byte is an answer with its real status.
    first = next(parts)

    def chunks() -> Iterator[bytes]:
        yield first
        try:
            yield from parts
        except SoyleError as error:
            raise ClientGone(error.code) from error

    response = Response(Body(chunks(), parts.close, job.id), mimetype=MIME)
    if codecs:
        response.headers["X-Codecs"] = codecs
    response.headers["X-Audio-Url"] = signed(url_for("jobs.audio", job_id=job.id), job.id)
    response.headers["X-Accel-Buffering"] = "no"
    return response


def _whole(job: Job, name: str, write: Callable[[Path, Gone], None]) -> Response:
    film = service().films.open(job, write, leaving())
    response = send_file(film, mimetype=MIME, as_attachment=True, download_name=name, etag=False)
    response.content_length = os.fstat(film.fileno()).st_size
    response.call_on_close(film.close)
    return response
