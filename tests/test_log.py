"""Records carry their job and never the user's text."""

from __future__ import annotations

import json
import logging
import logging.config
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from app_core.config import Config
from app_core.log import JobFilter, JsonFormatter, LineFormatter, job_id, setup_logging
from app_core.speech.text.piece import Piece
from app_core.types import Speech
from tests.conftest import checked_client, until
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
    ours = logging.getLogger("app_core").level
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
        logging.getLogger("app_core").setLevel(ours)
    first, second = map(json.loads, capsys.readouterr().err.splitlines())
    assert (first["message"], first["job"], first["level"]) == ("line 1\nand more", JOB, "info")
    assert second["exception"].splitlines()[-1] == "ValueError"
    assert "test_log.py" in second["exception"]


def test_only_words_that_are_never_a_users_are_written_of_an_error(
    caplog: pytest.LogCaptureFixture,
) -> None:
    try:
        try:
            int(SECRET)
        except ValueError as error:
            raise OSError(2, "No such file", "/a/b") from error
    except OSError:
        logging.getLogger("app_core.test").exception("it broke")
    (record,) = caplog.records
    record.job = "-"
    for formatter in (LineFormatter(), JsonFormatter()):
        record.exc_text = None
        written = formatter.format(record)
        assert SECRET not in written
        assert "int(SECRET)" in written  # the line of the code
        assert "FileNotFoundError: [Errno 2] No such file: '/a/b'" in written
        assert written.index("ValueError") < written.index("FileNotFoundError")


class BlurtingVoice(ToneVoice):
    """As a library that shows what it could not say."""

    def speak(self, piece: Piece, *rest: Any, **more: Any) -> Iterator[Speech]:
        raise ValueError(f"cannot say {piece.written!r}")
        yield


@pytest.mark.parametrize("fails", ["nobody", "voice", "model"])
def test_no_way_in_leaves_a_word(
    make_service: Any, config: Config, kept: Kept, tmp_path: Path, fails: str
) -> None:
    audit = tmp_path / "audit.jsonl"
    parts: dict[str, Any] = {"config": config.model_copy(update={"audit_log": audit})}
    if fails == "voice":
        parts["voices"] = ToneVoices(BlurtingVoice())
    if fails == "model":
        parts["model"] = EchoModel(bad=[(JOB, 0)])
    service = make_service(**parts)
    client = checked_client(service)
    for path in ("/api/stream_mjpeg", "/api/generate", "/api/stream_chunks", "/api/lipsync/video"):
        render(client, path, job_id=JOB if path.endswith("mjpeg") else None)
    client.get("/api/stream_mjpeg", query_string={"text": SECRET}).close()
    client.post("/api/text", json={"text": SECRET, "language": "ru"}).close()
    session = client.post("/api/sessions", json={"size": "128x128"}).json
    bearer = {"Authorization": f"Bearer {session['token']}"}
    say = f"/api/sessions/{session['session_id']}/say"
    for fields in ({"text": SECRET}, {"text": SECRET, "utterance_id": "a", "more": True}):
        assert client.post(say, json=fields, headers=bearer).status_code == 202
    assert until(lambda: service.sessions.all()[0].seconds > 0.6)
    service.sessions.all()[0].close()
    service.close()
    told = kept.written + audit.read_text()
    assert len(kept.records) > 10
    assert len(audit.read_text().splitlines()) >= 5
    for word in (SECRET, "7313", json.dumps(SECRET)[1:-1]):
        assert word not in told
    left = [path for path in tmp_path.rglob("*") if path.is_file() and path != audit]
    assert not [path for path in left if SECRET.encode() in path.read_bytes()]
    assert left == []


def test_libraries_say_no_more_than_warnings(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, Any] = {}
    monkeypatch.setattr(logging.config, "dictConfig", seen.update)
    setup_logging("debug")
    assert seen["root"]["level"] == "WARNING"
    assert seen["loggers"]["app_core"]["level"] == seen["loggers"]["soyle"]["level"] == "DEBUG"
    assert seen["loggers"]["piper"]["level"] == "ERROR"
