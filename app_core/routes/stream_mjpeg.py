"""POST and GET /api/stream_mjpeg: the face as a multipart stream of JPEG pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, Response, request

from app_core.errors import SoyleError
from app_core.outputs import mjpeg
from app_core.request import MjpegRequest
from app_core.routes.http.access import signed
from app_core.routes.http.body import Body, ClientGone
from app_core.routes.http.context import client_socket, config, cut_off, service
from app_core.routes.http.failure import payload
from app_core.routes.http.send_queue import SendQueue, held_by_kernel
from app_core.routes.sound_forms import MjpegForm, asked

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator

blueprint = Blueprint("stream_mjpeg", __name__)


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
def stream_mjpeg() -> Response:
    if request.method == "HEAD":
        return Response(content_type=mjpeg.CONTENT_TYPE)
    render, recording = asked(MjpegRequest, MjpegForm)
    viewer = Viewer(client_socket(), render.live, config().send_timeout_s)
    outcome = service().stream_mjpeg(render, recording, viewer.gone, viewer.full)
    parts = outcome.stream
    assert parts is not None
    # A failure before the first picture is an answer with its real status.
    stream = _stream(next(parts), parts, viewer)
    job_id = outcome.job_id
    response = Response(
        Body(stream, parts.close, job_id, live=render.live), content_type=mjpeg.CONTENT_TYPE
    )
    response.headers["X-Job-Id"] = job_id
    response.headers["X-Frame-Rate"] = str(outcome.fps)
    response.headers["X-Audio-Url"] = signed(f"/api/jobs/{job_id}/audio.wav", job_id)
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Accel-Buffering"] = "no"
    return response
