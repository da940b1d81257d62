from __future__ import annotations

from typing import Any

from flask.testing import FlaskClient

from app_core.errors import ModelFailed
from tests.back_end import service_of
from tests.fakes import EchoModel


def test_ready(client: FlaskClient) -> None:
    answer = client.get("/api/health")
    assert answer.status_code == 200
    told = answer.json
    assert told["status"] == "ready"
    assert told["model"] == "echo"
    assert told["voices"] == ["tone"]
    assert told["capacity"]["sessions"] >= 1
    for name in ("device", "avatar", "finder", "ffmpeg", "nvdec", "encoders", "version"):
        assert name in told


def test_offline_is_503_and_alive(make_client: Any) -> None:
    class Broken(EchoModel):
        def warm_up(self) -> None:
            raise ModelFailed("echo: no weights")

    client = make_client(model=Broken())
    answer = client.get("/api/health")
    assert answer.status_code == 503
    assert answer.json["status"] == "offline"
    assert "no weights" in answer.json["reason"]
    assert client.get("/api/health/live").status_code == 200


def test_unknown_addresses_are_json(client: FlaskClient) -> None:
    answer = client.get("/api/nothing")
    assert (answer.status_code, answer.json["code"]) == (404, "not_found")


def test_a_bug_is_500_without_a_traceback(make_client: Any) -> None:
    client = make_client()
    service: Any = service_of(client)
    service.health = lambda: 1 / 0
    answer = client.get("/api/health")
    assert answer.status_code == 500
    assert "ZeroDivision" not in answer.text
    assert answer.json["code"] == "internal"


def test_pages(client: FlaskClient) -> None:
    for path in ("/", "/mjpeg_test"):
        answer = client.get(path)
        assert answer.status_code == 200
        assert answer.mimetype == "text/html"


def test_favicon(client: FlaskClient) -> None:
    answer = client.get("/favicon.ico")
    assert answer.mimetype == "image/svg+xml"
    answer.close()
