"""/api/sessions: begins a session, lists them, ends one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, Response, jsonify

from app_core.request import SessionRequest
from app_core.routes.http.caller import caller, own
from app_core.routes.http.context import address, json_body, service
from app_core.routes.http.session_tokens import commanded, known
from app_core.routes.openapi.operation import JSON, Good, Operation
from app_core.routes.openapi.session_answers import (
    SessionAnswer,
    SessionEnded,
    SessionList,
    SessionState,
)

if TYPE_CHECKING:
    from app_core.sessions.session import Session

blueprint = Blueprint("sessions", __name__)


@blueprint.post("/api/sessions")
@Operation(
    "Sessions",
    "Begin a session: a face that stays, idles, speaks when told and stops when interrupted",
    (Good("The session, with its tokens", {JSON: SessionAnswer}, ("Location",), 201),),
    (404, 413, 415, 503),
    body=SessionRequest,
    details="It ends SESSION_GRACE_S after it was made or its last viewer left, after"
    " SESSION_IDLE_S without a command, or by DELETE.",
)
def begin() -> Response:
    session = service().sessions.open(SessionRequest.parse(json_body()), caller())
    place = address(f"/api/sessions/{session.id}")
    response = jsonify(
        {
            "session_id": session.id,
            "token": session.token,
            "view_token": session.view_token,
            "offer_url": f"{place}/offer?token={session.token}",
            "whep_url": address(f"/whep/{session.id}?token={session.view_token}"),
            **addresses(session, commands=True),
        }
    )
    response.status_code = 201
    response.headers["Location"] = place
    response.headers["Cache-Control"] = "no-store"
    return response


def addresses(session: Session, *, commands: bool) -> dict[str, str]:
    """Of its sockets; the one that takes commands, only where they are allowed."""
    place = address(f"/api/sessions/{session.id}")
    token = session.token if commands else session.view_token
    return {
        "socket_url": f"{place}/socket?token={token}",
        "events_url": f"{place}/events?token={session.view_token}",
    }


@blueprint.get("/api/sessions")
@Operation(
    "Sessions",
    "The sessions: state and numbers, never what is said, nor tokens; a named token sees its own",
    (Good("The sessions", {JSON: SessionList}),),
)
def show_all() -> Response:
    found = [session for session in service().sessions.all() if own() in ("", session.owner)]
    return jsonify({"sessions": [session.describe() for session in found]})


@blueprint.get("/api/sessions/<session_id>")
@Operation(
    "Sessions",
    "State and numbers of one session",
    (Good("The session", {JSON: SessionState}),),
    (404,),
    signable=True,
)
def show(session_id: str) -> Response:
    return jsonify(known(service().sessions, session_id).describe())


@blueprint.delete("/api/sessions/<session_id>")
@Operation(
    "Sessions",
    "End a session",
    (Good("It has ended", {JSON: SessionEnded}),),
    (404,),
    signable=True,
    owned=True,
)
def end(session_id: str) -> Response:
    session = commanded(session_id).session
    session.close()
    return jsonify({"session_id": session.id, "ended": True})
