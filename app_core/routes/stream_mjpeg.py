"""POST and GET /api/stream_mjpeg: the face as a multipart stream of JPEG pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, Response, request

from app_core.errors import SoyleError
from app_core.media import jpeg
from app_core.outputs import mjpeg
from app_core.request import MjpegRequest
from app_core.routes.http.access import signed
from app_core.routes.http.body import Body, ClientGone
from app_core.routes.http.context import (
    client_socket,
    config,
    cut_off,
    query,
    service,
)
from app_core.routes.http.failure import payload
from app_core.routes.http.send_queue import SendQueue, held_by_kernel
from app_core.routes.openapi.operation import MJPEG, Good, Operation
from app_core.routes.openapi.renders import FILE, RENDER, SOUND
from app_core.routes.sound_forms import MjpegForm, asked

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator

    from app_core.types import Frame

blueprint = Blueprint("stream_mjpeg", __name__)
STREAM = Good(
    "Parts of image/jpeg with Content-Length, X-Frame (index) and X-Timestamp (seconds on the"
    " clock of the sound). A failure after the first picture is a last part of application/json.",
    {MJPEG: None},
    ("X-Job-Id", "X-Frame-Rate", "X-Audio-Url"),
)
VIEWER = (
    "A viewer whose line is too thin for every picture is left out some (frames.dropped) and stays"
    " near now; its last picture is the job's last one. A client may close its own side after the"
    " request; the stream goes on until it closes the other, or takes nothing for SEND_TIMEOUT_S."
)


class Viewer:
    """Of one stream. A connection that closed its own side alone still looks."""

    def __init__(self, connection: socket.socket | None, live: bool, silence_s: float) -> None:
        self._connection = connection
        self._queue: SendQueue | None = None
        if live and connection is not None:
            self._queue = SendQueue(held_by_kernel(connection), silence_s)

    def gone(self) -> bool:
        stalled = self._queue is not None and self._queue.stalled()
        return stalled or cut_off(self._connection)

    def full(self) -> bool:
        return self._queue is not None and self._queue.full()


def _stream(first: bytes, parts: Iterator[bytes], viewer: Viewer) -> Iterator[bytes]:
    yield mjpeg.OPENING + first
    try:
        yield from parts
    except SoyleError as error:
        if viewer.gone():
            raise ClientGone("the viewer left, or takes nothing") from error
        yield mjpeg.error_part(payload(error))
    yield mjpeg.CLOSING


@blueprint.route("/api/stream_mjpeg", methods=["GET", "POST"])
@Operation(
    "Render",
    "Stream the face as JPEG pictures, each at its time",
    (STREAM,),
    FILE,
    body=MjpegRequest,
    form=MjpegForm,
    details=f"{VIEWER} {SOUND}",
    method="POST",
)
@Operation(
    "Render",
    "The same stream for an <img> tag",
    (STREAM,),
    tuple(status for status in RENDER if status not in (413, 415)),
    query=MjpegRequest,
    details=VIEWER,
    method="GET",
)
def stream_mjpeg() -> Response:
    if request.method == "HEAD":
        return Response(content_type=mjpeg.CONTENT_TYPE)
    quality = config().jpeg_quality

    def part(frame: Frame) -> bytes:
        return mjpeg.part(jpeg.encode(frame.picture, quality), frame.index, frame.seconds)

    connection, patience_s = client_socket(), config().send_timeout_s
    if request.method == "POST":
        with asked(MjpegRequest, MjpegForm) as (render, recording):
            job = service().submit(render, recording=recording)
    else:
        job = service().submit(MjpegRequest.parse_query(query()))
    viewer = Viewer(connection, job.live, patience_s)
    parts = service().frames(job, part, viewer.gone, viewer.full)
    # A failure before the first picture is an answer with its real status.
    stream = _stream(next(parts), parts, viewer)
    body = Body(stream, parts.close, job.id, live=job.live)
    response = Response(body, content_type=mjpeg.CONTENT_TYPE)
    response.headers["X-Job-Id"] = job.id
    response.headers["X-Frame-Rate"] = str(job.request.fps)
    response.headers["X-Audio-Url"] = signed(f"/api/jobs/{job.id}/audio.wav", job.id)
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Accel-Buffering"] = "no"
    return response
