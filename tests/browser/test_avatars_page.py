"""The page /avatars and the choice of a face, in a browser, on an importer with behaviour."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest

from app_core import create_app
from app_core.avatars.metadata import read_metadata
from app_core.config import ROOT, Config
from app_core.services.lipsync_service import LipsyncService
from tests.browser.conftest import Visitor, serving
from tests.browser.test_pages import words
from tests.importing import CROWD, Importer, make_still_avatar

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page


class House:
    """A server of its own, with the folder of its avatars."""

    def __init__(self, address: str, folder: Path, importer: Importer) -> None:
        self.address, self.folder, self.importer = address, folder, importer

    def has(self, avatar_id: str) -> bool:
        return (self.folder / avatar_id).exists()


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    root = tmp_path_factory.mktemp("house")
    folder, importer = root / "avatars", Importer()
    make_still_avatar(folder / "aigul", "Aigul")
    config = Config(avatar_dir=folder, work_dir=root / "work", sway=False, max_upload_mb=1)
    service = LipsyncService(config, importer=importer)
    service.start(wait_s=120)
    service.capacity.cores = 64
    try:
        with serving(create_app(service=service)) as address:
            yield House(address, folder, importer)
    finally:
        service.close()


@pytest.fixture
def house(built: House) -> Iterator[House]:
    """With the built-in avatar alone."""
    yield built
    built.importer.gate.set()
    for home in built.folder.iterdir():
        if home.name != "aigul":
            shutil.rmtree(home)


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """The drawn avatar as a photo of a phone would be."""
    pixels = cv2.imread(str(ROOT / "avatar" / "aigul" / "still.png"))
    path = tmp_path / "Moya Fotka.jpg"
    cv2.imwrite(str(path), cv2.resize(pixels, (270, 480), interpolation=cv2.INTER_AREA))
    return path


def opened(visitor: Visitor, house: House) -> Page:
    page = visitor.open(f"{house.address}/avatars")
    page.locator("#faces .choice").first.wait_for()
    return page


def names(page: Page) -> list[str]:
    return page.locator("#faces .name").all_inner_texts()


def add(page: Page, path: Path, name: str = "") -> None:
    page.locator("#upload-form input[type=file]").set_input_files(path)
    if name:
        page.locator("#upload-form input[name=name]").fill(name)
    page.locator("input[name=consent]").check()
    page.locator("#upload").click()


def test_nothing_is_sent_without_consent(visitor: Visitor, house: House, photo: Path) -> None:
    page = opened(visitor, house)
    upload = page.locator("#upload")
    assert upload.is_disabled()
    page.locator("#upload-form input[type=file]").set_input_files(photo)
    assert page.locator("#file-name").inner_text() == photo.name
    assert upload.is_disabled()
    page.locator("input[name=consent]").check()
    assert upload.is_enabled()
    page.locator("input[name=consent]").uncheck()
    assert upload.is_disabled()
    assert not any(request.startswith("POST") for request in visitor.requests)


def test_a_photo_is_added_with_progress_and_shown(
    visitor: Visitor, house: House, photo: Path
) -> None:
    page = opened(visitor, house)
    house.importer.gate.clear()
    add(page, photo, "Бабушка")
    progress = page.locator("#upload-progress")
    progress.get_by_text("ищу лицо").wait_for()
    assert float(progress.locator("progress").get_attribute("value") or 0) > 25
    page.locator("#faces input[value=babushka]:disabled").wait_for(state="attached")
    house.importer.gate.set()
    page.locator("#status", has_text="лицо найдено").wait_for()
    assert "кадров" not in page.locator("#status").inner_text(), "one photo is not counted"
    assert page.locator("#fact-found").is_hidden()
    assert progress.is_hidden()
    assert names(page) == ["Aigul", "Бабушка"]
    assert page.locator("#faces input:checked").input_value() == "babushka"
    assert page.locator("#editor .lips polyline").count() == 4
    assert page.locator("#face-title").inner_text() == "Бабушка"
    assert page.locator("#fact-size").inner_text() == "270 × 480"
    assert page.locator("#upload").is_disabled(), "the form is empty again"


def test_dropping_a_file(visitor: Visitor, house: House) -> None:
    page = opened(visitor, house)
    data = page.evaluate_handle(
        "() => { const data = new DataTransfer();"
        " data.items.add(new File(['a face'], 'dropped.png')); return data; }"
    )
    page.locator("#drop").dispatch_event("drop", {"dataTransfer": data})
    assert page.locator("#file-name").inner_text() == "dropped.png"
    page.locator("input[name=consent]").check()
    page.locator("#upload").click()
    page.locator("#faces input[value=dropped]:checked").wait_for(state="attached")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"nobody", "Лицо не найдено."),
        (b"broken", "Файл не подошёл: This is no photo and no clip."),
        (b"x" * ((1 << 20) + 1), "Файл слишком большой: The file is larger than 1 MiB."),
    ],
)
def test_a_refusal_is_a_sentence(
    visitor: Visitor, house: House, tmp_path: Path, content: bytes, sentence: str
) -> None:
    page = opened(visitor, house)
    file = tmp_path / "file.jpg"
    file.write_bytes(content)
    add(page, file)
    error = page.locator("#upload-error")
    error.wait_for()
    assert error.inner_text().startswith(sentence)
    assert page.locator("#upload-progress").is_hidden()
    assert page.locator("#upload").is_enabled(), "it can be tried again"
    page.wait_for_function("document.querySelectorAll('#faces .choice').length === 1")
    if len(content) > 1 << 20:
        visitor.expect_complaint("413")


def metadata(house: House, avatar_id: str) -> dict[str, Any]:
    return read_metadata(house.folder / avatar_id)


def test_a_file_is_looked_at_and_turned_before_it_is_sent(
    visitor: Visitor, house: House, photo: Path
) -> None:
    page = opened(visitor, house)
    assert page.locator("#chosen").is_hidden()
    page.locator("#upload-form input[type=file]").set_input_files(photo)
    page.locator("#chosen-photo").wait_for()
    assert page.locator("#turned").inner_text() == "Где верх, найдётся по лицу."
    for degrees in (90, 180, 270):
        page.locator("#turn").click()
        assert f"{degrees}°" in page.locator("#turned").inner_text()
    turned = page.locator("#chosen-photo").evaluate("image => getComputedStyle(image).rotate")
    assert turned is not None
    page.locator("#which-face").select_option("1")
    page.locator("input[name=consent]").check()
    page.locator("#upload").click()
    page.locator("#status", has_text="лицо найдено").wait_for()
    said = metadata(house, "moya-fotka")
    assert (said["rotate"], said["face"]) == (270, 1)
    assert page.locator("#chosen").is_hidden() and page.locator("#warned").is_hidden()


def test_what_the_import_saw_is_said_and_another_face_can_be_taken(
    visitor: Visitor, house: House, tmp_path: Path
) -> None:
    page = opened(visitor, house)
    file = tmp_path / "two.jpg"
    file.write_bytes(CROWD)
    add(page, file, "Мы")
    page.locator("#warned").wait_for()
    assert page.locator("#warnings li").count() == 2
    assert "ещё одно лицо" in page.locator("#warnings li").first.inner_text()
    assert "face" not in metadata(house, "my")
    page.locator("#other-face").click()
    page.locator("#faces input[value=my-2]:checked").wait_for(state="attached")
    page.wait_for_function("document.querySelectorAll('#faces .choice').length === 2")
    assert metadata(house, "my-2")["face"] == 1 and not house.has("my")
    page.locator("#other-face").click()
    page.locator("#faces input[value=my]:checked").wait_for(state="attached")
    assert metadata(house, "my")["face"] == 0
    page.reload()
    page.locator("#faces input[value=my]").check()
    page.locator("#warned").wait_for()
    assert page.locator("#other-face").is_hidden(), "the file is no longer at hand"
    kazakh, english = (words(page, code) for code in ("kk", "en"))
    assert any("қараңғы" in text for text in kazakh)
    assert any("face is dark" in text for text in english)


def test_an_import_is_cancelled(visitor: Visitor, house: House, photo: Path) -> None:
    page = opened(visitor, house)
    house.importer.gate.clear()
    add(page, photo, "Me")
    page.locator("#upload-progress").get_by_text("ищу лицо").wait_for()
    page.locator("#upload-cancel").click()
    page.locator("#upload-error", has_text="Добавление отменено").wait_for()
    page.wait_for_function("document.querySelectorAll('#faces .choice').length === 1")
    assert not house.has("me")
    assert page.locator("#upload-cancel").is_hidden()


@pytest.fixture
def own(house: House) -> House:
    make_still_avatar(house.folder / "me", "Me")
    return house


def handle(page: Page, name: str) -> Locator:
    return page.locator(f"#editor .handles circle[data-name={name}]")


def place(page: Page, house: House, name: str) -> list[float]:
    """Where the server has a point."""
    found: Any = page.request.get(f"{house.address}/api/avatars/me/landmarks").json()
    return found["mouth"][name]


def adjusting(visitor: Visitor, own: House) -> Page:
    page = opened(visitor, own)
    page.locator("#faces input[value=me]").check()
    page.locator("#editor .lips polyline").first.wait_for(state="attached")
    page.locator("#adjust").click()
    return page


def test_a_point_is_dragged_and_saved(visitor: Visitor, own: House) -> None:
    page = adjusting(visitor, own)
    before = place(page, own, "corner_left")
    others = {name: place(page, own, name) for name in ("corner_right", "upper")}
    dot = handle(page, "corner_left")
    box = dot.bounding_box()
    assert box
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x - 30, y + 15, steps=4)
    page.mouse.up()
    pixel = float(page.evaluate("parseFloat(editor.style.getPropertyValue('--pixel'))"))
    page.locator("#save").click()
    page.locator("#status", has_text="Сохранено").wait_for()
    after = place(page, own, "corner_left")
    moved = np.subtract(after, before)
    assert moved == pytest.approx([-30 * pixel, 15 * pixel], abs=0.3)
    for name, was in others.items():
        assert place(page, own, name) == pytest.approx(was, abs=0.3)
    assert page.locator("#save").is_disabled()
    assert page.locator("#editor.close-up").count() == 1, "one can go on"


def test_the_keys_move_a_point(visitor: Visitor, own: House) -> None:
    page = adjusting(visitor, own)
    before = place(page, own, "lower")
    focused = "document.activeElement.dataset.name"
    assert page.evaluate(focused) == "corner_left", "the first point has the focus"
    for _ in range(3):
        page.keyboard.press("Tab")
    assert page.evaluate(focused) == "lower"
    page.keyboard.press("Shift+ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowLeft")
    assert "вниз" in (handle(page, "lower").get_attribute("aria-valuetext") or "")
    page.locator("#save").click()
    page.locator("#status", has_text="Сохранено").wait_for()
    left, down = np.subtract(place(page, own, "lower"), before)
    assert down == pytest.approx(-6 * left, abs=0.2) and down > 0.3


def test_undo_and_a_mouth_that_is_none(visitor: Visitor, own: House) -> None:
    page = adjusting(visitor, own)
    handle(page, "upper").focus()
    for _ in range(60):
        page.keyboard.press("Shift+ArrowDown")
    page.locator("#save").click()
    page.locator("#face-error", has_text="Из этих точек рот не получается").wait_for()
    visitor.expect_complaint("400")
    page.locator("#undo").click()
    assert page.locator("#save").is_disabled()
    page.keyboard.press("Escape")
    assert page.locator("#adjust").get_attribute("aria-pressed") == "false"


def test_a_finger_moves_a_point(phone: Visitor, own: House) -> None:
    page = adjusting(phone, own)
    dot = handle(page, "seam")
    dot.scroll_into_view_if_needed()
    box = dot.bounding_box()
    assert box
    touch = page.context.new_cdp_session(page)
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    for kind, where in (
        ("touchStart", [{"x": x, "y": y}]),
        ("touchMove", [{"x": x + 5, "y": y + 4}]),
        ("touchMove", [{"x": x + 20, "y": y + 4}]),
        ("touchEnd", []),
    ):
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": where})
    assert page.locator("#save").is_enabled()
    assert page.evaluate("document.documentElement.scrollWidth") == 360


def test_gains_are_set_and_the_face_is_heard(visitor: Visitor, own: House) -> None:
    page = opened(visitor, own)
    page.locator("#faces input[value=me]").check()
    page.locator("#editor .lips polyline").first.wait_for(state="attached")
    page.locator("#jaw").fill("1.5")
    assert page.locator("#jaw-value").inner_text() == "×1,50"
    page.locator("#hear").click()
    page.wait_for_function("soyle.stats.shown > 5 && soyle.stats.audioTime > 0.1")
    assert page.locator("#face").is_visible() and page.locator("#editor").is_hidden()
    assert page.locator("#hear").inner_text() == "Стоп"
    said = page.request.get(f"{own.address}/api/avatars/me").json()
    assert said["gains"] == {"jaw": 1.5, "open": 1.0}, "what is set is saved first"
    page.locator("#hear").click()
    page.locator("#editor").wait_for()
    assert page.locator("#hear").inner_text() == "Послушать"


def test_a_face_is_used_everywhere(visitor: Visitor, own: House) -> None:
    page = opened(visitor, own)
    page.locator("#faces input[value=me]").check()
    page.locator("#use").click()
    page.locator("#use:disabled").wait_for()
    for path, start in (
        ("/", "#speak"),
        ("/mjpeg_test", "#speak"),
        ("/api/lipsync/video", "#make"),
    ):
        page = visitor.open(own.address + path)
        page.locator("#avatar-choice input[value=me]:checked").wait_for(state="attached")
        page.locator("textarea").fill("Да.")
        with page.expect_request(lambda request: request.method == "POST") as sent:
            page.locator(start).click()
        assert sent.value.post_data_json["avatar"] == "me", path
        page.locator("#status", has_text=re.compile("Сказано|Видео готово")).wait_for()
    page.locator("#avatar-choice input[value=me]").focus()
    page.keyboard.press("ArrowLeft")
    assert page.locator("#avatar-choice input:checked").input_value() == "aigul"
    with page.expect_request(lambda request: request.method == "POST") as sent:
        page.locator("#make").click()
    assert "avatar" not in sent.value.post_data_json
    page.locator("#status", has_text="Видео готово").wait_for()


def test_one_face_is_no_choice(visitor: Visitor, house: House) -> None:
    page = visitor.open(house.address)
    page.wait_for_load_state("networkidle")
    assert page.locator("#avatar-choice").is_hidden()


def test_a_face_that_is_gone_is_not_asked_for(visitor: Visitor, own: House) -> None:
    visitor.page.add_init_script("localStorage.setItem('soyle.avatar', 'ghost')")
    page = visitor.open(f"{own.address}/mjpeg_test")
    page.locator("#avatar-choice input[value=aigul]:checked").wait_for(state="attached")
    page.locator("textarea").fill("Да.")
    with page.expect_request(lambda request: request.method == "POST") as sent:
        page.locator("#speak").click()
    assert "avatar" not in sent.value.post_data_json
    page.wait_for_function("soyle.stats.status === 'finished'")


def test_deleting_asks_first(visitor: Visitor, own: House) -> None:
    page = opened(visitor, own)
    page.locator("#faces input[value=me]").check()
    page.locator("#delete").click()
    assert "Me" in page.locator("#delete-title").inner_text()
    page.keyboard.press("Enter")  # the focus is on the harmless button
    page.locator("#delete-dialog").wait_for(state="hidden")
    assert own.has("me")
    page.locator("#delete").click()
    page.locator("#delete-dialog button[value=delete]").click()
    page.wait_for_function("document.querySelectorAll('#faces .choice').length === 1")
    assert not own.has("me")
    assert page.locator("#faces input:checked").input_value() == "aigul"
    assert page.locator("#delete").is_hidden() and page.locator("#built-in").is_visible()


def test_every_word_follows_the_language(visitor: Visitor, own: House) -> None:
    page = opened(visitor, own)
    page.locator("#faces input[value=me]").check()
    page.wait_for_load_state("networkidle")
    kazakh, russian, english = (words(page, code) for code in ("kk", "ru", "en"))
    assert len(kazakh) == len(russian) == len(english) > 30
    for kk, ru, en in zip(kazakh, russian, english, strict=True):
        assert len({kk, ru, en}) == 3, (kk, ru, en)


@pytest.mark.parametrize("language", ["ru", "kk", "en"])
def test_a_phone_needs_no_sideways_scroll(phone: Visitor, own: House, language: str) -> None:
    page = adjusting(phone, own)
    words(page, language)
    assert page.evaluate("document.documentElement.scrollWidth") == 360
