"""POST and GET /api/stream_mjpeg: the face as a multipart stream of JPEG pictures."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, request, url_for

from app_core.outputs.mjpeg import CONTENT_TYPE, Mjpeg
from app_core.request import MjpegRequest
from app_core.routes.http.access import signed
from app_core.routes.http.body import Body, ClientGone
from app_core.routes.http.caller import caller
from app_core.routes.http.context import client_socket, config, cut_off, service, tell_job
from app_core.routes.http.failure import payload
from app_core.routes.http.send_queue import SendQueue, held_by_kernel
from app_core.routes.openapi.operation import MJPEG, Good, Operation
from app_core.routes.openapi.renders import FILE, RENDER, SOUND
from app_core.routes.sound_forms import MjpegForm, asked

if TYPE_CHECKING:
    import socket

    from app_core.errors import SoyleError

blueprint = Blueprint("stream_mjpeg", __name__)
STREAM = Good(
    "Parts of image/jpeg with Content-Length, X-Frame (index) and X-Timestamp (seconds on the"
    " clock of the sound). A failure after the first picture is a last part of application/json.",
    {MJPEG: None},
    ("X-Job-Id", "X-Frame-Rate", "X-Audio-Url"),
    maybe=("X-Voice",),
)
VIEWER = (
    "A viewer whose line is too thin for every picture is left out some (frames.dropped) and stays"
    " near now; its last picture is the job's last one. A client may close its own side after the"
    " request; the stream goes on until it closes the other, or takes nothing for SEND_TIMEOUT_S."
)


class StreamViewer:
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

    def error_payload(self, error: SoyleError) -> dict[str, Any]:
        """Raises ClientGone when nobody is there to be told."""
        if self.gone():
            raise ClientGone("the viewer left, or takes nothing") from error
        return payload(error)


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
        return Response(content_type=CONTENT_TYPE)
    with asked(MjpegRequest, MjpegForm) as (render, sound):
        viewer = StreamViewer(client_socket(), render.live, config().send_timeout_s)
        outcome = service().stream_mjpeg(render, sound, viewer.gone, viewer.full, caller())
    parts = outcome.stream
    assert parts is not None
    output = Mjpeg(config().jpeg_quality, viewer.error_payload)
    # A failure before the first picture is an answer with its real status.
    stream = output.body(chain([next(parts)], parts))
    job_id = outcome.job_id
    body = Body(stream, parts.close, job_id, live=render.live)
    response = Response(body, content_type=CONTENT_TYPE)
    tell_job(response, job_id, outcome.voices)
    response.headers["X-Frame-Rate"] = str(outcome.fps)
    response.headers["X-Audio-Url"] = signed(url_for("jobs.audio", job_id=job_id), job_id)
    response.headers["X-Accel-Buffering"] = "no"
    return response
