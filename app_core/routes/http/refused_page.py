"""An error as a small page: for a person who opens a page and does not get it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import make_response, render_template, request

from app_core.routes.http.access import GUARDED, PAGES

if TYPE_CHECKING:
    from flask import Response

NO_PAGES = (*GUARDED, "/static/", "/metrics", "/openapi.json")
BARE = "/avatar"
"""Shown where nobody reads: without a word it is asked for again."""


def is_wanted() -> bool:
    """Whether a browser opens a page. Scripts and tools that do not name HTML get JSON."""
    if request.method not in ("GET", "HEAD"):
        return False
    if "text/html" not in request.accept_mimetypes.values():
        return False
    return request.path in PAGES or not request.path.startswith(NO_PAGES)


def refused_page(status: int, retry_after_s: int | None) -> Response:
    """In three languages: what would choose one may be refused too. With ``retry_after_s`` the page
    is asked for again by itself."""
    bare = request.path == BARE
    told = {"status": status, "retry_after_s": retry_after_s, "bare": bare}
    response = make_response(render_template("refused.html", **told), status)
    response.vary.add("Accept")
    return response
