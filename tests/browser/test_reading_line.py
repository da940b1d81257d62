""" "What will be said" under the text: it follows what is typed, quietly."""

from __future__ import annotations

import io
import wave
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from app_core import create_app
from tests.browser.conftest import Visitor, serving

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route

    from app_core.config import Config
    from app_core.services.lipsync_service import LipsyncService

PATHS = ["/", "/mjpeg_test", "/api/lipsync/video"]
MARKED = "[...said.querySelectorAll('mark')].map((mark) => [mark.title, mark.textContent])"


def readings(visitor: Visitor) -> int:
    """How many were asked for."""
    return len([asked for asked in visitor.requests if asked.endswith("/api/text")])


def opened(visitor: Visitor, url: str, text: str) -> Page:
    page = visitor.open(url)
    page.locator("textarea").fill(text)
    page.locator("#reading summary").click()
    return page


@pytest.mark.parametrize("path", PATHS)
def test_what_differs_is_marked(visitor: Visitor, address: str, path: str) -> None:
    page = opened(visitor, address + path, "Ваших & наших друзей № пять — много!")
    page.locator("#said mark").first.wait_for()
    assert page.locator("#said").inner_text() == "Ваших и наших друзей номер пять — много!"
    assert page.evaluate(MARKED) == [["&", "и"], ["№", "номер"]]
    assert page.locator("#said").get_attribute("lang") == "ru"


def test_closed_it_asks_nothing_and_stays_as_it_was_left(visitor: Visitor, address: str) -> None:
    page = visitor.open(address)
    page.locator("textarea").fill("Раз & два")
    page.wait_for_timeout(600)
    assert readings(visitor) == 0
    page.locator("#reading summary").click()
    page.locator("#said mark").wait_for()
    visitor.open(address)
    page.locator("#said").get_by_text("Здравствуйте").wait_for()


def test_typing_asks_once_it_rests_and_a_language_is_another_reading(
    visitor: Visitor, address: str
) -> None:
    page = opened(visitor, address, "Раз & два")
    page.locator("#said mark").wait_for()
    before = readings(visitor)
    page.locator("textarea").press_sequentially(" & три & четыре", delay=15)
    page.wait_for_function("said.querySelectorAll('mark').length === 3")
    assert readings(visitor) == before + 1
    page.locator("input[name=language][value=en]").check()
    page.wait_for_function("said.lang === 'en'")
    assert readings(visitor) == before + 2
    page.locator("textarea").fill("Salt & pepper")
    page.locator("#said").get_by_text("and").first.wait_for()


def test_a_late_answer_is_not_shown(visitor: Visitor, address: str) -> None:
    held: list[Route] = []

    def hold_first(route: Route) -> None:
        if held:
            route.continue_()
        else:
            held.append(route)

    visitor.page.route("**/api/text", hold_first)
    page = opened(visitor, address, "Первый & текст")
    page.wait_for_function("said.hasAttribute('aria-busy')")
    page.locator("textarea").fill("Второй & текст")
    page.locator("#said").get_by_text("Второй и текст").wait_for()
    held[0].abort()
    page.wait_for_timeout(100)
    assert "Второй" in page.locator("#said").inner_text()
    page.locator("textarea").fill("Первый & текст")
    page.locator("#said").get_by_text("Первый и текст").wait_for()


def test_what_cannot_be_read_is_a_sentence(visitor: Visitor, address: str) -> None:
    page = opened(visitor, address, "🙂")
    note = page.locator("#said-note")
    note.get_by_text("В этом тексте нечего произнести.").wait_for()
    assert page.locator("#said").is_hidden()
    visitor.expect_complaint("400")
    before = readings(visitor)
    page.locator("textarea").fill("а" * 5001)
    note.get_by_text("Текст длиннее 5000 знаков.").wait_for()
    page.locator("textarea").fill(" ")
    note.get_by_text("Здесь появится, как прочтётся текст.").wait_for()
    page.locator("[data-set-language=en]").click()
    note.get_by_text("How the text is read appears here.").wait_for()
    assert readings(visitor) == before
    page.locator("textarea").fill("да")
    page.locator("#said").get_by_text("да").wait_for()
    assert note.is_hidden()


def test_beside_a_recording_there_is_none(visitor: Visitor, address: str) -> None:
    sound = io.BytesIO()
    with wave.open(sound, "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(bytes(16000))
    page = opened(visitor, address, "Раз & два")
    page.locator("input[name=audio]").set_input_files(
        {"name": "a.wav", "mimeType": "audio/wav", "buffer": sound.getvalue()}
    )
    assert page.locator("#reading").is_hidden()
    page.locator("#sound-remove").click()
    page.locator("#said mark").wait_for()


def test_it_does_not_ask_for_the_token(
    visitor: Visitor, make_service: Callable[..., LipsyncService], config: Config
) -> None:
    service = make_service(config=config.model_copy(update={"api_token": "secret"}))
    with serving(create_app(service=service)) as url:
        page = opened(visitor, url, "Раз & два")
        page.locator("#said-note").get_by_text("Серверу нужен токен доступа.").wait_for()
        assert readings(visitor) == 0
        assert page.locator("dialog[open]").count() == 0
        page.evaluate("localStorage.setItem('soyle.token', 'secret')")
        page.evaluate("window.dispatchEvent(new Event('soyle-token'))")
        page.locator("#said mark").wait_for()


def test_a_phone_has_room_for_it(phone: Visitor, address: str) -> None:
    page = opened(phone, address, "Раз & два " * 60 + "щ" * 300)
    page.locator("#said mark").first.wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    assert page.evaluate("said.scrollHeight > said.clientHeight")
    page.locator("#said").focus()
    assert page.evaluate("document.activeElement.id") == "said", "keys can scroll it"


def test_a_text_of_several_languages_has_no_language_of_its_own(
    visitor: Visitor, address: str
) -> None:
    page = opened(visitor, address, "Цена & price")
    page.locator("input[name=language][value=auto]").check(force=True)
    page.wait_for_function("said.textContent && said.lang !== 'ru'")
    assert page.locator("#said").get_attribute("lang") == ""
