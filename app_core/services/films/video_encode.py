"""Frames into a film: a whole MP4 file, or pieces that play while it is made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app_core.errors import BadInput
from app_core.outputs.mp4 import Mp4Writer, start_mp4
from app_core.outputs.output import Format
from app_core.request import Encoding

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from app_core.media.ffmpeg import Ffmpeg
    from app_core.request import VideoRequest
    from app_core.types import Frame


def check_codecs(request: VideoRequest, ffmpeg: Ffmpeg) -> None:
    """Raises BadInput for an encoder or a decoder that does not work on this machine."""
    if request.encoder not in ffmpeg.encoders:
        works = ", ".join(ffmpeg.encoders)
        raise BadInput(
            f"'encoder' must be one that works on this machine: {works}", field="encoder"
        )
    if request.use_nvdec and not ffmpeg.nvdec:
        raise BadInput("'use_nvdec': no NVIDIA decoder works on this machine", field="use_nvdec")


def start_video_encoder(
    ffmpeg: Ffmpeg,
    path: Path,
    width: int,
    height: int,
    fps: int,
    sample_rate: int,
    encoding: Encoding | None = None,
) -> Mp4Writer:
    """Takes frames with ``write`` and makes the MP4 at ``path`` with ``finish``.

    Constant frame rate, a key frame every two seconds and nowhere else, AAC 192 kbit/s at
    48 kHz, index first. Leaving its ``with`` block early leaves no file. Raises FfmpegFailed.
    """
    chosen = encoding or Encoding()
    return start_mp4(path, Format(width, height, fps, sample_rate), chosen, ffmpeg)


def encode(frames: Iterable[Frame], writer: Mp4Writer) -> None:
    """All of them to the writer's file. A failure leaves no file."""
    with writer:
        for frame in frames:
            writer.write(frame)
        writer.finish()
