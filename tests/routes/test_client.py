"""client/soyle_client.py, and the Python of the user's documents, against a listening server."""

from __future__ import annotations

import importlib.util
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from app_core.avatars.importing.import_queue import PLACES
from app_core.avatars.library import AvatarLibrary
from app_core.config import ROOT, Config
from tests.back_end import application
from tests.browser.conftest import serving
from tests.conftest import until
from tests.fakes import EchoModel, ToneVoice, ToneVoices
from tests.importing import CROWD, Importer, make_still_avatar

SMALL = {"size": "128x128", "pace": "asap"}

DOCUMENTED = """
import requests

response = requests.post(
    'http://localhost:3000/api/stream_mjpeg',
    json={
        'text': 'Тестовое сообщение',
        'language': 'ru',
        'low_latency': True
    },
    stream=True
)

for chunk in response.iter_content(chunk_size=8192):
    # Обработать MJPEG кадр
    process_frame(chunk)
"""


def load() -> Any:
    """The client as a user has it: one file."""
    spec = importlib.util.spec_from_file_location(
        "soyle_client", ROOT / "client" / "soyle_client.py"
    )
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


soyle_client = load()


@pytest.fixture
def connect(make_service: Any) -> Iterator[Any]:
    """Clients of servers on fakes."""
    with ExitStack() as stack:

        def make(options: dict[str, Any] | None = None, **parts: Any) -> Any:
            service = make_service(**parts)
            address = stack.enter_context(serving(application(service)))
            client = stack.enter_context(soyle_client.Soyle(address, **(options or {})))
            client.service, client.address = service, address
            return client

        yield make


def test_frames(connect: Any) -> None:
    soyle = connect()
    with soyle.stream("one two three", **SMALL) as frames:
        found = list(frames)
        assert frames.frame_rate == 25
        assert soyle.job(frames.job_id)["status"] == "done"
    assert [frame.index for frame in found] == list(range(15))
    assert [frame.seconds for frame in found] == pytest.approx([n / 25 for n in range(15)])
    assert all(frame.jpeg.startswith(b"\xff\xd8\xff") for frame in found)


def test_leaving_cancels(connect: Any) -> None:
    soyle = connect()
    with soyle.stream("word " * 200, size="128x128") as frames:
        next(iter(frames))
    assert until(lambda: not soyle.service.jobs.running())
    assert soyle.job(frames.job_id)["status"] == "cancelled"


def test_sound(connect: Any, tmp_path: Path) -> None:
    soyle = connect()
    with soyle.stream("one two", **SMALL) as frames:
        list(frames)
        wav = soyle.audio(frames.job_id, tmp_path / "a.wav").read_bytes()
        again = soyle.fetch(frames.audio_url, tmp_path / "b.wav").read_bytes()
    assert wav[:4] == b"RIFF"
    assert wav == again
    assert len(wav) == 44 + 2 * 3200


def test_captions_and_a_reading(connect: Any, tmp_path: Path) -> None:
    soyle = connect()
    with soyle.stream("one two", **SMALL) as frames:
        list(frames)
    vtt = soyle.captions(frames.job_id, tmp_path / "a.vtt").read_text("utf-8")
    assert vtt.startswith("WEBVTT")
    srt = soyle.captions(frames.job_id, tmp_path / "a.srt").read_text("utf-8")
    assert srt.startswith("1\n")
    assert soyle.read("Salt & pepper", language="en")["said"] == "Salt and pepper."
    with pytest.raises(soyle_client.SoyleError) as caught:
        soyle.read("🙂")
    assert caught.value.field == "text"


def test_a_film(connect: Any, tmp_path: Path) -> None:
    film = connect().generate("one two", tmp_path / "film.mp4")
    assert film.read_bytes()[4:8] == b"ftyp"
    assert list(tmp_path.glob(".*.part")) == []


def test_a_film_with_progress(connect: Any, tmp_path: Path) -> None:
    seen: list[dict[str, Any]] = []
    film = connect().generate("one two", tmp_path / "film.mp4", progress=seen.append)
    assert film.read_bytes()[4:8] == b"ftyp"
    assert seen[-1]["status"] == "done"
    assert seen[-1]["progress"] == 1.0


