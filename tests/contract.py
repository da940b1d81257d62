"""Compares real answers with /openapi.json."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import jsonschema_rs
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.exceptions import HTTPException
from werkzeug.test import TestResponse

from app_core.routes.openapi.document import document
from app_core.routes.openapi.operation import operations_of

IMPLIED = ("HEAD", "OPTIONS")
PAGES = (
    "/",
    "/mjpeg_test",
    "/realtime",
    "/avatar",
    "/whep_test",
    "/avatars",
    "/embed",
    "/api-test",
    "/favicon.ico",
    "/static/{filename}",
)
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
    """``document`` stays as it is: what is compiled of it is kept."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document
        self._validators: dict[tuple[str, str, int], jsonschema_rs.Validator] = {}

    @classmethod
    def of(cls, app: Flask) -> Contract:
        """Made once for all applications with the same views and settings; where files are does
        not count."""
        settings = vars(app.config["SOYLE"]).items()
        told = tuple((name, value) for name, value in settings if not isinstance(value, Path))
        views = tuple(
            (rule.rule, frozenset(rule.methods or ()), view)
            for rule in app.url_map.iter_rules()
            if operations_of(view := app.view_functions[rule.endpoint])
        )
        if (told, views) not in _MADE:
            _MADE[told, views] = cls(document(app))
        return _MADE[told, views]

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
            validator = self._validator(method, path, answer.status_code)
            found += [f"{where}: {error}" for error in validator.iter_errors(answer.json)]
        return found

    def _validator(self, method: str, path: str, status: int) -> jsonschema_rs.Validator:
        """Of a described answer in JSON."""
        if (method, path, status) not in self._validators:
            told = self.document["paths"][path][method.lower()]["responses"][str(status)]
            schema = told["content"]["application/json"]["schema"]
            whole = schema | {"components": self.document["components"]}
            self._validators[method, path, status] = jsonschema_rs.Draft202012Validator(whole)
        return self._validators[method, path, status]


_MADE: dict[tuple[Any, ...], Contract] = {}


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
            faults = Contract.of(app).faults(method, name, answer)
            assert not faults, faults
        return answer
