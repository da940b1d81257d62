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
from app_core.request.offers import OfferRequest
from app_core.request.sessions import (
    AudioRequest,
    AvatarRequest,
    InterruptRequest,
    MicrophoneRequest,
    PingRequest,
    SayRequest,
    SessionRequest,
    VoiceRequest,
)

__all__ = [
    "AudioRequest",
    "AvatarRequest",
    "ChunksRequest",
    "Encoding",
    "FilmRequest",
    "GenerateRequest",
    "InterruptRequest",
    "MicrophoneRequest",
    "MjpegRequest",
    "OfferRequest",
    "PingRequest",
    "Preset",
    "RenderRequest",
    "SayRequest",
    "SessionRequest",
    "TextRequest",
    "VideoRequest",
    "VoiceRequest",
    "parsed",
    "parsed_query",
]
