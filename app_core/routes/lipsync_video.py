"""/api/lipsync/video: the base video says a text; GET is the page, POST the film."""

from __future__ import annotations

from flask import Blueprint, Response, render_template

from app_core.config import VERSION
from app_core.request import VideoRequest
from app_core.routes.film import reader, respond, wants_async
from app_core.routes.http.context import service
from app_core.routes.pages import LANGUAGES
from app_core.routes.sound_forms import VideoForm, asked

blueprint = Blueprint("lipsync_video", __name__)
NAME = "lipsync_video.mp4"


@blueprint.get("/api/lipsync/video")
def page() -> str:
    return render_template(
        "lipsync_video.html", page="lipsync_video", languages=LANGUAGES, version=VERSION
    )


@blueprint.post("/api/lipsync/video")
def lipsync_video() -> Response:
    render, recording = asked(VideoRequest, VideoForm)
    keep_as = NAME if wants_async() else ""
    return respond(service().make_film(render, recording, reader(render), keep_as), NAME)
