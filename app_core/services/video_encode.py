"""A job's frames into a film: a whole MP4 file, or pieces that play while it is made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app_core.outputs.fragmented_mp4 import fragments
from app_core.outputs.output import Format
from app_core.services.video_lipsync_stream import start_video_encoder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from app_core.job import Job
    from app_core.outputs.mp4 import Mp4Writer
    from app_core.services.lipsync_service import LipsyncService
    from app_core.types import Frame


def unchanged(frame: Frame) -> Frame:
    return frame


def film_writer(service: LipsyncService, job: Job, path: Path) -> Mp4Writer:
    """Writes frames of a running job to ``path``, with the settings of its request."""
    width, height = service.size(job)
    request, rate = job.request, job.sound.sample_rate
    return start_video_encoder(
        service.backend.ffmpeg(), path, width, height, request.fps, rate, request.encoding
    )


def write_film(
    service: LipsyncService,
    job: Job,
    path: Path,
    gone: Callable[[], bool],
    finish: Callable[[Frame], Frame] = unchanged,
) -> None:
    """The whole job to an MP4 file. Another ends the job."""
    with service.frames(job, finish, gone) as frames, film_writer(service, job, path) as writer:
        for frame in frames:
            writer.write(frame)
        writer.finish()


def film_pieces(service: LipsyncService, job: Job, gone: Callable[[], bool]) -> Iterator[bytes]:
    """The job's film as a fragmented MP4, while it is made. Another ends the job."""
    width, height = service.size(job)
    request, rate = job.request, job.sound.sample_rate
    watched = _watched(service, job, gone)
    ffmpeg = service.backend.ffmpeg()
    return fragments(watched, Format(width, height, request.fps, rate), request.encoding, ffmpeg)


def _watched(service: LipsyncService, job: Job, gone: Callable[[], bool]) -> Iterator[Frame]:
    with service.frames(job, unchanged, gone) as frames:
        yield from frames
