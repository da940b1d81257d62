from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import pytest
from flask.testing import FlaskClient

from app_core.config import Config
from app_core.services.lipsync_service import LipsyncService
from tests.fakes import ToneVoice, ToneVoices

URL = "/api/generate"


def test_the_film_has_every_frame(client: FlaskClient, config: Config, tmp_path: Path) -> None:
    answer = client.post(URL, json={"text": "one two three", "static_mode": True})
    assert answer.status_code == 200
    assert answer.mimetype == "video/mp4"
    assert "avatar_speech.mp4" in answer.headers["Content-Disposition"]
    assert int(answer.headers["Content-Length"]) == len(answer.data)
    assert answer.data[4:8] == b"ftyp"
    film = tmp_path / "got.mp4"
    film.write_bytes(answer.data)
    video = cv2.VideoCapture(str(film))
    count = 0
    while video.read()[0]:
        count += 1
    video.release()
    film.unlink()
    assert count == 15
    answer.close()
    assert list(config.work_dir.iterdir()) == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "text"),
        ({"text": "x", "static_mode": "no"}, "static_mode"),
        ({"text": "x", "a": 1}, "a"),
    ],
)
def test_bad_input(client: FlaskClient, body: Any, field: str) -> None:
    answer = client.post(URL, json=body)
    assert (answer.status_code, answer.json["field"]) == (400, field)


def test_a_failing_voice_leaves_nothing(make_client: Any, config: Config) -> None:
    client = make_client(voices=ToneVoices(ToneVoice(fail_at="three")))
    answer = client.post(URL, json={"text": "one two three"})
    assert answer.status_code == 500
    assert answer.json["code"] == "voice_failed"
    assert list(config.work_dir.iterdir()) == []


def test_a_full_disk_is_said(
    client: FlaskClient, service: LipsyncService, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    from app_core.outputs.mp4 import Mp4Writer

    def full(self: Mp4Writer, frame: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Mp4Writer, "write", full)
    answer = client.post(URL, json={"text": "one two three"})
    assert answer.status_code == 507
    assert answer.json["code"] == "disk_full"
    assert list(config.work_dir.iterdir()) == []
    assert service.jobs.running() == []
