"""GET /openapi.json: the contract, made from the views and the models that validate requests."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, current_app, request
from pydantic.json_schema import models_json_schema

from app_core.config import VERSION
from app_core.routes.http.shares import FREE
from app_core.routes.openapi.kept_text import KeptText
from app_core.routes.openapi.operation import (
    GROUPS,
    HEADERS,
    HTML,
    JSON,
    Good,
    Operation,
    operations_of,
)
from app_core.routes.openapi.responses import Failure

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask import Flask
    from pydantic import BaseModel

    from app_core.config import Config

blueprint = Blueprint("openapi", __name__)

BYTES = {"type": "string", "format": "binary"}
FORM = "multipart/form-data"
IMPLIED = {"HEAD", "OPTIONS"}
"""Methods that Flask adds to a route."""
SCHEMAS = "#/components/schemas/"
ERRORS = {
    400: "A field is missing, unknown or wrong",
    401: "A token is needed, and missing or wrong",
    403: "A page of another origin calls, and CORS_ORIGINS does not name it, or the Host header is"
    " none of ALLOWED_HOSTS; the face or the session is not this token's to change",
    404: "There is no such avatar, voice, job, session, chunk or base video",
    409: "The id is taken, or the job, session, avatar or voice is in the wrong state",
    412: "If-Match is not the ETag of this connection",
    413: "The body is too large",
    415: "The body is not of the kind that is due, or its file cannot be read",
    416: "The range is outside of the file",
    422: "The base video has no face, or cannot be read; a connection cannot begin anew",
    428: "If-Match is missing",
    429: "This client has its share, of requests or of what runs at once; others are served",
    500: "The server, its voice, its model or ffmpeg failed",
    502: "A voice service that the server calls cannot be reached",
    503: "The server is full or not ready",
    507: "The disk is full",
}
ERROR_HEADERS = {401: "WWW-Authenticate", 429: "Retry-After", 503: "Retry-After"}


@blueprint.get("/openapi.json")
@Operation("Server", "This document", (Good("OpenAPI 3.1", {JSON: None}),), guarded=False)
def openapi() -> Response:
    kept: KeptText = current_app.extensions.setdefault("openapi text", KeptText())
    return Response(kept.get(request.script_root, _text), mimetype=JSON)


def _text() -> str:
    told = kept_document() | {"servers": [{"url": request.script_root or "/"}]}
    return current_app.json.dumps(told) + "\n"


def kept_document() -> dict[str, Any]:
    """That of this app, made once: it takes as long as a picture, and anybody may ask for it."""
    found: dict[str, Any] | None = current_app.extensions.get("openapi")
    if found is None:
        found = current_app.extensions["openapi"] = document(current_app)
    return found


def document(app: Flask) -> dict[str, Any]:
    """OpenAPI 3.1. Limits and the need for a token are those of the app's settings."""
    config: Config = app.config["SOYLE"]
    described = list(_described(app))
    schemas = _schemas([operation for _, _, operation in described])
    for schema in schemas.values():
        text = schema.get("properties", {}).get("text", {})
        if "minLength" in text:
            text["maxLength"] = config.max_text_chars
    paths: dict[str, dict[str, Any]] = {}
    for method, path, operation in described:
        shown = _operation(method, path, operation, schemas, locked=config.guarded)
        paths.setdefault(path, {})[method] = shown
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Soyle",
            "version": VERSION,
            "description": "Turns text into a talking face, live: Russian, Kazakh, English. "
            "Heads and bodies that are late (408) or too large (413, 414, 431) are refused before "
            "any operation sees them, as Error, and so is whoever finds the server full (503).",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": name} for name in GROUPS],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "signed": {"type": "apiKey", "in": "query", "name": "token"},
                "session": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A token of the session itself",
                },
            },
        },
    }


def _described(app: Flask) -> Iterator[tuple[str, str, Operation]]:
    """(method, path, description) of each view that has one, as OpenAPI writes them."""
    for rule in app.url_map.iter_rules():
        path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)
        served = sorted((rule.methods or set()) - IMPLIED)
        for operation in operations_of(app.view_functions[rule.endpoint]):
            for method in [operation.method] if operation.method else served:
                yield method.lower(), path, operation


