"""Imports point down only; flask and torch stay where they belong."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LAYERS = [
    {"app"},
    {"server"},
    {"routes"},
    {"services"},
    {"pipeline"},
    {"engine"},
    {"speech", "face", "lipsync", "media"},
    {
        "job",
        "job_table",
        "metrics",
        "channel",
        "config",
        "log",
        "sound",
        "request",
        "heap",
        "spool",
    },
    {"types", "errors", "landmarks", "kernels", "picture", "threads", "cores", "cancel_scope"},
]
RANK = {name: rank for rank, layer in enumerate(LAYERS) for name in layer}
SOURCES = sorted((ROOT / "app_core").rglob("*.py"))


def package(path: Path) -> str:
    return path.relative_to(ROOT / "app_core").parts[0].removesuffix(".py")


def imports(tree: ast.AST) -> list[tuple[int, str]]:
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            if node.module == "app_core":
                found += [(node.lineno, f"app_core.{alias.name}") for alias in node.names]
            else:
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


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_point_down(path: Path) -> None:
    if path == ROOT / "app_core" / "__init__.py":
        return
    here = package(path)
    assert here in RANK, f"{here} has no layer"
    wrong = []
    for line, name in imports(ast.parse(path.read_text(encoding="utf-8"))):
        parts = name.split(".")
        if parts[0] != "app_core" or len(parts) < 2 or parts[1] in (here, "__version__"):
            continue
        same_line = RANK[parts[1]] == RANK[here] and here in LAYERS[6]
        if RANK[parts[1]] < RANK[here] or same_line:
            wrong.append(f"{path.relative_to(ROOT)}:{line} {here} -> {parts[1]}")
    assert not wrong, wrong


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_flask_and_torch_stay_in_their_places(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    late = inside_functions(tree)
    here = package(path)
    for line, name in imports(tree):
        top = name.split(".")[0]
        if top in ("flask", "werkzeug"):
            assert here in ("routes", "__init__"), f"{path}:{line} imports {top}"
        if top == "torch":
            allowed = here == "lipsync" or path.name == "runner.py" or line in late
            assert allowed, f"{path}:{line} imports torch"


def test_the_layers_test_sees_a_wrong_import() -> None:
    tree = ast.parse("def f():\n    from app_core.services import lipsync_service\n")
    assert imports(tree) == [(2, "app_core.services")]
    assert RANK["services"] < RANK["media"]
