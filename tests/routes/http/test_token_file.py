"""Tokens by file at the routes: who is let in, under which name, and what a removal ends."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app_core.config import Config
from app_core.routes.http.caller import caller
from app_core.services.lipsync_service import LipsyncService
from tests.back_end import app_of
from tests.conftest import checked_client

ANNA, BERIK = "anna-0123456789abcdef", "berik-0123456789abcde"
ASAP = {"text": "one", "pace": "asap", "size": "128x128"}
STREAM = "/api/stream_mjpeg"


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


class Guarded:
    def __init__(self, make: Callable[..., LipsyncService], config: Config, file: Path) -> None:
        self.file = file
        self.write(f"anna {ANNA}\nberik {BERIK}\n")
        self.service = make(config=config.model_copy(update={"api_token_file": file}))
        self.client = checked_client(self.service)
        self.callers: list[str] = []
        app_of(self.client).before_request(lambda: self.callers.append(caller()))

    def write(self, text: str) -> None:
        self.file.write_text(text)
        self.file.chmod(0o600)

    def change(self, text: str) -> None:
        """And a second passes."""
        self.write(text)
        self.service.tokens._looked_s = float("-inf")


@pytest.fixture
def guarded(make_service: Any, config: Config, tmp_path: Path) -> Guarded:
    return Guarded(make_service, config, tmp_path / "tokens")


def test_each_token_opens_and_names_its_client(guarded: Guarded) -> None:
    client = guarded.client
    assert client.get("/api/voices").status_code == 401
    assert client.get("/api/voices", headers=bearer(ANNA[:-1])).status_code == 401
    assert client.get("/api/voices", headers={"Authorization": ANNA}).status_code == 401
    assert client.get("/api/voices", headers=bearer(ANNA)).status_code == 200
    assert client.get("/api/voices", headers=bearer(BERIK)).status_code == 200
    assert guarded.callers == ["token anna", "token berik"]


def test_pages_and_the_document_know_that_a_token_is_needed(guarded: Guarded) -> None:
    document = guarded.client.get("/openapi.json").json
    assert {"bearer": []} in document["paths"]["/api/voices"]["get"]["security"]
    assert {} not in document["paths"]["/api/voices"]["get"]["security"]


def test_a_signed_address_carries_its_clients_name_and_dies_with_the_token(
    guarded: Guarded,
) -> None:
    client = guarded.client
    signed = [
        client.post(STREAM, json=ASAP, headers=bearer(token)).headers["X-Audio-Url"]
        for token in (ANNA, BERIK)
    ]
    assert [client.get(address).status_code for address in signed] == [200, 200]
    assert guarded.callers[-2:] == ["token anna", "token berik"]
    guarded.change(f"berik {BERIK}\n")
    assert [client.get(address).status_code for address in signed] == [401, 200]
    assert client.get("/api/voices", headers=bearer(ANNA)).status_code == 401


def test_a_session_outlives_the_token_that_opened_it(guarded: Guarded) -> None:
    client = guarded.client
    made = client.post("/api/sessions", json={"size": "128x128"}, headers=bearer(ANNA)).json
    guarded.change(f"berik {BERIK}\n")
    say = f"/api/sessions/{made['session_id']}/say"
    assert client.post(say, json={"text": "one"}, headers=bearer(ANNA)).status_code == 401
    assert client.post(say, json={"text": "one"}, headers=bearer(made["token"])).status_code == 202
    assert client.post(say, json={"text": "two"}, headers=bearer(BERIK)).status_code == 404


def test_a_broken_file_keeps_the_tokens_and_is_in_health(guarded: Guarded) -> None:
    guarded.change("anna")
    answer = guarded.client.get("/api/health", headers=bearer(ANNA))
    assert answer.status_code == 200
    assert answer.json["status"] == "degraded"
    assert "API_TOKEN_FILE" in answer.json["reason"]


def test_one_token_alone_names_nobody(guarded: Guarded) -> None:
    guarded.change(f"{ANNA}\n")
    client = guarded.client
    assert client.get("/api/voices", headers=bearer(ANNA)).status_code == 200
    assert guarded.callers == ["address 127.0.0.1"]
