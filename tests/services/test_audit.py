"""A line for each render, session, import, removal and voice; a file that fails stops nobody."""

from __future__ import annotations

import errno
import io
import json
import logging
import os
import resource
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app_core.avatars.library import AvatarLibrary
from app_core.config import Config
from app_core.services.lipsync_service import LipsyncService
from app_core.services.privacy.audit import Audit
from tests.conftest import checked_client, until
from tests.fakes import EchoModel, ToneVoice, ToneVoices
from tests.importing import Importer, make_still_avatar
from tests.services.test_recording import speech

TOKEN = "anna-0123456789abcdef"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
ASAP = {"text": "one two", "language": "en", "size": "128x128"}


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


class Audited:
    def __init__(self, make: Callable[..., LipsyncService], config: Config, home: Path) -> None:
        self.path, tokens = home / "audit.jsonl", home / "tokens"
        tokens.write_text(f"anna {TOKEN}\n")
        tokens.chmod(0o600)
        settings = {"audit_log": self.path, "api_token_file": tokens}
        voices = ToneVoices(ToneVoice(fail_at="cursed"))
        self.service = make(config=config.model_copy(update=settings), voices=voices)
        self.client = checked_client(self.service)

    def post(self, path: str, **fields: Any) -> Any:
        return self.client.post(path, json=ASAP | fields, headers=BEARER)

    def last(self, count: int = 1) -> dict[str, Any]:
        """Of those that tell of an end."""
        assert until(lambda: len(self.ends()) == count), lines(self.path)
        return self.ends()[-1]

    def ends(self) -> list[dict[str, Any]]:
        return [line for line in lines(self.path) if line["outcome"] != "begun"]

    def begun(self) -> dict[str, Any]:
        (line,) = [line for line in lines(self.path) if line["outcome"] == "begun"]
        assert line.pop("time").endswith("Z")
        return line


@pytest.fixture
def audited(make_service: Any, config: Config, tmp_path: Path) -> Audited:
    return Audited(make_service, config, tmp_path)


def test_a_stream(audited: Audited) -> None:
    answer = audited.post("/api/stream_mjpeg", pace="asap")
    assert answer.data
    entry = audited.last()
    assert entry.pop("time").endswith("Z")
    assert entry == {
        "what": "mjpeg",
        "id": answer.headers["X-Job-Id"],
        "client": "token anna",
        "avatars": ["grey"],
        "voices": ["tone"],
        "model": "echo",
        "language": "en",
        "seconds": 0.4,
        "frames": 10,
        "outcome": "done",
        "code": None,
    }


def test_a_film_and_chunks(audited: Audited) -> None:
    answer = audited.post("/api/generate")
    assert answer.data
    answer.close()
    assert (audited.last()["what"], audited.last()["outcome"]) == ("film", "done")
    assert audited.post("/api/stream_chunks").data
    assert (audited.last(2)["what"], audited.last(2)["outcome"]) == ("chunks", "done")


def test_one_that_fails_and_one_that_is_cancelled(audited: Audited) -> None:
    assert audited.post("/api/generate", text="cursed").status_code == 500
    failed = audited.last()
    assert (failed["outcome"], failed["code"], failed["frames"]) == ("failed", "voice_failed", 0)
    answer = audited.client.post(
        "/api/generate",
        json=ASAP | {"text": "one " * 500},
        headers=BEARER | {"Prefer": "respond-async"},
    )
    job = answer.json["id"]
    assert audited.client.delete(f"/api/jobs/{job}", headers=BEARER).status_code == 200
    entry = audited.last(2)
    assert (entry["id"], entry["outcome"], entry["code"]) == (job, "cancelled", "cancelled")


def test_a_stop_of_the_server_is_nobodys_wish(audited: Audited) -> None:
    answers = []
    waits = threading.Thread(
        target=lambda: answers.append(audited.post("/api/generate", text="one " * 500))
    )
    waits.start()
    assert until(lambda: any(job.frames_done for job in audited.service.jobs.running()))
    audited.service.close()
    waits.join(10)
    (answer,) = answers
    assert (answer.status_code, answer.json["code"]) == (503, "not_ready"), answer.json
    assert answer.json["error"] == "The server is stopping; try again"
    assert answer.headers["Retry-After"] == "5"
    entry = audited.last()
    assert (entry["outcome"], entry["code"]) == ("failed", "not_ready")


