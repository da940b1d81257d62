"""/api/lipsync/video in a real browser: a film is made, watched, saved, cancelled, refused."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest

from app_core import create_app
from tests.browser.conftest import Visitor, serving, visiting

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Response, Route, WebSocketRoute

    from app_core.config import Config
    from app_core.services.lipsync_service import LipsyncService

PATH = "/api/lipsync/video"
LONG = "Это длинный рассказ, который никто не дослушает до конца. " * 60
TEXTS = {
    "ru": "Мама мыла раму, а папа читал газету у окна.",
    "kk": "Сәлеметсіз бе! Менің атым Сөйле, мен мәтінді айтып беремін.",
    "en": "The quick brown fox jumps over the lazy dog by the river.",
}
LOCALES = {"ru": "ru-RU", "kk": "kk-KZ", "en": "en-GB"}
DONE = {"ru": "Видео готово", "kk": "Бейне дайын", "en": "The video is ready"}
EMPTY = {"ru": "Введите текст.", "kk": "Мәтін енгізіңіз.", "en": "Enter some text."}
ENCODER = {
    "ru": "Этот кодировщик здесь не работает. Выберите другой.",
    "kk": "Бұл кодтауыш мұнда істемейді. Басқасын таңдаңыз.",
    "en": "This encoder does not work here. Choose another one.",
}
OVER = "['done', 'cancelled', 'error'].includes(stage.dataset.status)"
SOUNDS = "film.currentTime > 0.3 && film.videoWidth > 0 && film.webkitAudioDecodedByteCount > 0"
RECORD = """() => {
  const bar = document.querySelector("progress");
  window.percents = [];
  const look = () => bar.hasAttribute("value") && percents.push(bar.value);
  new MutationObserver(look).observe(bar, { attributeFilter: ["value"] });
}"""

Visit = Callable[[str], Visitor]


@pytest.fixture
def visit(chromium: Browser, request: pytest.FixtureRequest) -> Visit:
    """Visitors by the language of their browser."""

    def enter(language: str) -> Visitor:
        context = chromium.new_context(
            viewport={"width": 1280, "height": 800}, locale=LOCALES[language]
        )
        manager = visiting(context)
        visitor = manager.__enter__()
        request.addfinalizer(lambda: manager.__exit__(None, None, None))
        return visitor

    return enter


def fill(page: Page, text: str, mode: str, size: str = "256x256") -> None:
    page.locator("details.settings").evaluate("(details) => (details.open = true)")
    page.locator("textarea").fill(text)
    page.locator(f"input[name=mode][value={mode}]").check()
    page.locator("select[name=size]").select_option(size)


def ask(page: Page) -> Response:
    """The answer to the click on the button."""
    with page.expect_response(lambda answer: answer.request.method == "POST") as asked:
        page.locator("#make").click()
    return asked.value


def read_job(address: str, job_id: str) -> dict[str, Any]:
    with urllib.request.urlopen(f"{address}/api/jobs/{job_id}") as answer:
        found: dict[str, Any] = json.load(answer)
    return found


def frames(path: Path) -> tuple[int, int, int]:
    """(frames, width, height) of a film, by decoding it."""
    film = cv2.VideoCapture(str(path))
    count, shape = 0, (0, 0)
    while True:
        read, picture = film.read()
        if not read:
            break
        count, shape = count + 1, picture.shape[:2]
    film.release()
    return count, shape[1], shape[0]


@pytest.mark.parametrize("mode", ["stream", "file"])
@pytest.mark.parametrize("language", ["ru", "kk", "en"])
def test_film_is_made_watched_and_saved(
    visit: Visit, address: str, tmp_path: Path, language: str, mode: str
) -> None:
    visitor = visit(language)
    page = visitor.open(address + PATH)
    assert page.locator("input[name=language]:checked").input_value() == language
    page.evaluate(RECORD)
    fill(page, TEXTS[language], mode)
    with page.expect_download(timeout=60_000) as download:
        answer = ask(page)
    job = read_job(address, answer.headers["x-job-id"])
    assert job["status"] == "done"
    assert download.value.suggested_filename.endswith(".mp4")
    file = tmp_path / "film.mp4"
    download.value.save_as(file)
    assert frames(file) == (job["frames"]["total"], 256, 256)
    page.wait_for_function(OVER)
    assert page.locator("#status").inner_text() == DONE[language]
    page.wait_for_function(SOUNDS, timeout=30_000)
    percents = page.evaluate("percents")
    assert percents == sorted(percents)
    assert percents[-1] == 100
    assert page.locator(".percent").inner_text() == "100 %"
    again = page.locator("#again")
    assert again.is_visible()
    with page.expect_download() as second:
        again.click()
    assert second.value.suggested_filename == download.value.suggested_filename
    assert page.title().startswith("Soyle")


def test_film_is_watched_while_it_is_made(visitor: Visitor, address: str) -> None:
    page = visitor.open(address + PATH)
    fill(page, LONG, "stream", "")
    job_id = ask(page).headers["x-job-id"]
    page.wait_for_function(f"{SOUNDS} && stage.dataset.status === 'making'", timeout=60_000)
    job = read_job(address, job_id)
    assert job["status"] == "running"
    assert job["progress"] < 1
    page.locator("#cancel").click()
    page.wait_for_function("stage.dataset.status === 'cancelled'")
    assert page.locator("#status").inner_text() == "Видео отменено"
    assert page.locator("#error").is_hidden()
    assert page.locator("#progress").is_hidden()
    assert not page.evaluate("film.hasAttribute('src')")
    assert ended(page, address, job_id)["status"] == "cancelled"
    assert page.locator("#make").is_enabled()


def ended(page: Page, address: str, job_id: str) -> dict[str, Any]:
    """The job, after its end."""
    for _ in range(100):
        job = read_job(address, job_id)
        if job["status"] not in ("queued", "running"):
            break
        page.wait_for_timeout(100)
    return job


def test_background_film_is_cancelled_by_key(visitor: Visitor, address: str) -> None:
    page = visitor.open(address + PATH)
    fill(page, LONG, "file")
    job_id = ask(page).headers["x-job-id"]
    page.wait_for_function("document.querySelector('progress').value > 0")
    with page.expect_response(lambda answer: answer.request.method == "DELETE") as deleted:
        page.keyboard.press("Escape")
    assert deleted.value.ok
    page.wait_for_function("stage.dataset.status === 'cancelled'")
    assert ended(page, address, job_id)["status"] == "cancelled"
    assert page.locator("#again").is_hidden()


def test_cancel_before_the_answer_cancels_the_job(visitor: Visitor, address: str) -> None:
    page = visitor.open(address + PATH)
    waiting: list[Route] = []
    page.route(f"**{PATH}", lambda route: waiting.append(route))
    fill(page, LONG, "file")
    with page.expect_request(lambda asked: asked.method == "POST"):
        page.locator("#make").click()
    page.locator("#cancel").click()
    with page.expect_response(lambda answer: answer.request.method == "DELETE") as deleted:
        waiting[0].continue_()
    # Its body is not asked for: the page reads none, so with no-store there is none to be had.
    assert deleted.value.ok
    assert ended(page, address, deleted.value.url.rpartition("/")[2])["status"] == "cancelled"
    page.wait_for_function("stage.dataset.status === 'cancelled'")


def test_leaving_the_page_cancels(visitor: Visitor, address: str) -> None:
    page = visitor.open(address + PATH)
    fill(page, LONG, "file")
    job_id = ask(page).headers["x-job-id"]
    page.wait_for_function("document.querySelector('progress').value > 0")
    visitor.open(address)
    assert ended(page, address, job_id)["status"] == "cancelled"


def test_settings_are_sent(visitor: Visitor, address: str) -> None:
    page = visitor.open(address + PATH)
    fill(page, "Hello!", "file")
    page.locator("input[name=language][value=en]").check()
    page.locator("select[name=preset]").select_option("ultrafast")
    page.locator("#quality").focus()
    page.keyboard.press("ArrowRight")
    assert page.locator("#quality-value").inner_text() == "высокое, CRF 19"
    page.locator("#speed").fill("1.5")
    page.locator("input[name=save]").uncheck()
    with page.expect_request(lambda asked: asked.method == "POST") as asked:
        page.keyboard.press("Control+Enter")
    assert asked.value.post_data_json == {
        "text": "Hello!",
        "language": "en",
        "size": "256x256",
        "speed": 1.5,
        "encoder": "libx264",
        "crf": 19,
        "preset": "ultrafast",
        "use_nvdec": False,
    }
    assert asked.value.headers["prefer"] == "respond-async"
    page.wait_for_function(OVER, timeout=60_000)
    assert page.locator("#status").inner_text() == "Видео готово"


def test_the_quality_is_filled_up_to_its_thumb(visitor: Visitor, address: str) -> None:
    slider = visitor.open(address + PATH).locator("#quality")
    slider.fill("25")
    picture = cv2.imdecode(np.frombuffer(slider.screenshot(), np.uint8), cv2.IMREAD_COLOR)
    row = picture[picture.shape[0] // 2].astype(int)
    colour = row.max(1) - row.min(1)
    eighth = len(row) // 8
    assert colour[eighth] > 60 > 20 > colour[-eighth]


@pytest.mark.parametrize("language", ["ru", "kk", "en"])
def test_empty_text_is_a_sentence_and_no_request(visit: Visit, address: str, language: str) -> None:
    visitor = visit(language)
    page = visitor.open(address + PATH)
    page.locator("textarea").fill(" ")
    page.locator("#make").click()
    assert page.locator("#error").inner_text() == EMPTY[language]
    assert not [asked for asked in visitor.requests if asked.startswith("POST")]


def with_health(page: Page, **found: Any) -> None:
    """The page sees another machine than the server's own."""

    def answer(route: Route) -> None:
        real = route.fetch()
        route.fulfill(response=real, json=real.json() | found)

    page.route("**/api/health", answer)