def _schemas(operations: list[Operation]) -> dict[str, Any]:
    """Requests as they are validated, answers as they are written."""
    asked = {m for o in operations for m in (o.body, o.form, o.query) if m}
    models = {m for o in operations for good in o.good for m in good.content.values() if m}
    pairs = [(model, "validation") for model in asked]
    pairs += [(model, "serialization") for model in models | {Failure}]
    _, found = models_json_schema(pairs, ref_template=SCHEMAS + "{model}")  # type: ignore[arg-type]
    return dict(sorted(found["$defs"].items()))


def _operation(
    method: str, path: str, operation: Operation, schemas: dict[str, Any], *, locked: bool
) -> dict[str, Any]:
    name = re.sub(r"\W+", "_", f"{method}{path}").strip("_")
    found: dict[str, Any] = {
        "operationId": name,
        "tags": [operation.group],
        "summary": operation.summary,
        "responses": {
            **{str(good.status): _good(good) for good in operation.good},
            **{str(status): _error(status, operation) for status in _statuses(path, operation)},
        },
        "security": _security(operation, locked=locked),
    }
    if operation.details:
        found["description"] = operation.details
    if parameters := _parameters(path, operation, schemas):
        found["parameters"] = parameters
    bodies = {JSON: operation.body, FORM: operation.form}
    content = {kind: {"schema": _reference(model)} for kind, model in bodies.items() if model}
    if operation.text:
        content[operation.text] = {"schema": {"type": "string"}}
    if content:
        found["requestBody"] = {"required": True, "content": content}
    return found


def _statuses(path: str, operation: Operation) -> list[int]:
    guard = [400, 401, 403, 500] if operation.guarded else [400, 403]
    guard += [] if path in FREE else [429]
    good = {good.status for good in operation.good}
    return sorted({*operation.errors, *guard} - good)


def _security(operation: Operation, *, locked: bool) -> list[dict[str, list[str]]]:
    if not operation.guarded:
        return []
    ways: list[dict[str, list[str]]] = [{"bearer": []}]
    if operation.signable:
        ways.append({"signed": []})
    if operation.owned:
        return [{"session": []}, *(way for way in ways if locked or "bearer" not in way)]
    return ways if locked else [{}, *ways]


def _parameters(path: str, operation: Operation, schemas: dict[str, Any]) -> list[dict[str, Any]]:
    text = {"type": "string"}
    found = [
        {"name": name, "in": "path", "required": True, "schema": text}
        for name in re.findall(r"{(\w+)}", path)
    ]
    for name, words in operation.headers.items():
        found.append({"name": name, "in": "header", "description": words, "schema": text})
    if operation.query:
        model = schemas[operation.query.__name__]
        for name, schema in model["properties"].items():
            asked = _without_null(schema)
            words = asked.pop("description", "")
            required = name in model.get("required", ())
            found.append(
                {
                    "name": name,
                    "in": "query",
                    "required": required,
                    "description": words,
                    "schema": asked,
                }
            )
    return found


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """A field of a query is text: it can be left out, and cannot be null."""
    rest = {key: value for key, value in schema.items() if key != "anyOf"}
    if rest.get("default", "") is None:
        del rest["default"]
    for kind in schema.get("anyOf", ()):
        if kind.get("type") != "null":
            rest |= kind
    return rest


def _good(good: Good) -> dict[str, Any]:
    found: dict[str, Any] = {"description": good.words}
    if good.content:
        found["content"] = {kind: {"schema": _schema(m, kind)} for kind, m in good.content.items()}
    if good.headers or good.maybe:
        found["headers"] = {
            **{name: _header(name) for name in good.headers},
            **{name: _header(name, required=False) for name in good.maybe},
        }
    return found


def _error(status: int, operation: Operation) -> dict[str, Any]:
    found: dict[str, Any] = {
        "description": ERRORS[status],
        "content": {JSON: {"schema": _reference(Failure)}},
    }
    if any(HTML in good.content for good in operation.good):  # as ``Accept`` says
        found["content"][HTML] = {"schema": _schema(None, HTML)}
    if status in ERROR_HEADERS:
        found["headers"] = {ERROR_HEADERS[status]: _header(ERROR_HEADERS[status])}
    return found


def _header(name: str, *, required: bool = True) -> dict[str, Any]:
    return {"description": HEADERS[name], "required": required, "schema": {"type": "string"}}


def _schema(model: type[BaseModel] | None, kind: str) -> dict[str, Any]:
    if model is not None:
        return _reference(model)
    return {"type": "object"} if kind == JSON else BYTES


def _reference(model: type[BaseModel]) -> dict[str, Any]:
    return {"$ref": SCHEMAS + model.__name__}
