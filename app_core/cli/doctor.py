"""What this machine has, and what is missing, as sentences."""

from __future__ import annotations

import importlib.util
import platform
import tempfile
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from app_core.avatars.library import AvatarLibrary
from app_core.config import ROOT, ConfigError
from app_core.config.notices import notices
from app_core.config.tokens import read_tokens
from app_core.cores import core_count
from app_core.errors import SoyleError
from app_core.face.finder import find_finder
from app_core.lipsync.devices import gpus, title
from app_core.media.ffmpeg import find_ffmpeg
from app_core.services.storage.disks import can_be_written
from app_core.speech.speaker import Speaker
from app_core.speech.voices.espeak import EspeakVoice

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from app_core.config import Config

SAMPLES = {"ru": "Привет", "kk": "Сәлем", "en": "Hello"}


@dataclass(frozen=True, slots=True)
class Finding:
    good: bool
    sentence: str
    note: bool = False
    """Nothing is missing, and somebody should know it."""


def examine(config: Config) -> Iterator[Finding]:
    yield Finding(True, f"Python {platform.python_version()} on {platform.machine()}")
    yield Finding(True, f"{core_count():g} cores")
    yield _try(lambda: _ffmpeg(config))
    yield _try(_voice)
    yield from _avatars(config)
    yield _try(lambda: _faces(config))
    yield from _devices(config)
    yield _try(_scratch)
    yield from settings(config, ROOT / ".env")
    torch = importlib.util.find_spec("torch") is not None
    yield Finding(True, f"torch is {'here' if torch else 'not here; the default needs none'}")


def settings(config: Config, file: Path) -> Iterator[Finding]:
    """Of what the settings name, without making any of it. ``file``: where they are written."""
    for name, folder, instead in (
        ("WORK_DIR", config.work_dir, "the system's is taken"),
        ("AVATAR_DIR", config.avatar_dir, "no face can be added"),
    ):
        if folder is not None and can_be_written(folder):
            yield Finding(True, f"{name} {folder} can be written")
        elif folder is not None:
            yield Finding(True, f"{name} {folder} cannot be written: {instead}", note=True)
    if config.api_token_file is not None:
        yield _try(partial(_tokens, config.api_token_file))
    if config.audit_log is not None:
        yield _try(partial(_audit, config.audit_log))
    for sentence in notices(config, file):
        yield Finding(True, sentence, note=True)


def _tokens(file: Path) -> str:
    return f"API_TOKEN_FILE {file} can be read, tokens: {len(read_tokens(file))}"


def _audit(file: Path) -> str:
    """One that is not there is not made: the server may run as somebody else."""
    try:
        with file.open("r+b"):
            pass
    except FileNotFoundError:
        if not (file.parent.is_dir() and can_be_written(file.parent)):
            raise OSError(f"AUDIT_LOG {file} cannot be made") from None
    except OSError as error:
        raise OSError(f"AUDIT_LOG {file} cannot be written: {error.strerror}") from None
    return f"AUDIT_LOG {file} can be written"


def _try(look: Callable[[], str]) -> Finding:
    try:
        return Finding(True, look())
    except (SoyleError, ConfigError, OSError) as error:
        return Finding(False, str(error))


def _ffmpeg(config: Config) -> str:
    found = find_ffmpeg(config.ffmpeg)
    return f"ffmpeg {found.version} at {found.path}, encoders {', '.join(found.encoders)}"


def _voice() -> str:
    for language, text in SAMPLES.items():
        list(Speaker.alone(EspeakVoice(), language).speak(text))
    return f"espeak-ng speaks {', '.join(SAMPLES)}"


def _faces(config: Config) -> str:
    finder = find_finder(config.models_dir)
    if finder.name == "mediapipe":
        return "faces are found by mediapipe's networks"
    return f"faces are found by {finder.name} only; `python app.py models pull face` brings better"


def _devices(config: Config) -> Iterator[Finding]:
    found = gpus() if config.model_runtime in ("auto", "cuda") else ()
    devices = config.device_names or found
    for device in devices:
        yield _try(lambda name=device: f"networks run on {title(name)}")  # type: ignore[misc]
    if not devices:
        yield Finding(True, "networks run on the CPU")


def _avatars(config: Config) -> Iterator[Finding]:
    library = AvatarLibrary(config.avatar_dir)
    if config.avatar not in library.ids():
        yield Finding(False, f"the avatar {config.avatar} is not in {config.avatar_dir}")
    for avatar_id in library.ids():
        yield _try(lambda name=avatar_id: _avatar(library, name))  # type: ignore[misc]


def _avatar(library: AvatarLibrary, avatar_id: str) -> str:
    avatar = library.get(avatar_id)
    library.plate(avatar, (256, 256))
    return f"avatar {avatar_id}: {avatar.width}x{avatar.height}"


def _scratch() -> str:
    with tempfile.TemporaryFile():
        return f"temporary files go to {tempfile.gettempdir()}"
