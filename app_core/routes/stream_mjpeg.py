"""POST and GET /api/stream_mjpeg: the face as a multipart stream of JPEG pictures."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from flask import Blueprint, Response, request

from app_core.errors import SoyleError
from app_core.media import jpeg, mjpeg
from app_core.request import MjpegRequest
from app_core.routes.access import signed
from app_core.routes.context import client_socket, config, leaving, query, service
from app_core.routes.failure import payload
from app_core.routes.sound_forms import MjpegForm, asked

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator

    from app_core.services.reader import Reader
    from app_core.types import Frame

logger = logging.getLogger(__name__)
blueprint = Blueprint("stream_mjpeg", __name__)


class Body:
    """The stream. The server closes it when the client leaves, also before the first part."""

    def __init__(
        self, first: bytes, parts: Reader[bytes], connection: socket.socket | None
    ) -> None:
        self._parts, self._connection = parts, connection
        self._chunks = self._stream(first)

    def _stream(self, first: bytes) -> Iterator[bytes]:
        yield mjpeg.OPENING + first
        try:
            yield from self._parts
        except SoyleError as error:
            yield mjpeg.error_part(payload(error))
        yield mjpeg.CLOSING

    def __iter__(self) -> Iterator[bytes]:
        return self._chunks

    def close(self) -> None:
        self._parts.close()
        if self._connection is not None and self._connection.fileno() >= 0:
            self._connection.settimeout(None)


@blueprint.route("/api/stream_mjpeg", methods=["GET", "POST"])
def stream_mjpeg() -> Response:
    if request.method == "HEAD":
        return Response(content_type=mjpeg.CONTENT_TYPE)
    quality = config().jpeg_quality

    def part(frame: Frame) -> bytes:
        return mjpeg.part(jpeg.encode(frame.picture, quality), frame.index, frame.seconds)

    gone, connection = leaving(), client_socket()
    if request.method == "POST":
        with asked(MjpegRequest, MjpegForm) as (render, recording):
            job = service().submit(render, recording=recording)
    else:
        job = service().submit(MjpegRequest.parse_query(query()))
    parts = service().frames(job, part, gone)
    # A failure before the first picture is an answer with its real status.
    first = next(parts)
    if connection is not None:
        connection.settimeout(config().send_timeout_s)
    response = Response(Body(first, parts, connection), content_type=mjpeg.CONTENT_TYPE)
    response.headers["X-Job-Id"] = job.id
    response.headers["X-Frame-Rate"] = str(job.request.fps)
    response.headers["X-Audio-Url"] = signed(f"/api/jobs/{job.id}/audio.wav", job.id)
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Accel-Buffering"] = "no"
    return response
