"""WHEP: a session for any player that speaks it (draft-ietf-wish-whep-04, RFC 9725)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, Response, request
from pydantic import BaseModel, ConfigDict, Field

from app_core.errors import BadInput, NoRestart, StaleTag, TagNeeded, UnsupportedMedia
from app_core.outputs.webrtc.offer import read_offer
from app_core.outputs.webrtc.sdp_fragment import read_fragment
from app_core.request import SessionRequest, parsed_query
from app_core.routes.http.caller import caller
from app_core.routes.http.context import address, query, service, text_body
from app_core.routes.http.session_tokens import Asked, Right, watched
from app_core.routes.openapi.operation import SDP, SDP_FRAGMENT, Good, Operation
from app_core.routes.sessions.offers import control_of

if TYPE_CHECKING:
    from app_core.services.live.peers import Peers
    from app_core.services.live.session_peer import SessionPeer

blueprint = Blueprint("whep", __name__)

CREATED = Good("The answer", {SDP: None}, ("Location", "ETag", "Accept-Patch"), 201, ("Link",))


class WhepQuery(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    avatar: str | None = Field(
        default=None, description="Id of the avatar; left out: the server's own"
    )


class NoQuery(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


@blueprint.post("/whep", provide_automatic_options=False)
@Operation(
    "Sessions",
    "WHEP: a session of its own, which ends with its viewer",
    (CREATED,),
    (404, 409, 413, 415, 503),
    text=SDP,
    query=WhepQuery,
)
def begin() -> Response:
    wanted = parsed_query(WhepQuery, query())
    sdp = _sdp()
    offer = read_offer(sdp)
    sessions = service().sessions
    session = sessions.open(SessionRequest(avatar=wanted.avatar), caller())
    try:
        found = Asked(sessions, session, Right.COMMAND)
        peers = sessions.peers
        peer = peers.answer(offer, session, control_of(found), owns=True, owner=caller())
        return _created(peers, peer)
    except BaseException:
        session.close()
        raise


@blueprint.post("/whep/<session_id>", provide_automatic_options=False)
@Operation(
    "Sessions",
    "WHEP: look at a session that runs",
    (CREATED,),
    (404, 409, 413, 415, 503),
    text=SDP,
    query=NoQuery,
    signable=True,
    owned=True,
)
def look(session_id: str) -> Response:
    found = watched(session_id)
    parsed_query(NoQuery, query())
    offer = read_offer(_sdp())
    peers = found.sessions.peers
    peer = peers.answer(offer, found.session, control_of(found), owner=caller())
    return _created(peers, peer)


@blueprint.route("/whep", methods=["GET", "OPTIONS"], provide_automatic_options=False)
@blueprint.route("/whep/<session_id>", methods=["GET", "OPTIONS"], provide_automatic_options=False)
@Operation(
    "Sessions",
    "WHEP: here it is",
    (Good("Nothing", headers=("Accept-Post", "Accept-Patch")),),
    signable=True,
)
def endpoint(session_id: str = "") -> Response:
    """HEAD and GET find the endpoint, OPTIONS what it takes."""
    response = Response(status=200, mimetype=SDP)
    response.headers["Accept-Post"] = SDP
    response.headers["Accept-Patch"] = SDP_FRAGMENT
    response.headers["Allow"] = "GET, HEAD, OPTIONS, POST"
    return response


@blueprint.patch("/whep/viewers/<peer_id>")
@Operation(
    "Sessions",
    "WHEP: more candidates of a viewer",
    (Good("They are tried", status=204),),
    (404, 412, 413, 415, 422, 428),
    text=SDP_FRAGMENT,
    headers={"If-Match": "The ETag of the answer"},
    owned=True,
)
def trickle(peer_id: str) -> Response:
    peers = service().sessions.peers
    peer = peers.get(peer_id)
    if request.mimetype != SDP_FRAGMENT:
        raise UnsupportedMedia(f"Send candidates with Content-Type: {SDP_FRAGMENT}")
    tag = request.headers.get("If-Match", "").strip()
    if not tag:
        raise TagNeeded("Send If-Match with the ETag of the answer")
    fragment = read_fragment(text_body())
    if fragment.restarts(peer.peer.offer.key):
        raise NoRestart("ICE does not begin anew here: end this viewer and offer again")
    if tag not in ("*", f'"{peer.peer.etag}"'):
        raise StaleTag("If-Match is not the ETag of this viewer")
    peers.add_candidates(peer, fragment.candidates)
    return Response(status=204)


@blueprint.route("/whep/viewers/<peer_id>", methods=["GET"])
@Operation(
    "Sessions", "WHEP: this viewer lives", (Good("Nothing", status=204),), (404,), owned=True
)
def viewer(peer_id: str) -> Response:
    service().sessions.peers.get(peer_id)
    return Response(status=204)


@blueprint.delete("/whep/viewers/<peer_id>")
@Operation("Sessions", "WHEP: end a viewer", (Good("It has ended"),), (404, 503), owned=True)
def end(peer_id: str) -> Response:
    peers = service().sessions.peers
    peers.end(peers.get(peer_id))
    return Response(status=200)


def _sdp() -> str:
    if request.mimetype != SDP:
        raise UnsupportedMedia(f"Send the offer with Content-Type: {SDP}")
    sdp = text_body()
    if not sdp.strip():
        raise BadInput("The offer is empty", field="sdp")
    return sdp


def _created(peers: Peers, peer: SessionPeer) -> Response:
    response = Response(peer.peer.answer, status=201, mimetype=SDP)
    response.headers["Location"] = address(f"/whep/viewers/{peer.peer.id}")
    response.headers["ETag"] = f'"{peer.peer.etag}"'
    response.headers["Accept-Patch"] = (
        SDP_FRAGMENT  # MediaMTX sends candidates only where it says so
    )
    response.headers["Cache-Control"] = "no-store"
    for server in peers.ice_servers.for_client():
        for url in server["urls"]:
            link = f'<{url}>; rel="ice-server"'
            if "username" in server:
                user, word = _quoted(server["username"]), _quoted(server["credential"])
                link += f"; username={user}; credential={word}"
                link += '; credential-type="password"'
            response.headers.add("Link", link)
    return response


def _quoted(text: str) -> str:
    """A quoted-string (RFC 9110, 5.6.4)."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
