"""WS /api/jobs/<id>/events: progress, what is said when, and the end, as JSON text messages."""

from __future__ import annotations

import contextlib
import json
import logging
import select
import socket
import threading
from typing import TYPE_CHECKING, Any

from flask import Blueprint, current_app, g
from flask_sock import Sock  # type: ignore[import-untyped]
from simple_websocket import ConnectionClosed  # type: ignore[import-untyped]
from wsproto.extensions import PerMessageDeflate

from app_core.errors import Busy, SoyleError, afresh
from app_core.routes.film import describe
from app_core.routes.http.context import config, service
from app_core.routes.http.failure import payload
from app_core.routes.http.shares import take_share
from app_core.routes.http.web_socket import GOODBYE_S, CloseGuard, SocketClosed, shake_hands
from app_core.routes.openapi.operation import Good, Operation
from app_core.services.job_event_feed import JobEventFeed
from app_core.shares import Kind

if TYPE_CHECKING:
    from flask import Flask
    from simple_websocket import Server

    from app_core.job import Job

logger = logging.getLogger(__name__)
blueprint = Blueprint("job_events", __name__)
sock = Sock()

MESSAGES = (
    "Messages have a type: progress (percent, stage, frames_per_s, time_left_s), sentence and word"
    " (text, start_s, end_s on the clock of the sound; a word's start and end: its place in the"
    " text as it was sent), voice_fallback (voice, instead, reason, start_s: one voice took over"
    " from another), and at the end done (the addresses of the sound, the captions and the"
    " film) or error (error, code, field)."
)
LOOK_S = 0.1
"""Between two looks at the job, and at whether the listener is still there."""
PING_S = 20.0
LONGEST_MESSAGE = 1024
"""Bytes of a message from a listener; none is expected."""


def register(app: Flask) -> None:
    """Listeners take at most a third of the server's threads."""
    app.config["SOCK_SERVER_OPTIONS"] = {
        "ping_interval": PING_S,
        "max_message_size": LONGEST_MESSAGE,
    }
    app.extensions["listeners"] = threading.BoundedSemaphore(app.config["SOYLE"].max_jobs)


@blueprint.before_request
def check_handshake() -> None:
    """Raises BadInput for a handshake that cannot be accepted: whoever accepts it would fail, and
    TooMany. What is accepted ends within the request."""
    shake_hands([PerMessageDeflate()])
    g.listening = take_share(Kind.LISTENERS)


@blueprint.teardown_request
def _leave_share(_: BaseException | None) -> None:
    if "listening" in g:
        g.pop("listening").release()


@Operation(
    "Jobs",
    "What happens to a render, over a WebSocket",
    (Good("JSON text messages follow", status=101),),
    (400,),
    signable=True,
    details=MESSAGES,
)
def events(ws: Server, job_id: str) -> None:
    ws.sock = CloseGuard(ws.sock)
    places: threading.BoundedSemaphore = current_app.extensions["listeners"]
    if not places.acquire(blocking=False):
        with contextlib.suppress(SocketClosed):
            tell_one(ws, _failed(Busy("Too many listeners; try again soon")))
        _leave(ws)
        return
    try:
        _tell(ws, service().jobs.get(job_id))
    except SoyleError as error:
        with contextlib.suppress(SocketClosed):
            tell_one(ws, _failed(error))
    except SocketClosed:
        logger.debug("a listener takes nothing")
    finally:
        places.release()
        _leave(ws)


sock.route("/api/jobs/<job_id>/events", bp=blueprint)(events)


def _tell(ws: Server, job: Job) -> None:
    listener = JobEventFeed(job)
    while True:
        for message in listener.news():
            tell_one(ws, message)
        if listener.over:
            break
        ws.receive(LOOK_S)  # what it says is not for us; raises ConnectionClosed when it left
    if job.error is not None:
        raise afresh(job.error)
    described = describe(job)
    kept = ("result_url", "audio_url", "captions_url", "subtitles_url", "seconds", "timings")
    done = {"type": "done", "frames": described["frames"]["done"]}
    tell_one(ws, done | {name: described[name] for name in kept})


def _leave(ws: Server) -> None:
    """Says goodbye and ends the socket's own thread, also when no goodbye comes back."""
    with contextlib.suppress(ConnectionClosed, OSError):
        ws.close()
    ws.thread.join(GOODBYE_S)
    if ws.thread.is_alive():
        with contextlib.suppress(OSError):
            ws.sock.shutdown(socket.SHUT_RDWR)
        ws.thread.join(GOODBYE_S)


def _failed(error: SoyleError) -> dict[str, Any]:
    return {"type": "error"} | payload(error)


def tell_one(ws: Server, message: dict[str, Any]) -> None:
    """Raises SocketClosed. A socket that is ready has room for a whole message, so none goes in
    part."""
    poll = select.poll()
    try:
        poll.register(ws.sock, select.POLLOUT)
    except (OSError, ValueError) as error:  # its own thread has closed it
        raise SocketClosed from error
    if not poll.poll(config().send_timeout_s * 1000):
        raise SocketClosed
    try:
        ws.send(json.dumps(message, ensure_ascii=False))
    except OSError as error:
        raise SocketClosed from error
