"""Who may call: the bearer token, signed addresses, and pages of other origins."""

from __future__ import annotations

import hashlib
import hmac
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from flask import current_app, g, request

from app_core.errors import BadInput, Forbidden, Unauthorized
from app_core.routes.http.context import config, tokens
from app_core.routes.http.hosts import asked_host, check_host
from app_core.routes.http.session_tokens import opens_session
from app_core.routes.http.shares import count_request

if TYPE_CHECKING:
    from flask import Flask, Response

    from app_core.config.tokens import BearerToken

LIFE_S = 3600
EXPOSED = (
    "X-Job-Id, X-Audio-Url, X-Codecs, X-Frame-Rate, X-Aligned, X-Voice, Retry-After, Location,"
    " Content-Disposition, ETag, Link, Accept-Post, Accept-Patch"
)
GUARDED = ("/api/", "/whep")
ALLOWED_HEADERS = "Authorization, Content-Type, If-Match, Prefer"
ALLOWED_METHODS = "GET, POST, PUT, PATCH, DELETE, OPTIONS"
NO_TOKEN = ("/api/health/live",)
PAGES = ("/api/lipsync/video", "/whep_test")
"""Pages among the guarded paths: read by anybody, as the other pages are."""
DEFAULT_PORTS = {"http": ":80", "https": ":443"}
STARTED_BY_GET = ("/api/stream_mjpeg",)
"""A GET of these is work, so who asks matters."""
SUBJECTS = {"job_id": "", "chunk_id": "", "avatar_id": "avatar:"}
"""Parts of an address that a signature can be made for, and what stands before it there: ids of
avatars are chosen by people, so they must not be able to name a job."""


def _signature(secret: str, subject: str, expires: str) -> str:
    return hmac.new(secret.encode(), f"{subject}:{expires}".encode(), hashlib.sha256).hexdigest()


def signed(path: str, subject: str) -> str:
    """The address for a tag or a socket, which cannot send a header: one subject, one hour, and no
    longer than the token lives by which this request came.

    ``subject`` is the job_id or chunk_id in ``path``, or ``avatar:`` and its id. Opens GET alone.
    Who came by such an address gets its own signature back, so that none lives longer than its
    hour.
    """
    if "signature" in g:
        return f"{path}?token={g.signature}"
    if "token" not in g:
        return path
    expires = str(int(time.time()) + LIFE_S)
    return f"{path}?token={expires}.{_signature(g.token.secret, subject, expires)}"


def _signer() -> BearerToken | None:
    """The token that this address was signed with, if it was."""
    named = request.view_args or {}
    subject = next((SUBJECTS[name] + named[name] for name in SUBJECTS if name in named), "")
    expires, _, mac = request.args.get("token", "").partition(".")
    if not subject or request.method not in ("GET", "HEAD"):
        return None
    if not (expires.isascii() and expires.isdigit() and len(expires) <= 12):
        return None
    if int(expires) < time.time():
        return None
    given, known = mac.encode(), tokens().all()
    right = [_signature(token.secret, subject, expires).encode() for token in known]
    same = [hmac.compare_digest(given, each) for each in right]
    return known[same.index(True)] if any(same) else None


def _origin() -> str:
    """Where the calling page is from; tags send no Origin but a Referer."""
    origin = request.headers.get("Origin", "")
    if origin:
        return origin
    referer = urlsplit(request.headers.get("Referer", ""))
    return f"{referer.scheme}://{referer.netloc}" if referer.netloc else ""


def _is_foreign() -> bool:
    """Browsers name the site of the caller; over plain HTTP to a name they send Origin alone, and
    for an <img> not even that but the Referer.
    """
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site in ("cross-site", "same-site")
    if "Origin" in request.headers or request.path in STARTED_BY_GET:
        origin = _origin()
        return origin != "" and not _is_own(origin)
    return False


def _is_own(origin: str) -> bool:
    """Whether pages of ``origin`` are ours. TLS may end before us without a word, but where we know
    of it a page without it may be anybody's.
    """
    scheme, _, host = origin.partition("://")
    if not host:  # "null": a page that may not say where it is from
        return False
    if request.scheme == "https" and scheme != "https":
        return False
    port = DEFAULT_PORTS.get(scheme, "")  # browsers leave it out, some proxies do not
    return host.removesuffix(port) == asked_host().removesuffix(port)


def check() -> None:
    """Raises BadInput, Forbidden, Unauthorized or TooMany. Pages and static files are open to all
    who reach this server by a name that it answers to.
    """
    try:
        request.query_string.decode()
    except UnicodeDecodeError:
        raise BadInput("The address must be UTF-8, percent-encoded") from None
    if request.path not in NO_TOKEN:
        check_host(config())
    if not request.path.startswith(GUARDED) and request.path != "/metrics":
        return
    if request.path in PAGES and request.method in ("GET", "HEAD"):
        return
    if _is_foreign():
        allowed = config().allowed_origins
        if "*" not in allowed and _origin() not in allowed:
            raise Forbidden("Pages of other origins may not call; CORS_ORIGINS names those that do")
    if not config().guarded or request.path in NO_TOKEN or request.method == "OPTIONS":
        return
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    token = tokens().find(given) if scheme == "Bearer" else None
    if token is None and (token := _signer()) is not None:
        g.signature = request.args["token"]
    if token is not None:
        g.token, g.token_name = token, token.name
        return
    if current_app.extensions["opens_session"]():
        return
    count_request()  # or guessing would cost nothing
    raise Unauthorized("Send the token: Authorization: Bearer ...")


def _allow_origin(response: Response) -> Response:
    origin = request.headers.get("Origin", "")
    allowed = config().allowed_origins
    if allowed:
        response.vary.add("Origin")
    if origin and (origin in allowed or "*" in allowed):
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Access-Control-Expose-Headers"] = EXPOSED
        if request.method == "OPTIONS":
            response.headers["Access-Control-Allow-Headers"] = ALLOWED_HEADERS
            response.headers["Access-Control-Allow-Methods"] = ALLOWED_METHODS
            response.headers["Access-Control-Max-Age"] = "600"
    if response.status_code == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def register(app: Flask) -> None:
    app.extensions.setdefault("opens_session", opens_session)
    app.before_request(check)
    app.after_request(_allow_origin)
