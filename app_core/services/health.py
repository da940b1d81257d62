"""Is the server ready, and how much more can it take?"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from app_core.config import VERSION
from app_core.face.finder import finder_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app_core.config import Config
    from app_core.job_table import JobTable
    from app_core.services.backend import Backend
    from app_core.services.loaded_model import LoadedModel
    from app_core.speech.registry import Voices

MOST_SHOWN = 8
"""Voices in a sentence."""


def report(
    config: Config,
    backend: Backend,
    jobs: JobTable,
    sessions: int,
    voices: Voices,
    base: dict[str, Any] | None,
    faults: Sequence[str] = (),
    disks: Sequence[dict[str, Any]] = (),
) -> dict[str, Any]:
    """``sessions`` are open. ``base`` describes the base video, None without one. ``faults``: what
    else an operator has to mend; empty ones are none."""
    status, reason = _status(backend, missing_voice(config.voice, voices))
    models, ffmpeg = backend.models, backend.found_ffmpeg
    default = models[0] if models else None
    if base is not None and base["error"] is not None and status in ("ready", "degraded"):
        status = "degraded"
        reason = f"{reason}; {base['error']['error']}" if reason else base["error"]["error"]
    server = backend.speech_server
    if server is not None and server.status == "failed" and status in ("ready", "degraded"):
        status, reason = "degraded", "; ".join(filter(None, [reason, server.reason]))
    if any(faults) and status in ("ready", "degraded"):
        status, reason = "degraded", "; ".join(filter(None, [reason, *faults]))
    return {
        "status": status,
        "reason": reason or None,
        "model": default.name if default else config.model_names[0],
        "device": default.model.device if default else None,
        "model_reason": (default.why or None) if default else None,
        "models": [_model(loaded) for loaded in models],
        "avatar": config.avatar,
        "base_video": base,
        "finder": finder_name(config.models_dir),
        "voices": [voice["id"] for voice in voices.describe()],
        "speech_server": server.describe() if server is not None else None,
        "ffmpeg": ffmpeg.version if ffmpeg else None,
        "nvdec": ffmpeg.nvdec if ffmpeg else False,
        "encoders": list(ffmpeg.encoders) if ffmpeg else [],
        "disks": list(disks),
        "version": VERSION,
        "sessions": {"open": sessions, "most": config.max_sessions},
        "capacity": {
            **asdict(backend.capacity.snapshot()),
            "max_jobs": config.max_jobs,
            "jobs": len(jobs.running()),
            **_drawn(models),
        },
    }


def _model(loaded: LoadedModel) -> dict[str, Any]:
    seen = loaded.capacity.snapshot()
    return {
        "name": loaded.name,
        "device": loaded.model.device,
        "reason": loaded.why or None,
        "frame_ms": seen.frame_ms,
        "model_fps": seen.model_fps,
        "sessions": seen.sessions,
        **_drawn([loaded]),
    }


def _drawn(models: Sequence[LoadedModel]) -> dict[str, Any]:
    """What their threads have to do and did, together."""
    engines = [loaded.engine for loaded in models]
    batches = sum(engine.batches for engine in engines)
    frames = sum(engine.frames for engine in engines)
    frames_per_s = sum(engine.throughput.frames_per_s for engine in engines)
    return {
        "queue": sum(engine.depth for engine in engines),
        "mean_batch": round(frames / batches, 2) if batches else 0.0,
        "frames_per_s": round(frames_per_s, 1),
    }


def missing_voice(voice: str, voices: Voices) -> str:
    """What is wrong with VOICE and the settings of languages; empty when nothing is."""
    there = voices.ids()
    wrong = [f"VOICE={voice}"] if voice and not voices.knows(voice) else []
    wrong += [f"VOICE_{language.upper()}={name}" for language, name in voices.missing()]
    reasons = "; ".join(f"{setting}: there is no such voice" for setting in wrong)
    shown = ", ".join(there[:MOST_SHOWN]) + ("..." if len(there) > MOST_SHOWN else "")
    return f"{reasons}; there is: {shown or 'none'}" if wrong else ""


def _status(backend: Backend, missing: str) -> tuple[str, str]:
    """With the reason, empty when all is well."""
    status, reason = backend.condition()
    return ("degraded", missing) if status == "ready" and missing else (status, reason)
