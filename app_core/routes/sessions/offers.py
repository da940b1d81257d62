"""WebRTC: offers of peers, and the servers that help them to connect."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, jsonify

from app_core.errors import BadInput
from app_core.outputs.webrtc.offer import Offer, read_offer
from app_core.request import OfferRequest, SayRequest
from app_core.routes.http.caller import caller
from app_core.routes.http.context import config, json_body, service
from app_core.routes.http.session_tokens import Asked, Right, looks_only, watched, watched_of
from app_core.routes.http.shares import command_count
from app_core.routes.openapi.operation import JSON, Good, Operation
from app_core.routes.openapi.session_answers import IceServersAnswer, OfferAnswer
from app_core.routes.sessions.collection import addresses
from app_core.routes.sessions.commands import Commands
from app_core.routes.sessions.socket_commands import SocketCommands
from app_core.speech.text.spoken_text import check_length

if TYPE_CHECKING:
    from collections.abc import Callable

    from app_core.services.live.session_peer import SessionPeer
    from app_core.services.live.sessions import LiveSessions

blueprint = Blueprint("offers", __name__)

DETAILS = (
    "The answer sends H.264 (VP8 to a peer that has no H.264) and Opus, both by the session's"
    " clock. A data channel called control, made by the peer, carries events and commands as the"
    " session's socket does, but no sound; a peer that opened it and sends nothing for 3 s is gone,"
    " one that does not connect within 15 s too. mode puppet, of the session or, for a session that"
    " runs, of this offer: the sound that the peer sends drives the lips and is heard, until"
    " audio_end on control, and from puppet there on again; else it is not taken."
)


@blueprint.post("/api/realtime/offer")
@Operation(
    "Sessions",
    "Connect over WebRTC, to a session that runs or to a new one",
    (Good("The answer", {JSON: OfferAnswer}),),
    (404, 409, 413, 415, 503),
    body=OfferRequest,
    details=DETAILS,
)
def offer() -> Response:
    asked = _asked()
    read = read_offer(asked.sdp)
    sessions = service().sessions
    if asked.session_id is not None:
        return _connect(asked, read, watched_of(sessions, asked.session_id, asked.token or ""))
    session = sessions.open(asked, caller())
    try:
        return _connect(asked, read, Asked(sessions, session, Right.COMMAND))
    except BaseException:
        session.close()
        raise


@blueprint.post("/api/sessions/<session_id>/offer")
@Operation(
    "Sessions",
    "Connect to this session over WebRTC",
    (Good("The answer", {JSON: OfferAnswer}),),
    (404, 409, 413, 415, 503),
    body=OfferRequest,
    signable=True,
    owned=True,
    details=DETAILS,
)
def offer_to(session_id: str) -> Response:
    found, asked = watched(session_id), _asked()
    if asked.session_id not in (None, session_id):
        raise BadInput("'session_id' is not the session of this address", field="session_id")
    return _connect(asked, read_offer(asked.sdp), found)


@blueprint.get("/api/realtime/ice")
@Operation(
    "Sessions",
    "STUN and TURN servers for a peer",
    (Good("As RTCPeerConnection takes them", {JSON: IceServersAnswer}),),
)
def ice() -> Response:
    return _ice(service().sessions)


@blueprint.get("/api/sessions/<session_id>/ice")
@Operation(
    "Sessions",
    "STUN and TURN servers for a peer of this session",
    (Good("As RTCPeerConnection takes them", {JSON: IceServersAnswer}),),
    (404,),
    signable=True,
    owned=True,
)
def ice_of(session_id: str) -> Response:
    return _ice(watched(session_id).sessions)


def _ice(sessions: LiveSessions) -> Response:
    response = jsonify({"ice_servers": sessions.peers.ice_servers.for_client()})
    response.headers["Cache-Control"] = "no-store"
    return response


def _asked() -> OfferRequest:
    asked = OfferRequest.parse(json_body())
    check_length(asked.text, config().max_text_chars)
    return asked


def _connect(asked: OfferRequest, read: Offer, found: Asked) -> Response:
    sessions, session, right = found
    if asked.text.strip() and right < Right.COMMAND:
        raise looks_only()

    def begun() -> None:
        if asked.text.strip():
            sessions.say(session, SayRequest(text=asked.text, language=asked.language))

    mode = asked.mode if "mode" in asked.model_fields_set else session.mode
    puppet = mode == "puppet" and right is Right.COMMAND
    peer = sessions.peers.answer(
        read, session, control_of(found), begun, puppet=puppet, owner=caller()
    )
    commands = right is Right.COMMAND
    told: dict[str, Any] = {
        "sdp": peer.peer.answer,
        "type": "answer",
        "session_id": session.id,
        "token": session.token if commands else None,
        "view_token": session.view_token,
        **addresses(session, commands=commands),
    }
    response = jsonify(told)
    response.headers["Cache-Control"] = "no-store"
    return response


def control_of(found: Asked) -> Callable[[SessionPeer], Callable[[str | bytes], None]]:
    """What does the commands of a peer that came with this request's rights."""
    longest, allowed = config().max_text_chars, found.right is Right.COMMAND
    count = command_count()

    def control(peer: SessionPeer) -> Callable[[str | bytes], None]:
        commands = Commands(found.sessions, found.session, longest)
        taken = SocketCommands(
            commands,
            peer.peer.line,
            allowed=allowed,
            count=count,
            puppet=(peer.open_microphone, peer.end_microphone),
        )
        peer.round_trip_ms = lambda: taken.round_trip_ms
        return taken.take

    return control
