"""POST /api/stream_chunks: a text in chunks, each with a film and a sound at its own address."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, jsonify, request, url_for

from app_core.errors import SoyleError
from app_core.request import ChunksRequest
from app_core.routes.film import MIME, kept
from app_core.routes.http.access import signed
from app_core.routes.http.body import Body
from app_core.routes.http.caller import caller, own
from app_core.routes.http.context import (
    client_socket,
    cut_off,
    json_body,
    leaving,
    service,
    tell_job,
)
from app_core.routes.http.failure import payload
from app_core.routes.http.shares import take_share
from app_core.routes.openapi.operation import JSON, MP4, NDJSON, WAV, Good, Operation
from app_core.routes.openapi.renders import FILE, FILM_PART, KEPT, RANGE, SOUND_PART
from app_core.routes.openapi.responses import Chunks
from app_core.shares import Holding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app_core.job import Chunk

blueprint = Blueprint("stream_chunks", __name__)
_VIEWS = {
    "video_url": "stream_chunks.video",
    "audio_url": "stream_chunks.audio",
    "captions_url": "captions.chunk_vtt",
    "subtitles_url": "captions.chunk_srt",
}
"""What answers at each address of a chunk."""


@blueprint.post("/api/stream_chunks")
@Operation(
    "Render",
    "Cut a text into chunks, each with a film and a sound at its own address",
    (
        Good(
            "All chunks as JSON; as NDJSON each chunk's line the moment it is spoken",
            {JSON: Chunks, NDJSON: None},
            ("X-Job-Id",),
            maybe=("X-Voice",),
        ),
    ),
    FILE,
    body=ChunksRequest,
    headers={"Accept": "application/x-ndjson sends line by line"},
)
def stream_chunks() -> Response:
    asked = ChunksRequest.parse(json_body())
    by_line = NDJSON in request.accept_mimetypes.values()
    gone = partial(cut_off, client_socket()) if by_line else leaving()
    spoken = service().chunks.stream(asked, gone, caller())
    addresses = [_addresses(name) for name in spoken.ids]
    summary = {"success": True, "total_chunks": len(addresses), "language": asked.language}
    if by_line:
        described = map(_described, spoken, addresses)
        # A failure before the first chunk is an answer with its real status.
        lines = _lines(next(described), described, summary)
        response = Response(Body(lines, spoken.close, spoken.job_id), mimetype=NDJSON)
        response.headers["X-Accel-Buffering"] = "no"
    else:
        chunks = list(map(_described, spoken.all(), addresses))
        response = jsonify(summary | {"chunks": chunks})
    tell_job(response, spoken.job_id, spoken.voices)
    return response


@blueprint.get("/api/chunk/video/<chunk_id>")
@Operation(
    "Render",
    "The film of a chunk; waits while it is being made",
    (Good("MP4", {MP4: None}, maybe=("Content-Disposition",)), FILM_PART),
    KEPT,
    headers=RANGE,
    signable=True,
)
def video(chunk_id: str) -> Response:
    with take_share(Holding.LISTENERS):
        return kept(service().chunks.film_file(chunk_id, leaving(), own()), MIME)


@blueprint.get("/api/chunk/audio/<chunk_id>")
@Operation(
    "Render",
    "The sound of a chunk",
    (Good("WAV, 16 kHz, mono, 16 bits", {WAV: None}), SOUND_PART),
    KEPT,
    headers=RANGE,
    signable=True,
)
def audio(chunk_id: str) -> Response:
    with take_share(Holding.LISTENERS):
        return kept(service().chunks.sound_file(chunk_id, leaving(), own()), "audio/wav")


def _addresses(name: str) -> dict[str, str]:
    """Of a chunk. Made before the answer begins: outside of the request there are none."""
    return {field: signed(url_for(view, chunk_id=name), name) for field, view in _VIEWS.items()}


def _described(chunk: Chunk, addresses: dict[str, str]) -> dict[str, Any]:
    seconds = round(chunk.duration_s, 3)
    text = " ".join(chunk.text.split())
    return {"index": chunk.index, "text": text, **addresses, "duration": seconds}


def _lines(
    first: dict[str, Any], others: Iterator[dict[str, Any]], summary: dict[str, Any]
) -> Iterator[bytes]:
    yield _line(first)
    try:
        for chunk in others:
            yield _line(chunk)
    except SoyleError as error:
        summary = {"success": False} | payload(error)
    yield _line(summary)


def _line(value: dict[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode() + b"\n"
