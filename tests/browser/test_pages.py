"""The pages: languages, narrow screens, the download, the token."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from app_core import create_app
from tests.browser.conftest import Visitor, serving

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from app_core.config import Config
    from app_core.services.lipsync_service import LipsyncService

PATHS = ["/", "/realtime", "/mjpeg_test", "/api/lipsync/video"]

# Words that a person can read or hear; not code, figures, names or the language buttons.
WORDS = r"""() => {
  const words = [document.title];
  const skip = `code, dd, .name, .brand, .tongues button, textarea, script, style, noscript,
    dialog`;
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const text = node.textContent.trim();
    if (/\p{L}/u.test(text) && !node.parentElement.closest(skip)) words.push(text);
  }
  for (const element of document.querySelectorAll("body *")) {
    for (const name of ["aria-label", "title", "placeholder"]) {
      if (element.hasAttribute(name)) words.push(element.getAttribute(name));
    }
  }
  return words;
}"""


def words(page: Page, language: str) -> list[str]:
    page.locator(f"[data-set-language={language}]").click()
    page.wait_for_function(f"document.documentElement.lang === '{language}'")
    found: list[str] = page.evaluate(WORDS)
    return found


@pytest.mark.parametrize("path", PATHS)
def test_every_word_follows_the_language(visitor: Visitor, address: str, path: str) -> None:
    page = visitor.open(address + path)
    page.wait_for_load_state("networkidle")  # what the server can do adds words
    kazakh, russian, english = (words(page, code) for code in ("kk", "ru", "en"))
    assert len(kazakh) == len(russian) == len(english) > 15
    for kk, ru, en in zip(kazakh, russian, english, strict=True):
        assert len({kk, ru, en}) == 3, (kk, ru, en)


def test_language_is_the_browsers_then_the_chosen_one(visitor: Visitor, address: str) -> None:
    page = visitor.open(address)
    assert page.evaluate("document.documentElement.lang") == "ru"
    assert page.locator("input[name=language]:checked").input_value() == "ru"
    words(page, "kk")
    visitor.open(f"{address}/mjpeg_test")
    assert page.evaluate("document.documentElement.lang") == "kk"
    assert page.locator("[data-set-language=kk]").get_attribute("aria-pressed") == "true"


def test_sample_follows_the_speech_until_it_is_edited(visitor: Visitor, address: str) -> None:
    page = visitor.open(address)
    text = page.locator("textarea")
    page.locator("input[name=language][value=kk]").check()
    assert "Сәлеметсіз бе" in text.input_value()
    text.fill("Менің сөзім")
    page.locator("input[name=language][value=en]").check()
    assert text.input_value() == "Менің сөзім"


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("language", ["ru", "kk", "en"])
def test_phone_needs_no_sideways_scroll(
    phone: Visitor, address: str, path: str, language: str
) -> None:
    page = phone.open(address + path)
    words(page, language)
    page.evaluate("document.querySelectorAll('details').forEach((d) => (d.open = true))")
    assert page.evaluate("document.documentElement.scrollWidth") == 360


@pytest.mark.parametrize("path", ["/", "/docs"])
def test_phone_shows_which_section_this_is(phone: Visitor, address: str, path: str) -> None:
    page = phone.open(address + path)
    for language in ("ru", "kk", "en"):
        words(page, language)
        box = page.locator("nav [aria-current]").bounding_box()
        assert box is not None
        assert box["x"] >= 0 and box["x"] + box["width"] <= 360, language


def test_video_is_downloaded(visitor: Visitor, address: str, tmp_path: Path) -> None:
    page = visitor.open(address)
    page.locator("textarea").fill("Привет!")
    button = page.locator("#download")
    with page.expect_download(timeout=60_000) as download:
        button.click()
        assert button.get_attribute("aria-busy") == "true"
        assert button.inner_text() == "Отменить"
    assert download.value.suggested_filename == "avatar_speech.mp4"
    file = tmp_path / "video.mp4"
    download.value.save_as(file)
    assert file.read_bytes()[4:8] == b"ftyp"
    assert button.inner_text() == "Скачать MP4"
    assert page.locator("#status").inner_text() == "Видео сохранено"
    with page.expect_download() as captions:
        page.locator("#caption-files [data-kind=srt]").click()
    assert captions.value.suggested_filename == "avatar_speech.srt"
    captions.value.save_as(tmp_path / "captions.srt")
    assert "Привет!" in (tmp_path / "captions.srt").read_text("utf-8")


def test_download_can_be_given_up(visitor: Visitor, address: str) -> None:
    page = visitor.open(address)
    page.locator("textarea").fill("Это длинный текст. " * 100)
    page.locator("#download").click()
    page.locator("#download[aria-busy]").click()
    page.locator("#download:not([aria-busy])").wait_for()
    assert page.locator("#status").inner_text() == "Сборка видео отменена"
    assert page.locator("#error").is_hidden()


def test_commands_name_this_server_and_are_copied(visitor: Visitor, address: str) -> None:
    visitor.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = visitor.open(address)
    codes = page.locator(".example code").all_inner_texts()
    assert len(codes) == 5
    assert all("curl" in code and f"{address}/api/" in code for code in codes)
    button = page.locator(".example button").first
    button.click()
    page.locator(".example button", has_text="Скопировано").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == codes[0]


def test_navigation_leads_to_every_page_there_is(visitor: Visitor, address: str) -> None:
    page = visitor.open(address)
    paths = page.locator("nav a").evaluate_all("links => links.map((a) => a.pathname)")
    assert paths[:4] == ["/", "/realtime", "/api/lipsync/video", "/mjpeg_test"]
    for path in paths[:4]:
        visitor.open(address)
        page.locator(f"nav a[href='{path}']").click()
        page.wait_for_selector("html[data-ready]")
        assert page.evaluate("location.pathname") == path
        assert page.locator("nav a[aria-current=page]").get_attribute("href") == path


def test_token_is_asked_for_once(
    visitor: Visitor, make_service: Callable[..., LipsyncService], config: Config
) -> None:
    closed = config.model_copy(update={"api_token": "secret"})
    service = make_service(config=closed)
    with serving(create_app(service=service)) as address:
        page = visitor.open(f"{address}/mjpeg_test")
        page.locator("#speak").click()
        dialog = page.locator("#token-dialog")
        dialog.locator("input").fill("secret")
        page.keyboard.press("Enter")
        page.wait_for_function("soyle.stats.status === 'finished'", timeout=30_000)
        assert page.evaluate("soyle.stats.audioTime") > 0
        page.locator("#speak").click()
        page.wait_for_function("soyle.stats.shown > 0")
        assert dialog.is_hidden()
        visitor.expect_complaint("401")


def test_without_the_token_it_says_so(
    visitor: Visitor, make_service: Callable[..., LipsyncService], config: Config
) -> None:
    service = make_service(config=config.model_copy(update={"api_token": "secret"}))
    with serving(create_app(service=service)) as address:
        page = visitor.open(f"{address}/mjpeg_test")
        page.locator("#speak").click()
        page.locator("#token-dialog input").wait_for()
        page.keyboard.press("Escape")
        page.locator("#error", has_text="Серверу нужен токен доступа.").wait_for()
        visitor.expect_complaint("401")
