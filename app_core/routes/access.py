"""Who may call: the bearer token, signed addresses, and pages of other origins."""

from __future__ import annotations

import hashlib
import hmac
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from flask import request

from app_core.errors import Forbidden, Unauthorized
from app_core.routes.context import config

if TYPE_CHECKING:
    from flask import Flask, Response

LIFE_S = 3600
EXPOSED = "X-Job-Id, X-Audio-Url, X-Frame-Rate, Retry-After"
OPEN = ("/api/health/live",)
"""API paths that need no token."""


def _signature(secret: str, job_id: str, expires: str) -> str:
    return hmac.new(secret.encode(), f"{job_id}:{expires}".encode(), hashlib.sha256).hexdigest()


def signed(path: str, job_id: str) -> str:
    """The address for a tag or a socket, which cannot send a header: one job, one hour."""
    secret = config().api_token
    if not secret:
        return path
    expires = str(int(time.time()) + LIFE_S)
    return f"{path}?token={expires}.{_signature(secret, job_id, expires)}"


def _is_signed(secret: str) -> bool:
    job_id = (request.view_args or {}).get("job_id", "")
    expires, _, mac = request.args.get("token", "").partition(".")
    if not job_id or not expires.isdigit() or int(expires) < time.time():
        return False
    return hmac.compare_digest(mac.encode(), _signature(secret, job_id, expires).encode())


def _origin() -> str:
    """Where the calling page is from; tags send no Origin but a Referer."""
    origin = request.headers.get("Origin", "")
    if origin:
        return origin
    referer = urlsplit(request.headers.get("Referer", ""))
    return f"{referer.scheme}://{referer.netloc}" if referer.netloc else ""


def check() -> None:
    """Raises Forbidden or Unauthorized. Pages and static files are open."""
    if not request.path.startswith("/api/"):
        return
    if request.headers.get("Sec-Fetch-Site", "none") in ("cross-site", "same-site"):
        allowed = config().allowed_origins
        if "*" not in allowed and _origin() not in allowed:
            raise Forbidden("Pages of other origins may not call; CORS_ORIGINS names those that do")
    secret = config().api_token
    if not secret or request.path in OPEN or request.method == "OPTIONS":
        return
    given = request.headers.get("Authorization", "")
    if hmac.compare_digest(given.encode(), f"Bearer {secret}".encode()) or _is_signed(secret):
        return
    raise Unauthorized("Send the token: Authorization: Bearer ...")


def _share(response: Response) -> Response:
    origin = request.headers.get("Origin", "")
    allowed = config().allowed_origins
    if origin and (origin in allowed or "*" in allowed):
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Access-Control-Expose-Headers"] = EXPOSED
        response.headers["Access-Control-Allow-Headers"] = "Authorization, Content-Type, Prefer"
        response.headers["Access-Control-Allow-Methods"] = "GET, POST, PUT, DELETE, OPTIONS"
        response.headers.add("Vary", "Origin")
    if response.status_code == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def register(app: Flask) -> None:
    app.before_request(check)
    app.after_request(_share)
