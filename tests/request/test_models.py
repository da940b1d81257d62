from __future__ import annotations

import json
from typing import Any

import pytest

from app_core.errors import BadInput
from app_core.request import GenerateRequest, MjpegRequest, RenderRequest

BAD: list[tuple[dict[str, Any], str]] = [
    ({}, "text"),
    ({"text": ""}, "text"),
    ({"text": " \n"}, "text"),
    ({"text": 5}, "text"),
    ({"text": None}, "text"),
    ({"text": "x", "language": "de"}, "language"),
    ({"text": "x", "language": None}, "language"),
    ({"text": "x", "low_latency": "yes"}, "low_latency"),
    ({"text": "x", "low_latency": 1}, "low_latency"),
    ({"text": "x", "pace": "slow"}, "pace"),
    ({"text": "x", "size": "513x512"}, "size"),
    ({"text": "x", "size": "126x512"}, "size"),
    ({"text": "x", "size": "512x1922"}, "size"),
    ({"text": "x", "size": "512*512"}, "size"),
    ({"text": "x", "size": 512}, "size"),
    ({"text": "x", "fps": 9}, "fps"),
    ({"text": "x", "fps": 61}, "fps"),
    ({"text": "x", "fps": 25.5}, "fps"),
    ({"text": "x", "fps": True}, "fps"),
    ({"text": "x", "speed": 0.4}, "speed"),
    ({"text": "x", "speed": 2.1}, "speed"),
    ({"text": "x", "speed": "1"}, "speed"),
    ({"text": "x", "speed": float("nan")}, "speed"),
    ({"text": "x", "job_id": "mine"}, "job_id"),
    ({"text": "x", "txet": "y"}, "txet"),
    ({"text": "x", "dictionary": None}, "dictionary"),
    ({"text": "x", "dictionary": ["a", "b"]}, "dictionary"),
    ({"text": "x", "dictionary": "a = b"}, "dictionary"),
    ({"text": "x", "dictionary": '{"a": "b", "a": "c"}'}, "dictionary"),
    ({"text": "x", "dictionary": "[" * 100_000}, "dictionary"),
    ({"text": "x", "dictionary": {"a": 5}}, "dictionary"),
    ({"text": "x", "dictionary": {"a": ""}}, "dictionary"),
    ({"text": "x", "dictionary": {"a": "!"}}, "dictionary"),
    ({"text": "x", "dictionary": {" ": "b"}}, "dictionary"),
    ({"text": "x", "dictionary": {"a" * 101: "b"}}, "dictionary"),
    ({"text": "x", "dictionary": {"a": "b" * 301}}, "dictionary"),
    ({"text": "x", "dictionary": {f"a{n}": "b" for n in range(201)}}, "dictionary"),
]


@pytest.mark.parametrize(("fields", "field"), BAD)
def test_bad_input_names_the_field(fields: dict[str, Any], field: str) -> None:
    with pytest.raises(BadInput) as caught:
        MjpegRequest.parse(fields)
    assert caught.value.field == field
    assert str(caught.value).startswith(f"'{field}' ")


@pytest.mark.parametrize("value", [None, [], "text", 5])
def test_only_objects(value: Any) -> None:
    with pytest.raises(BadInput):
        MjpegRequest.parse(value)


def test_defaults_are_the_contract() -> None:
    asked = MjpegRequest.parse({"text": "  Привет  "})
    assert asked.text == "  Привет  ", "places in it are counted as it was sent"
    assert (asked.language, asked.low_latency, asked.pace) == ("ru", False, "realtime")
    assert (asked.size, asked.fps, asked.speed, asked.model) == ("512x512", 25, 1.0, "auto")
    assert GenerateRequest.parse({"text": "x"}).static_mode is True
    assert GenerateRequest.parse({"text": "x"}).size == "auto"


def test_a_query_is_the_same_in_strings() -> None:
    asked = MjpegRequest.parse_query(
        {"text": "hi", "low_latency": "true", "fps": "30", "speed": "1.5", "size": "640x360"}
    )
    assert (asked.low_latency, asked.fps, asked.speed) == (True, 30, 1.5)
    assert asked.pixels(None) == (640, 360)
    with pytest.raises(BadInput) as caught:
        MjpegRequest.parse_query({"text": "hi", "fps": "many"})
    assert caught.value.field == "fps"


def test_a_dictionary_is_an_object_in_json_and_json_in_a_query() -> None:
    words = {"Kaspi": "к+аспи", "C#": "си шарп"}
    assert RenderRequest.parse({"text": "x", "dictionary": words}).dictionary == words
    asked = RenderRequest.parse_query({"text": "x", "dictionary": json.dumps(words)})
    assert asked.dictionary == words
    assert RenderRequest.parse({"text": "x"}).dictionary == {}
    assert RenderRequest.parse({"text": "x", "language": "auto"}).language == "auto"


def test_auto_size_is_the_avatars() -> None:
    asked = RenderRequest.parse({"text": "x", "size": "auto"})
    assert asked.pixels((720, 720)) == (720, 720)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"stream": "yes"}, "'stream' must be true or false"),
        ({"stream": "1"}, "'stream' must be true or false"),
        ({"static_mode": "True"}, "'static_mode' must be true or false"),
        ({"fps": "abc"}, "'fps' must be a whole number"),
        ({"fps": "25.5"}, "'fps' must be a whole number"),
        ({"fps": "9" * 5000}, "'fps' must be a shorter number"),
        ({"speed": "fast"}, "'speed' must be a number"),
    ],
)
def test_strings_are_read_strictly(fields: dict[str, str], sentence: str) -> None:
    with pytest.raises(BadInput) as refused:
        GenerateRequest.parse_query({"text": "x"} | fields)
    assert str(refused.value) == sentence
    read = GenerateRequest.parse_query({"text": "x", "stream": "true", "static_mode": "false"})
    assert (read.stream, read.static_mode) == (True, False)


def test_json_of_another_kind_is_told_in_plain_words() -> None:
    for fields, sentence in (
        ({"stream": "true"}, "'stream' must be true or false"),
        ({"fps": "25"}, "'fps' must be a whole number"),
        ({"fps": 25.5}, "'fps' must be a whole number"),
        ({"speed": "1"}, "'speed' must be a number"),
        ({"text": 5}, "'text' must be text"),
    ):
        with pytest.raises(BadInput) as refused:
            GenerateRequest.parse({"text": "x"} | fields)
        assert str(refused.value) == sentence
