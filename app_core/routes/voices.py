"""GET /api/voices: who can speak."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from app_core.routes.http.context import service
from app_core.routes.openapi.operation import JSON, Good, Operation
from app_core.routes.openapi.responses import Voices

blueprint = Blueprint("voices", __name__)


@blueprint.get("/api/voices")
@Operation("Server", "Who can speak", (Good("The voices in order of preference", {JSON: Voices}),))
def voices() -> Response:
    return jsonify({"voices": service().voices.describe()})
