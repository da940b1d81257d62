"""POST /api/text: how a text is read, without a sound."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from app_core.request import TextRequest
from app_core.routes.http.context import config, json_body, service
from app_core.routes.openapi.operation import JSON, Good, Operation
from app_core.routes.openapi.responses import TextAnswer
from app_core.speech.text.spoken_text import SpokenText, check_length

blueprint = Blueprint("text", __name__)


@blueprint.post("/api/text")
@Operation(
    "Render",
    "What will be said of a text: numbers, signs and abbreviations in words",
    (Good("The reading", {JSON: TextAnswer}),),
    (413, 415),
    body=TextRequest,
)
def text() -> Response:
    asked = TextRequest.parse(json_body())
    check_length(asked.text, config().max_text_chars)
    reader = service().reader.knowing(asked.dictionary)
    spoken = SpokenText.of(reader.read(asked.text, asked.language))
    words = [
        {"written": word.written, "said": word.said, "start": word.start, "end": word.end}
        for word in spoken.words
    ]
    response = jsonify({"said": spoken.said, "words": words})
    response.headers["Cache-Control"] = "no-store"
    return response