def test_progress_that_raises_cancels(connect: Any, tmp_path: Path) -> None:
    soyle = connect()

    def stop(job: dict[str, Any]) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        soyle.generate("word " * 300, tmp_path / "film.mp4", progress=stop)
    assert until(lambda: not soyle.service.jobs.running())
    assert not (tmp_path / "film.mp4").exists()


def test_cancel(connect: Any, model: EchoModel) -> None:
    soyle = connect()
    with soyle.stream("word " * 200, size="128x128") as frames:
        assert soyle.cancel(frames.job_id)["status"] == "cancelled"


def test_a_refusal_names_the_field(connect: Any, tmp_path: Path) -> None:
    soyle = connect()
    with pytest.raises(soyle_client.SoyleError, match="fps") as refused:
        soyle.generate("one", tmp_path / "film.mp4", fps=1)
    assert (refused.value.status, refused.value.code, refused.value.field) == (
        400,
        "bad_input",
        "fps",
    )
    with pytest.raises(soyle_client.SoyleError) as unknown:
        soyle.job("nothing")
    assert unknown.value.status == 404


def test_a_failure_in_the_stream(connect: Any) -> None:
    soyle = connect(voices=ToneVoices(ToneVoice(fail_at="bad")))
    with soyle.stream("one two bad", size="128x128") as frames:
        found = iter(frames)
        assert next(found).index == 0
        with pytest.raises(soyle_client.SoyleError) as failed:
            list(found)
    assert failed.value.code == "voice_failed"


@pytest.mark.parametrize(
    ("most", "told"),
    [("max_jobs", (503, "busy")), ("client_renders", (429, "too_many"))],
)
def test_what_is_full_is_tried_again(
    connect: Any,
    config: Any,
    monkeypatch: pytest.MonkeyPatch,
    most: str,
    told: tuple[int, str],
) -> None:
    small = config.model_copy(update={most: 1})
    soyle = connect({"retries": 20}, config=small)
    impatient = soyle_client.Soyle(soyle.address)
    with soyle.stream("word " * 200, size="128x128") as first, impatient:
        with pytest.raises(soyle_client.SoyleError) as full:
            impatient.stream("one", **SMALL)
        assert (full.value.status, full.value.code) == told
        assert full.value.retry_after >= 1
        threading.Timer(0.3, first.close).start()
        monkeypatch.setattr(soyle_client, "LONGEST_WAIT_S", 0.5)
        with soyle.stream("one", **SMALL) as second:
            assert len(list(second)) == 5


def test_the_token(connect: Any, config: Any, tmp_path: Path) -> None:
    closed = config.model_copy(update={"api_token": "secret"})
    soyle = connect({"token": "secret"}, config=closed)
    assert soyle.voices()[0]["id"] == "tone"
    assert soyle.health()["status"] == "ready"
    with soyle_client.Soyle(soyle.address) as stranger:
        with pytest.raises(soyle_client.SoyleError) as refused:
            stranger.voices()
        assert refused.value.status == 401
        with soyle.stream("one", **SMALL) as frames:
            list(frames)
        assert stranger.fetch(frames.audio_url, tmp_path / "a.wav").stat().st_size > 44


@pytest.fixture
def faces(connect: Any, tmp_path: Path) -> Any:
    """A client of a server that can import."""
    folder = tmp_path / "avatars"
    make_still_avatar(folder / "aigul", "Aigul")
    config = Config(avatar_dir=folder, work_dir=tmp_path / "work", sway=False)
    return connect(config=config, library=AvatarLibrary(folder), importer=Importer())


def test_avatars(faces: Any, tmp_path: Path) -> None:
    photo = tmp_path / 'my "own".jpg'
    photo.write_bytes(b"a face" * 50_000)
    seen: list[dict[str, Any]] = []
    added = faces.add_avatar(photo, "Айгүл", consent=True, progress=seen.append)
    assert (added["id"], added["name"], added["status"]) == ("aigul-2", "Айгүл", "ready")
    assert seen[-1] == added
    assert [avatar["id"] for avatar in faces.avatars()] == ["aigul", "aigul-2"]
    with faces.stream("one", avatar="aigul-2", **SMALL) as frames:
        assert len(list(frames)) == 5
    faces.delete_avatar("aigul-2")
    assert [avatar["id"] for avatar in faces.avatars()] == ["aigul"]