@pytest.mark.parametrize("language", ["ru", "kk", "en"])
def test_refused_encoder_is_a_sentence(visit: Visit, address: str, language: str) -> None:
    visitor = visit(language)
    with_health(visitor.page, encoders=["libx264", "hevc_nvenc"])
    page = visitor.open(address + PATH)
    fill(page, TEXTS[language], "file")
    page.locator("select[name=encoder]").select_option("hevc_nvenc")
    assert ask(page).status == 400
    page.wait_for_function(OVER)
    assert page.locator("#error").inner_text() == ENCODER[language]
    assert page.locator("#make").is_enabled()
    visitor.expect_complaint("400")


def test_only_what_the_machine_has_is_offered(visitor: Visitor, address: str) -> None:
    with_health(visitor.page, encoders=["libx264", "libx265"], nvdec=False)
    page = visitor.open(address + PATH)
    page.locator("option[value=libx265]").wait_for(state="attached")
    options = page.locator("select[name=encoder] option")
    assert options.evaluate_all("all => all.map((o) => o.value)") == ["libx264", "libx265"]
    assert page.locator("input[name=use_nvdec]").is_disabled()
    assert page.locator("#nvdec-hint").text_content() == "На этой машине NVDEC нет"


def test_nvdec_is_offered_where_it_works(visitor: Visitor, address: str) -> None:
    with_health(visitor.page, nvdec=True)
    page = visitor.open(address + PATH)
    page.locator("input[name=use_nvdec]:enabled").wait_for(state="attached")
    fill(page, "Привет!", "file")
    page.locator("input[name=use_nvdec]").check()
    answer = ask(page)
    assert answer.request.post_data_json["use_nvdec"] is True
    if answer.status == 400:
        page.locator("#error", has_text="На этой машине нет NVDEC.").wait_for()
        visitor.expect_complaint("400")


