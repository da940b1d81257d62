"""/api/lipsync/video: the base video says a text; GET is the page, POST the film."""

from __future__ import annotations

from flask import Blueprint, Response, render_template

from app_core.config import VERSION
from app_core.request import VideoRequest
from app_core.routes.film import client_left, respond, wants_async
from app_core.routes.http.caller import caller
from app_core.routes.http.context import service
from app_core.routes.openapi.operation import Operation, html_page
from app_core.routes.openapi.renders import FILE, FILM, LATER, PREFER, SOUND
from app_core.routes.pages import LANGUAGES
from app_core.routes.sound_forms import VideoForm, asked

blueprint = Blueprint("lipsync_video", __name__)
NAME = "lipsync_video.mp4"


@blueprint.get("/api/lipsync/video")
@html_page("The page of the same name")
def page() -> str:
    return render_template(
        "lipsync_video.html", page="lipsync_video", languages=LANGUAGES, version=VERSION
    )


@blueprint.post("/api/lipsync/video")
@Operation(
    "Render",
    "Make a film of the base video that says a text",
    (FILM, LATER),
    (*FILE, 422),
    body=VideoRequest,
    form=VideoForm,
    headers=PREFER,
    details="400 names the encoders that work on this machine when another one is asked for."
    " Without 'avatar' the base video speaks (BASE_VIDEO_PATH): 503 with the percentage while"
    " its face is looked for, 422 with the reason when it cannot speak, 404 when missing. " + SOUND,
)
def lipsync_video() -> Response:
    keep_as = NAME if wants_async() else ""
    with asked(VideoRequest, VideoForm) as (render, sound):
        return respond(
            service().make_film(render, sound, client_left(render), keep_as, caller()), NAME
        )
