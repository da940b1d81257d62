"""POST /api/generate: the film, with sound."""

from __future__ import annotations

from functools import partial

from flask import Blueprint, Response

from app_core.outputs.fragmented_mp4 import codecs
from app_core.request import GenerateRequest
from app_core.routes.film import respond
from app_core.routes.http.context import service
from app_core.routes.sound_forms import GenerateForm, asked
from app_core.services.video_encode import film_pieces, write_film

blueprint = Blueprint("generate", __name__)


@blueprint.post("/api/generate")
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
