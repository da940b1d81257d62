"""avatar.toml as a person wrote it, after the program has changed a value in it."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from app_core.avatars.metadata import METADATA, change_metadata, read_metadata, write_metadata

WRITTEN = (
    """\
# Әлия: снято в студии
name = "Әлия" # для людей
tags = ["news", 'kk', """
    + '"""two\nlines"""'
    + """]
made = 2026-11-28T10:00:00Z

[gains] # by ear
open = 0.9
jaw = 1.0 # not more
note = "stays"

[rights]
by = { name = "Studio", years = [2026, 2027] }

[[rights.granted]]
to = "us"
"""
)


def test_a_changed_gain_leaves_all_else_as_it_was(tmp_path: Path) -> None:
    (tmp_path / METADATA).write_text(WRITTEN, "utf-8")
    change_metadata(tmp_path, {"gains": {"jaw": 1.25}})
    assert (tmp_path / METADATA).read_text("utf-8") == WRITTEN.replace("jaw = 1.0", "jaw = 1.25")
    assert [path.name for path in tmp_path.iterdir()] == [METADATA]


@pytest.mark.parametrize("before", ["", "name = 'a'\r\n", "gains = {jaw = 0.5}\nname = 'a'\n"])
def test_metadata_without_the_table_gets_it(tmp_path: Path, before: str) -> None:
    (tmp_path / METADATA).write_bytes(before.encode())
    change_metadata(tmp_path, {"gains": {"jaw": 1.5, "open": 1.0}})
    expected = tomllib.loads(before.replace("\r\n", "\n"))
    assert read_metadata(tmp_path) == expected | {"gains": {"jaw": 1.5, "open": 1.0}}


def test_a_new_file_holds_every_kind_of_value(tmp_path: Path) -> None:
    metadata = {
        "name": 'Q"\\\x7f\tё',
        "gains": {"jaw": 1.0, "open": 0.5},
        "warnings": ["dark", "small"],
        "cut_off": True,
        "nothing": None,
        "pictures": 12,
    }
    write_metadata(tmp_path, metadata)
    del metadata["nothing"]
    assert read_metadata(tmp_path) == metadata


def test_what_cannot_be_written_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / METADATA).write_text(WRITTEN, "utf-8")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="No space"):
        change_metadata(tmp_path, {"name": "other"})
    assert (tmp_path / METADATA).read_text("utf-8") == WRITTEN
    assert [path.name for path in tmp_path.iterdir()] == [METADATA]
