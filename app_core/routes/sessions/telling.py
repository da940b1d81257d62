"""POST /api/sessions/<id>/say, interrupt, avatar and voice: what a session is told."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from app_core.request import AvatarRequest, InterruptRequest, SayRequest, VoiceRequest
from app_core.routes.http.context import config, json_body
from app_core.routes.http.session_tokens import commanded
from app_core.routes.openapi.operation import JSON, Good, Operation
from app_core.routes.openapi.session_answers import (
    AvatarSwitched,
    Interruption,
    SaidAnswer,
    VoiceSwitched,
)
from app_core.routes.sessions.commands import Commands

blueprint = Blueprint("session_telling", __name__)
TOLD = (404, 409, 413, 415, 503)
"""Statuses of what a session is told."""


def _commands(session_id: str) -> Commands:
    asked = commanded(session_id)
    return Commands(asked.sessions, asked.session, config().max_text_chars)


@blueprint.post("/api/sessions/<session_id>/say")
@Operation(
    "Sessions",
    "Say a text, or the next piece of one",
    (Good("It waits for its turn, or goes on", {JSON: SaidAnswer}, status=202),),
    TOLD,
    body=SayRequest,
    signable=True,
    owned=True,
    details="409 queue_full: SESSION_QUEUE utterances or MAX_TEXT_CHARS wait already; 409"
    " interrupted: a piece of an utterance that was interrupted, so its sender may stop; 409"
    " conflict: the utterance_id was used before.",
)
def say(session_id: str) -> tuple[Response, int]:
    return jsonify(_commands(session_id).say(json_body())), 202


@blueprint.post("/api/sessions/<session_id>/interrupt")
@Operation(
    "Sessions",
    "Stop what is heard and all that waits, or one utterance",
    (Good("How far it was heard", {JSON: Interruption}),),
    TOLD,
    body=InterruptRequest,
    signable=True,
    owned=True,
)
def interrupt(session_id: str) -> Response:
    return jsonify(_commands(session_id).interrupt(json_body()))


@blueprint.post("/api/sessions/<session_id>/avatar")
@Operation(
    "Sessions",
    "Switch the avatar, as soon as nobody speaks",
    (Good("It is switched to", {JSON: AvatarSwitched}),),
    TOLD,
    body=AvatarRequest,
    signable=True,
    owned=True,
)
def avatar(session_id: str) -> Response:
    return jsonify(_commands(session_id).avatar(json_body()))


@blueprint.post("/api/sessions/<session_id>/voice")
@Operation(
    "Sessions",
    "Switch the voice or the language of what follows",
    (Good("It is switched to", {JSON: VoiceSwitched}),),
    TOLD,
    body=VoiceRequest,
    signable=True,
    owned=True,
)
def voice(session_id: str) -> Response:
    return jsonify(_commands(session_id).voice(json_body()))
