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