def test_h265_cannot_be_watched_while_it_is_made(visitor: Visitor, address: str) -> None:
    with_health(visitor.page, encoders=["libx264", "libx265"])
    page = visitor.open(address + PATH)
    page.locator("option[value=libx265]").wait_for(state="attached")
    fill(page, "Привет!", "stream")
    page.locator("select[name=encoder]").select_option("libx265")
    stream = page.locator("input[name=mode][value=stream]")
    assert stream.is_disabled()
    assert page.locator("input[name=mode]:checked").input_value() == "file"
    page.locator("select[name=encoder]").select_option("libx264")
    assert stream.is_enabled()


def test_browser_without_media_source_gets_the_file(visitor: Visitor, address: str) -> None:
    visitor.page.add_init_script("delete window.MediaSource")
    page = visitor.open(address + PATH)
    assert page.locator("input[name=mode][value=stream]").is_disabled()
    assert page.locator("input[name=mode]:checked").input_value() == "file"


def test_progress_goes_on_without_the_socket(visitor: Visitor, address: str) -> None:
    refused: list[str] = []

    def refuse(socket: WebSocketRoute) -> None:
        refused.append(socket.url)
        socket.close()

    visitor.page.route_web_socket("**/events*", refuse)
    page = visitor.open(address + PATH)
    page.evaluate(RECORD)
    fill(page, TEXTS["ru"] * 4, "file")
    with page.expect_download(timeout=60_000):
        page.locator("#make").click()
    page.wait_for_function(OVER)
    assert refused
    assert page.locator("#status").inner_text() == "Видео готово"
    assert len([asked for asked in visitor.requests if "/api/jobs/" in asked]) > 2
    assert page.evaluate("percents.at(-1)") == 100


