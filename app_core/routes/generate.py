"""POST /api/generate: the film, with sound."""

from __future__ import annotations

from flask import Blueprint, Response

from app_core.request import GenerateRequest
from app_core.routes.film import reader, respond, wants_async
from app_core.routes.http.context import service
from app_core.routes.sound_forms import GenerateForm, asked

blueprint = Blueprint("generate", __name__)
NAME = "avatar_speech.mp4"


@blueprint.post("/api/generate")
def generate() -> Response:
    render, recording = asked(GenerateRequest, GenerateForm)
    keep_as = NAME if wants_async() else ""
    return respond(service().make_film(render, recording, reader(render), keep_as), NAME)
