from __future__ import annotations

import gc
import re
import sys
import threading
import time
import traceback
from collections.abc import Callable, Generator, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from app_core.cancel_scope import never
from app_core.config import ROOT, Config
from app_core.services.lipsync_service import LipsyncService
from app_core.speech.text.reading import TextReader
from app_core.weights.catalogue import FACE, faults
from tests.back_end import CLUSTER, application, close_doors, placed
from tests.contract import CheckedClient
from tests.fakes import EchoModel, GreyLibrary, ToneVoices

MODELS = ROOT / "models"


@pytest.fixture(scope="session")
def models() -> Path:
    """The folder of the networks that `python app.py models pull face` brings."""
    missing = faults(FACE, MODELS)
    if missing:
        pytest.skip(f"the face networks are not here: {missing[0]}")
    return MODELS


def until(true: Callable[[], Any], seconds: float = 5.0) -> bool:
    """Waits for a condition."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if true():
            return True
        time.sleep(0.01)
    return bool(true())


def at_once(true: Callable[[], Any]) -> bool:
    """Through a web tier, a moment later: its replica learns then that a client has left."""
    return until(true) if CLUSTER else bool(true())


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return Config(avatar="grey", avatar_dir=tmp_path / "avatars", work_dir=tmp_path, max_jobs=8)


@pytest.fixture
def model() -> EchoModel:
    return EchoModel()


@cache
def _warm_readings() -> None:
    """Patterns and libraries are of the process: nothing is left for its second reader to load."""
    TextReader().warm()


@pytest.fixture
def make_service(
    config: Config, model: EchoModel, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., LipsyncService]]:
    """Services on fakes; each is closed after the test, and must leave no thread."""
    _warm_readings()
    monkeypatch.setattr(TextReader, "warm", lambda reader, stale=never: None)
    before = set(threading.enumerate())
    made: list[LipsyncService] = []

    def make(**parts: Any) -> LipsyncService:
        given: dict[str, Any] = {
            "model": model,
            "voices": ToneVoices(),
            "library": GreyLibrary(),
        } | parts
        service = LipsyncService(placed(given.pop("config", config)), **given)
        service.start(wait_s=10.0)
        service.capacity.cores = 64  # a busy machine must not make a test's service "full"
        made.append(service)
        return service

    yield make
    close_doors()
    for service in made:
        service.close()
    assert until(lambda: not set(threading.enumerate()) - before), _standing(before)


def _standing(before: set[threading.Thread]) -> dict[str, str]:
    """Where threads that have come since are."""
    frames = sys._current_frames()
    here = {
        thread.name: frames.get(thread.ident or 0) for thread in {*threading.enumerate()} - before
    }
    return {name: "".join(traceback.format_stack(frame)[-3:]) for name, frame in here.items()}


@pytest.fixture
def service(make_service: Callable[..., LipsyncService]) -> LipsyncService:
    return make_service()


def checked_client(service: LipsyncService) -> FlaskClient:
    """Compares each answer with /openapi.json."""
    app = application(service)
    app.test_client_class = CheckedClient
    return app.test_client()


@pytest.fixture
def make_client(make_service: Callable[..., LipsyncService]) -> Callable[..., FlaskClient]:
    def make(**parts: Any) -> FlaskClient:
        return checked_client(make_service(**parts))

    return make


@pytest.fixture
def client(service: LipsyncService) -> FlaskClient:
    return checked_client(service)


NEURAL = re.compile(r"No module named '(torch|safetensors|openvino|soxr)\b")
"""What requirements.txt brings beside the embedded default."""
LAST = {"services": 1, "routes": 1, "server": 1, "browser": 2, "gpu": 2}


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """A file whose imports need Wav2Lip's packages skips where those are absent."""
    report = yield
    missing = NEURAL.search(str(report.longrepr)) if report.failed else None
    if missing:
        reason = f"Skipped: needs {missing[1]}, which `make neural` installs"
        report.outcome, report.longrepr = "skipped", (str(collector.path), 0, reason)
    return report


def pytest_collection_finish() -> None:
    """What was imported and collected stays: no collection of garbage looks at it again."""
    gc.collect()
    gc.freeze()


def _rank(item: pytest.Item) -> int:
    return LAST.get(item.nodeid.split("/")[1], 0)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Unit tests, then the service, then browsers: the cheapest failure comes first."""
    items.sort(key=_rank)