def test_captions_are_the_words_that_are_said(visitor: Visitor, address: str) -> None:
    page = visitor.open(address + PATH)
    fill(page, TEXTS["ru"], "file")
    page.locator("#make").click()
    page.wait_for_function(OVER, timeout=60_000)
    page.wait_for_function("document.querySelector('track').readyState === 2")
    cues = page.evaluate(
        "[...film.textTracks[0].cues].map((cue) => ({startTime: cue.startTime, "
        "endTime: cue.endTime, text: cue.getCueAsHTML().textContent}))"
    )
    said = " ".join(cue["text"] for cue in cues)
    assert [word.strip(".,").lower() for word in said.split()] == [
        word.strip(".,").lower() for word in TEXTS["ru"].split()
    ]
    times = [time for cue in cues for time in (cue["startTime"], cue["endTime"])]
    assert times == sorted(times)
    page.wait_for_function("film.duration > 0")
    assert 0 < times[-1] <= page.evaluate("film.duration") + 0.05
    page.wait_for_function("film.textTracks[0].activeCues.length > 0")
    track = page.evaluate("[film.textTracks.length, film.textTracks[0].language]")
    assert track == [1, "ru"]
    assert page.locator("track").get_attribute("label") == "Субтитры"


def test_captions_are_there_while_the_film_is_made(visitor: Visitor, address: str) -> None:
    page = visitor.open(address + PATH)
    fill(page, LONG, "stream", "")
    page.locator("#make").click()
    page.wait_for_function("film.textTracks[0]?.activeCues?.length > 0", timeout=60_000)
    assert page.evaluate("stage.dataset.status") == "making"
    page.locator("#cancel").click()
    page.wait_for_function("stage.dataset.status === 'cancelled'")
    assert page.evaluate("film.textTracks.length") == 0
    assert page.locator("#caption-files").is_hidden()


@pytest.mark.parametrize("mode", ["stream", "file"])
def test_captions_are_saved_beside_the_film(
    visitor: Visitor, address: str, tmp_path: Path, mode: str
) -> None:
    page = visitor.open(address + PATH)
    fill(page, TEXTS["ru"], mode)
    page.locator("input[name=save]").uncheck()
    page.locator("#make").click()
    page.locator("#caption-files").wait_for(timeout=60_000)
    for kind, first in (("vtt", "WEBVTT\n"), ("srt", "1\n00:00:00,")):
        with page.expect_download() as download:
            page.locator(f"#caption-files [data-kind={kind}]").click()
        assert download.value.suggested_filename == f"lipsync_video.{kind}"
        file = tmp_path / f"captions.{kind}"
        download.value.save_as(file)
        assert file.read_text("utf-8").startswith(first)
    page.locator("#make").click()
    assert page.locator("#caption-files").is_hidden()
    page.locator("#cancel").click()


