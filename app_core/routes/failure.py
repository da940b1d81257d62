"""Errors as JSON with their real status."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from flask import jsonify
from gunicorn.http.errors import ParseException
from werkzeug.exceptions import HTTPException

from app_core.errors import BadInput, Busy, SoyleError

if TYPE_CHECKING:
    from flask import Flask, Response

logger = logging.getLogger(__name__)


def payload(error: SoyleError) -> dict[str, Any]:
    return {"error": str(error), "code": error.code, "field": error.field}


def answer(error: SoyleError) -> Response:
    response = jsonify(payload(error))
    response.status_code = error.status
    if isinstance(error, Busy):
        response.headers["Retry-After"] = str(error.retry_after_s)
    return response


def register(app: Flask) -> None:
    @app.errorhandler(SoyleError)
    def known(error: SoyleError) -> Response:
        if error.status >= 500 and not isinstance(error, Busy):
            logger.error("%s: %s", error.code, error)
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
        }
        if status == 413:
            code = "too_large"
        text = sentences.get(status) or error.description or "The request failed"
        response = jsonify({"error": text, "code": code, "field": None})
        response.status_code = status
        if status == 405:
            allow = error.get_response().headers.get("Allow")
            if allow:
                response.headers["Allow"] = allow
        return response

    @app.errorhandler(ParseException)
    def garbled(error: ParseException) -> Response:
        """The server reads a body's chunks while the view reads the body."""
        return answer(BadInput("The request cannot be read"))

    @app.errorhandler(Exception)
    def unknown(error: Exception) -> Response:
        logger.error("a view failed", exc_info=error)
        return answer(SoyleError("The server failed on this request"))
