"""POST /api/generate: the film, with sound."""

from __future__ import annotations

from flask import Blueprint, Response

from app_core.request import GenerateRequest
from app_core.routes.film import client_left, respond, wants_async
from app_core.routes.http.caller import caller
from app_core.routes.http.context import service
from app_core.routes.openapi.operation import Operation
from app_core.routes.openapi.renders import FILE, FILM, LATER, PREFER, SOUND
from app_core.routes.sound_forms import GenerateForm, asked

blueprint = Blueprint("generate", __name__)
NAME = "avatar_speech.mp4"
WAITING = (
    "A client that closes its side of the connection before the answer has begun has left, and its"
    " render is cancelled; with stream the answer goes on until it closes the other side too."
)


@blueprint.post("/api/generate")
@Operation(
    "Render",
    "Make a film of the talking face",
    (FILM, LATER),
    FILE,
    body=GenerateRequest,
    form=GenerateForm,
    headers=PREFER,
    details=f"{WAITING} {SOUND}",
)
def generate() -> Response:
    keep_as = NAME if wants_async() else ""
    with asked(GenerateRequest, GenerateForm) as (render, sound):
        return respond(
            service().make_film(render, sound, client_left(render), keep_as, caller()), NAME
        )
