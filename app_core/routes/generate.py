"""POST /api/generate: the finished MP4, with sound."""

from __future__ import annotations

import errno
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from flask import Blueprint, Response, send_file

from app_core.errors import DiskFull
from app_core.request import GenerateRequest
from app_core.routes.context import config, json_body, leaving, service

if TYPE_CHECKING:
    from collections.abc import Callable

    from app_core.job import Job

blueprint = Blueprint("generate", __name__)


@blueprint.post("/api/generate")
def generate() -> Response:
    asked = GenerateRequest.parse(json_body())
    gone = leaving()
    job = service().submit(asked)
    film = _film(job, gone)
    response = send_file(
        film,
        mimetype="video/mp4",
        as_attachment=True,
        download_name="avatar_speech.mp4",
        etag=False,
    )
    response.content_length = os.fstat(film.fileno()).st_size
    response.headers["X-Job-Id"] = job.id
    response.headers["Cache-Control"] = "no-store"
    response.call_on_close(film.close)
    return response


def _film(job: Job, gone: Callable[[], bool]) -> BinaryIO:
    """The open result. Its name is gone from the disk already, so nothing can be left behind."""
    folder = config().work_dir
    try:
        with tempfile.TemporaryDirectory(
            prefix="soyle-", dir=folder if folder != Path("") else None
        ) as work:
            path = Path(work) / "film.mp4"
            service().render(job, path, gone)
            return path.open("rb")
    except OSError as error:
        service().cancel(job.id)
        if error.errno == errno.ENOSPC:
            raise DiskFull("The disk is full") from error
        raise
