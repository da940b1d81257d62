"""The metadata of an avatar: ``avatar.toml``, which people write and change too."""

from __future__ import annotations

import os
import tomllib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping
    from pathlib import Path

METADATA = "avatar.toml"


def read_metadata(folder: Path) -> dict[str, Any]:
    """Raises OSError or ValueError."""
    return tomllib.loads((folder / METADATA).read_text("utf-8"))


def write_metadata(folder: Path, metadata: Mapping[str, Any]) -> None:
    """A new file; values that are None are left out. Raises OSError."""
    import tomlkit  # is slow to load, and only who imports or changes a face needs it

    _put(folder, tomlkit.dumps(_known(metadata)))


def change_metadata(folder: Path, changes: Mapping[str, Any]) -> None:
    """Sets values, those of tables one by one; whatever else stands in the file stays as it is:
    comments, order, arrays, tables. Raises OSError or ValueError.
    """
    import tomlkit

    document = tomlkit.parse((folder / METADATA).read_bytes().decode("utf-8"))
    _merge(document, changes)
    _put(folder, tomlkit.dumps(document))


def _merge(table: MutableMapping[str, Any], changes: Mapping[str, Any]) -> None:
    for name, value in changes.items():
        there = table.get(name)
        if isinstance(value, dict) and isinstance(there, dict):
            _merge(there, value)
        else:
            table[name] = value


def _known(values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: _known(value) if isinstance(value, dict) else value
        for name, value in values.items()
        if value is not None
    }


def _put(folder: Path, text: str) -> None:
    """Whole or not at all: a reader sees the old file or the new one."""
    draft = folder / f".{METADATA}.{os.getpid()}"
    try:
        draft.write_bytes(text.encode("utf-8"))
        draft.replace(folder / METADATA)
    finally:
        draft.unlink(missing_ok=True)
