"""Imports point down only, in no circle; flask, torch, av, ray and the facade stay in their places.

Imports under ``TYPE_CHECKING`` and inside functions count as the others do. A relative one is
refused: the rules go by the whole name.
"""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

from app_core.config import ROOT

GROUND = {
    "audio",
    "cancel_scope",
    "channel",
    "config",
    "cores",
    "errors",
    "heap",
    "ids",
    "job",
    "job_table",
    "kernels",
    "landmarks",
    "log",
    "picture",
    "request",
    "shares",
    "storage",
    "threads",
    "token_bucket",
    "turns",
    "types",
    "voice_server",
}
LAYERS = [
    {"app"},
    {"cluster"},
    {"server"},
    {"cli", "routes"},
    {"services"},
    {"sessions"},
    {"outputs"},
    {"pipeline"},
    {"engine"},
    {"avatars", "speech", "lipsync"},
    {"face", "weights", "media"},
    {"metrics"},
    GROUND,
]
RANK = {name: rank for rank, layer in enumerate(LAYERS) for name in layer}
FACADE = "app_core.services.lipsync_service"
MOST_FILES, MOST_LINES = 20, 300
SOURCES = sorted((ROOT / "app_core").rglob("*.py"))


def module(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module(path): path for path in SOURCES}


def room(name: str) -> str:
    return name.split(".")[1]


def imports(tree: ast.AST) -> list[tuple[int, str]]:
    """(line, module): of ``from a import b`` both ``a`` and, where it is one, ``a.b``. A relative
    one stands with its dots."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level:
            found.append((node.lineno, "." * node.level + (node.module or "")))
        elif isinstance(node, ast.ImportFrom) and node.module:
            inner = [f"{node.module}.{alias.name}" for alias in node.names]
            modules = [name for name in inner if name in MODULES]
            found += [(node.lineno, name) for name in modules]
            if len(modules) < len(inner):
                found.append((node.lineno, node.module))
    return found


def inside_functions(tree: ast.AST) -> set[int]:
    return {
        inner.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef)
        for inner in ast.walk(node)
        if isinstance(inner, ast.Import | ast.ImportFrom)
    }


class Source:
    """What a file imports: ``imports`` as they are found, ``late`` the lines inside functions."""

    def __init__(self, text: str) -> None:
        tree = ast.parse(text)
        self.imports, self.late = imports(tree), inside_functions(tree)


@cache
def read(path: Path) -> Source:
    return Source(path.read_text(encoding="utf-8"))


def circles(graph: dict[str, set[str]]) -> list[list[str]]:
    """The strongly connected parts with more than one node (Tarjan, SIAM J. Comput. 1, 1972)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(node: str) -> None:
        index[node] = low[node] = len(index)
        stack.append(node)
        for other in graph.get(node, ()):
            if other not in index:
                visit(other)
                low[node] = min(low[node], low[other])
            elif other in stack:
                low[node] = min(low[node], index[other])
        if low[node] == index[node]:
            at = stack.index(node)
            part = stack[at:]
            del stack[at:]
            if len(part) > 1:
                found.append(sorted(part))

    for node in graph:
        if node not in index:
            visit(node)
    return found


def turned_wrong(name: str, source: Source) -> list[str]:
    """The imports of the module ``name`` that lead up, to a room beside it, or go by dots."""
    here = room(name)
    assert here in RANK, f"{here} has no layer"
    wrong = []
    for line, found in source.imports:
        if found.startswith("."):
            wrong.append(f"{name}:{line} imports by dots")
        elif found.startswith("app_core."):
            there = room(found)
            beside = RANK[there] == RANK[here] and there != here and here not in GROUND
            if RANK[there] < RANK[here] or beside:
                wrong.append(f"{name}:{line} {here} -> {there}")
    return wrong