def test_a_session(audited: Audited) -> None:
    fields = {"language": "en", "size": "128x128"}
    made = audited.client.post("/api/sessions", json=fields, headers=BEARER).json
    session = audited.service.sessions.get(made["session_id"])
    say = f"/api/sessions/{session.id}/say"
    own = {"Authorization": f"Bearer {made['token']}"}
    assert audited.client.post(say, json={"text": "one two"}, headers=own).status_code == 202
    assert until(lambda: not session.describe()["queued"] and session.seconds > 0.5)
    audited.service.sessions.switch_avatar(session, "aigul")
    session.close()
    entry = audited.last()
    assert entry["seconds"] == pytest.approx(0.4, abs=0.05)
    assert entry["frames"] >= 12
    kept = {name: entry[name] for name in ("what", "id", "client", "avatars", "voices", "model")}
    assert kept == {
        "what": "session",
        "id": session.id,
        "client": "token anna",
        "avatars": ["grey", "aigul"],
        "voices": ["tone"],
        "model": "echo",
    }
    assert (entry["outcome"], entry["code"]) == ("done", "closed")


def test_a_caller_in_this_process(audited: Audited, tmp_path: Path) -> None:
    found: list[None] = []

    def call() -> None:
        sound = speech(tmp_path / "a.wav", 0.4)
        audited.service.process("avatar/grey", sound, frame_sink=lambda _: found.append(None))

    thread = threading.Thread(target=call)
    thread.start()
    thread.join()
    entry = audited.last()
    assert (entry["what"], entry["client"]) == ("process", "this process")
    assert entry["frames"] == len(found) > 0


