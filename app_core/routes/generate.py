"""POST /api/generate: the film, with sound."""

from __future__ import annotations

from functools import partial

from flask import Blueprint, Response

from app_core.outputs.fragmented_mp4 import codecs
from app_core.request import GenerateRequest
from app_core.routes.film import respond
from app_core.routes.http.context import service
from app_core.routes.openapi.operation import Operation
from app_core.routes.openapi.renders import FILE, FILM, LATER, PREFER, SOUND
from app_core.routes.sound_forms import GenerateForm, asked
from app_core.services.video_encode import film_pieces, write_film

blueprint = Blueprint("generate", __name__)
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
    with asked(GenerateRequest, GenerateForm) as (render, recording):
        job = service().submit(render, recording=recording)
    return respond(
        job,
        "avatar_speech.mp4",
        write=partial(write_film, service(), job),
        pieces=partial(film_pieces, service(), job) if render.stream else None,
        codecs=codecs(*service().size(job), job.request.fps) if render.stream else "",
    )
