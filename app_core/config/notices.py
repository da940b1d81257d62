"""What an operator should know of the settings before the server is reached."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dotenv import dotenv_values

from app_core.config.config import Config

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_OTHERS = ("SITE", "PUBLIC_ADDRESS", "SOYLE_CPUS", "SOYLE_MEMORY", "TMPDIR", "PATH", "TZ")
"""Of compose.yaml, and of the system."""
_LIBRARIES = ("XDG_", "TORCH_", "NUMBA_", "CUDA_", "NVIDIA_", "OMP_", "ORT_", "MALLOC_", "PYTHON")
"""How variables begin that libraries read."""


def notices(config: Config, file: Path) -> Iterator[str]:
    """Sentences. ``file``: where variables are written down, as .env; it need not be there."""
    unknown = unknown_names(file)
    if unknown:
        yield f"{file.name} has names that are no settings: {', '.join(unknown)}"
    if config.reached_by_others and not config.guarded:
        yield (
            "there is no token, and the server is reached from beyond this machine: strangers may"
            " make every face speak, see and remove faces and add theirs; set API_TOKEN or"
            " API_TOKEN_FILE"
        )


def unknown_names(file: Path) -> list[str]:
    """Those in ``file`` that nobody reads; the environment may hold anything."""
    try:
        names = dotenv_values(file, interpolate=False)
    except (OSError, ValueError):
        return []
    known = {name.upper() for name in Config.setting_names()} | set(_OTHERS)
    return sorted(name for name in names if name not in known and not name.startswith(_LIBRARIES))
