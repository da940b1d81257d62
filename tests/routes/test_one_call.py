"""A view calls the service once, itself or through what it calls of the routes, and gives it
nothing that the service has made."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import NamedTuple

import pytest

from app_core.config import ROOT

ROUTES = "app_core.routes"
RENDERS = ["generate", "lipsync_video", "stream_mjpeg", "stream_chunks"]
"""Views that begin a job, each in the module of its name."""


class Module(NamedTuple):
    """Of the routes."""

    defined: dict[str, ast.stmt]
    """Its functions and classes."""
    imported: dict[str, tuple[str, str]]
    """Name -> (module, name there)."""


def read(source: str) -> Module:
    tree = ast.parse(source)
    defined: dict[str, ast.stmt] = {
        node.name: node for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)
    }
    imported = {
        alias.asname or alias.name: (node.module or "", alias.name)
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    return Module(defined, imported)


def dotted(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


MODULES = {
    dotted(path): read(path.read_text("utf-8"))
    for path in sorted((ROOT / "app_core" / "routes").rglob("*.py"))
}
VIEWS = [
    (name, view)
    for name, module in MODULES.items()
    for view, node in module.defined.items()
    if isinstance(node, ast.FunctionDef)
    and any("blueprint." in ast.unparse(decorator) for decorator in node.decorator_list)
]


def names(nodes: list[ast.stmt]) -> list[str]:
    """Every mention."""
    return [n.id for node in nodes for n in ast.walk(node) if isinstance(n, ast.Name)]


def mentions(modules: dict[str, Module], module: str, view: str) -> list[str]:
    """Where ``service`` is mentioned in what the view runs: in it, and in the functions and classes
    of the routes that it names, and so on."""
    found: list[str] = []
    seen: set[tuple[str, str]] = set()
    ahead = [(module, view)]
    while ahead:
        place = ahead.pop()
        where, name = place
        if place in seen or where not in modules or name not in modules[where].defined:
            continue
        seen.add(place)
        node = modules[where].defined[name]
        body = node.body if isinstance(node, ast.FunctionDef | ast.ClassDef) else []
        for inner in names(body):
            if modules[where].imported.get(inner, ("", ""))[1] == "service":
                found.append(f"{where}.{name}")
            ahead.append(modules[where].imported.get(inner, (where, inner)))
    return found


def calls(tree: ast.AST) -> list[ast.Call]:
    """Of methods of ``service()``, or of what it holds."""
    return [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func).startswith("service().")
    ]


def handed_back(module: Module, view: str) -> set[str]:
    """Names out of ``app_core.services`` that the view mentions."""
    node = module.defined[view]
    assert isinstance(node, ast.FunctionDef)
    given = {n for n, (there, _) in module.imported.items() if there.startswith("app_core.serv")}
    return set(names(node.body)) & given


@pytest.mark.parametrize(("module", "view"), VIEWS, ids=lambda name: name.rpartition(".")[2])
def test_no_view_calls_the_service_twice(module: str, view: str) -> None:
    assert len(mentions(MODULES, module, view)) <= 1


@pytest.mark.parametrize("view", RENDERS)
def test_a_view_that_renders_calls_the_service_once(view: str) -> None:
    module = f"{ROUTES}.{view}"
    assert (module, view) in VIEWS
    assert mentions(MODULES, module, view) == [f"{module}.{view}"]
    assert len(calls(MODULES[module].defined[view])) == 1
    assert handed_back(MODULES[module], view) == set()


def test_no_function_of_services_is_left_to_the_service() -> None:
    for name, module in MODULES.items():
        given = {n for n, (there, _) in module.imported.items() if "app_core.services" in there}
        for node in module.defined.values():
            for call in calls(node):
                arguments = [*call.args, *(keyword.value for keyword in call.keywords)]
                used = {
                    inner.id
                    for argument in arguments
                    for inner in ast.walk(argument)
                    if isinstance(inner, ast.Name)
                }
                assert not used & given, f"{name}:{call.lineno} hands {used & given} back"


MADE_UP = """
from app_core.routes.http.context import service
from app_core.routes.forms import asked, Viewer
from app_core.services.films.video_encode import write_film

def helper():
    return service().jobs

def view():
    {body}
"""
HELPERS = read(
    "from app_core.routes.http.context import service\n"
    "def asked(): return service().open_recording(1)\n"
    "class Viewer:\n    def gone(self): return service().gone\n"
)


@pytest.mark.parametrize(
    ("body", "count"),
    [
        ("return service().submit(1)", 1),
        ("return 1", 0),
        ("return service().stream(service().submit(1))", 2),
        ("found = service()\n    return write(found, service)", 2),
        ("return service().submit(helper())", 2),
        ("return service().submit(asked())", 2),
        ("return service().submit(Viewer())", 2),
        ("return [helper(), asked(), Viewer()]", 3),
    ],
)
def test_mentions_are_counted_through_helpers_too(body: str, count: int) -> None:
    modules = {"view": read(MADE_UP.format(body=body)), "app_core.routes.forms": HELPERS}
    assert len(mentions(modules, "view", "view")) == count


def test_what_is_handed_back_is_seen() -> None:
    body = "return service().open(partial(write_film, 1))"
    assert handed_back(read(MADE_UP.format(body=body)), "view") == {"write_film"}
