"""The document names what there is, no more and no less."""

from __future__ import annotations

from typing import Any

import jsonschema_rs
import pytest
from flask import Flask
from flask.testing import FlaskClient

from app_core.request import GenerateRequest, MjpegRequest
from app_core.routes.openapi import document as module
from app_core.routes.openapi.document import document
from app_core.routes.openapi.operation import Good, Operation
from tests.contract import Contract, operations


@pytest.fixture
def told(client: FlaskClient) -> dict[str, Any]:
    found: dict[str, Any] = client.get("/openapi.json").json
    return found


def test_every_route_is_described_and_nothing_else(
    client: FlaskClient, told: dict[str, Any]
) -> None:
    assert operations(client.application) == Contract(told).operations()


def test_a_view_without_a_description_is_missed(client: FlaskClient) -> None:
    app = Flask("beside")
    app.config["SOYLE"] = client.application.config["SOYLE"]

    def quiet() -> str:
        return "nothing says what this takes"

    @Operation("Render", "Begin", (Good("It began"),), method="POST")
    @Operation("Render", "Look", (Good("It is seen"),), method="GET")
    def both(name: str) -> str:
        return name

    app.add_url_rule("/whep/<path:name>", view_func=both, methods=["GET", "POST"])
    app.add_url_rule("/api/sessions", view_func=quiet)
    paths = document(app)["paths"]
    assert {m: told["summary"] for m, told in paths["/whep/{name}"].items()} == {
        "post": "Begin",
        "get": "Look",
    }
    described = Contract(document(app)).operations()
    assert operations(app) - described == {("GET", "/api/sessions")}


def test_every_reference_leads_somewhere(told: dict[str, Any]) -> None:
    names = set(told["components"]["schemas"])
    text = str(told)
    used = {part.split("'")[0] for part in text.split("#/components/schemas/")[1:]}
    assert used <= names
    assert len({o["operationId"] for p in told["paths"].values() for o in p.values()}) == len(
        Contract(told).operations()
    )


def test_fields_have_the_limits_that_validate(told: dict[str, Any]) -> None:
    fields = told["components"]["schemas"]["MjpegRequest"]["properties"]
    assert set(fields) == set(MjpegRequest.model_fields)
    assert (fields["fps"]["minimum"], fields["fps"]["maximum"]) == (10, 60)
    assert fields["size"]["default"] == "512x512"
    assert fields["text"]["maxLength"] == 5000
    assert told["components"]["schemas"]["GenerateRequest"]["required"] == ["text"]
    for name, field in fields.items():
        assert field["description"], name


@pytest.mark.parametrize(
    "body",
    [
        {"text": ""},
        {"text": "  "},
        {"text": "a" * 5001},
        {"text": "a", "fps": 61},
        {"text": "a", "fps": "25"},
        {"text": "a", "size": "5x5"},
        {"text": "a", "language": "de"},
        {"text": "a", "nonsense": 1},
        {},
    ],
)
def test_what_is_refused_is_refused_by_the_schema(
    client: FlaskClient, told: dict[str, Any], body: Any
) -> None:
    schema = {"$ref": "#/components/schemas/GenerateRequest", "components": told["components"]}
    assert not jsonschema_rs.is_valid(schema, body)
    assert client.post("/api/generate", json=body).status_code == 400


def test_the_query_has_the_fields_of_the_body(told: dict[str, Any]) -> None:
    parameters = told["paths"]["/api/stream_mjpeg"]["get"]["parameters"]
    assert {p["name"] for p in parameters} == set(MjpegRequest.model_fields)
    assert [p["name"] for p in parameters if p["required"]] == ["text"]
    assert set(GenerateRequest.model_fields) - {p["name"] for p in parameters} >= {"static_mode"}


def test_the_token_is_named_where_it_is_needed(make_client: Any, config: Any) -> None:
    locked = make_client(config=config.model_copy(update={"api_token": "secret"}))
    paths = locked.get("/openapi.json").json["paths"]
    assert paths["/api/generate"]["post"]["security"] == [{"bearer": []}]
    assert {"signed": []} in paths["/api/jobs/{job_id}/audio.wav"]["get"]["security"]
    assert paths["/api/health/live"]["get"]["security"] == []
    say = "/api/sessions/{session_id}/say"
    assert paths[say]["post"]["security"] == [{"session": []}, {"bearer": []}, {"signed": []}]
    client = make_client()
    paths = client.get("/openapi.json").json["paths"]
    assert {} in paths["/api/generate"]["post"]["security"]
    assert paths[say]["post"]["security"] == [{"session": []}, {"signed": []}]
    assert "Authorization: Bearer $TOKEN" in client.get("/docs").text.replace("&#34;", '"')


def test_a_wrong_answer_is_seen(client: FlaskClient, told: dict[str, Any]) -> None:
    contract = Contract(told)
    answer = client.get("/api/voices")
    assert contract.faults("GET", "/api/voices", answer) == []
    assert contract.faults("GET", "/api/health", answer)
    assert contract.faults("GET", "/api/stream_mjpeg", answer)
    assert contract.faults("GET", "/api/nothing", answer)
    answer.status_code = 418
    assert contract.faults("GET", "/api/voices", answer)


def test_an_upload_is_described_as_a_form(client: FlaskClient, told: dict[str, Any]) -> None:
    body = told["paths"]["/api/avatars"]["post"]["requestBody"]["content"]
    assert list(body) == ["multipart/form-data"]
    form = told["components"]["schemas"]["AvatarForm"]
    assert form["required"] == ["file", "consent"]
    assert form["properties"]["file"]["format"] == "binary"
    page = client.get("/docs").text
    assert "-F file=@face.jpg" in page and "-F consent=true" in page


def test_it_is_made_once(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks in a flood must not cost a picture each time."""
    made = client.get("/openapi.json").json

    def again(app: Flask) -> dict[str, Any]:
        raise AssertionError("it is made again")

    monkeypatch.setattr(module, "document", again)
    assert client.get("/openapi.json").json == made
    assert client.get("/docs").status_code == 200
    below = client.get("/openapi.json", environ_overrides={"SCRIPT_NAME": "/talk"}).json
    assert below["servers"] == [{"url": "/talk"}]
