"""A folder with a model: what lies in it, and what is missing."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from soyle_coqui.errors import NotReady
from soyle_coqui.licence import CC_BY_NC, CPML, require

Kind = Literal["xtts", "vits", "mms"]
LANGUAGES = "languages.json"
"""A file of the user, a list such as ["kk"], for a model that does not say what it speaks."""
_CHECKPOINTS = ("model.pth", "model_file.pth", "best_model.pth")
_ISO = {"kaz": "kk", "rus": "ru", "eng": "en"}


@dataclass(frozen=True, slots=True)
class ModelFolder:
    path: Path
    kind: Kind
    checkpoint: Path
    languages: tuple[str, ...]
    """That the files beside the checkpoint tell of; empty where none does."""
    licence: str | None
    """Of the weights; None: nothing is known of it."""

    @property
    def name(self) -> str:
        return f"{self.kind}:{self.path.name}"


def examine(path: Path) -> ModelFolder:
    """Raises NotReady that names what is missing, or the licence that is not agreed to."""
    if not path.is_dir():
        raise NotReady(f"there is no folder {path}; `pull` makes one, see README.md")
    config = _config(path)
    if "data" in config and "model" not in config:
        checkpoint = _one_of(path, sorted(p.name for p in path.glob("G_*.pth")) or ["G_100000.pth"])
        _need(path, "vocab.txt")
        require(path, CC_BY_NC, "mms-kaz")
        return ModelFolder(path, "mms", checkpoint, _told(path) or _of_name(path), CC_BY_NC.id)
    kind = config.get("model")
    if kind == "xtts":
        checkpoint = _one_of(path, ["model.pth"])
        _need(path, "vocab.json")
        require(path, CPML, "xtts")
        return ModelFolder(path, "xtts", checkpoint, (), CPML.id)
    if kind == "vits":
        checkpoint = _one_of(path, _CHECKPOINTS)
        return ModelFolder(path, "vits", checkpoint, _told(path) or _of_vits(config), None)
    raise NotReady(f"{path / 'config.json'} is of '{kind}'; xtts, vits and mms can speak here")


def _config(path: Path) -> dict[str, Any]:
    _need(path, "config.json")
    try:
        config = json.loads((path / "config.json").read_text("utf-8"))
        if not isinstance(config, dict):
            raise ValueError("it is no object")
    except (OSError, ValueError) as error:
        raise NotReady(f"{path / 'config.json'} cannot be read: {error}") from error
    return config


def _need(path: Path, name: str) -> None:
    if not (path / name).is_file():
        raise NotReady(f"{path / name} is missing: bring the model again, see README.md")


def _one_of(path: Path, names: list[str] | tuple[str, ...]) -> Path:
    found = [path / name for name in names if (path / name).is_file()]
    if not found:
        _need(path, names[0])
    return found[-1]


def _told(path: Path) -> tuple[str, ...]:
    """What the user wrote down."""
    file = path / LANGUAGES
    if not file.is_file():
        return ()
    try:
        told = json.loads(file.read_text("utf-8"))
        if not (isinstance(told, list) and told and all(isinstance(code, str) for code in told)):
            raise ValueError('it must be a list such as ["kk"]')
    except (OSError, ValueError) as error:
        raise NotReady(f"{file} cannot be used: {error}") from error
    return tuple(told)


def _of_name(path: Path) -> tuple[str, ...]:
    """MMS has a model for each language, named by its ISO 639-3 code."""
    words = path.name.lower().replace("_", "-").split("-")
    return next(((_ISO[word],) for word in words if word in _ISO), ())


def _of_vits(config: dict[str, Any]) -> tuple[str, ...]:
    datasets = config.get("datasets")
    named = [
        str(data["language"]).lower()
        for data in (datasets if isinstance(datasets, list) else [])
        if isinstance(data, dict) and data.get("language")
    ]
    named = named or [str(config.get("phoneme_language") or "").lower()]
    return tuple(dict.fromkeys(code.split("-")[0] for code in named if code))
