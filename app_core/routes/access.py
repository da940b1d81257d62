"""Who may call: the bearer token, signed addresses, and pages of other origins."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from flask import request

from app_core.errors import Forbidden, Unauthorized
from app_core.routes.context import config

if TYPE_CHECKING:
    from flask import Flask, Response

LIFE_S = 3600
EXPOSED = (
    "X-Job-Id, X-Audio-Url, X-Codecs, X-Frame-Rate, Retry-After, Location, Content-Disposition"
)
NO_TOKEN = ("/api/health/live",)
PAGES = ("/api/lipsync/video",)
"""Pages among the API paths: read by anybody, as the other pages are."""
SUBJECTS = {"job_id": "", "chunk_id": "", "avatar_id": "avatar:"}
"""Parts of an address that a signature can be made for, and what stands before it there: ids of
avatars are chosen by people, so they must not be able to name a job."""


def _signature(secret: str, subject: str, expires: str) -> str:
    return hmac.new(secret.encode(), f"{subject}:{expires}".encode(), hashlib.sha256).hexdigest()


def signed(path: str, subject: str) -> str:
    """The address for a tag or a socket, which cannot send a header: one subject, one hour.

    ``subject`` is the job_id or chunk_id in ``path``, or ``avatar:`` and its id. Opens GET alone.
    """
    secret = config().api_token
    if not secret:
        return path
    expires = str(int(time.time()) + LIFE_S)
    return f"{path}?token={expires}.{_signature(secret, subject, expires)}"


def _is_signed(secret: str) -> bool:
    named = request.view_args or {}
    subject = next((SUBJECTS[name] + named[name] for name in SUBJECTS if name in named), "")
    expires, _, mac = request.args.get("token", "").partition(".")
    if not subject or request.method not in ("GET", "HEAD"):
        return False
    if not (expires.isascii() and expires.isdigit() and len(expires) <= 12):
        return False
    if int(expires) < time.time():
        return False
    return hmac.compare_digest(mac.encode(), _signature(secret, subject, expires).encode())


def _origin() -> str:
    """Where the calling page is from; tags send no Origin but a Referer."""
    origin = request.headers.get("Origin", "")
    if origin:
        return origin
    referer = urlsplit(request.headers.get("Referer", ""))
    return f"{referer.scheme}://{referer.netloc}" if referer.netloc else ""


def _is_foreign() -> bool:
    """Browsers name the site of the caller; over plain HTTP to a name they send Origin alone."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site in ("cross-site", "same-site")
    origin = request.headers.get("Origin")
    return origin is not None and origin.partition("://")[2] != request.host


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _host(netloc: str) -> str:
    """The name or address in ``host:port`` or ``[address]:port``."""
    if netloc.startswith("["):
        return netloc[1:].partition("]")[0]
    return netloc.partition(":")[0].lower()


def _is_rebound() -> bool:
    """A foreign name that leads to this machine's loopback: a page that rebinds its DNS name.

    A token, a public address to listen on, or the name in CORS_ORIGINS allows other names.
    """
    if config().api_token or not all(_is_loopback(host) for host, _ in config().addresses):
        return False
    host = _host(request.host)
    allowed = config().allowed_origins
    named = {_host(origin.partition("://")[2]) for origin in allowed}
    return bool(host) and not _is_loopback(host) and host not in named and "*" not in allowed


def check() -> None:
    """Raises Forbidden or Unauthorized. Pages and static files are open."""
    if not request.path.startswith("/api/") and request.path != "/metrics":
        return
    if request.path in PAGES and request.method in ("GET", "HEAD"):
        return
    if _is_rebound():
        raise Forbidden("This server answers to localhost; name this host in CORS_ORIGINS")
    if _is_foreign():
        allowed = config().allowed_origins
        if "*" not in allowed and _origin() not in allowed:
            raise Forbidden("Pages of other origins may not call; CORS_ORIGINS names those that do")
    secret = config().api_token
    if not secret or request.path in NO_TOKEN or request.method == "OPTIONS":
        return
    given = request.headers.get("Authorization", "")
    if hmac.compare_digest(given.encode(), f"Bearer {secret}".encode()) or _is_signed(secret):
        return
    raise Unauthorized("Send the token: Authorization: Bearer ...")


def _share(response: Response) -> Response:
    origin = request.headers.get("Origin", "")
    allowed = config().allowed_origins
    if allowed:
        response.vary.add("Origin")
    if origin and (origin in allowed or "*" in allowed):
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Access-Control-Expose-Headers"] = EXPOSED
        if request.method == "OPTIONS":
            response.headers["Access-Control-Allow-Headers"] = "Authorization, Content-Type, Prefer"
            response.headers["Access-Control-Allow-Methods"] = "GET, POST, PUT, DELETE, OPTIONS"
            response.headers["Access-Control-Max-Age"] = "600"
    if response.status_code == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def register(app: Flask) -> None:
    app.before_request(check)
    app.after_request(_share)