def test_without_a_file_lines_are_in_the_log(
    service: LipsyncService, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    checked_client(service).post("/api/stream_mjpeg", json=ASAP | {"pace": "asap"}).data  # noqa: B018
    told = [record for record in caplog.records if record.name == "soyle.audit"]
    said = [json.loads(record.message) for record in told]
    assert {line["client"] for line in said} == {"address 127.0.0.1"}
    assert [line["outcome"] for line in said] == ["begun", "done"]


# What a death cuts


def test_a_render_that_runs_has_a_line(
    make_service: Any, config: Config, tmp_path: Path, model: EchoModel
) -> None:
    audited = Audited(make_service, config, tmp_path)
    model.gate.clear()
    job = audited.client.post(
        "/api/generate", json=ASAP, headers=BEARER | {"Prefer": "respond-async"}
    ).json["id"]
    assert audited.ends() == []
    assert audited.begun() == {
        "what": "film",
        "id": job,
        "client": "token anna",
        "avatars": ["grey"],
        "model": "echo",
        "language": "en",
        "outcome": "begun",
        "code": None,
    }
    model.gate.set()
    assert audited.last()["id"] == job


def test_a_session_that_runs_has_a_line(audited: Audited) -> None:
    fields = {"language": "en", "size": "128x128"}
    made = audited.client.post("/api/sessions", json=fields, headers=BEARER).json
    assert audited.ends() == []
    assert audited.begun() == {
        "what": "session",
        "id": made["session_id"],
        "client": "token anna",
        "avatars": ["grey"],
        "model": "echo",
        "language": "en",
        "outcome": "begun",
        "code": None,
    }
    audited.service.sessions.get(made["session_id"]).close()
    assert audited.last()["id"] == made["session_id"]


def test_an_import_that_runs_has_a_line(make_service: Any, config: Config, tmp_path: Path) -> None:
    importer = Importer()
    path = tmp_path / "audit.jsonl"
    settings = config.model_copy(update={"audit_log": path})
    service = make_service(config=settings, importer=importer)
    importer.gate.clear()
    form = {"file": (io.BytesIO(b"a face"), "me.jpg"), "consent": "true", "id": "me"}
    answer = checked_client(service).post(
        "/api/avatars", data=form, headers={"Prefer": "respond-async"}
    )
    assert answer.status_code == 202
    assert until(lambda: len(lines(path)) == 1)
    (line,) = lines(path)
    assert (line["what"], line["id"], line["outcome"]) == ("import", "me", "begun")
    importer.gate.set()
    assert until(lambda: [line["outcome"] for line in lines(path)] == ["begun", "done"])


# The file


def test_a_file_that_is_moved_away_comes_anew(tmp_path: Path) -> None:
    path = tmp_path / "audit"
    audit = Audit(path, clock=lambda: 1.5)
    assert path.stat().st_mode & 0o777 == 0o600
    audit.write("a", text_of="é\n")
    path.rename(tmp_path / "old")
    audit.write("b")
    assert lines(tmp_path / "old") == [
        {"time": "1970-01-01T00:00:01.500Z", "what": "a", "text_of": "é\n"}
    ]
    assert [entry["what"] for entry in lines(path)] == ["b"]


def test_lines_of_many_threads_are_whole(tmp_path: Path) -> None:
    audit = Audit(tmp_path / "audit")
    threads = [
        threading.Thread(target=lambda: [audit.write("x", fill="y" * 5000) for _ in range(50)])
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(lines(tmp_path / "audit")) == 400


def is_fifo(path: Path) -> None:
    os.mkfifo(path)


@pytest.mark.parametrize("spoil", [Path.mkdir, is_fifo], ids=["folder", "pipe"])
def test_what_cannot_be_written_is_told_once_and_keeps_nobody(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, spoil: Callable[[Path], None]
) -> None:
    caplog.set_level(logging.INFO)
    path = tmp_path / "audit"
    spoil(path)
    audit = Audit(path)
    assert audit.fault.startswith("AUDIT_LOG cannot be written")
    for name in "ab":
        audit.write(name)
    errors = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert len(errors) == 1
    kept = [record.message for record in caplog.records if record.levelno == logging.INFO]
    assert [json.loads(line)["what"] for line in kept] == ["a", "b"]
    if path.is_dir():
        path.rmdir()
    else:
        path.unlink()
    audit.write("c")
    assert audit.fault == ""
    assert [entry["what"] for entry in lines(path)] == ["c"]


def test_a_line_that_was_cut_is_followed_by_a_whole_one(tmp_path: Path) -> None:
    path = tmp_path / "audit"
    audit = Audit(path)
    audit.write("a")
    size = path.stat().st_size
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 5, before[1]))
    try:
        audit.write("b")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert "no room" in audit.fault
    audit.write("c")
    first, torn, last = path.read_text().splitlines()
    assert json.loads(first)["what"] == "a"
    assert len(torn) == 5
    assert json.loads(last)["what"] == "c"


def test_a_file_that_fails_is_in_health(make_service: Any, config: Config, tmp_path: Path) -> None:
    broken = config.model_copy(update={"audit_log": tmp_path / "nowhere" / "audit"})
    service = make_service(config=broken)
    found = service.health()
    assert found["status"] == "degraded"
    assert "AUDIT_LOG cannot be written: No such file or directory" in found["reason"]


def test_a_removal_that_fails(audited: Audited, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = audited.service.config.avatar_dir
    make_still_avatar(folder / "me", "Me", owner="token anna")
    audited.service.avatars._library = AvatarLibrary(folder)

    def read_only(path: Path, target: Path) -> Path:
        raise OSError(errno.EROFS, "Read-only file system", str(path))

    monkeypatch.setattr(Path, "rename", read_only)
    answer = audited.client.delete("/api/avatars/me", headers=BEARER)
    error = answer.get_json()
    assert (answer.status_code, error["code"]) == (500, "internal")
    assert error["error"] == "The server cannot write where faces lie; see AVATAR_DIR"
    kept = {name: audited.last()[name] for name in ("what", "id", "client", "outcome", "code")}
    assert kept == {
        "what": "removal",
        "id": "me",
        "client": "token anna",
        "outcome": "failed",
        "code": "internal",
    }
