"""Compares real answers with /openapi.json."""

from __future__ import annotations

import re
from typing import Any

import jsonschema_rs
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.exceptions import HTTPException
from werkzeug.test import TestResponse

from app_core.routes.openapi.document import document

IMPLIED = ("HEAD", "OPTIONS")
PAGES = ("/", "/mjpeg_test", "/avatars", "/embed", "/favicon.ico", "/static/{filename}")
"""For people: the document leaves them out."""


def described(path: str) -> bool:
    """Paths that the document must name."""
    return path not in PAGES


def written(rule: str) -> str:
    """The path of a rule as OpenAPI writes it."""
    return re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule)


def operations(app: Flask) -> set[tuple[str, str]]:
    """(method, path) of all that the application serves and the document must name."""
    return {
        (method, written(rule.rule))
        for rule in app.url_map.iter_rules()
        if described(written(rule.rule))
        for method in (rule.methods or set()).difference(IMPLIED)
    }


class Contract:
    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document

    def operations(self) -> set[tuple[str, str]]:
        return {
            (method.upper(), path)
            for path, found in self.document["paths"].items()
            for method in found
        }

    def faults(self, method: str, path: str, answer: TestResponse) -> list[str]:
        """What is wrong with an answer of ``path``, a path as the document writes it."""
        where = f"{method} {path} {answer.status_code}"
        told = self.document["paths"].get(path, {}).get(method.lower())
        if told is None:
            return [f"{where}: not described"]
        expected = told["responses"].get(str(answer.status_code))
        if expected is None:
            return [f"{where}: no such status"]
        found = [
            f"{where}: no header {name}"
            for name, header in expected.get("headers", {}).items()
            if header["required"] and name not in answer.headers
        ]
        content = expected.get("content", {})
        if not content:
            return [*found, f"{where}: a body"] if answer.data else found
        if answer.mimetype not in content:
            return [*found, f"{where}: {answer.mimetype} is none of {list(content)}"]
        if answer.mimetype == "application/json":
            schema = content[answer.mimetype]["schema"] | {
                "components": self.document["components"]
            }
            validator = jsonschema_rs.Draft202012Validator(schema)
            found += [f"{where}: {error}" for error in validator.iter_errors(answer.json)]
        return found


class CheckedClient(FlaskClient):
    """Every answer that a test gets is compared with the contract."""

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        answer = super().open(*args, **kwargs)
        method, path = answer.request.method, answer.request.path
        app = self.application
        try:
            rule, _ = app.url_map.bind("localhost").match(path, method, return_rule=True)
        except HTTPException:
            return answer
        name = written(rule.rule)
        if described(name) and method not in IMPLIED:
            faults = Contract(document(app)).faults(method, name, answer)
            assert not faults, faults
        return answer
