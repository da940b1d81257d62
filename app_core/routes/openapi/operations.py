"""Every operation of the HTTP contract: what /openapi.json and /docs are made of."""

from __future__ import annotations

from app_core.routes.openapi.avatar_operations import AVATARS
from app_core.routes.openapi.operation import JSON, Good, Operation, page
from app_core.routes.openapi.render_operations import JOBS, RENDERS
from app_core.routes.openapi.responses import Health, Live, Voices

SERVER = (
    Operation(
        "GET",
        "/api/voices",
        "Server",
        "Who can speak",
        (Good("The voices in order of preference", {JSON: Voices}),),
    ),
    Operation(
        "GET",
        "/api/health",
        "Server",
        "Is it ready, and how much more can it take",
        (
            Good("Renders can begin", {JSON: Health}),
            Good("Loading or offline", {JSON: Health}, ("Retry-After",), 503),
        ),
    ),
    Operation(
        "GET",
        "/api/health/live",
        "Server",
        "Does the process live",
        (Good("It does", {JSON: Live}),),
        guarded=False,
    ),
    Operation(
        "GET",
        "/metrics",
        "Server",
        "Counts for Prometheus",
        (Good("Text format of Prometheus", {"text/plain": None}),),
    ),
    Operation(
        "GET",
        "/openapi.json",
        "Server",
        "This document",
        (Good("OpenAPI 3.1", {JSON: None}),),
        guarded=False,
    ),
    page("/docs", "This document for people", "Server"),
)

OPERATIONS = (*RENDERS, *JOBS, *AVATARS, *SERVER)
