"""/api/voices: who can speak, who could, bringing them, and what each sounds like."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Self

from flask import Blueprint, Response, jsonify, url_for
from pydantic import BaseModel, ConfigDict, Field

from app_core.request import parsed, parsed_query
from app_core.routes.http.caller import caller
from app_core.routes.http.context import json_body, leaving, query, service
from app_core.routes.openapi.operation import JSON, WAV, Good, Operation
from app_core.routes.openapi.responses import Removed, VoicePull, Voices

if TYPE_CHECKING:
    from collections.abc import Mapping

blueprint = Blueprint("voices", __name__)


class PullRequest(BaseModel):
    """A voice that is to be brought."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    accept_licence: bool = Field(
        default=False,
        strict=True,
        description="Whoever asks agrees with a licence that allows no commercial use",
    )

    @classmethod
    def parse(cls, fields: Any) -> Self:
        """From a JSON value. Raises BadInput that names the field."""
        return parsed(cls, fields)


class SampleQuery(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    language: Literal["ru", "kk", "en"] | None = Field(
        default=None, description="Of the sentence; without it the first that the voice speaks"
    )

    @classmethod
    def parse_query(cls, fields: Mapping[str, str]) -> Self:
        """From the strings of a query. Raises BadInput that names the field."""
        return parsed_query(cls, fields)


@blueprint.get("/api/voices")
@Operation(
    "Voices",
    "Who can speak, and who could",
    (Good("The voices in order of preference, then those that can be brought", {JSON: Voices}),),
)
def voices() -> Response:
    return jsonify(service().voice_offer.describe())


@blueprint.post("/api/voices/<voice_id>/pull")
@Operation(
    "Voices",
    "Bring a voice",
    (
        Good("It is here", {JSON: VoicePull}, ("Location",)),
        Good("It is on its way; who asks meanwhile joins", {JSON: VoicePull}, ("Location",), 202),
    ),
    (404, 409, 413, 415, 503),
    body=PullRequest,
    details="One comes at a time, the others wait. 400 with the field accept_licence: its licence"
    " allows no commercial use. 409: something else brings it, which the error names.",
)
def pull(voice_id: str) -> Response:
    asked = PullRequest.parse(json_body())
    pulls = service().voice_offer.pulls
    found = pulls.start(voice_id, accepted=asked.accept_licence, owner=caller())
    response = jsonify(found)
    response.status_code = 200 if found["status"] == "ready" else 202
    response.headers["Location"] = url_for("voices.pulling", voice_id=found["id"])
    return response


@blueprint.get("/api/voices/<voice_id>/pull")
@Operation(
    "Voices",
    "How far a voice has come",
    (Good("Its state", {JSON: VoicePull}),),
    (404,),
)
def pulling(voice_id: str) -> Response:
    return jsonify(service().voice_offer.pulls.describe(voice_id))


@blueprint.delete("/api/voices/<voice_id>/pull")
@Operation(
    "Voices",
    "Cancel the way of a voice, or forget why it failed",
    (Good("It is cancelled; asking for it again goes on from there", {JSON: Removed}),),
    (404, 409),
)
def cancel(voice_id: str) -> Response:
    service().voice_offer.pulls.cancel(voice_id)
    return jsonify({"id": voice_id, "removed": True})


@blueprint.get("/api/voices/<voice_id>/sample")
@Operation(
    "Voices",
    "What a voice sounds like",
    (Good("A sentence", {WAV: None}),),
    (404, 409, 502, 503),
    query=SampleQuery,
    details="404: it is not here, or does not speak that language.",
)
def sample(voice_id: str) -> Response:
    asked = SampleQuery.parse_query(query())
    data = service().voice_offer.sample(voice_id, asked.language, leaving())
    response = Response(data, mimetype=WAV)
    response.headers["Cache-Control"] = "private, max-age=600"
    return response
