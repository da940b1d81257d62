"""/api/health: is the server ready, and how much more it can take."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from app_core.routes.http.context import service
from app_core.routes.openapi.health_answers import Health, Live
from app_core.routes.openapi.operation import JSON, Good, Operation

blueprint = Blueprint("health", __name__)


@blueprint.get("/api/health")
@Operation(
    "Server",
    "Is it ready, and how much more can it take",
    (
        Good("Renders can begin", {JSON: Health}),
        Good("Loading or offline", {JSON: Health}, ("Retry-After",), 503),
    ),
)
def health() -> Response:
    report = service().health()
    response = jsonify(report)
    if report["status"] not in ("ready", "degraded"):
        response.status_code = 503
        response.headers["Retry-After"] = "2"
    return response


@blueprint.get("/api/health/live")
@Operation("Server", "Does the process live", (Good("It does", {JSON: Live}),), guarded=False)
def live() -> Response:
    return jsonify({"status": "live"})
