"""The pages."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, current_app, render_template

from app_core.config import VERSION
from app_core.routes.http.context import config

blueprint = Blueprint("pages", __name__)
LANGUAGES = ("ru", "kk", "en", "auto")
"""Of the text: what a form offers."""
SECTIONS = (
    ("/", "index"),
    ("/realtime", "realtime"),
    ("/api/lipsync/video", "lipsync_video"),
    ("/mjpeg_test", "mjpeg_test"),
    ("/avatars", "avatars"),
    ("/embed", "embed"),
    ("/docs", "docs"),
    ("/api-test", "api_test"),
)
"""(path, page) in the order of the navigation."""


@blueprint.app_context_processor
def shared() -> dict[str, Any]:
    """What every template may use; only sections that this server has are named."""
    served = {rule.rule for rule in current_app.url_map.iter_rules()}
    return {
        "sections": [section for section in SECTIONS if section[0] in served],
        "languages": LANGUAGES,
        "version": VERSION,
        "text_limit": config().max_text_chars,
        "guarded": config().guarded,
    }


@blueprint.get("/")
def index() -> str:
    return render_template("index.html", page="index")


@blueprint.get("/realtime")
def realtime() -> str:
    return render_template("realtime.html", page="realtime")


@blueprint.get("/avatar")
def avatar() -> str:
    """The face alone; its script reads the query."""
    return render_template("avatar.html")


@blueprint.get("/whep_test")
def whep() -> str:
    """A player to copy; its script reads the query."""
    return render_template("whep.html")


@blueprint.get("/mjpeg_test")
def mjpeg_test() -> str:
    return render_template("mjpeg_test.html", page="mjpeg_test")


@blueprint.get("/avatars")
def avatars() -> str:
    return render_template("avatars.html", page="avatars", upload_limit=config().max_upload_mb)


@blueprint.get("/embed")
def embed() -> str:
    return render_template("embed.html", page="embed")


@blueprint.get("/api-test")
def api_test() -> str:
    return render_template("api_test.html", page="api_test")


@blueprint.get("/favicon.ico")
def favicon() -> Response:
    """Browsers ask for this one on answers that are no page."""
    return current_app.send_static_file("favicon.svg")
