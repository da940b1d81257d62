"""The work of an earlier import of the same bytes, taken again."""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import shutil
from typing import TYPE_CHECKING, Any

from app_core.avatars.library import CLIP, CLIP_TRACK, STILL, TRACK
from app_core.avatars.metadata import METADATA, read_metadata

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

logger = logging.getLogger(__name__)

KEY = ("kind", "recipe", "finder", "sha256", "face", "rotate")
"""Metadata that say what an import was made of."""
_MADE = ("pictures", "seen", "people", "warnings", "cut_off", "tracks")
"""And those that say what came of it."""


def take_twin(
    folder: Path, others: Iterable[Path], about: Mapping[str, Any]
) -> dict[str, Any] | None:
    """Fills ``folder`` from one of the ``others`` that was made of the same, unless a hand has
    changed it since; the metadata that say what came of it.
    """
    for other in others:
        try:
            if not (other / METADATA).is_file():
                continue
            metadata = read_metadata(other)
            same = all(metadata.get(name) == about.get(name) for name in KEY)
            if not same or metadata.get("tracks") != digest(other):
                continue
            for name in (STILL, CLIP):
                if (other / name).is_file():
                    link(other / name, folder / name)
            for name in (TRACK, CLIP_TRACK):
                if (other / name).is_file():
                    shutil.copyfile(other / name, folder / name)
            if digest(folder) != metadata["tracks"]:
                raise FileNotFoundError(other)
        except (OSError, ValueError, KeyError) as error:
            logger.info("%s is not taken again: %s", other.name, error)
            for left in folder.iterdir():
                left.unlink()
            continue
        logger.info("the file is the source of %s: its work is taken again", other.name)
        return {name: metadata[name] for name in _MADE if name in metadata}
    return None


def folders(*parents: Path) -> list[Path]:
    """Where imports may lie."""
    found: list[Path] = []
    for parent in parents:
        with contextlib.suppress(OSError):
            found += sorted(entry for entry in parent.iterdir() if not entry.name.startswith("."))
    return found


def digest(folder: Path) -> str:
    """Of the tracks as they are on the disk. Raises OSError."""
    found = hashlib.sha256((folder / TRACK).read_bytes())
    if (folder / CLIP_TRACK).is_file():
        found.update((folder / CLIP_TRACK).read_bytes())
    return found.hexdigest()


def link(source: Path, target: Path) -> None:
    """Nobody writes into these files, so one is enough where the disk allows it."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
