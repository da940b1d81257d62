"""Is the server ready, and how much more can it take?"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from app_core.config import VERSION
from app_core.face.finder import finder_name
from app_core.services.backend import ENGINE_LOST

if TYPE_CHECKING:
    from app_core.config import Config
    from app_core.job_table import JobTable
    from app_core.services.backend import Backend
    from app_core.speech.registry import Voices


def report(
    config: Config, backend: Backend, jobs: JobTable, voices: Voices, base: dict[str, Any] | None
) -> dict[str, Any]:
    """``base`` describes the base video, None without one."""
    status, reason = _status(backend, missing_voice(config.voice, voices.ids()))
    model, engine, ffmpeg = backend.model, backend.engine, backend.found_ffmpeg
    if base is not None and base["error"] is not None and status in ("ready", "degraded"):
        status = "degraded"
        reason = f"{reason}; {base['error']['error']}" if reason else base["error"]["error"]
    return {
        "status": status,
        "reason": reason or None,
        "model": model.name if model else config.model,
        "device": model.device if model else None,
        "model_reason": backend.why or None,
        "avatar": config.avatar,
        "base_video": base,
        "finder": finder_name(config.models_dir),
        "voices": [voice["id"] for voice in voices.describe()],
        "ffmpeg": ffmpeg.version if ffmpeg else None,
        "nvdec": ffmpeg.nvdec if ffmpeg else False,
        "encoders": list(ffmpeg.encoders) if ffmpeg else [],
        "version": VERSION,
        "capacity": {
            **asdict(backend.capacity.snapshot()),
            "max_jobs": config.max_jobs,
            "jobs": len(jobs.running()),
            "queue": engine.depth if engine else 0,
            "mean_batch": round(engine.mean_batch, 2) if engine else 0.0,
            "frames_per_s": round(engine.throughput.frames_per_s, 1) if engine else 0.0,
        },
    }


def missing_voice(voice: str, there: list[str]) -> str:
    """What is wrong with VOICE when ``there`` are these; empty when nothing is."""
    if not voice or voice in there:
        return ""
    return f"VOICE={voice}: there is no such voice; there is: {', '.join(there) or 'none'}"


def _status(backend: Backend, missing: str) -> tuple[str, str]:
    """With the reason, empty when all is well."""
    if backend.engine_is_lost:
        return "offline", ENGINE_LOST
    if backend.status == "ready" and missing:
        return "degraded", missing
    return backend.status, backend.reason
