"""GET /api/voices: who can speak."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from app_core.routes.http.context import service

blueprint = Blueprint("voices", __name__)


@blueprint.get("/api/voices")
def voices() -> Response:
    return jsonify({"voices": service().voices.describe()})
