"""A sound file in place of a text, on the three pages that speak."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from app_core.speech.voices.espeak import EspeakVoice
from tests.browser.conftest import Visitor
from tests.fakes import spoken_by

PATHS = ["/", "/mjpeg_test", "/api/lipsync/video"]
TEXT = "Мама мыла раму, а папа читал газету у окна."
LABEL = {"ru": "Текст записи", "kk": "Жазбаның мәтіні", "en": "Transcript"}


@pytest.fixture
def speech(tmp_path: Path) -> Path:
    path = tmp_path / "моя речь.flac"
    pcm = np.concatenate([piece.pcm for piece in spoken_by(EspeakVoice(), TEXT, "ru")])
    soundfile.write(path, pcm, 22_050)
    return path


@pytest.mark.parametrize("path", ["/", "/mjpeg_test"])
def test_the_face_says_the_file(visitor: Visitor, address: str, speech: Path, path: str) -> None:
    page = visitor.open(address + path)
    page.locator("input[type=file]").set_input_files(speech)
    assert page.locator("#sound-name").inner_text() == "моя речь.flac"
    assert page.locator("textarea").input_value() == ""
    with page.expect_response("**/api/stream_mjpeg") as asked:
        page.locator("#speak").click()
    assert asked.value.request.headers["content-type"].startswith("multipart/form-data")
    page.wait_for_function("soyle.stats.status === 'finished'", timeout=30_000)
    seconds = soundfile.info(speech).duration
    stats = page.evaluate("({...soyle.stats})")
    assert stats["shown"] > 20
    assert stats["pictureTime"] == pytest.approx(seconds, abs=0.2)
    assert stats["audioTime"] == pytest.approx(seconds, abs=0.3)


def test_a_transcript_goes_along_and_its_words_are_shown(
    visitor: Visitor, address: str, speech: Path
) -> None:
    page = visitor.open(address)
    page.locator("input[type=file]").set_input_files(speech)
    page.locator("textarea").fill(TEXT)
    page.locator("#speak").click()
    page.wait_for_function("document.getElementById('caption').textContent.includes('раму')")
    page.locator("#stop").click()


def test_a_film_is_made_of_the_file(
    visitor: Visitor, address: str, speech: Path, tmp_path: Path
) -> None:
    page = visitor.open(address + "/api/lipsync/video")
    page.locator("input[type=file]").set_input_files(speech)
    page.locator("details.settings").evaluate("(details) => (details.open = true)")
    assert page.locator("input[name=speed]").is_disabled()
    page.locator("select[name=size]").select_option("256x256")
    page.locator("input[name=mode][value=file]").check()
    with page.expect_download(timeout=60_000) as download:
        page.locator("#make").click()
    film = tmp_path / "film.mp4"
    download.value.save_as(film)
    assert film.read_bytes()[4:8] == b"ftyp"


@pytest.mark.parametrize("mode", ["stream", "file"])
def test_a_transcript_of_something_else_is_told(
    visitor: Visitor, address: str, speech: Path, mode: str
) -> None:
    page = visitor.open(address + "/api/lipsync/video")
    page.locator("input[type=file]").set_input_files(speech)
    page.locator("textarea").fill("Seven students failed.")
    page.locator("input[name=language][value=en]").check()
    page.locator("details.settings").evaluate("(details) => (details.open = true)")
    page.locator("select[name=size]").select_option("256x256")
    page.locator(f"input[name=mode][value={mode}]").check()
    page.locator("#make").click()
    page.wait_for_function("stage.dataset.status === 'done'", timeout=60_000)
    assert page.locator("#status").inner_text() == "Текст не найден в записи; губы идут по звуку."


@pytest.mark.parametrize("path", PATHS)
def test_the_file_is_chosen_and_removed_with_the_keyboard(
    visitor: Visitor, address: str, speech: Path, path: str
) -> None:
    visitor.page.on("filechooser", lambda _: None)  # in good time: the browser is told beside us
    page = visitor.open(address + path)
    sample = page.locator("textarea").input_value()
    page.locator("textarea").focus()
    page.keyboard.press("Tab")
    page.wait_for_function("document.activeElement.id === 'reading-title'")
    page.keyboard.press("Tab")
    page.wait_for_function("document.activeElement.name === 'audio'")
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Space")
    chooser.value.set_files(speech)
    for language, label in LABEL.items():
        page.locator(f"[data-set-language={language}]").click()
        page.wait_for_function(f"document.documentElement.lang === '{language}'")
        assert label in page.locator("#text-label").inner_text()
    page.locator("input[type=file]").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.locator("textarea").input_value() == sample
    assert page.locator("#sound-remove").is_hidden()
    assert page.locator("#text-label").inner_text() == "Text"
    assert page.evaluate("document.activeElement.name") == "audio"


def test_what_is_no_sound_is_told(visitor: Visitor, address: str, tmp_path: Path) -> None:
    letter = tmp_path / "letter.wav"
    letter.write_text("not a sound")
    page = visitor.open(address)
    page.locator("input[type=file]").set_input_files(letter)
    page.locator("#speak").click()
    page.wait_for_selector("#error:not([hidden])")
    assert page.locator("#error").inner_text().startswith("В этом файле нет звука")
    visitor.expect_complaint("415")


@pytest.mark.parametrize("path", PATHS)
def test_a_long_name_fits_a_phone(phone: Visitor, address: str, speech: Path, path: str) -> None:
    long = speech.with_name("очень длинное имя звукового файла с диктофона телефона 2026.flac")
    speech.rename(long)
    page = phone.open(address + path)
    page.locator("input[type=file]").set_input_files(long)
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= 360
    box = page.locator(".sound label").bounding_box()
    assert box is not None
    assert box["height"] >= 40
    assert box["x"] + box["width"] <= 360
