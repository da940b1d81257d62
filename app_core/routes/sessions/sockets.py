"""WS /api/sessions/<id>/socket and /events: a session's pictures, sound, events and commands."""

from __future__ import annotations

import threading
from functools import partial
from typing import TYPE_CHECKING, Literal

from flask import Blueprint, Response, current_app
from pydantic import BaseModel, ConfigDict, Field

from app_core.errors import Busy
from app_core.outputs.live.viewer_line import ViewerLine
from app_core.request import parsed_query
from app_core.routes.http.context import config, query
from app_core.routes.http.handshake import shake_hands
from app_core.routes.http.session_tokens import Asked, Right, watched
from app_core.routes.http.shares import command_count, take_share
from app_core.routes.http.web_socket import SocketClosed, SocketEnded, WebSocket
from app_core.routes.openapi.operation import Good, Operation
from app_core.routes.sessions.commands import Commands
from app_core.routes.sessions.socket_commands import SocketCommands
from app_core.routes.sessions.viewer_socket import ViewerSocket
from app_core.shares import Holding

if TYPE_CHECKING:
    from flask import Flask

blueprint = Blueprint("session_sockets", __name__)

LARGEST_MESSAGE = 256 << 10
"""Bytes of a message from a client: 2.7 s of sound at 48 kHz."""
RETRY_S = 5

EVENTS = (
    "Text messages are events with type, utterance_id, session_s (the session's clock, seconds) and"
    " more by type: ready (session_id, width, height, fps), speech_started, word (text, start_s,"
    " end_s), speech_finished or interrupted (exactly one for each utterance: position_s, heard),"
    " voice_fallback (voice, instead, reason), stats (each second: fps, late, stalls, bitrate,"
    " dropped, round_trip_ms), pong (t), error (error, code, field) and at last end (why). Each is"
    " sent when its frame leaves."
)
MESSAGES = (
    f"{EVENTS} Binary messages begin with 24 bytes, little-endian: kind u8 (1 JPEG, 2 MP4"
    " initialisation, 3 MP4 fragment, 4 PCM s16le mono 48 kHz, 5 Opus packet), flags u8 (1 key"
    " frame, 2 idle), u16 zero, generation u32 (interrupts so far), frame u64, microseconds u64 (on"
    " the session's clock). What a slow viewer does not take is left out. Commands are JSON with a"
    " type: say, interrupt, avatar, voice (with the fields of these requests), microphone or"
    " puppet (sample_rate), audio (utterance_id, sample_rate, text), audio_end (utterance_id), ping"
    " (t, and round_trip_ms as the client measured it; answered by pong with the same t). Binary"
    " messages from the client are 16-bit mono PCM for the microphone or audio that was opened"
    " last, up to 256 KiB each. Sound beyond a minute that waits to be said is not read until there"
    " is room, nor is an interrupt behind it; POST .../interrupt acts at once. A command that is"
    " refused is answered by an error event, and the socket stays. Commands count as requests of"
    " their client do (too_many), but for ping and the pieces of one text. With the view_token"
    " every command is refused (forbidden), but for ping."
)


class SocketQuery(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    video: Literal["jpeg", "mp4", "none"] = Field(
        default="jpeg", description="Pictures: JPEG, or H.264 in fragmented MP4"
    )
    audio: Literal["pcm", "opus", "none"] = Field(
        default="pcm", description="Sound: PCM s16le mono 48 kHz, or Opus packets"
    )


class EventsQuery(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


def register(app: Flask) -> None:
    """app.py gives them as many threads, beside those of all else."""
    most = app.config["SOYLE"].most_sockets
    app.extensions["session_sockets"] = threading.BoundedSemaphore(most)


@blueprint.route("/api/sessions/<session_id>/socket", websocket=True)
@Operation(
    "Sessions",
    "A session over a WebSocket: pictures, sound, events, commands",
    (Good("Messages follow", status=101),),
    (400, 404, 409, 503),
    query=SocketQuery,
    signable=True,
    owned=True,
    details=MESSAGES,
)
def socket(session_id: str) -> Response:
    asked, wanted = watched(session_id), parsed_query(SocketQuery, query())
    ask_key = partial(asked.session.ask_key, wanted.video)
    return _serve(asked, ViewerLine(wanted.video, wanted.audio, asked.session.fps, ask_key))


@blueprint.route("/api/sessions/<session_id>/events", websocket=True)
@Operation(
    "Sessions",
    "What happens in a session, over a WebSocket",
    (Good("JSON text messages follow", status=101),),
    (400, 404, 409, 503),
    query=EventsQuery,
    signable=True,
    owned=True,
    details=EVENTS,
)
def events(session_id: str) -> Response:
    asked, _ = watched(session_id), parsed_query(EventsQuery, query())
    return _serve(asked, ViewerLine("none", "none", asked.session.fps))


def _serve(asked: Asked, line: ViewerLine) -> Response:
    """Everything that can be refused is refused before the upgrade."""
    shake_hands()
    with take_share(Holding.LISTENERS):
        return _served(asked, line)


def _served(asked: Asked, line: ViewerLine) -> Response:
    places: threading.BoundedSemaphore = current_app.extensions["session_sockets"]
    if not places.acquire(blocking=False):
        raise Busy("Too many sockets are open; try again soon", retry_after_s=RETRY_S)
    session = asked.session
    try:
        session.attach(line)
        commands = Commands(asked.sessions, session, config().max_text_chars)
        commanding = asked.right is Right.COMMAND
        taken = SocketCommands(commands, line, allowed=commanding, count=command_count())
        silence_s = config().send_timeout_s
        try:
            accepted = WebSocket.accept(LARGEST_MESSAGE, silence_s)
        except SocketClosed:
            return SocketEnded()
        ViewerSocket(accepted, session, line, taken, silence_s).run()
    finally:
        session.detach(line)
        places.release()
    return SocketEnded()
