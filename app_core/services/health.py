"""Is the server ready, and how much more can it take?"""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from app_core.config import VERSION
from app_core.face.finder import finder_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app_core.config import Config
    from app_core.engine.capacity import Snapshot
    from app_core.job_table import JobTable
    from app_core.services.backend import Backend
    from app_core.services.devices.loaded_model import LoadedModel
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
    models, ffmpeg = [backend.on_devices(name) for name in backend.names], backend.found_ffmpeg
    default = _model(models[0]) if models else None
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
        "model": default["name"] if default else config.model_names[0],
        "device": default["device"] if default else None,
        "model_reason": default["reason"] if default else None,
        "models": [_model(devices) for devices in models],
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
            **asdict(backend.capacity.of_all()),
            "max_jobs": config.max_jobs,
            "jobs": len(jobs.running()),
            **_drawn(backend.models),
        },
    }


def _model(devices: Sequence[LoadedModel]) -> dict[str, Any]:
    """On all of its devices together, and on each."""
    first = devices[0]
    return {
        "name": first.name,
        "device": ", ".join(loaded.model.device for loaded in devices),
        "reason": first.why or None,
        **_seen(first.capacity.of_all()),
        **_drawn(devices),
        "devices": [_device(loaded) for loaded in devices],
    }


def _device(loaded: LoadedModel) -> dict[str, Any]:
    slack = loaded.capacity.slack
    return {
        "name": loaded.device,
        "status": "ready" if loaded.engine.alive else "lost",
        "slack_fps": round(max(slack, 0.0), 1) if math.isfinite(slack) else None,
        **_seen(loaded.capacity.snapshot()),
        **_drawn([loaded]),
    }


def _seen(found: Snapshot) -> dict[str, Any]:
    return {
        "frame_ms": found.frame_ms,
        "model_fps": found.model_fps,
        "sessions": found.sessions,
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
