"""GET /docs: the contract for people, from the same document as /openapi.json."""

from __future__ import annotations

import json
import shlex
from typing import Any

from flask import Blueprint, current_app, render_template, request

from app_core.routes.openapi.document import FORM, SCHEMAS, kept_document
from app_core.routes.openapi.kept_text import KeptText
from app_core.routes.openapi.operation import JSON, html_page

blueprint = Blueprint("docs", __name__)

EXAMPLES = {"text": "Сәлем! Привет! Hello!", "sdp": "v=0...", "consent": "true"}
PLACES = {JSON: "body", FORM: "form"}
UPLOADS = {"file": "@face.jpg", "audio": "@speech.wav"}
FILES = {
    "video/mp4": "film.mp4",
    "audio/wav": "speech.wav",
    "image/jpeg": "preview.jpg",
    "multipart/x-mixed-replace": "-",
}


@blueprint.get("/docs")
@html_page("This document for people", "Server")
def docs() -> str:
    kept: KeptText = current_app.extensions.setdefault("docs", KeptText())
    return kept.get(request.url_root, _page)


def _page() -> str:
    contract = kept_document()
    schemas = contract["components"]["schemas"]
    groups: dict[str, list[dict[str, Any]]] = {tag["name"]: [] for tag in contract["tags"]}
    for path, methods in contract["paths"].items():
        for method, operation in methods.items():
            shown = _operation(method, path, operation, schemas)
            groups[operation["tags"][0]].append(shown)
    return render_template("docs.html", page="docs", groups=groups, title=contract["info"]["title"])


def _operation(
    method: str, path: str, operation: dict[str, Any], schemas: dict[str, Any]
) -> dict[str, Any]:
    content = operation.get("requestBody", {}).get("content", {})
    bodies = {kind: body for kind, body in content.items() if kind in PLACES}
    text = next((kind for kind in content if kind not in PLACES), "")
    models = {kind: _resolved(body["schema"], schemas) for kind, body in bodies.items()}
    rows = [row for kind, model in models.items() for row in _fields(model, PLACES[kind])]
    seen = {json.dumps(row | {"place": ""}) for row in rows if row["place"] == "body"}
    return {
        "id": operation["operationId"],
        "method": method.upper(),
        "path": path,
        "summary": operation["summary"],
        "details": operation.get("description", ""),
        "fields": [
            *_parameters(operation.get("parameters", [])),
            *(r for r in rows if r["place"] == "body" or json.dumps(r | {"place": ""}) not in seen),
        ],
        "answers": [
            {
                "status": status,
                "words": answer["description"],
                "headers": list(answer.get("headers", {})),
                "content": list(answer.get("content", {})),
                "fields": _answer_fields(answer, schemas) if int(status) < 400 else [],
            }
            for status, answer in operation["responses"].items()
        ],
        "curl": [
            _curl(method.upper(), path, operation, model, form=kind == FORM, text=text)
            for kind, model in (models or {"": {}}).items()
        ],
    }


def _resolved(schema: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    name = schema.get("$ref", "").removeprefix(SCHEMAS)
    found: dict[str, Any] = schemas[name] if name else schema
    return found


def _parameters(parameters: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        _row(p["name"], p["schema"], p["in"], p.get("required", False), p.get("description", ""))
        for p in parameters
    ]


def _fields(model: dict[str, Any], place: str = "body") -> list[dict[str, Any]]:
    required = model.get("required", ())
    return [
        _row(name, schema, place, name in required, schema.get("description", ""))
        for name, schema in model.get("properties", {}).items()
    ]


def _answer_fields(answer: dict[str, Any], schemas: dict[str, Any]) -> list[dict[str, Any]]:
    content = answer.get("content", {}).get("application/json")
    return _fields(_resolved(content["schema"], schemas), "answer") if content else []


def _row(
    name: str, schema: dict[str, Any], place: str, required: bool, words: str
) -> dict[str, Any]:
    default = schema.get("default")
    return {
        "name": name,
        "place": place,
        "required": required,
        "type": _type(schema),
        "default": "" if default is None else json.dumps(default, ensure_ascii=False),
        "limits": _limits(schema),
        "words": words,
    }


def _kinds(schema: dict[str, Any]) -> list[dict[str, Any]]:
    kinds = [kind for kind in schema.get("anyOf", [schema]) if kind.get("type") != "null"]
    return kinds or [schema]


def _type(schema: dict[str, Any]) -> str:
    names = []
    for kind in _kinds(schema):
        if "$ref" in kind:
            names.append(kind["$ref"].removeprefix(SCHEMAS))
        elif kind.get("type") == "array":
            names.append(f"list of {_type(kind['items'])}")
        else:
            names.append(kind.get("format") or kind.get("type", "value"))
    nullable = len(_kinds(schema)) < len(schema.get("anyOf", [schema]))
    return " or ".join([*names, "null"] if nullable else names)


def _limits(schema: dict[str, Any]) -> str:
    kind = _kinds(schema)[0]
    choices = kind.get("enum", [kind["const"]] if "const" in kind else [])
    if choices:
        return " ".join(str(value) for value in choices)
    if "minimum" in kind and "maximum" in kind:
        return f"{kind['minimum']:g}..{kind['maximum']:g}"
    if "maxLength" in kind:
        return f"{kind.get('minLength', 0)}..{kind['maxLength']} characters"
    return ""


def _curl(
    method: str,
    path: str,
    operation: dict[str, Any],
    model: dict[str, Any],
    *,
    form: bool,
    text: str,
) -> str:
    """A command that works as it stands, but for ids and files. ``text``: the media type of a body
    that is text."""
    address = request.url_root.rstrip("/") + path
    queries = [p["name"] for p in operation.get("parameters", ()) if p["in"] == "query"]
    asked = [p["name"] for p in operation.get("parameters", ()) if p.get("required")]
    words = ["curl"]
    if method not in ("GET", "POST" if form else "GET"):
        words += ["-X", method]
    answers = operation["responses"].values()
    kinds = [kind for answer in answers for kind in answer.get("content", ())]
    target = next((FILES[kind] for kind in kinds if kind in FILES), "")
    if target == "-":
        words += ["--no-buffer"]
    if target:
        words += ["-o", "stream.mjpeg" if target == "-" else target]
    lines = [" ".join([*words, shlex.quote(address)])]
    if form:
        lines += [
            f"-F {name}={UPLOADS.get(name) or EXAMPLES.get(name, '...')}"
            for name in model.get("required", ())
        ]
    elif model:
        body = {name: EXAMPLES.get(name, "...") for name in model.get("required", ())}
        lines.append("-H 'Content-Type: application/json'")
        lines.append("-d " + shlex.quote(json.dumps(body, ensure_ascii=False)))
    elif text:
        lines.append(f"-H 'Content-Type: {text}' --data-binary @offer.sdp")
    elif queries:
        lines[0] = lines[0].replace("curl", "curl -G", 1)
        lines += [
            "--data-urlencode " + shlex.quote(f"{name}={EXAMPLES.get(name, '...')}")
            for name in asked
            if name in queries
        ]
    if any("session" in way for way in operation["security"]):
        lines.append('-H "Authorization: Bearer $TOKEN"')
    elif (
        any({"bearer"} == set(way) for way in operation["security"])
        and {} not in operation["security"]
    ):
        lines.append('-H "Authorization: Bearer $API_TOKEN"')
    return " \\\n  ".join(lines)
