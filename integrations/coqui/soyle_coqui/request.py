"""What a client asks for, checked."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from soyle_coqui.errors import BadRequest
from soyle_coqui.text import guess
from soyle_coqui.voice import DEFAULT

if TYPE_CHECKING:
    from soyle_coqui.voice import Voice

MOST_CHARACTERS = 4096
_SPEEDS = 0.25, 4.0
_STOCK = frozenset(
    "alloy ash ballad coral echo fable nova onyx sage shimmer verse marin cedar".split()
)
"""The names of OpenAI's voices, one of which its clients must send."""

Form = Literal["wav", "pcm"]


@dataclass(frozen=True, slots=True)
class SpeechRequest:
    pieces: list[str]
    language: str
    speaker: str
    """Empty: the default."""
    speed: float
    form: Form
    events: bool
    """The sound in server-sent events."""


def openai_form(body: bytes, voice: Voice) -> SpeechRequest:
    """Of ``POST /v1/audio/speech``. ``model`` may be anything: there is one. Raises BadRequest."""
    told = _object(body)
    form = told.get("response_format", "wav")
    if form not in ("wav", "pcm"):
        raise BadRequest("'response_format' must be wav or pcm", "response_format")
    stream = told.get("stream_format", "audio")
    if stream not in ("audio", "sse"):
        raise BadRequest("'stream_format' must be audio or sse", "stream_format")
    text = _text(told, "input")
    language = _language(told, "language", text, voice)
    pieces, speaker, speed = (
        _cut(voice, text, language, "input"),
        _speaker(told, voice),
        _speed(told),
    )
    return SpeechRequest(pieces, language, speaker, speed, form, stream == "sse")


def plain_form(body: bytes, voice: Voice) -> SpeechRequest:
    """Of ``POST /``: text and lang. Raises BadRequest."""
    told = _object(body)
    text = _text(told, "text")
    language = _language(told, "lang", text, voice)
    return SpeechRequest(_cut(voice, text, language, "text"), language, "", 1.0, "wav", False)


def _object(body: bytes) -> dict[str, Any]:
    try:
        told = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadRequest("The body must be JSON in UTF-8") from error
    if not isinstance(told, dict):
        raise BadRequest("The body must be a JSON object")
    return told


def _text(told: dict[str, Any], name: str) -> str:
    text = told.get(name)
    if not isinstance(text, str) or not text.strip():
        raise BadRequest(f"'{name}' must be a text", name)
    if len(text) > MOST_CHARACTERS:
        raise BadRequest(f"'{name}' has {len(text)} characters of {MOST_CHARACTERS}", name)
    return text


def _language(told: dict[str, Any], name: str, text: str, voice: Voice) -> str:
    """Of the only language, or by the letters, when the request does not say."""
    given = told.get(name)
    if given is None or given == "":
        language = voice.languages[0] if len(voice.languages) == 1 else guess(text)
    elif isinstance(given, str):
        language = given.strip().lower()
        if language not in voice.languages:
            language = language.split("-")[0].split("_")[0]
    else:
        raise BadRequest(f"'{name}' must be a code such as ru", name)
    if language not in voice.languages:
        spoken = ", ".join(voice.languages)
        raise BadRequest(f"{voice.name} does not speak '{language}'; it speaks: {spoken}", name)
    return language


def _speaker(told: dict[str, Any], voice: Voice) -> str:
    given = told.get("voice")
    if given is None or given == "" or given == DEFAULT:
        return ""
    if isinstance(given, str) and given in voice.speakers:
        return given
    if isinstance(given, str) and given in _STOCK:
        return ""
    names = ", ".join([DEFAULT, *voice.speakers])
    raise BadRequest(f"'voice' must be one of: {names}", "voice")


def _speed(told: dict[str, Any]) -> float:
    speed = told.get("speed", 1.0)
    least, most = _SPEEDS
    number = isinstance(speed, int | float) and not isinstance(speed, bool)
    if not number or not least <= speed <= most:
        raise BadRequest(f"'speed' must be {least} to {most}", "speed")
    return float(speed)


def _cut(voice: Voice, text: str, language: str, name: str) -> list[str]:
    pieces = voice.cut(text, language)
    if not pieces:
        raise BadRequest(f"'{name}' has nothing that can be said", name)
    return pieces
