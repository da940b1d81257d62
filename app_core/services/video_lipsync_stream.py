"""A video that speaks: decode, lips and encode in one pass, two ffmpeg processes around the model.

Planar YUV travels between them. The base video goes on in a loop when the speech is longer and is
cut when it is shorter; the result has exactly as many frames as the sound lasts.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app_core.errors import BadInput
from app_core.media.decoder import ClipDecoder, measure_clip
from app_core.outputs.mp4 import Mp4Writer, start_mp4
from app_core.outputs.output import Format
from app_core.request import Encoding

if TYPE_CHECKING:
    from collections.abc import Callable

    from app_core.avatars.library import Avatar
    from app_core.job import Job
    from app_core.media.ffmpeg import Ffmpeg
    from app_core.request import VideoRequest
    from app_core.services.lipsync_service import LipsyncService
    from app_core.services.recording import Recording
    from app_core.types import ClipShape, Cut

logger = logging.getLogger(__name__)

_STAGES = ("speech", "opening", "faces", "sound", "inference")


def start_video_decoder(
    ffmpeg: Ffmpeg,
    path: Path,
    cut: Cut | None = None,
    size: tuple[int, int] | None = None,
    *,
    use_nvdec: bool = False,
) -> ClipDecoder:
    """``cut`` of the video (default: all of it), scaled to an even (width, height), in a loop.

    ``read()`` gives one Picture after the other; close it. Raises FfmpegFailed.
    """
    if cut is None:
        cut = measure_clip(ffmpeg, path).whole
    even = (cut.width // 2 * 2, cut.height // 2 * 2)
    return ClipDecoder(ffmpeg, path, cut, size or even, use_nvdec=use_nvdec)


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


class ClipFootage:
    """What avatars read their clips with. ``ffmpeg()`` finds the program when it is needed."""

    def __init__(self, ffmpeg: Callable[[], Ffmpeg]) -> None:
        self._ffmpeg = ffmpeg

    def measure(self, path: Path) -> ClipShape:
        return measure_clip(self._ffmpeg(), path)

    def open(self, path: Path, cut: Cut, size: tuple[int, int], *, use_nvdec: bool) -> ClipDecoder:
        return start_video_decoder(self._ffmpeg(), path, cut, size, use_nvdec=use_nvdec)


def start_video_lipsync(
    service: LipsyncService, request: VideoRequest, recording: Recording | None = None
) -> Job:
    """Submits the render of the text or a ``recording``.

    Raises BadInput for an encoder or a decoder that does not work on this machine, NotFound when
    the base video is missing, NotReady while its face is looked for, UnusableVideo when it has
    none, and what ``submit`` raises.
    """
    service.backend.ready()
    ffmpeg = service.backend.ffmpeg()
    if request.encoder not in ffmpeg.encoders:
        works = ", ".join(ffmpeg.encoders)
        raise BadInput(
            f"'encoder' must be one that works on this machine: {works}", field="encoder"
        )
    if request.use_nvdec and not ffmpeg.nvdec:
        raise BadInput("'use_nvdec': no NVIDIA decoder works on this machine", field="use_nvdec")
    avatar = _avatar(service, request)
    return service.submit(request, avatar, recording=recording)


def process_video_lipsync_streaming(
    service: LipsyncService,
    request: VideoRequest,
    output_path: str | Path,
    gone: Callable[[], bool] = bool,
) -> dict[str, Any]:
    """Writes the video that speaks ``request.text`` and returns its statistics.

    ``gone`` is asked between frames: true cancels. A failure leaves nothing at ``output_path``.
    """
    job = start_video_lipsync(service, request)
    service.render(job, Path(output_path), gone)
    return job.statistics or {}


def note_statistics(job: Job, width: int, height: int) -> None:
    """Keeps with an ended job, and logs, how long each stage worked. Stages overlap."""
    spent = job.spent_s
    ended_s = job.ended_s or job.created_s
    total_s = ended_s - job.created_s + spent.get("faces", 0.0)
    seconds = {f"{stage}_s": round(spent.get(stage, 0.0), 3) for stage in _STAGES}
    job.statistics = {
        **seconds,
        "frames": job.frames_done,
        "frames_without_face": job.frames_without_face,
        "frames_per_s": round(job.frames_done / total_s, 1) if total_s > 0 else 0.0,
        "resolution": f"{width}x{height}",
        "encoder": job.request.encoding.encoder,
        "nvdec": job.request.decoding_on_gpu,
        "total_s": round(total_s, 3),
    }
    told = " ".join(f"{name}={value}" for name, value in job.statistics.items())
    logger.info("film: %s", told, extra={"job": job.id})


def _avatar(service: LipsyncService, request: VideoRequest) -> Avatar:
    if request.avatar is not None or service.base_video.path is None:
        return service.library.get(request.avatar or service.config.avatar)
    return service.base_video.avatar()
