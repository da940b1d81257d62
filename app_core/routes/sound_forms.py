"""Renders of a recording: the same requests as forms, with a sound in place of voice and speed."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from flask import request
from pydantic import BaseModel, ConfigDict, Field, StrictStr

from app_core.avatars.importing.uploaded_file import Upload
from app_core.errors import BadInput
from app_core.request import GenerateRequest, MjpegRequest, RenderRequest, VideoRequest
from app_core.routes.http.context import config, json_body, query, scratch
from app_core.routes.http.multipart_form import MIME, check_form, read_form
from app_core.routes.http.shares import check_share, take_share
from app_core.shares import Holding

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FILE = "audio"
_OF_A_VOICE = ("voice", "speed", "pitch")
_LETTER_BYTES = 4
"""The most that a character takes in UTF-8."""

Asked = TypeVar("Asked", bound=RenderRequest)


def _without_voice(schema: dict[str, Any]) -> None:
    for name in _OF_A_VOICE:
        del schema["properties"][name]


class SoundForm(BaseModel):
    """multipart/form-data"""

    model_config = ConfigDict(json_schema_extra=_without_voice)

    audio: bytes = Field(
        description="A sound to be said: WAV, FLAC, OGG, MP3, M4A, WebM, or the sound of a video",
        json_schema_extra={"format": "binary"},
    )
    text: Annotated[StrictStr, Field(json_schema_extra={"minLength": 0})] = Field(
        default="", description="What is said in it, for better lips; empty: unknown"
    )


class GenerateForm(SoundForm, GenerateRequest):
    """multipart/form-data"""


class VideoForm(SoundForm, VideoRequest):
    """multipart/form-data"""


class MjpegForm(SoundForm, MjpegRequest):
    """multipart/form-data"""


@contextmanager
def asked(kind: type[Asked], form: type[Asked]) -> Iterator[tuple[Asked, Path | None]]:
    """The request as an address, as JSON, or as a form with the file of sound that came in it. The
    file is there within the block.
    """
    if request.method == "GET":
        yield kind.parse_query(query()), None
        return
    if request.mimetype != MIME:
        yield kind.parse(json_body()), None
        return
    longest = _LETTER_BYTES * config().max_text_chars
    check_form(FILE, longest)
    check_share(Holding.RENDERS)
    upload = Upload(scratch(), take_share(Holding.UPLOADS))
    try:
        names = tuple(name for name in form.model_fields if name != FILE)
        fields, _ = read_form(names, FILE, upload.place, longest)
        for name in _OF_A_VOICE:
            if name in fields:
                raise BadInput(f"'{name}' has no meaning for a recording", field=name)
        yield form.parse_query(fields | {FILE: ""}), upload.path
    finally:
        upload.close()
        upload.share.release()
