"""docs/walk.md leads through files that are there."""

from __future__ import annotations

import re

from app_core.config import ROOT

WALK = (ROOT / "docs" / "walk.md").read_text("utf-8")
STATION = re.compile(r"^(\d+)\. `([^`]+)`: (.+?)(?=\n\d+\. |\n\n|\Z)", re.S | re.M)
MOST = 12


def test_the_walk_has_few_stations_each_with_its_own_file_and_a_sentence() -> None:
    stations = STATION.findall(WALK)
    assert [int(number) for number, _, _ in stations] == list(range(1, len(stations) + 1))
    assert len(re.findall(r"^\d+\. ", WALK, re.M)) == len(stations) <= MOST
    assert len({path for _, path, _ in stations}) == len(stations)
    for _, path, sentence in stations:
        assert sentence.strip().endswith("."), path
        assert ". " not in sentence, f"{path}: one sentence"


def test_every_file_of_the_walk_is_there() -> None:
    files = [name for name in re.findall(r"`([^`\s]+)`", WALK) if "/" in name and "." in name]
    assert len(files) >= 10
    assert [name for name in files if not (ROOT / name).is_file()] == []
