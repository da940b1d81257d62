"""What no source file may do."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from app_core.config import ROOT

SOURCES = [ROOT / "app.py", *sorted((ROOT / "app_core").rglob("*.py"))]
EMPTY_NAMES = ("utils", "helpers", "helper", "manager", "base", "common", "misc")


def faults(source: str) -> list[str]:
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ExceptHandler) and node.type is None:
            found.append(f"{node.lineno}: bare except")
        if not isinstance(node, ast.Call):
            continue
        name = ast.unparse(node.func)
        if name in ("print", "logging.basicConfig", "os.system", "os.popen", "eval", "exec"):
            found.append(f"{node.lineno}: {name}")
        if name in ("pickle.load", "pickle.loads"):
            found.append(f"{node.lineno}: {name}")
        for keyword in node.keywords:
            on = isinstance(keyword.value, ast.Constant) and keyword.value.value is True
            if keyword.arg in ("shell", "allow_pickle") and on:
                found.append(f"{node.lineno}: {keyword.arg}=True")
    return found


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_source_is_clean(path: Path) -> None:
    assert path.stem not in EMPTY_NAMES, "a name that says nothing"
    source = path.read_text(encoding="utf-8")
    assert not faults(source)
    assert source.count("\n") <= 400, "split this file"


def test_faults_are_seen() -> None:
    assert faults("try:\n    print(1)\nexcept:\n    pass\nrun('x', shell=True)") != []
    assert len(faults("try:\n    print(1)\nexcept:\n    pass\nrun('x', shell=True)")) == 3


OWN_WORDS = {"Face"}
"""What each lip-sync model makes of a plate."""


def classes(source: str) -> list[str]:
    """Public ones."""
    found = [node.name for node in ast.parse(source).body if isinstance(node, ast.ClassDef)]
    return [name for name in found if not name.startswith("_")]


def test_a_class_name_means_one_thing() -> None:
    """Models of answers have the names of what they describe."""
    places: dict[str, list[str]] = {}
    for path in SOURCES:
        if path.parent.name != "openapi":
            for name in classes(path.read_text("utf-8")):
                places.setdefault(name, []).append(str(path.relative_to(ROOT)))
    assert {n: where for n, where in places.items() if len(where) > 1 and n not in OWN_WORDS} == {}


def nays(source: str) -> list[int]:
    """Lines of functions without a class that do nothing but say False."""
    tree = ast.parse(source)
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    lambdas = [node for node in ast.walk(tree) if isinstance(node, ast.Lambda)]
    return [
        *(
            node.lineno
            for node in functions
            if ast.unparse(node.body[-1]) == "return False"
            and all(isinstance(part, ast.Expr) for part in node.body[:-1])
        ),
        *(node.lineno for node in lambdas if ast.unparse(node.body) == "False"),
    ]


def test_never_is_written_once() -> None:
    assert nays("def here():\n    'Yes.'\n    return False\nf(lambda: False)") == [1, 4]
    found = [str(p.relative_to(ROOT)) for p in SOURCES for _ in nays(p.read_text("utf-8"))]
    assert found == ["app_core/cancel_scope.py"]
