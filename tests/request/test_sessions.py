from __future__ import annotations

from typing import Any

import pytest

from app_core.errors import BadInput
from app_core.request import (
    AudioRequest,
    AvatarRequest,
    InterruptRequest,
    MicrophoneRequest,
    PingRequest,
    SayRequest,
    SessionRequest,
    VoiceRequest,
)
from app_core.types import Prosody

BAD: list[tuple[type[Any], dict[str, Any], str]] = [
    (SessionRequest, {"mode": "talk"}, "mode"),
    (SessionRequest, {"mode": "sing"}, "mode"),
    (SessionRequest, {"mode": None}, "mode"),
    (SessionRequest, {"text": "hello"}, "text"),
    (SessionRequest, {"size": "513x512"}, "size"),
    (SessionRequest, {"fps": "25"}, "fps"),
    (SessionRequest, {"speed": 3}, "speed"),
    (SessionRequest, {"language": None}, "language"),
    (SayRequest, {}, "text"),
    (SayRequest, {"text": ""}, "text"),
    (SayRequest, {"text": " \n"}, "text"),
    (SayRequest, {"text": 5}, "text"),
    (SayRequest, {"text": "", "more": True, "utterance_id": "a"}, "text"),
    (SayRequest, {"text": "x", "more": 1}, "more"),
    (SayRequest, {"text": "x", "replace": "yes"}, "replace"),
    (SayRequest, {"text": "x", "utterance_id": ""}, "utterance_id"),
    (SayRequest, {"text": "x", "utterance_id": "a b"}, "utterance_id"),
    (SayRequest, {"text": "x", "utterance_id": "a" * 65}, "utterance_id"),
    (SayRequest, {"text": "x", "utterance_id": 7}, "utterance_id"),
    (SayRequest, {"text": "x", "language": "de"}, "language"),
    (SayRequest, {"text": "x", "speed": 0.1}, "speed"),
    (SayRequest, {"text": "x", "dictionary": {"a": ""}}, "dictionary"),
    (InterruptRequest, {"utterance_id": 1}, "utterance_id"),
    (InterruptRequest, {"utterance": "a"}, "utterance"),
    (AvatarRequest, {}, "avatar"),
    (AvatarRequest, {"avatar": None}, "avatar"),
    (VoiceRequest, {"voice": 1}, "voice"),
    (VoiceRequest, {"language": "de"}, "language"),
    (MicrophoneRequest, {"sample_rate": 4000}, "sample_rate"),
    (MicrophoneRequest, {"sample_rate": 48000.5}, "sample_rate"),
    (AudioRequest, {"text": None}, "text"),
    (PingRequest, {"t": "now"}, "t"),
    (PingRequest, {"round_trip_ms": -1}, "round_trip_ms"),
]


@pytest.mark.parametrize(("kind", "fields", "field"), BAD)
def test_what_is_wrong_is_named(kind: type[Any], fields: dict[str, Any], field: str) -> None:
    with pytest.raises(BadInput) as refused:
        kind.parse(fields)
    assert refused.value.field == field
    assert f"'{field}'" in str(refused.value)


def test_a_mode_of_a_later_release_is_told_as_one() -> None:
    with pytest.raises(BadInput, match="'mode' must be say or puppet; talk comes with a later"):
        SessionRequest.parse({"mode": "talk"})


def test_defaults_of_a_session() -> None:
    request = SessionRequest.parse({})
    assert (request.avatar, request.voice, request.model) == (None, None, "auto")
    assert (request.language, request.size, request.fps, request.mode) == (
        "ru",
        "512x512",
        25,
        "say",
    )
    assert request.pixels((1, 1)) == (512, 512)
    assert SessionRequest.parse({"size": "auto"}).pixels((640, 480)) == (640, 480)
    assert SessionRequest.parse({"speed": 1.5, "pitch": -2.0}).prosody == Prosody(1.5, -2.0)


def test_a_piece_keeps_its_spaces() -> None:
    assert SayRequest.parse({"text": " ", "more": True, "utterance_id": "a"}).text == " "
    assert SayRequest.parse({"text": " world ", "more": True}).text == " world "
    assert SayRequest.parse({"text": " end ", "utterance_id": "a"}).text == " end "


def test_an_empty_text_may_end_an_utterance() -> None:
    assert SayRequest.parse({"text": "", "utterance_id": "a"}).text == ""


def test_what_is_left_out_is_the_sessions() -> None:
    request = SayRequest.parse({"text": "x"})
    assert (request.language, request.voice, request.speed, request.pitch) == (None,) * 4
    assert (request.more, request.replace, request.utterance_id) == (False, False, None)
    assert SayRequest.parse({"text": "x", "language": "auto"}).language == "auto"
