"""BASE_VIDEO_PATH names any clip or photo: what health and the route say on its way, and after."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app_core.avatars.importing import face_paths as faces
from app_core.avatars.importing.import_queue import Import
from app_core.avatars.library import AvatarLibrary
from app_core.config import Config
from app_core.errors import BadInput, FileChanged, NotReady, UnusableVideo
from app_core.media.decoder import ClipFootage
from app_core.media.ffmpeg import find_ffmpeg
from app_core.request import VideoRequest
from tests.begun import begun
from tests.clips import make_clip, make_track
from tests.conftest import checked_client, until
from tests.importing import GOOD, SIZE, Importer, make_still_avatar

URL = "/api/lipsync/video"
SAID = {"text": "one", "preset": "ultrafast"}


@pytest.fixture
def base(tmp_path: Path) -> Path:
    path = tmp_path / "IMG_3899.MOV"
    path.write_bytes(GOOD)
    return path


Make = Callable[..., Any]


@pytest.fixture
def make(
    make_service: Make,
    importer: Importer,
    base: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Make:
    monkeypatch.setattr("app_core.services.lipsync_service.DISK_LOOK_S", 0.02)
    avatars = tmp_path / "avatars"
    make_still_avatar(avatars / "aigul", "Aigul")

    def made(**parts: Any) -> Any:
        work = tmp_path / "work"
        config = Config(
            avatar="aigul",
            avatar_dir=avatars,
            work_dir=work,
            base_video_path=base,
            sway=False,
            models_dir=tmp_path / "models",
        )
        library = AvatarLibrary(avatars, 200, ClipFootage(find_ffmpeg))
        return make_service(config=config, library=library, **({"importer": importer} | parts))

    return made


def state(service: Any) -> Any:
    return service.health()["base_video"]


def posted(client: Any, path: str = URL, **fields: Any) -> int:
    answer = client.post(path, json=SAID | fields if path == URL else {"text": "one"})
    answer.close()
    return int(answer.status_code)


def ready(service: Any) -> bool:
    return until(lambda: state(service)["status"] == "ready")


def test_it_is_prepared_in_the_background_while_all_else_goes_on(
    make: Make, importer: Importer
) -> None:
    importer.gate.clear()
    service = make()
    client = checked_client(service)
    assert until(lambda: state(service)["progress"] == 0.5)
    told = client.get("/api/health").json
    assert (told["status"], told["reason"]) == ("ready", None)
    assert told["base_video"] == {"status": "importing", "progress": 0.5, "error": None}
    refused = client.post(URL, json=SAID)
    assert (refused.status_code, refused.json["code"]) == (503, "not_ready")
    assert "50 %" in refused.json["error"] and int(refused.headers["Retry-After"]) > 0
    assert posted(client, avatar="aigul") == 200
    assert posted(client, "/api/generate") == 200
    importer.gate.set()
    assert ready(service)
    answer = client.post(URL, json=SAID)
    assert (answer.status_code, answer.mimetype) == (200, "video/mp4")
    answer.close()
    job = client.get(f"/api/jobs/{answer.headers['X-Job-Id']}").json
    assert job["frames"]["without_face"] == 0
    assert job["statistics"]["resolution"] == f"{SIZE[0]}x{SIZE[1]}"
    listed = [avatar["id"] for avatar in client.get("/api/avatars").json["avatars"]]
    assert listed == ["aigul"], "it is no avatar of its own"


def test_a_second_start_finds_the_work_of_the_first(
    make: Make, importer: Importer, base: Path
) -> None:
    first = make()
    assert ready(first)
    first.close()
    base.rename(base.with_name("moved"))
    base.with_name("moved").rename(base)
    os.utime(base, (1, 1))
    importer.gate.clear()  # an import would not end
    assert ready(make())
    assert len(importer.began) == 1


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"nobody", "No face was found"), (b"broken", "This is no photo and no clip")],
)
def test_one_that_cannot_speak_degrades_health_and_says_why(
    make: Make, base: Path, content: bytes, words: str
) -> None:
    base.write_bytes(content)
    service = make()
    assert until(lambda: service.health()["status"] == "degraded")
    client = checked_client(service)
    told = client.get("/api/health")
    assert told.status_code == 200 and words in told.json["reason"]
    assert told.json["base_video"]["error"]["code"] == "unusable_video"
    refused = client.post(URL, json=SAID)
    assert (refused.status_code, refused.json["code"]) == (422, "unusable_video")
    assert base.name in refused.json["error"] and words in refused.json["error"]
    assert posted(client, avatar="aigul") == 200


def test_one_that_is_missing_is_named_and_taken_when_it_comes(make: Make, base: Path) -> None:
    base.unlink()
    service = make()
    client = checked_client(service)
    told = client.get("/api/health").json
    assert (told["status"], told["base_video"]["status"]) == ("degraded", "failed")
    assert f"BASE_VIDEO_PATH is {base}" in told["reason"]
    refused = client.post(URL, json=SAID)
    assert refused.status_code == 404
    assert f"BASE_VIDEO_PATH is {base}" in refused.json["error"]
    base.write_bytes(GOOD)
    assert ready(service)
    assert service.health()["status"] == "ready"


def test_one_that_changes_is_prepared_anew(make: Make, importer: Importer, base: Path) -> None:
    base.write_bytes(b"nobody")
    service = make()
    assert until(lambda: state(service)["status"] == "failed")
    with pytest.raises(UnusableVideo):
        service.submit(VideoRequest(**SAID))
    importer.gate.clear()
    base.write_bytes(GOOD)
    os.utime(base, (5, 5))
    with pytest.raises(NotReady):
        service.submit(VideoRequest(**SAID))
    base.write_bytes(b"broken off while it was being copied")
    os.utime(base, (6, 6))
    assert until(lambda: len(importer.began) == 3)
    importer.gate.set()
    assert ready(service)
    service.cancel(service.submit(VideoRequest(**SAID)))


def test_a_full_disk_is_no_fault_of_the_file(
    make: Make, base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base.write_bytes(b"full")
    service = make()
    assert until(lambda: state(service)["status"] == "failed")
    client = checked_client(service)
    refused = client.post(URL, json=SAID)
    assert (refused.status_code, refused.json["code"]) == (507, "disk_full")
    monkeypatch.setattr(faces, "RETRY_S", 0.0)
    assert until(lambda: client.post(URL, json=SAID).status_code == 503), "it is tried again"


def test_a_track_made_by_hand_needs_no_import(make: Make, importer: Importer, base: Path) -> None:
    make_clip(base.with_suffix(".mp4")).rename(base)
    make_track(base.with_suffix(".npz"))
    service = make()
    assert state(service) == {"status": "ready", "progress": 1.0, "error": None}
    job = begun(service, VideoRequest(**SAID))
    assert job.request.fps == 25
    service.cancel(job.id)
    assert importer.began == []


def test_the_end_does_not_wait_for_the_import(make: Make, importer: Importer) -> None:
    importer.gate.clear()
    service = make()
    assert until(lambda: importer.began)
    service.close()
    assert list(service.config.avatar_dir.glob(".imports/*")) == []


def test_without_a_base_video_there_is_nothing_to_tell(service: Any) -> None:
    assert service.health()["base_video"] is None


def test_asked_by_many_at_once_it_is_imported_once(make: Make, importer: Importer) -> None:
    importer.gate.clear()
    service = make()
    outcomes: list[type] = []

    def ask() -> None:
        try:
            service.submit(VideoRequest(**SAID))
        except NotReady as error:
            outcomes.append(type(error))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes == [NotReady] * 8
    importer.gate.set()
    assert ready(service)
    assert len(importer.began) == 1


def test_uploads_keep_their_places(make: Make, importer: Importer) -> None:
    """What was named by the operator takes none of them, and gives none back."""
    importer.gate.clear()
    service = make()
    assert until(lambda: importer.began)
    items: list[Import] = []
    for _ in range(4):
        with service.avatars.upload() as upload:
            upload.place().write_bytes(GOOD)
            items.append(service.avatars.add(upload, "me"))
    importer.gate.set()
    assert all(item.ended.wait(5) and item.error is None for item in items)
    with pytest.raises(BadInput), service.avatars.upload() as upload:
        raise BadInput("left")


def test_a_folder_is_no_base_video(make: Make, base: Path) -> None:
    base.unlink()
    base.mkdir()
    service = make()
    client = checked_client(service)
    told = client.get("/api/health").json
    assert (told["status"], told["base_video"]["error"]["code"]) == ("degraded", "not_found")
    refused = client.post(URL, json=SAID)
    assert (refused.status_code, refused.json["code"]) == (404, "not_found")
    words = f"The base video is no file; BASE_VIDEO_PATH is {base}"
    assert refused.json["error"] == words == told["reason"]


def test_one_that_went_while_it_was_read_is_tried_again(
    make: Make, importer: Importer, base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(faces, "RETRY_S", 0.05)
    away = base.with_suffix(".away")
    tries: list[Path] = []

    def goes(item: Import, home: Path) -> None:
        tries.append(item.source)
        if len(tries) > 1:
            return importer(item, home)
        base.rename(away)
        raise FileChanged(field="file")

    service = make(importer=goes)
    assert until(away.exists)
    assert until(lambda: state(service)["status"] == "failed")
    away.rename(base)  # with the size and the time that it had
    assert ready(service)
