"""WS /api/jobs/<id>/events: progress, what is said when, and the end, as JSON text messages."""

from __future__ import annotations

import json
import logging
import threading
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, current_app

from app_core.errors import Busy, SoyleError, afresh
from app_core.routes.film import describe
from app_core.routes.http.caller import own
from app_core.routes.http.context import config, service
from app_core.routes.http.failure import payload
from app_core.routes.http.handshake import shake_hands
from app_core.routes.http.shares import take_share
from app_core.routes.http.web_socket import SocketClosed, SocketEnded, WebSocket
from app_core.routes.openapi.operation import Good, Operation
from app_core.services.job_event_feed import JobEventFeed
from app_core.shares import Holding
from app_core.token_bucket import TokenBucket

if TYPE_CHECKING:
    from flask import Flask

    from app_core.job import Job

logger = logging.getLogger(__name__)
blueprint = Blueprint("job_events", __name__)

MESSAGES = (
    "Messages have a type: progress (percent, stage, frames_per_s, time_left_s), sentence and word"
    " (text, start_s, end_s on the clock of the sound; a word's start and end: its place in the"
    " text as it was sent), voice_fallback (voice, instead, reason, start_s: one voice took over"
    " from another), and at the end done (the addresses of the sound, the captions and the"
    " film) or error (error, code, field)."
)
LOOK_S = 0.1
"""Between two looks at the job, and at whether the listener is still there."""
LONGEST_MESSAGE = 1024
"""Bytes of a message from a listener; none is expected."""
MESSAGES_A_SECOND, MESSAGES_AT_ONCE = 10, 100
"""From a listener. One that talks more is closed."""
RETRY_S = 5
PATIENCE = 2
"""A listener may work at what it heard before it listens again: it is waited for twice as long as a
viewer."""


def register(app: Flask) -> None:
    """Listeners take at most a third of the server's threads."""
    app.extensions["listeners"] = threading.BoundedSemaphore(app.config["SOYLE"].max_jobs)


@blueprint.route("/api/jobs/<job_id>/events", websocket=True)
@Operation(
    "Jobs",
    "What happens to a render, over a WebSocket",
    (Good("JSON text messages follow", status=101),),
    (400, 503),
    signable=True,
    details=MESSAGES,
)
def events(job_id: str) -> Response:
    """One that finds no place is refused before the upgrade, at the cost of nothing."""
    shake_hands()
    with take_share(Holding.LISTENERS):
        return _served(job_id)


def _served(job_id: str) -> Response:
    places: threading.BoundedSemaphore = current_app.extensions["listeners"]
    if not places.acquire(blocking=False):
        raise Busy("Too many listeners; try again soon", retry_after_s=RETRY_S)
    try:
        budget = TokenBucket(MESSAGES_A_SECOND, MESSAGES_AT_ONCE, 0.0)
        ws = WebSocket.accept(LONGEST_MESSAGE, config().send_timeout_s, budget)
        ws.patience = PATIENCE
        _serve(ws, job_id)
    except SocketClosed:
        logger.debug("a listener left, or takes nothing")
    finally:
        places.release()
    return SocketEnded()


def _serve(ws: WebSocket, job_id: str) -> None:
    """Raises SocketClosed."""
    try:
        _tell(ws, service().jobs.get(job_id, own()))
    except SoyleError as error:
        _send(ws, {"type": "error"} | payload(error))
    ws.close()  # the listener's own goodbye is awaited by no thread


def _tell(ws: WebSocket, job: Job) -> None:
    """Raises SocketClosed, or the job's error."""
    listener = JobEventFeed(job)
    while True:
        for message in listener.news():
            _send(ws, message)
        if listener.over:
            break
        ws.receive(LOOK_S)  # what it says is not for us
    if job.error is not None:
        raise afresh(job.error)
    described = describe(job)
    kept = ("result_url", "audio_url", "captions_url", "subtitles_url", "seconds", "timings")
    done = {"type": "done", "frames": described["frames"]["done"]}
    _send(ws, done | {name: described[name] for name in kept})


def _send(ws: WebSocket, message: dict[str, Any]) -> None:
    ws.send(json.dumps(message, ensure_ascii=False))
