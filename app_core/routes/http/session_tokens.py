"""What the tokens of a session open: one commands it, the other only looks."""

from __future__ import annotations

import hmac
from enum import IntEnum
from typing import TYPE_CHECKING, NamedTuple

from flask import request

from app_core.errors import Forbidden, NotFound, Unauthorized
from app_core.routes.http.caller import own, token_owner
from app_core.routes.http.context import service, tokens
from app_core.sessions.registry import unknown

if TYPE_CHECKING:
    from app_core.services.live.sessions import LiveSessions
    from app_core.sessions.session import Session


class Right(IntEnum):
    NONE = 0
    LOOK = 1
    COMMAND = 2


class Asked(NamedTuple):
    """The session that a request is about, and what the request may do with it."""

    sessions: LiveSessions
    session: Session
    right: Right


def _given() -> list[str]:
    """A tag or a socket cannot send a header, so an address may carry the token too."""
    scheme, _, bearer = request.headers.get("Authorization", "").partition(" ")
    found = [bearer] if scheme == "Bearer" else []
    return [token for token in (*found, request.args.get("token", "")) if token]


def _is_one_of(given: list[str], token: str) -> bool:
    return any([hmac.compare_digest(each.encode(), token.encode()) for each in given])


def right_over(session: Session, *more: str) -> Right:
    """Of this request, which may have brought ``more`` tokens in its body. Who holds a token of
    the server may all, but one with a name only in sessions of its own."""
    given = [*_given(), *more]
    found = [token for each in given if (token := tokens().find(each)) is not None]
    clients = [token_owner(token.name) for token in found]
    if _is_one_of(given, session.token) or "" in clients or session.owner in clients:
        return Right.COMMAND
    return Right.LOOK if _is_one_of(given, session.view_token) else Right.NONE


def opens_session() -> bool:
    """This request is about one session and carries a token of it, or about a viewer of one whose
    id nobody else knows."""
    peer_id = (request.view_args or {}).get("peer_id")
    if peer_id is not None:
        return service().peers.has(peer_id)
    session_id = (request.view_args or {}).get("session_id")
    if session_id is None or not _given():
        return False
    try:
        return right_over(service().sessions.get(session_id)) > Right.NONE
    except NotFound:
        return False


def may_open_session() -> bool:
    """``opens_session``, as far as it shows where sessions are elsewhere: who has them says no."""
    named = request.view_args or {}
    return "peer_id" in named or ("session_id" in named and bool(_given()))


def known(sessions: LiveSessions, session_id: str, *more: str) -> Session:
    """One that this request may learn of: a client whose token has a name knows its own alone, and
    those that it brings a token of. Raises NotFound."""
    session = sessions.get(session_id)
    if own() not in ("", session.owner) and right_over(session, *more) is Right.NONE:
        raise unknown(session_id)
    return session


def watched(session_id: str) -> Asked:
    """For who looks at it. Raises NotFound or Unauthorized."""
    return watched_of(service().sessions, session_id)


def watched_of(sessions: LiveSessions, session_id: str, *more: str) -> Asked:
    """As ``watched``; ``more``: tokens in the body."""
    session = known(sessions, session_id, *more)
    right = right_over(session, *more)
    if right is Right.NONE:
        raise Unauthorized("Send a token of the session: Authorization: Bearer ... or ?token=")
    return Asked(sessions, session, right)


def commanded(session_id: str) -> Asked:
    """For who commands it. Raises NotFound, Unauthorized or Forbidden."""
    asked = watched(session_id)
    if asked.right < Right.COMMAND:
        raise looks_only()
    return asked


def looks_only() -> Forbidden:
    return Forbidden("This token of the session only looks")
