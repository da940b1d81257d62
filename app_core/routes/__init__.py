"""The HTTP side: one blueprint a file, one shape of error."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app_core.routes import (
    avatars,
    captions,
    docs,
    generate,
    health,
    job_events,
    jobs,
    lipsync_video,
    metrics,
    pages,
    stream_chunks,
    stream_mjpeg,
    text,
    voices,
)
from app_core.routes.http import access, access_log, failure, shares, shield
from app_core.routes.http.context import JSON_LIMIT
from app_core.routes.http.file_response import FileResponse
from app_core.routes.http.forwarded import Forwarded
from app_core.routes.openapi import document
from app_core.routes.sessions import collection, offers, sockets, telling, whep

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask


def register(app: Flask, inside: Callable[[Flask], None] = lambda app: None) -> None:
    """``inside`` registers what looks at a request that has been let in, before its view does."""
    app.config["MAX_CONTENT_LENGTH"] = JSON_LIMIT
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    failure.register(app)
    access_log.register(app)
    app.response_class = FileResponse
    access.register(app)
    shares.register(app)
    inside(app)
    shield.register(app)
    job_events.register(app)
    sockets.register(app)
    # In this order /docs shows what they describe.
    for module in (
        stream_mjpeg,
        generate,
        lipsync_video,
        stream_chunks,
        text,
        collection,
        telling,
        sockets,
        offers,
        whep,
        jobs,
        captions,
        job_events,
        avatars,
        voices,
        health,
        metrics,
        document,
        docs,
        pages,
    ):
        app.register_blueprint(module.blueprint)
    own = {rule.rule.split("/")[1] for rule in app.url_map.iter_rules()}
    networks = app.config["SOYLE"].proxy_networks
    app.wsgi_app = Forwarded(app.wsgi_app, networks, own)  # type: ignore[assignment,method-assign]
