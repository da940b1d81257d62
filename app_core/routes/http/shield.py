"""What browsers are told of each answer: what a page may do, who may show it, what stays nowhere.

A page runs scripts and styles of this server alone, none that stands in it, and reaches nobody
else; so what a user's text or a file's name brings into it can do nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import request

from app_core.routes.http.context import config
from app_core.routes.http.hosts import asked_host

if TYPE_CHECKING:
    from flask import Flask, Response

_ANSWER = "default-src 'none'; frame-ancestors 'none'"
_PERMISSIONS = ", ".join(
    [
        "microphone=(self)",
        *(f"{name}=()" for name in ("camera", "display-capture", "geolocation", "payment", "usb")),
    ]
)
_KEPT_NOWHERE = ("/api/", "/whep")


def _page_policy() -> str:
    """Sockets are named beside 'self', which older browsers take for http alone."""
    sockets = f"ws://{asked_host()} wss://{asked_host()}" if asked_host() else ""
    friends = " ".join(sorted(config().allowed_origins))
    rules = {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self' data: blob:",
        "media-src": "'self' blob:",
        "connect-src": f"'self' {sockets}",
        "form-action": "'self'",
        "base-uri": "'none'",
        "frame-ancestors": f"'self' {friends}",
    }
    return "; ".join(f"{name} {value}".strip() for name, value in rules.items())


def _shield(response: Response) -> Response:
    headers, kind = response.headers, response.mimetype or ""
    if not kind.startswith("multipart/"):
        headers["X-Content-Type-Options"] = "nosniff"
    headers["Referrer-Policy"] = "same-origin"  # an address may hold a token
    if kind == "text/html":
        headers["Content-Security-Policy"] = _page_policy()
        headers["Permissions-Policy"] = _PERMISSIONS
        if request.is_secure:  # elsewhere browsers complain of it
            headers["Cross-Origin-Opener-Policy"] = "same-origin"
    elif kind == "application/json":
        headers["Content-Security-Policy"] = _ANSWER
    if request.path.startswith(_KEPT_NOWHERE) and "Cache-Control" not in headers:
        headers["Cache-Control"] = "no-store"
    return response


def register(app: Flask) -> None:
    app.after_request(_shield)