def test_a_face_is_chosen(faces: Any, tmp_path: Path) -> None:
    photo = tmp_path / "me.jpg"
    photo.write_bytes(CROWD)
    added = faces.add_avatar(photo, consent=True, face=1, rotate=0)
    assert [warning["code"] for warning in added["warnings"]] == ["second_face", "dark"]
    assert faces.add_avatar(photo, consent=True, face=(10, 20.5))["status"] == "ready"
    with pytest.raises(soyle_client.SoyleError) as refused:
        faces.add_avatar(photo, consent=True, rotate=45)
    assert refused.value.field == "rotate"


def test_an_upload_is_sent_again_to_a_full_server(faces: Any, tmp_path: Path) -> None:
    photo = tmp_path / "me.jpg"
    photo.write_bytes(b"a face")
    imports = faces.service.avatars.imports
    for _ in range(PLACES):
        imports.reserve()
    with pytest.raises(soyle_client.SoyleError) as full:
        faces.add_avatar(photo, consent=True)
    assert (full.value.status, full.value.retry_after) == (503, 15)
    threading.Timer(0.2, imports.give_up).start()
    soyle_client.LONGEST_WAIT_S, kept = 0.5, soyle_client.LONGEST_WAIT_S
    try:
        with soyle_client.Soyle(faces.address, retries=5) as patient:
            assert patient.add_avatar(photo, consent=True)["status"] == "ready"
    finally:
        soyle_client.LONGEST_WAIT_S = kept
        for _ in range(PLACES - 1):
            imports.give_up()


def test_an_avatar_that_is_refused(faces: Any, tmp_path: Path) -> None:
    photo = tmp_path / "nobody.jpg"
    photo.write_bytes(b"nobody")
    with pytest.raises(soyle_client.SoyleError) as refused:
        faces.add_avatar(photo)
    assert (refused.value.status, refused.value.field) == (400, "consent")
    with pytest.raises(soyle_client.SoyleError) as failed:
        faces.add_avatar(photo, consent=True, avatar_id="me")
    assert failed.value.code == "no_face"
    assert [avatar["id"] for avatar in faces.avatars()] == ["aigul"]


def test_an_import_that_is_given_up(faces: Any, tmp_path: Path) -> None:
    photo = tmp_path / "me.jpg"
    photo.write_bytes(b"a face")

    def stop(avatar: dict[str, Any]) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        faces.add_avatar(photo, consent=True, progress=stop)
    assert until(lambda: [avatar["id"] for avatar in faces.avatars()] == ["aigul"])


def test_nobody_listens() -> None:
    with soyle_client.Soyle("http://127.0.0.1:9") as soyle:
        with pytest.raises(soyle_client.SoyleError) as failed:
            soyle.voices()
    assert failed.value.code == "unreachable"


def test_the_documented_python(connect: Any) -> None:
    soyle = connect()
    got = bytearray()
    program = DOCUMENTED.replace("http://localhost:3000", soyle.address)
    scope: dict[str, Any] = {"process_frame": got.extend}
    exec(compile(program, "document", "exec"), scope)
    scope["response"].close()
    assert got.count(b"Content-Type: image/jpeg") == 10
    assert got.endswith(b"--frame--\r\n")


def test_a_sound_in_place_of_a_text(connect: Any, tmp_path: Path) -> None:
    soyle = connect()
    sound = tmp_path / 'my "own".flac'
    soundfile.write(sound, np.zeros(16_000), 16_000)
    film = soyle.generate("", tmp_path / "a.mp4", audio=sound, static_mode=False)
    assert film.read_bytes()[4:8] == b"ftyp"
    seen: list[dict[str, Any]] = []
    film = soyle.video("", tmp_path / "b.mp4", seen.append, audio=str(sound), fps=10)
    assert film.read_bytes()[4:8] == b"ftyp"
    assert seen[-1]["frames"]["total"] == 10
    with soyle.stream(audio=sound, low_latency=True, **SMALL) as frames:
        assert len(list(frames)) == 25
    with pytest.raises(soyle_client.SoyleError) as refused:
        soyle.generate("", tmp_path / "c.mp4", audio=film, speed=1.5)
    assert (refused.value.status, refused.value.field) == (400, "speed")
    sound.write_text("nothing")
    with pytest.raises(soyle_client.SoyleError) as unknown:
        soyle.stream(audio=sound, **SMALL)
    assert (unknown.value.status, unknown.value.field) == (415, "audio")
