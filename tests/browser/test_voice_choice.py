"""The choice of the voice: those that speak the language, a sample, and more to be brought."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from app_core import create_app
from app_core.config import Config
from app_core.services.lipsync_service import LipsyncService
from app_core.speech.registry import Voices
from tests.browser.conftest import Visitor, serving
from tests.fakes import EchoModel, GreyLibrary, ToneVoice
from tests.file_server import FileServer
from tests.file_server import serving as serving_files
from tests.voice_files import CARD, WEIGHTS, voice_of

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page, Route

PATHS = ["/", "/mjpeg_test", "/api/lipsync/video"]
PLAYING = "document.querySelector('#voice-sample').getAttribute('aria-pressed') === 'true'"


def tone(voice_id: str, name: str, *languages: str) -> ToneVoice:
    voice = ToneVoice()
    voice.id, voice.name, voice.languages = voice_id, name, languages
    return voice


class Server:
    """The service with two voices, and what else it could have."""

    def __init__(self, files: FileServer, folder: Path) -> None:
        self.files = files
        config = Config(
            avatar="grey", avatar_dir=folder / "avatars", work_dir=folder, models_dir=folder
        )
        self.speaking = [tone("flute", "Flute", "ru", "kk"), tone("horn", "Horn", "en")]
        voices = Voices(finders=[lambda: list(self.speaking)])
        self.service = LipsyncService(
            config, model=EchoModel(), voices=voices, library=GreyLibrary()
        )
        pulls = self.service.voice_offer.pulls
        pulls.catalogue = (
            voice_of(files, "anna"),
            voice_of(files, "boris", commercial=None, notes=("from_lessac",)),
            voice_of(files, "oleg", commercial=False, weights_licence="CC-BY-NC-4.0"),
            voice_of(
                files, "xtts", files=(), how="make coqui", elsewhere_size=7, languages=("en",)
            ),
        )
        pulls.pulled = self._pulled
        self.url = ""

    def _pulled(self, voice_id: str) -> None:
        if voice_id == "tube:anna":
            self.speaking.insert(0, tone(voice_id, "Anna", "ru", "kk"))
            self.service.voices.look()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with serving_files({"card": CARD, "weights": WEIGHTS}) as files:
        made = Server(files, tmp_path)
        made.service.start(wait_s=30)
        made.service.capacity.cores = 64
        try:
            with serving(create_app(service=made.service)) as made.url:
                yield made
        finally:
            if files.hold is not None:
                files.hold.set()
            made.service.close()


def names(page: Page) -> list[str]:
    found: list[str] = page.locator("#voice option").all_inner_texts()
    return found


def opened(visitor: Visitor, url: str) -> Page:
    page = visitor.open(url)
    page.locator("#voice-choice").wait_for()
    page.locator("#more-voices summary").click()
    return page


def item(page: Page, name: str) -> Locator:
    return page.locator("#more-voices li").filter(has_text=name)


def request_of(visitor: Visitor, path: str) -> dict[str, str]:
    """What the page asks for when it is to speak; the server is full then."""
    page = visitor.page

    def refuse(route: Route) -> None:
        if route.request.method != "POST":
            return route.continue_()
        body = '{"error": "Full", "code": "busy", "field": null}'
        return route.fulfill(status=503, body=body, content_type="application/json")

    for name in ("stream_mjpeg", "lipsync/video"):
        page.route(f"**/api/{name}", refuse)
    with page.expect_request(lambda asked: asked.post_data is not None) as asked:
        page.locator("#make" if path == PATHS[2] else "#speak").click()
    page.locator("#error").wait_for()
    visitor.expect_complaint("503")
    found: dict[str, str] = json.loads(asked.value.post_data or "")
    return found


@pytest.mark.parametrize("path", PATHS)
def test_the_voices_are_those_of_the_language(visitor: Visitor, server: Server, path: str) -> None:
    page = opened(visitor, server.url + path)
    assert names(page) == ["Лучший", "Flute"]
    assert page.locator("#more-voices li:visible b").all_inner_texts() == ["Anna", "Boris", "Oleg"]
    page.locator("input[name=language][value=en]").check()
    assert names(page) == ["Лучший", "Horn"]
    assert page.locator("#more-voices li:visible b").all_inner_texts() == ["Xtts"]
    assert item(page, "Xtts").locator("code").inner_text() == "make coqui"
    page.locator("input[name=language][value=auto]").check()
    assert names(page) == ["Лучший", "Flute", "Horn"]
    page.locator("[data-set-language=en]").click()
    page.locator("#voice option", has_text="Best").wait_for(state="attached")
    assert item(page, "Boris").locator("small").inner_text() == "1 MB · Russian, Kazakh"
    assert "trained further from the voice lessac" in item(page, "Boris").inner_text()


@pytest.mark.parametrize("path", PATHS)
def test_the_chosen_voice_is_asked_for_and_remembered(
    visitor: Visitor, server: Server, path: str
) -> None:
    page = visitor.open(server.url + path)
    page.locator("#voice-choice").wait_for()
    assert "voice" not in request_of(visitor, path)
    page = visitor.open(server.url + path)
    page.locator("#voice").select_option("flute")
    page.locator("input[name=language][value=en]").check()
    assert page.locator("#voice").input_value() == ""
    page = visitor.open(server.url + path)
    page.locator("#voice-choice").wait_for()
    assert page.locator("#voice").input_value() == "flute"
    assert request_of(visitor, path)["voice"] == "flute"


def test_a_voice_is_brought_heard_and_chosen(visitor: Visitor, server: Server) -> None:
    server.files.hold = threading.Event()
    page = opened(visitor, server.url)
    anna = item(page, "Anna")
    anna.get_by_role("button", name="Скачать: Anna").click()
    anna.get_by_role("button", name="Отменить").wait_for()
    assert anna.locator("progress").get_attribute("aria-label") == "Голос Anna скачивается"
    assert anna.get_by_role("button", name="Скачать").is_hidden()
    second = item(page, "Boris")
    second.get_by_role("button", name="Скачать: Boris").click()
    second.get_by_text("Ждёт своей очереди").wait_for()
    second.get_by_role("button", name="Отменить").click()
    second.get_by_role("button", name="Скачать: Boris").wait_for()
    server.files.hold.set()
    page.locator("#voice option", has_text="Anna").wait_for(state="attached")
    assert names(page) == ["Лучший", "Anna", "Flute"]
    assert item(page, "Anna").count() == 0
    assert page.locator("#voice-news").inner_text() == "Голос Anna скачан."
    page.locator("#voice").select_option("tube:anna")
    with page.expect_response("**/sample?language=ru") as sample:
        page.locator("#voice-sample").click()
    assert sample.value.url.endswith("/api/voices/tube%3Aanna/sample?language=ru")
    page.wait_for_function(PLAYING)
    page.wait_for_function(f"!({PLAYING})")  # it ends by itself
    assert request_of(visitor, "/")["voice"] == "tube:anna"


def test_a_sample_is_stopped(visitor: Visitor, server: Server) -> None:
    server.speaking[0].word_s = 3.0
    page = visitor.open(server.url)
    page.locator("#voice-choice").wait_for()
    listen = page.locator("#voice-sample")
    with page.expect_response("**/api/voices/flute/sample?language=ru"):
        listen.click()
    page.wait_for_function(f"{PLAYING} && !document.querySelector('[aria-busy]')")
    listen.get_by_text("Тише").wait_for()
    listen.click()
    listen.get_by_text("Послушать").wait_for()
    assert not page.evaluate(PLAYING)


def test_a_licence_is_accepted_before_its_voice_is_brought(
    visitor: Visitor, server: Server
) -> None:
    page = opened(visitor, server.url)
    oleg = item(page, "Oleg")
    assert "Только без коммерческой выгоды" in oleg.inner_text()
    assert "CC-BY-NC-4.0" in oleg.inner_text()
    bring = oleg.get_by_role("button", name="Скачать")
    assert bring.is_disabled()
    oleg.get_by_role("checkbox").check()
    with page.expect_request("**/pull") as asked:
        bring.click()
    assert json.loads(asked.value.post_data or "") == {"accept_licence": True}
    oleg.get_by_text("На сервере нужно ещё выполнить").wait_for()
    assert not item(page, "Boris").get_by_role("checkbox").is_visible()


def test_a_failure_is_told_and_tried_again(visitor: Visitor, server: Server) -> None:
    weights = server.files.files.pop("weights")
    page = opened(visitor, server.url)
    anna = item(page, "Anna")
    anna.get_by_role("button", name="Скачать").click()
    anna.get_by_role("alert").get_by_text("answers 404").wait_for()
    server.files.files["weights"] = weights
    anna.get_by_role("button", name="Попробовать ещё раз").click()
    page.locator("#voice option", has_text="Anna").wait_for(state="attached")


def test_a_failing_sample_is_told(visitor: Visitor, server: Server) -> None:
    server.speaking[0].fail_at = "Здравствуйте!"
    page = visitor.open(server.url)
    page.locator("#voice-choice").wait_for()
    page.locator("#voice-sample").click()
    page.locator("#voice-error").wait_for()
    assert not page.evaluate(PLAYING)
    visitor.expect_complaint("500")


@pytest.mark.parametrize("path", PATHS)
def test_everything_fits_a_phone(phone: Visitor, server: Server, path: str) -> None:
    page = opened(phone, server.url + path)
    server.files.hold = threading.Event()
    item(page, "Anna").get_by_role("button", name="Скачать").tap()
    item(page, "Anna").locator("progress").wait_for()
    for language in ("kk", "ru", "en"):
        page.locator(f"[data-set-language={language}]").tap()
        page.wait_for_function(f"document.documentElement.lang === '{language}'")
        assert page.evaluate("document.documentElement.scrollWidth") == 360
        wide = "[...document.querySelectorAll('#voice-choice *')].filter((e) => e.checkVisibility()"
        wide += " && e.getBoundingClientRect().right > 361).map((e) => e.outerHTML)"
        assert page.evaluate(wide) == []
    page.goto("about:blank")  # it would ask on for how far the voice is
