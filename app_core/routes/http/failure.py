"""Errors as JSON with their real status, or as a page where a person opens one."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from flask import jsonify
from gunicorn.http.errors import ParseException
from werkzeug.exceptions import HTTPException

from app_core.errors import BadInput, Busy, DiskFull, SoyleError, TooMany
from app_core.routes.http.refused_page import is_wanted, refused_page

if TYPE_CHECKING:
    from flask import Flask, Response

logger = logging.getLogger(__name__)


LONGEST_SENTENCE, LONGEST_FIELD = 400, 80
"""Characters of an answer in which the client's own words may come back."""


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def payload(error: SoyleError) -> dict[str, Any]:
    field = None if error.field is None else _cut(error.field, LONGEST_FIELD)
    return {"error": _cut(str(error), LONGEST_SENTENCE), "code": error.code, "field": field}


def answer(error: SoyleError) -> Response:
    retry_after_s = error.retry_after_s if isinstance(error, Busy | TooMany) else None
    if is_wanted():
        response = refused_page(error.status, retry_after_s)
    else:
        response = jsonify(payload(error))
        response.status_code = error.status
    if retry_after_s is not None:
        response.headers["Retry-After"] = str(retry_after_s)
    return response


def register(app: Flask) -> None:
    @app.errorhandler(SoyleError)
    def known(error: SoyleError) -> Response:
        if error.status >= 500 and not isinstance(error, Busy):
            # A full disk is the operator's to see in health; each refusal is only one of them.
            level = logging.WARNING if isinstance(error, DiskFull) else logging.ERROR
            logger.log(level, "%s: %s", error.code, error)
        return answer(error)

    @app.errorhandler(HTTPException)
    def http(error: HTTPException) -> Response:
        status = error.code or 500
        code = (error.name or "error").lower().replace(" ", "_")
        sentences = {
            400: "The request cannot be read",
            404: "There is nothing at this address",
            405: "This address does not take this method",
            413: "The request is too large",
            416: "The file is shorter than that",
        }
        if status == 413:
            code = "too_large"
        text = sentences.get(status) or error.description or "The request failed"
        if is_wanted():
            response = refused_page(status, None)
        else:
            response = jsonify({"error": text, "code": code, "field": None})
            response.status_code = status
        kept = {405: "Allow", 416: "Content-Range"}.get(status)
        if kept and (value := error.get_response().headers.get(kept)):
            response.headers[kept] = value
        return response

    @app.errorhandler(ParseException)
    def garbled(error: ParseException) -> Response:
        """The server reads a body's chunks while the view reads the body."""
        return answer(BadInput("The request cannot be read"))

    @app.errorhandler(Exception)
    def unknown(error: Exception) -> Response:
        logger.error("a view failed", exc_info=error)
        return answer(SoyleError("The server failed on this request"))
