"""GET /metrics: the service's counts in the text format of Prometheus."""

from __future__ import annotations

from flask import Blueprint, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from app_core.routes.http.context import service
from app_core.routes.openapi.operation import Good, Operation

blueprint = Blueprint("metrics", __name__)


@blueprint.get("/metrics")
@Operation(
    "Server", "Counts for Prometheus", (Good("Text format of Prometheus", {"text/plain": None}),)
)
def metrics() -> Response:
    text = generate_latest(service().metrics.registry)
    response = Response(text, content_type=CONTENT_TYPE_LATEST)
    response.headers["Cache-Control"] = "no-store"
    return response
