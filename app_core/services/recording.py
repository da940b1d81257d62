"""A face says a recording: the way in for Python callers who have a sound and no text."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from app_core.errors import BadInput
from app_core.media.wav import read_wav
from app_core.picture import to_bgr
from app_core.request import GenerateRequest
from app_core.types import Speech

if TYPE_CHECKING:
    from collections.abc import Callable

    from app_core.services.lipsync_service import LipsyncService
    from app_core.types import Frame, UInt8


def process_recording(
    service: LipsyncService,
    face_path: Path,
    audio_path: Path,
    output_path: Path | None,
    static: bool,
    frame_sink: Callable[[UInt8], None] | None,
    batch_size: int | None,
) -> Path | None:
    """As ``LipsyncService.process``."""
    if batch_size is not None and batch_size < 1:
        raise BadInput("batch_size_override must be at least 1", field="batch_size_override")
    pcm, rate = read_wav(audio_path, service.studio.ffmpeg())
    speech = Speech(index=0, text="", pcm=pcm, sample_rate=rate, phonemes=None)
    job = service.begin(
        GenerateRequest.model_construct(text="", static_mode=static),
        avatar=service.faces.at(face_path),
        speeches=lambda job: iter([speech]),
        sample_rate=rate,
        batch_size=batch_size,
    )

    def seen(frame: Frame) -> Frame:
        if frame_sink is not None:
            frame_sink(to_bgr(frame.picture))
        return frame

    if output_path is not None:
        service.render(job, output_path, finish=seen)
        return output_path
    with service.frames(job, seen) as frames:
        for _ in frames:
            pass
    return None
