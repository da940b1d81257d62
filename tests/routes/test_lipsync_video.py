from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from app_core.avatars.library import AvatarLibrary
from app_core.config import Config
from app_core.media.decoder import ClipFootage
from app_core.media.ffmpeg import find_ffmpeg
from app_core.services.lipsync_service import LipsyncService
from tests.back_end import application
from tests.clips import children, make_avatar
from tests.conftest import until
from tests.fakes import ToneVoice, ToneVoices

URL = "/api/lipsync/video"
DOCUMENTED = {
    "text": "Привет! Это тестовое видео.",
    "language": "ru",
    "use_nvdec": False,
    "encoder": "libx264",
    "crf": 20,
    "preset": "veryfast",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_avatar(tmp_path_factory.mktemp("avatars"))


@pytest.fixture
def clip_client(
    make_service: Callable[..., LipsyncService], tmp_path: Path, folder: Path
) -> Callable[..., FlaskClient]:
    def make(**parts: Any) -> FlaskClient:
        base = parts.pop("base", "")
        work = tmp_path / "work"
        work.mkdir()
        config = Config(avatar="clip", avatar_dir=folder, base_video_path=base, work_dir=work)
        library = AvatarLibrary(folder, 200, ClipFootage(find_ffmpeg))
        service = make_service(config=config, library=library, **parts)
        return application(service).test_client()

    return make


def test_the_documented_request(clip_client: Callable[..., FlaskClient], tmp_path: Path) -> None:
    client = clip_client()
    answer = client.post(URL, json=DOCUMENTED)
    assert (answer.status_code, answer.mimetype) == (200, "video/mp4")
    assert answer.data[4:8] == b"ftyp"
    told = client.get(f"/api/jobs/{answer.headers['X-Job-Id']}").json
    assert told["status"] == "done"
    assert told["statistics"]["frames"] == told["frames"]["total"] == 20
    answer.close()
    assert list((tmp_path / "work").iterdir()) == []
    assert children() == []


def test_later(clip_client: Callable[..., FlaskClient]) -> None:
    client = clip_client()
    answer = client.post(URL, json=DOCUMENTED, headers={"Prefer": "respond-async"})
    assert answer.status_code == 202
    where = answer.headers["Location"]
    assert until(lambda: client.get(where).json["status"] == "done")
    result = client.get(client.get(where).json["result_url"])
    assert result.data[4:8] == b"ftyp"
    result.close()


def test_while_it_is_made(clip_client: Callable[..., FlaskClient]) -> None:
    answer = clip_client().post(URL, json={"text": "one two", "stream": True})
    assert (answer.status_code, answer.mimetype) == (200, "video/mp4")
    assert answer.data.count(b"moof") >= 1
    answer.close()


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"text": " "}, "text"),
        ({"encoder": "mpeg4"}, "encoder"),
        ({"encoder": 4}, "encoder"),
        ({"crf": -1}, "crf"),
        ({"crf": 52}, "crf"),
        ({"crf": "20"}, "crf"),
        ({"crf": 20.5}, "crf"),
        ({"preset": "placebo"}, "preset"),
        ({"use_nvdec": "yes"}, "use_nvdec"),
        ({"static_mode": True}, "static_mode"),
        ({"fps": 5}, "fps"),
    ],
)
def test_bad_input_names_its_field(
    clip_client: Callable[..., FlaskClient], fields: dict[str, Any], field: str
) -> None:
    answer = clip_client().post(URL, json=DOCUMENTED | fields)
    assert (answer.status_code, answer.json["field"]) == (400, field)
    assert answer.json["code"] == "bad_input"


def test_not_json_is_415(clip_client: Callable[..., FlaskClient]) -> None:
    assert clip_client().post(URL, data="text=x").status_code == 415


def test_a_missing_base_video_is_404(clip_client: Callable[..., FlaskClient]) -> None:
    answer = clip_client(base="/nowhere/base.mov").post(URL, json=DOCUMENTED)
    assert (answer.status_code, answer.json["code"]) == (404, "not_found")
    assert "BASE_VIDEO_PATH" in answer.json["error"]


def test_a_failing_voice_leaves_nothing(
    clip_client: Callable[..., FlaskClient], tmp_path: Path
) -> None:
    client = clip_client(voices=ToneVoices(ToneVoice(fail_at="видео.")))
    answer = client.post(URL, json=DOCUMENTED)
    assert (answer.status_code, answer.json["code"]) == (500, "voice_failed")
    assert list((tmp_path / "work").iterdir()) == []
    assert children() == []


def test_the_page(clip_client: Callable[..., FlaskClient]) -> None:
    answer = clip_client().get(URL)
    assert (answer.status_code, answer.mimetype) == (200, "text/html")