def misplaced(name: str, source: Source) -> list[str]:
    """The imports of flask, torch, av, aiortc, ray and the facade where they do not belong."""
    here = room(name) if "." in name else "factory"
    wrong = []
    for line, found in source.imports:
        top = found.split(".")[0]
        torch_may = here == "lipsync" or name.endswith(".runner") or line in source.late
        if (
            (top in ("flask", "werkzeug") and here not in ("cluster", "routes", "factory"))
            or (top == "torch" and not torch_may)
            or (top == "av" and here not in ("outputs", "media"))
            or (top == "aiortc" and here != "outputs")
            or (top == "ray" and here != "cluster")
            or (found == FACADE and here not in ("cluster", "routes", "cli", "factory"))
        ):
            wrong.append(f"{name}:{line} imports {found}")
    return wrong


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_point_down(path: Path) -> None:
    if path == ROOT / "app_core" / "__init__.py":
        assert not any(found.startswith(".") for _, found in read(path).imports)
        return
    assert turned_wrong(module(path), read(path)) == []


def test_no_imports_go_round_in_a_circle() -> None:
    graph = {
        name: {found for _, found in read(path).imports if found in MODULES} - {name}
        for name, path in MODULES.items()
    }
    assert circles(graph) == []


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_flask_torch_av_and_the_facade_stay_in_their_places(path: Path) -> None:
    assert misplaced(module(path), read(path)) == []


def test_rooms_and_files_are_of_a_size_to_be_read() -> None:
    folders: dict[Path, int] = {}
    for path in SOURCES:
        if path.name != "__init__.py":
            folders[path.parent] = folders.get(path.parent, 0) + 1
    crowded = {str(f.relative_to(ROOT)): n for f, n in folders.items() if n > MOST_FILES}
    assert not crowded
    lines = {p.relative_to(ROOT): len(p.read_text("utf-8").splitlines()) for p in SOURCES}
    assert {str(p): n for p, n in lines.items() if n > MOST_LINES} == {}


UP = "app_core.media.wav"
"""A name for made-up files."""


@pytest.mark.parametrize(
    "text",
    [
        "from app_core.services import renders",
        "import app_core.services.renders",
        "from app_core.weights import download",
        "def f():\n    from app_core.services import renders",
        "if TYPE_CHECKING:\n    from app_core.services.renders import Renders",
        "from ..services import renders",
        "from . import jpeg",
        "from .jpeg import encode",
        "if TYPE_CHECKING:\n    from ..services.renders import Renders",
    ],
)
def test_the_rule_of_layers_fails_on_a_made_up_file(text: str) -> None:
    assert len(turned_wrong(UP, Source(text))) == 1
    assert turned_wrong(UP, Source("from app_core.media import jpeg\nimport numpy")) == []


@pytest.mark.parametrize(
    "text",
    [
        "from app_core.services.lipsync_service import LipsyncService",
        "from app_core.services import lipsync_service",
        "if TYPE_CHECKING:\n    from app_core.services.lipsync_service import LipsyncService",
        "def f():\n    import app_core.services.lipsync_service",
        "import torch",
        "if TYPE_CHECKING:\n    from torch import nn",
        "from flask import request",
        "from werkzeug.exceptions import HTTPException",
        "import av",
        "from ray import serve",
        "from av.video.frame import PictureType",
        "def f():\n    import aiortc",
    ],
)
def test_the_rule_of_places_fails_on_a_made_up_file(text: str) -> None:
    assert len(misplaced("app_core.services.chunks", Source(text))) == 1
    late = Source("def f():\n    import torch")
    assert misplaced("app_core.services.chunks", late) == []
    assert misplaced("app_core.routes.film", Source("from flask import request")) == []
    assert misplaced(UP, Source("import av")) == []
    assert len(misplaced(UP, Source("import aiortc"))) == 1
    assert misplaced("app_core.outputs.mjpeg", Source("import aiortc\nimport av")) == []


def test_a_circle_is_found() -> None:
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}) == [["a", "b", "c"]]
