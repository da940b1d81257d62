from __future__ import annotations

import json
from typing import Any

from app_core.routes.gate import Gate


def app(environ: dict[str, Any], start: Any) -> list[bytes]:
    if environ["PATH_INFO"] == "/bug":
        raise RuntimeError("bug")
    start("200 OK", [])
    return [b"in"]


def ask(gate: Gate, path: str = "/") -> tuple[str, Any]:
    status = []
    body = gate({"PATH_INFO": path}, lambda s, h: status.append((s, dict(h))))  # type: ignore[arg-type, return-value]
    return status[0], body


def test_beyond_the_limit_is_503_until_somebody_leaves() -> None:
    gate = Gate(app, 2)  # type: ignore[arg-type]
    inside = [ask(gate)[1] for _ in range(2)]
    (status, headers), body = ask(gate)
    assert status.startswith("503")
    assert headers["Retry-After"] == "1"
    assert json.loads(b"".join(body))["code"] == "busy"
    assert ask(gate, "/api/health/live")[0][0] == "200 OK"
    inside[0].close()
    assert ask(gate)[0][0].startswith("503"), "the one for health is still inside"


def test_a_view_that_raises_leaves() -> None:
    gate = Gate(app, 1)  # type: ignore[arg-type]
    for _ in range(3):
        try:
            ask(gate, "/bug")
        except RuntimeError:
            continue
    assert ask(gate)[0][0] == "200 OK"
