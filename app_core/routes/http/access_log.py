"""One line of log and one count for each request, when its answer is complete."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING
from urllib.parse import quote

from flask import g, request

from app_core.log import job_id
from app_core.routes.http.context import service

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask, Response

logger = logging.getLogger(__name__)

LONGEST_PATH, LONGEST_ID = 200, 36
VIEWERS, SHOWN = "/whep/viewers/", 6


def _begin() -> None:
    """A thread serves many requests: what the last one left is forgotten."""
    g.began_s = time.monotonic()
    job_id.set((request.view_args or {}).get("job_id", "-")[:LONGEST_ID])


def _note(response: Response) -> Response:
    """A stream or a file is noted at its end, with the time that it lasted."""
    job = response.headers.get("X-Job-Id") or job_id.get()
    rule = request.url_rule.rule if request.url_rule else "none"
    finish = _finisher(request.method, request.path, rule, response, job, g.began_s)
    if response.is_streamed:
        response.call_on_close(finish)
    else:
        finish()
    return response


def _finisher(
    method: str, path: str, rule: str, response: Response, job: str, began_s: float
) -> Callable[[], None]:
    metrics, status = service().metrics, response.status_code
    counted = "counted" in g  # where the answer was made

    def finish() -> None:
        spent_ms = round((time.monotonic() - began_s) * 1000, 1)
        # Quoted, so that a line of the log cannot be forged; the query may hold the user's text.
        shown = quote(_without_keys(path))[:LONGEST_PATH]
        if not counted:
            metrics.request(method, rule, status)
        logger.info(
            "%s %s %d %.1f ms",
            method,
            shown,
            status,
            spent_ms,
            extra={
                "job": job,
                "fields": {
                    "method": method,
                    "path": shown,
                    "status": status,
                    "milliseconds": spent_ms,
                },
            },
        )

    return finish


def _without_keys(path: str) -> str:
    """The id of a viewer is all that its end needs: it is shown as far as a person tells it."""
    head, slash, key = path.partition(VIEWERS)
    return f"{head}{slash}{key[:SHOWN]}…" if len(key) > SHOWN else path


def register(app: Flask) -> None:
    app.before_request(_begin)
    app.after_request(_note)