def test_phone_shows_what_happens(phone: Visitor, address: str) -> None:
    """The film, then the sentence of an error, come into view by themselves."""
    seen = """(element) => {
      const { top, bottom } = element.getBoundingClientRect();
      return top >= 0 && bottom <= innerHeight;
    }"""
    page = phone.open(address + PATH)
    page.locator("textarea").fill(LONG)
    page.locator("#make").tap()
    page.wait_for_function("film.currentTime > 0", timeout=60_000)
    assert page.locator("#film").evaluate(seen)
    assert page.locator("#status").evaluate(seen)
    page.locator("#cancel").tap()
    page.wait_for_function("stage.dataset.status === 'cancelled'")
    page.locator("textarea").fill("а" * 5001)
    page.locator("#make").tap()
    assert page.locator("#error").evaluate(seen)


def test_failure_in_the_background_is_a_sentence(visitor: Visitor, address: str) -> None:
    """The job's own error reaches the page, whichever way it is followed."""
    page = visitor.open(address + PATH)
    fill(page, LONG, "file")
    job_id = ask(page).headers["x-job-id"]
    page.wait_for_function("document.querySelector('progress').value > 0")
    deleted = urllib.request.Request(f"{address}/api/jobs/{job_id}", method="DELETE")
    urllib.request.urlopen(deleted).close()
    page.wait_for_function("stage.dataset.status === 'error'")
    assert page.locator("#error").inner_text() == "Задание отменено."


def test_stream_that_breaks_is_a_sentence(visitor: Visitor, address: str) -> None:
    page = visitor.open(address + PATH)
    fill(page, LONG, "stream")
    job_id = ask(page).headers["x-job-id"]
    page.wait_for_function("film.currentTime > 0", timeout=60_000)
    deleted = urllib.request.Request(f"{address}/api/jobs/{job_id}", method="DELETE")
    urllib.request.urlopen(deleted).close()
    page.wait_for_function("stage.dataset.status === 'error'")
    assert page.locator("#error").inner_text() == "Задание отменено."
    visitor.complaints = [text for text in visitor.complaints if "INCOMPLETE" not in text]


@pytest.mark.parametrize("mode", ["stream", "file"])
def test_token_opens_everything_a_film_needs(
    visitor: Visitor,
    make_service: Callable[..., LipsyncService],
    config: Config,
    still_avatar: Path,
    mode: str,
) -> None:
    """The page asks once; the socket, the film and its file come by signed addresses."""
    told = {"api_token": "secret", "avatar": "aigul", "avatar_dir": still_avatar, "sway": False}
    closed = config.model_copy(update=told)
    service = make_service(config=closed, model=None, voices=None, library=None)
    with serving(create_app(service=service)) as address:
        page = visitor.open(address + PATH)
        page.locator("#token-dialog input").fill("secret")
        page.keyboard.press("Enter")
        page.locator("#token-dialog").wait_for(state="hidden")
        fill(page, TEXTS["ru"], mode)
        with page.expect_download(timeout=60_000), page.expect_websocket() as socket:
            page.locator("#make").click()
        assert "token=" in socket.value.url
        page.wait_for_function(OVER)
        assert page.locator("#status").inner_text() == "Видео готово"
        page.wait_for_function(SOUNDS, timeout=30_000)
        page.goto("about:blank")  # lets go of its connections
        visitor.expect_complaint("401")


def test_captions_have_the_dashes_while_the_film_is_made(visitor: Visitor, address: str) -> None:
    page = visitor.open(address + PATH)
    fill(page, "Дом — в г. Алматы. " * 12, "stream", "")
    page.locator("#make").click()
    page.wait_for_function(
        "[...(film.textTracks[0]?.cues ?? [])].some((cue) => cue.text === 'Дом — в г. Алматы.')",
        timeout=60_000,
    )
    page.locator("#cancel").click()
    page.wait_for_function("stage.dataset.status === 'cancelled'")
