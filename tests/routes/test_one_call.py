"""A view that renders calls the service once, and gives it nothing that the service has made."""

from __future__ import annotations

import ast

import pytest

from app_core.config import ROOT

VIEWS = [
    ("lipsync_video", "lipsync_video"),
    ("stream_mjpeg", "stream_mjpeg"),
    ("generate", "generate"),
]


def calls(view: ast.AST) -> list[ast.Call]:
    """Of methods of ``service()``."""
    return [
        node
        for node in ast.walk(view)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Call)
        and ast.unparse(node.func.value) == "service()"
    ]


def names_of_services(tree: ast.AST) -> set[str]:
    """What the module imports from ``app_core.services``, by the names that it has there."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("app_core.services"):
            found |= {alias.asname or alias.name for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {
                (alias.asname or alias.name).partition(".")[0]
                for alias in node.names
                if alias.name.startswith("app_core.services")
            }
    return found


def check(source: str, view: str) -> None:
    tree = ast.parse(source)
    (function,) = [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef) and n.name == view]
    mentions = [n for n in ast.walk(function) if isinstance(n, ast.Name) and n.id == "service"]
    assert len(calls(function)) == 1
    assert len(mentions) == 1, "the service itself is handed to nobody"
    given = names_of_services(tree)
    used = {node.id for node in ast.walk(function) if isinstance(node, ast.Name)} & given
    assert not used, f"of app_core.services: {used}"


@pytest.mark.parametrize(("module", "view"), VIEWS)
def test_a_view_calls_the_service_once(module: str, view: str) -> None:
    check((ROOT / "app_core" / "routes" / f"{module}.py").read_text("utf-8"), view)


@pytest.mark.parametrize(
    "body",
    [
        "job = service().submit(1)\n    return service().stream(job)",
        "return write(service(), 1)",
        "found = service()\n    return found.stream(service().submit(1))",
        "return service().open(partial(write_film, 1))",
        "return 1",
    ],
)
def test_the_check_sees_what_it_must_not_find(body: str) -> None:
    source = "from app_core.services.video_encode import write_film\n\n\n"
    with pytest.raises(AssertionError):
        check(f"{source}def view():\n    {body}\n", "view")


def test_the_other_views_leave_no_function_of_services_to_the_service() -> None:
    for path in (ROOT / "app_core" / "routes").rglob("*.py"):
        tree = ast.parse(path.read_text("utf-8"))
        given = names_of_services(tree)
        for call in calls(tree):
            arguments = [*call.args, *(keyword.value for keyword in call.keywords)]
            used = {
                node.id
                for argument in arguments
                for node in ast.walk(argument)
                if isinstance(node, ast.Name)
            }
            assert not used & given, f"{path.name}:{call.lineno} hands {used & given} back"
