"""What a render is expected to take, what is refused before it begins, and its last moment."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from app_core.audio import AudioBuffer
from app_core.avatars.library import Avatar
from app_core.channel import Channel
from app_core.config import Config
from app_core.engine.capacity import Capacity
from app_core.errors import Busy, TooCostly, TooMany
from app_core.job import Job, JobStatus
from app_core.job_table import JobTable
from app_core.request import (
    ChunksRequest,
    GenerateRequest,
    MjpegRequest,
    RenderRequest,
    VideoRequest,
)
from app_core.services.admission import SHORT_CORE_S, Admission
from app_core.services.devices.loaded_model import LoadedModel
from app_core.services.lipsync_service import LipsyncService
from app_core.services.render_cost import Costs, Work, likely_s, work_of
from app_core.shares import Share
from app_core.speech.text.piece import Piece
from app_core.speech.text.reading import TextReader
from tests.below import files_below
from tests.conftest import until
from tests.fakes import RATE, EchoModel, ToneVoice, ToneVoices
from tests.routes.test_recording import wav

NUMBERS = " ".join(["123456789"] * 500)
ORDINARY = "Погода сегодня ясная, ветер слабый, и мы идём гулять в парк у реки. " * 1500
AVATAR = Avatar("a", "A", Path("nowhere"), 1.0, 1.0, 1080, 1920, clip=Path("clip"))
HUGE: dict[str, Any] = {"size": "1920x1920", "fps": 60}
HOUR_S = 3600.0
TWO_CORES = Capacity(0.75, cores=2.0)


def cost(request: RenderRequest, **settings: Any) -> tuple[float, int]:
    """Core seconds, and how many pieces were read to know it."""
    read: list[Piece] = []

    def pieces() -> Iterator[Piece]:
        for piece in TextReader().read(request.text, request.language):
            read.append(piece)
            yield piece

    costs = Costs(Config.model_validate(settings), HOUR_S)
    core_s, given = costs.of_text(work_of(request, AVATAR, TWO_CORES), request, pieces())
    count = len(read)
    if count:
        assert list(given) == read, "what was read is said"
    return core_s, count


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        (VideoRequest(text=NUMBERS, preset="veryslow", **HUGE), "size"),
        (VideoRequest(text=NUMBERS, preset="veryslow", size="720x720", fps=60), "preset"),
        (VideoRequest(text=NUMBERS, encoder="libx265", preset="medium", **HUGE), "size"),
        (VideoRequest(text=ORDINARY[:9000], preset="veryslow", size="1080x1920"), "preset"),
        (ChunksRequest(text=NUMBERS, **HUGE), "size"),
        (GenerateRequest(text=ORDINARY, size="512x512"), "text"),
    ],
)
def test_too_much_is_refused_by_the_field_to_lower(asked: RenderRequest, field: str) -> None:
    with pytest.raises(TooCostly) as refused:
        cost(asked)
    assert (refused.value.field, refused.value.status) == (field, 400)
    assert field in str(refused.value)


@pytest.mark.parametrize(
    "asked",
    [
        VideoRequest(text=ORDINARY[:5000]),
        VideoRequest(text=ORDINARY[:5000], preset="medium", size="1080x1920", fps=30),
        VideoRequest(text=ORDINARY[:5000], preset="veryslow", size="512x512"),
        GenerateRequest(text=ORDINARY[:5000], static_mode=False),
        ChunksRequest(text=ORDINARY[:5000]),
        MjpegRequest(text=ORDINARY[:5000]),
        MjpegRequest(text=NUMBERS),
        GenerateRequest(text=ORDINARY[:45_000], size="512x512"),
    ],
)
def test_ordinary_requests_pass_and_are_not_read_for_it(asked: RenderRequest) -> None:
    core_s, read = cost(asked)
    assert 0 < core_s < 0.5 * Config().max_render_core_s
    assert read == 0


def test_a_text_that_may_be_too_much_is_read_and_passes_if_it_is_not() -> None:
    dense = VideoRequest(text=ORDINARY[:5000], preset="slow", size="1080x1920")
    core_s, read = cost(dense)
    assert read > 50
    assert 3000 < core_s < 7200


def test_readings_of_a_request_count() -> None:
    assert likely_s("я " * 100, 1.0, {"я": "сто двадцать три тысячи"}) > 10 * likely_s(
        "я " * 100, 1.0, {}
    )
    assert likely_s(NUMBERS, 1.0, {}) > 7 * likely_s(ORDINARY[:5000], 1.0, {})
    read = likely_s("я " * 100, 1.0, {"я": "123456789" * 10})
    assert read > 7 * likely_s("я " * 100, 1.0, {"я": "двадцать " * 10})
    assert likely_s("слово", 2.0, {}) == 0.5 * likely_s("слово", 1.0, {})


def test_wall_time_bounds_it_too() -> None:
    asked = VideoRequest(text=ORDINARY[:5000], size="1080x1920")
    core_s, _ = cost(asked)
    with pytest.raises(TooCostly, match="MAX_RENDER_S"):
        cost(asked, max_render_s=core_s / 2 / 2)
    cost(asked, max_render_s=core_s)


def test_a_recording_is_bounded_by_its_length() -> None:
    costs = Costs(Config(), HOUR_S)
    work = work_of(GenerateRequest(text="x", size="512x512"), AVATAR, TWO_CORES)
    assert costs.of_sound(work, 1800.0) == pytest.approx(1800.0 * work.core_s)
    huge = work_of(VideoRequest(text="x", preset="slow", **HUGE), AVATAR, TWO_CORES)
    with pytest.raises(TooCostly) as refused:
        costs.of_sound(huge, 1800.0)
    assert refused.value.field == "size"
    with pytest.raises(TooCostly) as refused:
        costs.of_sound(work, 1e6)
    assert refused.value.field == "audio"


def test_cost_follows_this_machine() -> None:
    slow = Capacity(0.75, cores=2.0, factor=3.0)
    request = VideoRequest(text="x", size="512x512")
    works = [work_of(request, AVATAR, capacity) for capacity in (TWO_CORES, slow)]
    assert works[1].core_s == pytest.approx(3 * works[0].core_s)
    assert works[0].lighter() == []
    assert Work(512, 512, 25, None, TWO_CORES).core_s < works[0].core_s


def test_what_is_refused_makes_nothing(
    make_client: Callable[..., FlaskClient], config: Config, model: EchoModel
) -> None:
    voice = ToneVoice()
    limits = {"max_render_core_s": 1e-9, "client_renders": 1}
    client = make_client(config=config.model_copy(update=limits), voices=ToneVoices(voice))
    service: LipsyncService = client.application.extensions["lipsync"]
    trial = len(model.batches)
    bodies: list[dict[str, Any]] = [
        {"json": {"text": "one two", "size": "640x640"}},
        {"data": {"audio": (io.BytesIO(wav()), "a.wav"), "size": "640x640"}},
    ]
    for body in bodies:
        answer = client.post("/api/generate", **body)
        assert (answer.status_code, answer.json["code"]) == (400, "too_costly")
        assert answer.json["field"] == "size"
    assert client.post("/api/stream_mjpeg", json={"text": "one"}).json["code"] == "too_costly"
    assert client.post("/api/stream_chunks", json={"text": "one"}).json["code"] == "too_costly"
    assert (voice.spoken, len(model.batches), service.jobs.running()) == (0, trial, [])
    assert not service.shares._held


def job(core_s: float, live: bool = False, owner: str = "") -> Job:
    request = MjpegRequest(text="x")
    return Job(request, AudioBuffer(RATE), Channel(4), live=live, core_s=core_s, owner=owner)


def test_a_short_film_need_not_wait_for_long_ones() -> None:
    one_core = LoadedModel(EchoModel(), "", Capacity(0.75, cores=1.0))
    admission = Admission(JobTable(60, 1 << 20), 48)

    def admit(core_s: float) -> None:
        admission.admit(job(core_s), 512, 512, [one_core])

    admit(SHORT_CORE_S + 1)
    admit(SHORT_CORE_S + 1)
    with pytest.raises(Busy):
        admit(SHORT_CORE_S + 1)
    admit(SHORT_CORE_S)
    with pytest.raises(Busy):
        admit(SHORT_CORE_S)


def test_a_client_has_half_of_the_places_of_films_and_another_the_rest() -> None:
    two_cores = LoadedModel(EchoModel(), "", Capacity(0.75, cores=2.0))
    admission = Admission(JobTable(60, 1 << 20), 48)

    def admit(core_s: float, owner: str, *, halved: bool = True) -> None:
        share = Share(owner, halved=halved)
        admission.admit(job(core_s, owner=owner), 512, 512, [two_cores], share)

    long, short = SHORT_CORE_S + 1, SHORT_CORE_S
    for core_s in (long, long, short):
        admit(core_s, "a")
    for core_s in (long, short):
        with pytest.raises(TooMany, match="CLIENT_RENDERS"):
            admit(core_s, "a")
    for core_s in (long, short, short):
        admit(core_s, "b")
    with pytest.raises(Busy):
        admit(short, "c")
    with pytest.raises(Busy):  # one that is not bounded has all that there is
        admit(short, "a", halved=False)


@pytest.mark.parametrize("path", ["/api/generate", "/api/stream_chunks"])
def test_a_render_that_takes_too_long_is_ended(
    make_client: Callable[..., FlaskClient], model: EchoModel, path: str, tmp_path: Path
) -> None:
    """The film while its frames are made, the chunks while they are still being spoken."""
    voice = ToneVoice(delay_s=0.0 if path == "/api/generate" else 0.05)
    client = make_client(voices=ToneVoices(voice))
    service: LipsyncService = client.application.extensions["lipsync"]
    model.gate.clear()
    headers = {"Prefer": "respond-async", "Accept": "application/x-ndjson"}
    answer = client.post(
        path, json={"text": "one two " * 200, "size": "128x128"}, headers=headers, buffered=False
    )
    began = service.jobs.get(answer.headers["X-Job-Id"])
    assert until(lambda: voice.spoken > 5)
    service._renders.end_unread()
    assert not began.ended
    began.created_s -= service.config.max_render_s + 1
    service._renders.end_unread()
    assert began.status is JobStatus.FAILED
    assert isinstance(began.error, TooCostly)
    spoken = voice.spoken
    told = client.get(f"/api/jobs/{began.id}").json["error"]
    assert (told["code"], told["error"]) == (
        "too_costly",
        "The render was not done within 7200 s",
    )
    model.gate.set()
    answer.close()
    assert until(lambda: not service.videos._threads)
    assert until(lambda: not [path for path in files_below(tmp_path) if ".mp4" in path.name])
    names = {f"job-{began.id[:8]}", f"film-{began.id[:8]}"}
    assert until(lambda: names.isdisjoint(thread.name for thread in threading.enumerate()))
    if path == "/api/stream_chunks":
        assert voice.spoken <= spoken + 2, "its voice stops too"
