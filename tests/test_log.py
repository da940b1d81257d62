"""Records carry their job and never the user's text."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient

from app_core.log import JobFilter, JsonFormatter, LineFormatter, job_id, setup_logging
from tests.fakes import EchoModel, ToneVoice, ToneVoices

JOB = "11111111-2222-4333-8444-555555555555"
SECRET = "Жасырын-сөз-7313"


class Kept(logging.Handler):
    """Every record, as both formats would write it."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.addFilter(JobFilter())
        self.records: list[logging.LogRecord] = []
        self.written = ""

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)
        self.written += LineFormatter().format(record) + JsonFormatter().format(record)

    def of(self, logger: str) -> list[logging.LogRecord]:
        return [record for record in self.records if record.name == f"app_core.{logger}"]


@pytest.fixture
def kept() -> Iterator[Kept]:
    handler, root = Kept(), logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield handler
    root.setLevel(level)
    root.removeHandler(handler)


def render(client: FlaskClient, path: str = "/api/stream_mjpeg", **fields: Any) -> Any:
    body = {"text": f"{SECRET} two", "size": "128x128", "job_id": JOB} | fields
    answer = client.post(path, json=body)
    answer.get_data()
    answer.close()
    return answer


def test_a_request_is_one_line_with_its_job(client: FlaskClient, kept: Kept) -> None:
    assert render(client, pace="asap").status_code == 200
    (record,) = kept.of("routes.http.access_log")
    assert record.levelno == logging.INFO
    assert record.job == JOB
    told = json.loads(JsonFormatter().format(record))
    assert (told["method"], told["path"], told["status"]) == ("POST", "/api/stream_mjpeg", 200)
    assert told["milliseconds"] > 0
    (ended,) = kept.of("services.renders")
    assert ended.job == JOB


def test_no_query_and_no_forged_line(client: FlaskClient, kept: Kept) -> None:
    client.get("/api/stream_mjpeg", query_string={"text": SECRET, "fps": "no"}).close()
    client.get("/no%0AERROR forged").close()
    asked, forged = kept.of("routes.http.access_log")
    assert asked.getMessage().startswith("GET /api/stream_mjpeg 400 ")
    assert "\n" not in forged.getMessage()
    assert forged.job == "-"


def test_the_text_is_never_written(make_client: Any, kept: Kept) -> None:
    render(make_client(), pace="asap")
    render(make_client(), path="/api/generate")
    render(make_client(), fps="many")
    render(make_client(), nonsense=SECRET)
    render(make_client(voices=ToneVoices(ToneVoice(fail_at="two"))), pace="asap")
    render(make_client(model=EchoModel(bad=[(JOB, 0)])), pace="asap")
    client = make_client()
    client.get("/api/stream_mjpeg", query_string={"text": SECRET, "pace": "asap"}).get_data()
    client.get(f"/api/jobs/{JOB}").close()
    assert len(kept.records) > 10
    assert SECRET not in kept.written
    assert "7313" not in kept.written


def test_a_failing_frame_names_its_job(make_client: Any, kept: Kept) -> None:
    render(make_client(model=EchoModel(bad=[(JOB, 0)])), pace="asap")
    failed = [record for record in kept.of("engine.runner") if record.exc_info]
    assert {record.job for record in failed} == {JOB}


def test_a_thread_forgets_the_last_request(client: FlaskClient, kept: Kept) -> None:
    client.get(f"/api/jobs/{JOB}").close()
    client.get("/api/voices").close()
    assert [record.job for record in kept.of("routes.http.access_log")] == [JOB, "-"]


def test_json_is_one_object_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    token = job_id.set(JOB)
    try:
        setup_logging("info", "json")
        logging.getLogger("app_core.test").info("line %d\nand more", 1)
        try:
            raise ValueError("no")
        except ValueError:
            logging.getLogger("app_core.test").exception("it broke")
        sys.stderr.flush()
    finally:
        job_id.reset(token)
        root.handlers[:] = handlers
        root.setLevel(level)
    first, second = map(json.loads, capsys.readouterr().err.splitlines())
    assert (first["message"], first["job"], first["level"]) == ("line 1\nand more", JOB, "info")
    assert "ValueError: no" in second["exception"]
