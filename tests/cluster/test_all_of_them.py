"""What replicas say of themselves, told as one."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask, Response
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from app_core.cluster.all_of_them import merged, one_report, one_text
from app_core.cluster.places import Door
from app_core.errors import Busy
from app_core.metrics import Metrics
from app_core.routes.openapi.health_answers import Health
from app_core.services.lipsync_service import LipsyncService

ONE, TWO, THREE = "00000001", "00000002", "00000003"
HOSTS = {ONE: "10.0.0.1", TWO: "10.0.0.2", THREE: "10.0.0.2"}


@pytest.fixture
def report(service: LipsyncService) -> Callable[..., dict[str, Any]]:
    """``/api/health`` of a replica, some of it changed."""

    def make(status: str = "ready", reason: str | None = None, **capacity: float) -> dict[str, Any]:
        told = service.health()
        opened = capacity.pop("open", 0)
        return told | {
            "status": status,
            "reason": reason,
            "sessions": {"open": opened, "most": 64},
            "capacity": told["capacity"] | capacity,
        }

    return make


def test_all_are_ready(report: Callable[..., dict[str, Any]]) -> None:
    told = {
        TWO: report(cores=8.0, live=3, load=1.25, jobs=3, open=1),
        ONE: report(cores=2.0, live=1, load=0.5, jobs=2, open=2),
    }
    found = one_report(told, 2, HOSTS)
    assert (found["status"], found["reason"]) == ("ready", None)
    assert found["sessions"] == {"open": 3, "most": 128}
    counts = {"cores": 10.0, "live": 4, "load": 1.75, "jobs": 5, "max_jobs": 16}
    assert found["capacity"] | counts == found["capacity"]
    assert found["capacity"].keys() == told[ONE]["capacity"].keys()
    assert [each["place"] for each in found["replicas"]] == [ONE, TWO]
    assert found["replicas"][0] == {
        "place": ONE,
        "status": "ready",
        "reason": None,
        "sessions": 2,
        "jobs": 2,
        "load": 0.5,
    }
    Health.model_validate(found)


def test_one_that_is_not_well_degrades_them_and_does_not_count(
    report: Callable[..., dict[str, Any]],
) -> None:
    loading = report("loading", None, cores=8.0)
    found = one_report({ONE: loading, TWO: report(cores=2.0)}, 2, HOSTS)
    assert (found["status"], found["capacity"]["cores"]) == ("degraded", 2.0)
    offline = report("offline", "ffmpeg is missing", cores=8.0)
    found = one_report({ONE: offline, TWO: report(cores=2.0)}, 2, HOSTS)
    assert (found["status"], found["reason"]) == ("degraded", f"{ONE}: ffmpeg is missing")
    degraded = report("degraded", "no such voice", cores=8.0)
    found = one_report({ONE: degraded, TWO: report(cores=2.0)}, 2, HOSTS)
    assert (found["status"], found["capacity"]["cores"]) == ("degraded", 10.0)


def test_one_that_is_missing_degrades_them(report: Callable[..., dict[str, Any]]) -> None:
    found = one_report({ONE: report()}, 2, HOSTS)
    assert (found["status"], found["reason"]) == ("degraded", "1 of 2 replicas are there")


def test_the_cores_of_a_machine_count_once(report: Callable[..., dict[str, Any]]) -> None:
    told = {ONE: report(cores=4.0), TWO: report(cores=2.0), THREE: report(cores=2.0)}
    assert one_report(told, 2, HOSTS)["capacity"]["cores"] == 6.0


def test_one_that_drains_is_there_no_more(report: Callable[..., dict[str, Any]]) -> None:
    told = {ONE: report(jobs=1), TWO: report(jobs=2), THREE: report("loading")}
    found = one_report(told, 2, HOSTS, [TWO, THREE])
    assert found["reason"] == "1 of 2 replicas are there"
    assert [each["status"] for each in found["replicas"]] == ["ready", "draining", "loading"]
    assert found["capacity"]["jobs"] == 3
    told[THREE] = report()
    found = one_report(told, 2, HOSTS, [TWO])
    assert (found["status"], found["reason"]) == ("ready", None)


def test_none_that_is_well(report: Callable[..., dict[str, Any]]) -> None:
    told = {ONE: report("loading"), TWO: report("offline", "ffmpeg is missing")}
    found = one_report(told, 2, HOSTS)
    assert (found["status"], found["reason"]) == ("loading", f"{TWO}: ffmpeg is missing")
    Health.model_validate(found)


@pytest.fixture
def ask() -> Iterator[Callable[..., Response]]:
    """``merged`` of answers, status and body by place; None of one that is lost."""
    app = Flask("all")
    text, value = "text/plain; version=1", "application/json"

    def make(path: str, answers: dict[str, Any], least: int = 1) -> Response:
        def fetch(place: str) -> Any:
            found = answers[place]
            kind = text if path == "/metrics" else value
            return found and (found[0], [("Content-Type", kind)], found[1])

        doors = {place: Door(HOSTS[place], 1) for place in answers}
        return merged(path, doors, fetch, least, counted("/web"))

    with app.test_request_context():
        yield make


def said(value: Any, status: int = 200) -> tuple[int, bytes]:
    return status, json.dumps(value).encode()


def test_health_is_503_where_nobody_is_well(
    ask: Callable[..., Response], report: Callable[..., dict[str, Any]]
) -> None:
    found = ask("/api/health", {ONE: said(report("loading"), 503)})
    assert (found.status_code, found.headers["Retry-After"]) == (503, "2")
    found = ask("/api/health", {ONE: said(report("loading"), 503), TWO: said(report())})
    assert (found.status_code, found.json and found.json["status"]) == (200, "degraded")
    assert found.headers["Cache-Control"] == "no-store"


def test_one_that_is_lost_or_fails_is_missing(
    ask: Callable[..., Response], report: Callable[..., dict[str, Any]]
) -> None:
    broken = said({"error": "The server failed", "code": "internal"}, 500)
    full = said({"error": "full", "code": "busy"}, 503)
    found = ask("/api/health", {ONE: None, TWO: broken, THREE: said(report())}, 3)
    assert found.json is not None
    assert found.json["reason"] == "1 of 3 replicas are there"
    sessions = {ONE: full, TWO: said({"sessions": [{"session_id": "a"}]})}
    assert ask("/api/sessions", sessions).json == {"sessions": [{"session_id": "a"}]}
    assert ask("/metrics", {ONE: full, TWO: (200, b"")}).status_code == 200
    found = ask("/api/health", {ONE: broken, TWO: None})
    assert (found.status_code, found.json and found.json["code"]) == (500, "internal")
    with pytest.raises(Busy):
        ask("/api/health", {ONE: None})


def test_one_that_refuses_speaks_for_all(ask: Callable[..., Response]) -> None:
    refusal = said({"error": "…", "code": "too_many"}, 429)
    answers = {ONE: said({"sessions": []}), TWO: refusal}
    found = ask("/api/sessions", answers)
    assert (found.status_code, found.json and found.json["code"]) == (429, "too_many")


def test_sessions_of_all(ask: Callable[..., Response]) -> None:
    names = [{"session_id": name} for name in "abc"]
    answers = {ONE: said({"sessions": names[:2]}), TWO: said({"sessions": names[2:]})}
    assert ask("/api/sessions", answers).json == {"sessions": names}


def counted(*paths: str) -> str:
    metrics = Metrics()
    for path in paths:
        metrics.request("GET", path, 200)
    return generate_latest(metrics.registry).decode()


def test_counts_have_the_label_of_their_replica(ask: Callable[..., Response]) -> None:
    odd = '/api/{"a"},\\ b'
    texts = {ONE: counted("/", "/", odd), TWO: counted("/")}
    found = ask("/metrics", {place: (200, text.encode()) for place, text in texts.items()})
    assert found.content_type == "text/plain; version=1"
    families = list(text_string_to_metric_families(found.get_data(as_text=True)))
    names = [family.name for family in families]
    assert len(names) == len(set(names)), "those of one name stand together"
    (requests,) = [f for f in families if f.name == "soyle_http_requests"]
    counts = {
        (sample.labels["replica"], sample.labels["route"]): sample.value
        for sample in requests.samples
        if sample.name.endswith("_total")
    }
    assert counts == {(ONE, "/"): 2.0, (ONE, odd): 1.0, (TWO, "/"): 1.0, ("web", "/web"): 1.0}
    for place, text in texts.items():
        alone = list(text_string_to_metric_families(text))
        assert [family.documentation for family in alone] == [f.documentation for f in families]
        for one, all_ in zip(alone, families, strict=True):
            mine = [s for s in all_.samples if s.labels["replica"] == place]
            rest = [{k: v for k, v in s.labels.items() if k != "replica"} for s in mine]
            assert one.type == all_.type
            assert [s.name for s in mine] == [s.name for s in one.samples]
            assert [s.labels for s in one.samples] == rest


def test_replicas_of_two_versions_are_told_once() -> None:
    old = '# HELP a_total Old.\n# TYPE a_total counter\na_total{x="1"} 1.0\n'
    new = "# HELP a_total New.\n# TYPE a_total counter\na_total 2.0\n# HELP b B.\nb NaN\n"
    assert one_text({ONE: old, TWO: new}) == [
        "# HELP a_total Old.",
        "# TYPE a_total counter",
        f'a_total{{replica="{ONE}",x="1"}} 1.0',
        f'a_total{{replica="{TWO}"}} 2.0',
        "# HELP b B.",
        f'b{{replica="{TWO}"}} NaN',
    ]
