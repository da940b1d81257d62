"""What the documents for people promise of themselves."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from app_core.config import ROOT

README = (ROOT / "README.md").read_text("utf-8")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
README_LINES, WORDS = 200, 10


def test_the_readme_is_read_in_one_go() -> None:
    assert len(README.splitlines()) < README_LINES


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_leads_to_a_file(path: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)[^)]*\)", path.read_text("utf-8"))
    own = [link for link in links if "://" not in link]
    assert [link for link in own if not (path.parent / link).exists()] == []


def test_every_document_is_found_from_the_readme() -> None:
    named = README + CONTRIBUTING
    assert [path.name for path in DOCUMENTS if path.name not in named and path.parent != ROOT] == []


def test_the_glossary_is_short() -> None:
    table = CONTRIBUTING.partition("## Words")[2].partition("\n## ")[0]
    rows = [line for line in table.splitlines() if line.startswith("|")][2:]
    assert 1 < len(rows) <= WORDS


def test_every_room_says_what_belongs_there() -> None:
    """Those within a room within a room are its own matter."""
    text = CONTRIBUTING.partition("## The layers")[2].partition("## Words")[0]
    folders = [*(ROOT / "app_core").glob("*"), *(ROOT / "app_core").glob("*/*")]
    rooms = [path for path in folders if (path / "__init__.py").is_file()]
    assert len(rooms) > 20
    assert [str(room) for room in rooms if f"`{room.name}/`" not in text] == []
