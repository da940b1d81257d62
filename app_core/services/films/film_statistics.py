"""How long each stage of a film's render worked: kept with the job, and logged."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app_core.job import Job

logger = logging.getLogger(__name__)

_STAGES = ("speech", "opening", "faces", "sound", "inference")


def note_statistics(job: Job, width: int, height: int) -> None:
    """Of an ended job. Stages overlap."""
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
    figures = " ".join(f"{name}={value}" for name, value in job.statistics.items())
    logger.info("film: %s", figures, extra={"job": job.id})
