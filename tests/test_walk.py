"""docs/walk.md leads through files, classes and functions that are there."""

from __future__ import annotations

import ast
import re

from app_core.config import ROOT

WALK = (ROOT / "docs" / "walk.md").read_text("utf-8")
STATION = re.compile(r"^(\d+)\. `([^`]+)`: (.+?)(?=\n\d+\. |\n\n|\Z)", re.S | re.M)
NAME = re.compile(r"`((?:[A-Z]\w+\.)?[A-Za-z_]\w+)`")
MOST = 12


def defined() -> dict[str, set[str]]:
    """File -> its classes, functions, and methods as ``Class.method``."""
    found = {}
    for path in (ROOT / "app_core").rglob("*.py"):
        names = set()
        for node in ast.parse(path.read_text("utf-8")).body:
            if isinstance(node, ast.ClassDef | ast.FunctionDef):
                names.add(node.name)
            if isinstance(node, ast.ClassDef):
                inner = [part for part in node.body if isinstance(part, ast.FunctionDef)]
                names |= {f"{node.name}.{part.name}" for part in inner}
        found[str(path.relative_to(ROOT))] = names
    return found


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


def test_every_station_names_what_is_read_in_its_file_and_nothing_that_is_nowhere() -> None:
    files = defined()
    everywhere = set().union(*files.values())
    for _, path, sentence in STATION.findall(WALK):
        names = set(NAME.findall(sentence))
        assert names & files[path], f"{path}: names nothing that is in it"
        assert names <= everywhere, f"{path}: {names - everywhere}"


def test_the_walk_goes_where_the_text_goes() -> None:
    paths = [path for _, path, _ in STATION.findall(WALK)]
    order = ["server/", "routes/", "services/", "speech/text/", "speech/speaker.py", "engine/"]
    places = [next(n for n, path in enumerate(paths) if room in path) for room in order]
    assert places == sorted(places)
    assert "outputs/" in paths[-2]
