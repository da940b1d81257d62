"""Is the server ready, and how much more can it take?"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from app_core.config import VERSION
from app_core.face.finder import finder_name
from app_core.services.backend import ENGINE_LOST

if TYPE_CHECKING:
    from app_core.services.lipsync_service import LipsyncService


def report(service: LipsyncService) -> dict[str, Any]:
    backend = service.backend
    status, reason = _status(service)
    model, engine, ffmpeg = backend.model, backend.engine, backend.found_ffmpeg
    base = service.base_video.describe()
    if base is not None and base["error"] is not None and status in ("ready", "degraded"):
        status = "degraded"
        reason = f"{reason}; {base['error']['error']}" if reason else base["error"]["error"]
    return {
        "status": status,
        "reason": reason or None,
        "model": model.name if model else service.config.model,
        "device": model.device if model else None,
        "model_reason": backend.why or None,
        "avatar": service.config.avatar,
        "base_video": base,
        "finder": finder_name(service.config.models_dir),
        "voices": [voice["id"] for voice in service.voices.describe()],
        "ffmpeg": ffmpeg.version if ffmpeg else None,
        "nvdec": ffmpeg.nvdec if ffmpeg else False,
        "encoders": list(ffmpeg.encoders) if ffmpeg else [],
        "version": VERSION,
        "capacity": {
            **asdict(service.capacity.snapshot()),
            "max_jobs": service.config.max_jobs,
            "jobs": len(service.jobs.running()),
            "queue": engine.depth if engine else 0,
            "mean_batch": round(engine.mean_batch, 2) if engine else 0.0,
            "frames_per_s": round(engine.throughput.frames_per_s, 1) if engine else 0.0,
        },
    }


def missing_voice(service: LipsyncService) -> str:
    """What is wrong with VOICE, empty when nothing is."""
    voice, there = service.config.voice, service.voices.ids()
    if not voice or voice in there:
        return ""
    return f"VOICE={voice}: there is no such voice; there is: {', '.join(there) or 'none'}"


def _status(service: LipsyncService) -> tuple[str, str]:
    """With the reason, empty when all is well."""
    backend = service.backend
    if backend.engine_is_lost:
        return "offline", ENGINE_LOST
    missing = missing_voice(service)
    if backend.status == "ready" and missing:
        return "degraded", missing
    return backend.status, backend.reason
