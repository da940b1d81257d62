"""The card of an avatar: ``avatar.toml``, as a mapping with one level of tables."""

from __future__ import annotations

import json
import os
import tomllib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

CARD = "avatar.toml"


def read_card(folder: Path) -> dict[str, Any]:
    """Raises OSError or ValueError."""
    return tomllib.loads((folder / CARD).read_text("utf-8"))


def write_card(folder: Path, card: Mapping[str, Any]) -> None:
    """Whole or not at all: a reader sees the old card or the new one."""
    plain = {name: value for name, value in card.items() if not isinstance(value, dict)}
    lines = _lines(plain)
    for name, table in card.items():
        if isinstance(table, dict):
            lines += ["", f"[{name}]", *_lines(table)]
    draft = folder / f".{CARD}.{os.getpid()}"
    draft.write_text("\n".join(lines) + "\n", "utf-8")
    draft.replace(folder / CARD)


def _lines(values: Mapping[str, Any]) -> list[str]:
    return [f"{name} = {_value(value)}" for name, value in values.items() if value is not None]


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    # A JSON string is a TOML basic string, once DEL is escaped too.
    return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")
