"""A video that speaks: decode, lips and encode in one pass, two ffmpeg processes around the model.

Planar YUV travels between them. The base video goes on in a loop when the speech is longer and is
cut when it is shorter; the result has exactly as many frames as the sound lasts.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from app_core.cancel_scope import never
from app_core.media.decoder import start_video_decoder
from app_core.services.films.video_encode import start_video_encoder

if TYPE_CHECKING:
    from app_core.cancel_scope import Gone
    from app_core.request import VideoRequest

__all__ = ["process_video_lipsync_streaming", "start_video_decoder", "start_video_encoder"]


class VideoService(Protocol):
    """What is used of ``LipsyncService``."""

    def submit(self, request: VideoRequest) -> str: ...

    def render(self, job_id: str, path: Path, gone: Gone) -> dict[str, Any]: ...


def process_video_lipsync_streaming(
    service: VideoService,
    request: VideoRequest,
    output_path: str | Path,
    gone: Gone = never,
) -> dict[str, Any]:
    """Writes the video that speaks ``request.text`` and returns its statistics.

    ``gone`` is asked between frames: true cancels. A failure leaves nothing at ``output_path``.
    Raises what ``submit`` and ``render`` raise.
    """
    return service.render(service.submit(request), Path(output_path), gone)
