"""<soyle-avatar> in pages of its own, also of another origin, and the documented JavaScript."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from flask import Flask

from app_core import create_app
from app_core.avatars.library import AvatarLibrary
from tests.browser.conftest import Visitor, serving
from tests.conftest import until
from tests.routes.test_client import soyle_client

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Page

    from app_core.config import Config
    from app_core.services.lipsync_service import LipsyncService

PAGE = """<!doctype html><meta charset="utf-8"><title>A page</title>
<link rel="icon" href="data:,">
<script type="module" src="{server}/static/soyle-avatar.js"></script>
{body}
<script>
  window.heard = [];
  for (const face of document.querySelectorAll("soyle-avatar")) {{
    for (const name of ["speaking", "word", "finished", "stopped", "error"]) {{
      face.addEventListener(name, ({{ detail }}) => heard.push([face.id, name, detail]));
    }}
  }}
  customElements.whenDefined("soyle-avatar").then(() => {{
    document.documentElement.dataset.ready = "";
  }});
</script>"""
FACE = '<soyle-avatar id="face" language="en" size="128x128"></soyle-avatar>'
DOCUMENTED = """async (videoElement) => {
const response = await fetch('/api/stream_mjpeg', {
  method: 'POST',
  headers: { 'Content-Type': 'application/json' },
  body: JSON.stringify({
    text: 'Привет!',
    language: 'ru',
    low_latency: true
  })
});

const blob = await response.blob();
const url = URL.createObjectURL(blob);
videoElement.src = url;
return [response.status, blob.type, await blob.text()];
}"""


@contextmanager
def page_at(server: str, body: str = FACE, host: str = "127.0.0.1") -> Iterator[str]:
    """The address of a page that has nothing to do with the server but the element."""
    site = Flask("site")
    site.add_url_rule("/", view_func=lambda: PAGE.format(server=server, body=body))
    with serving(site) as address:
        yield address.replace("127.0.0.1", host)


@pytest.fixture
def opened(
    make_service: Callable[..., LipsyncService], config: Config
) -> Iterator[Callable[..., str]]:
    """Servers that pages of other origins may use, with their services."""
    from contextlib import ExitStack

    with ExitStack() as stack:

        def make(**settings: Any) -> str:
            changed = config.model_copy(update={"cors_origins": "*"} | settings)
            service = make_service(config=changed)
            stack.callback(service.close)
            address = stack.enter_context(serving(create_app(service=service)))
            make.service = service  # type: ignore[attr-defined]
            return address

        yield make


def heard(page: Page, face: str = "face") -> list[str]:
    found: list[list[Any]] = page.evaluate("heard")
    return [name for who, name, _ in found if who == face]


def speak(page: Page, text: str, face: str = "face") -> Any:
    return page.evaluate("([id, text]) => document.getElementById(id).speak(text)", [face, text])


def test_it_speaks_in_a_page_of_another_origin(
    visitor: Visitor, opened: Callable[..., str]
) -> None:
    server = opened()
    with page_at(server) as address:
        page = visitor.open(address)
        assert speak(page, "one two three four five") == "finished"
        events = heard(page)
        assert events[0] == "speaking"
        assert events[-1] == "finished"
        stats = page.evaluate("document.getElementById('face').stats")
        assert stats["shown"] > 5
        assert stats["frames"] + stats["dropped"] >= 25
        canvas = page.locator("soyle-avatar canvas")
        assert canvas.evaluate("c => [c.width, c.height]") == [128, 128]


def test_words_are_told_in_order(visitor: Visitor, address: str) -> None:
    page = visitor.open(address)
    page.goto(f"{address}/embed")
    page.wait_for_selector("html[data-ready]")
    page.evaluate(
        """() => {
          window.words = [];
          document.getElementById("embedded").addEventListener("word", (event) => {
            words.push(event.detail);
          });
        }"""
    )
    page.locator("textarea").fill("Мама мыла раму.")
    page.locator("#embed-form button[type=submit]").click()
    page.wait_for_function("words.length >= 3", timeout=20_000)
    words = page.evaluate("words")
    assert [word["text"].strip(".") for word in words] == ["Мама", "мыла", "раму"]
    starts = [word["start_s"] for word in words]
    assert starts == sorted(starts)
    assert page.locator("#embedded p").is_hidden(), "no captions unless asked for"


def test_captions_are_an_attribute(visitor: Visitor, opened: Callable[..., str]) -> None:
    with page_at(opened(), FACE.replace("<soyle-avatar", "<soyle-avatar captions")) as address:
        page = visitor.open(address)
        page.evaluate("void document.getElementById('face').speak('one two three four five six')")
        line = page.locator("soyle-avatar p")
        line.get_by_text("one two").wait_for()
        assert line.get_attribute("aria-hidden") == "true"
        line.wait_for(state="hidden")
        assert heard(page)[-1] == "finished"


def test_stop_stops_here_and_on_the_server(visitor: Visitor, opened: Any) -> None:
    server = opened()
    with page_at(server) as address:
        page = visitor.open(address)
        page.evaluate("window.ended = face.speak('word '.repeat(200)); 0")
        page.wait_for_function("face.stats.shown > 2")
        page.evaluate("face.stop()")
        assert page.evaluate("ended") == "stopped"
        assert heard(page)[-1] == "stopped"
        assert until(lambda: not opened.service.jobs.running())


def test_a_removed_element_falls_silent(visitor: Visitor, opened: Any) -> None:
    with page_at(opened()) as address:
        page = visitor.open(address)
        page.evaluate("window.ended = face.speak('word '.repeat(200)); 0")
        page.wait_for_function("face.stats.shown > 2")
        page.evaluate("document.getElementById('face').remove()")
        assert page.evaluate("ended") == "stopped"
        assert until(lambda: not opened.service.jobs.running())


def test_two_on_one_page(visitor: Visitor, opened: Any) -> None:
    body = FACE + FACE.replace('"face"', '"other"').replace("128x128", "256x128")
    with page_at(opened(), body) as address:
        page = visitor.open(address)
        page.evaluate(
            "window.both = Promise.all([face.speak('one two three'), other.speak('one two')]); 0"
        )
        assert page.evaluate("both") == ["finished", "finished"]
        for face in ("face", "other"):
            assert heard(page, face)[0] == "speaking"
            assert heard(page, face)[-1] == "finished"
        shape = page.evaluate(
            "(c => [c.width, c.height])(other.shadowRoot.querySelector('canvas'))"
        )
        assert shape == [256, 128]


def test_a_refusal_is_an_event(visitor: Visitor, opened: Any) -> None:
    with page_at(opened(), FACE.replace('language="en"', 'avatar="nobody"')) as address:
        page = visitor.open(address)
        assert speak(page, "one") == "error"
        ((_, name, detail),) = page.evaluate("heard")
        assert (name, detail["code"], detail["status"]) == ("error", "not_found", 404)
        assert "avatar" in detail["sentence"]
        for asked in ("preview.jpg", "stream_mjpeg"):
            visitor.expect_complaint(asked)


def test_the_token_is_an_attribute(visitor: Visitor, opened: Any) -> None:
    server = opened(api_token="secret")
    with page_at(server, FACE.replace("<soyle-avatar", '<soyle-avatar token="secret"')) as address:
        page = visitor.open(address)
        assert speak(page, "one two three") == "finished"
        assert page.evaluate("face.stats.audioTime") > 0
        page.evaluate("face.removeAttribute('token')")
        assert speak(page, "one") == "error"
        assert page.evaluate("heard.at(-1)[2].code") == "unauthorized"
        visitor.expect_complaint("401")


def test_muted_follows_the_attribute(visitor: Visitor, opened: Any) -> None:
    with page_at(opened(), FACE.replace("<soyle-avatar", "<soyle-avatar muted")) as address:
        page = visitor.open(address)
        assert page.evaluate("face.muted")
        page.evaluate("face.muted = false")
        assert page.evaluate("face.hasAttribute('muted')") is False
        assert speak(page, "one two") == "finished"


def test_the_documented_javascript(visitor: Visitor, address: str) -> None:
    page = visitor.open(address)
    page.evaluate("document.body.append(Object.assign(new Image(), { id: 'video' }))")
    image = page.query_selector("#video")
    status, kind, text = page.evaluate(DOCUMENTED, image)
    assert status == 200
    assert kind.startswith("multipart/x-mixed-replace")
    assert text.count("Content-Type: image/jpeg") > 5
    assert page.evaluate("document.getElementById('video').src").startswith("blob:")


def test_the_python_client_hears_events(address: str) -> None:
    pytest.importorskip("websocket")
    with soyle_client.Soyle(address) as soyle:
        with soyle.stream("Мама мыла раму.", size="128x128") as frames:
            told = list(soyle.events(frames.job_id))
            received = len(list(frames))
    words = [message["text"].strip(".") for message in told if message["type"] == "word"]
    assert words == ["Мама", "мыла", "раму"]
    assert told[-1]["type"] == "done"
    assert told[-1]["frames"] == received > 0


def test_another_face_is_seen_before_it_speaks(
    visitor: Visitor,
    make_service: Callable[..., LipsyncService],
    config: Config,
    still_avatar: Path,
) -> None:
    shared = config.model_copy(
        update={"cors_origins": "*", "avatar_dir": still_avatar, "avatar": "aigul"}
    )
    service = make_service(config=shared, library=AvatarLibrary(still_avatar))
    body = FACE.replace('size="128x128"', 'avatar="aigul"')
    with serving(create_app(service=service)) as server, page_at(server, body) as address:
        page = visitor.open(address)
        assert until(lambda: page.evaluate("face.shadowRoot.querySelector('canvas').width") == 512)
        assert f"GET {server}/api/avatars/aigul/preview.jpg?square=true" in visitor.requests
        with page.expect_console_message():
            page.evaluate("face.setAttribute('avatar', 'ghost')")
        visitor.expect_complaint("404")
