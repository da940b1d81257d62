"""The pages."""

from __future__ import annotations

from flask import Blueprint, Response, current_app, render_template

from app_core import __version__

blueprint = Blueprint("pages", __name__)
LANGUAGES = ("ru", "kk", "en")


@blueprint.get("/")
def index() -> str:
    return render_template("index.html", page="index", languages=LANGUAGES, version=__version__)


@blueprint.get("/mjpeg_test")
def mjpeg_test() -> str:
    return render_template(
        "mjpeg_test.html", page="mjpeg_test", languages=LANGUAGES, version=__version__
    )


@blueprint.get("/favicon.ico")
def favicon() -> Response:
    """Browsers ask for this one on answers that are no page."""
    return current_app.send_static_file("favicon.svg")
