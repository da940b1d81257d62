"""The HTTP side: one blueprint a file, one shape of error."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app_core.routes import access, failure, generate, health, jobs, pages, stream_mjpeg

if TYPE_CHECKING:
    from flask import Flask

JSON_LIMIT = 1 << 20


def register(app: Flask) -> None:
    app.config["MAX_CONTENT_LENGTH"] = JSON_LIMIT
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    failure.register(app)
    access.register(app)
    for module in (generate, health, jobs, pages, stream_mjpeg):
        app.register_blueprint(module.blueprint)
