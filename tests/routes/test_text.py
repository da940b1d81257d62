from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

TEXT = "/api/text"


@pytest.mark.parametrize("text", ["Цена & качество.", "  \n Цена & качество.  "])
def test_the_reading_names_the_places_in_the_text_as_sent(client: FlaskClient, text: str) -> None:
    answer = client.post(TEXT, json={"text": text})
    assert answer.status_code == 200
    told = answer.json
    assert told["said"] == "Цена и качество."
    assert [word["said"] for word in told["words"]] == ["Цена", "и", "качество."]
    for word in told["words"]:
        assert text[word["start"] : word["end"]] == word["written"]


def test_what_is_said_is_one_line(client: FlaskClient) -> None:
    told = client.post(TEXT, json={"text": "One\n\ntwo.  Three", "language": "en"}).json
    assert told["said"] == "One. two. Three."


@pytest.mark.parametrize("text", ["🙂", "...", "<br>", " \n "])
def test_nothing_left_to_say_is_400(client: FlaskClient, text: str) -> None:
    answer = client.post(TEXT, json={"text": text})
    assert (answer.status_code, answer.json["field"]) == (400, "text")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "text"),
        ({"text": 5}, "text"),
        ({"text": "а" * 5001}, "text"),
        ({"text": "a", "language": "de"}, "language"),
        ({"text": "a", "fps": 25}, "fps"),
    ],
)
def test_what_is_wrong_is_named(client: FlaskClient, body: dict[str, Any], field: str) -> None:
    answer = client.post(TEXT, json=body)
    assert (answer.status_code, answer.json["field"]) == (400, field)


def test_spaces_around_a_text_do_not_count(client: FlaskClient) -> None:
    text = " " * 3000 + "да " * 1666
    assert client.post(TEXT, json={"text": text}).status_code == 200


def test_only_json_is_read(client: FlaskClient) -> None:
    assert client.post(TEXT, data={"text": "a"}).status_code == 415


@pytest.mark.parametrize(
    ("path", "more"),
    [
        ("/api/stream_mjpeg", {}),
        ("/api/generate", {}),
        ("/api/generate", {"stream": True}),
        ("/api/lipsync/video", {}),
        ("/api/stream_chunks", {}),
    ],
)
@pytest.mark.parametrize("later", [{}, {"Prefer": "respond-async"}])
def test_a_render_of_nothing_is_400_at_once(
    client: FlaskClient, path: str, more: dict[str, Any], later: dict[str, str]
) -> None:
    answer = client.post(path, json={"text": "🙂 <br>"} | more, headers=later)
    assert (answer.status_code, answer.json["field"]) == (400, "text")
    assert "X-Job-Id" not in answer.headers
