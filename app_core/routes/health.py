"""/api/health: is the server ready, and how much more it can take."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from app_core.routes.http.context import service

blueprint = Blueprint("health", __name__)


@blueprint.get("/api/health")
def health() -> Response:
    report = service().health()
    response = jsonify(report)
    if report["status"] not in ("ready", "degraded"):
        response.status_code = 503
        response.headers["Retry-After"] = "2"
    return response


@blueprint.get("/api/health/live")
def live() -> Response:
    return jsonify({"status": "live"})
