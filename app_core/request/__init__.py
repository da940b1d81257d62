"""What a client may ask for."""

from app_core.request.fields import Preset
from app_core.request.models import (
    ChunksRequest,
    Encoding,
    FilmRequest,
    GenerateRequest,
    MjpegRequest,
    RenderRequest,
    TextRequest,
    VideoRequest,
    parsed,
    parsed_query,
)

__all__ = [
    "ChunksRequest",
    "Encoding",
    "FilmRequest",
    "GenerateRequest",
    "MjpegRequest",
    "Preset",
    "RenderRequest",
    "TextRequest",
    "VideoRequest",
    "parsed",
    "parsed_query",
]
