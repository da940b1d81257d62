"""<soyle-avatar mode="live"> in pages of another origin, and the bare page /avatar."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from app_core.request import SessionRequest
from tests.browser.conftest import Visitor
from tests.browser.live import COUNTED, LONG, Live, viewers
from tests.browser.test_element import page_at
from tests.conftest import until

if TYPE_CHECKING:
    from playwright.sync_api import Page

FACE = '<soyle-avatar id="face" mode="live" language="en" size="128x128"></soyle-avatar>'
RECORD = """() => {
  window.told = [];
  for (const name of ["ready", "speech_started", "word", "speech_finished", "interrupted",
                      "error", "end"]) {
    face.addEventListener(name, ({ detail }) => told.push([name, detail]));
  }
}"""


HURRY = """() => {
  const { setTimeout: later, setInterval: every } = window;
  window.setTimeout = (call, ms, ...rest) => later(call, ms / 5, ...rest);
  window.setInterval = (call, ms, ...rest) => every(call, ms / 5, ...rest);
  const timeout = AbortSignal.timeout.bind(AbortSignal);
  AbortSignal.timeout = (ms) => timeout(ms / 5);
  const now = performance.now.bind(performance);
  performance.now = () => 5 * now();
}"""
"""Every clock of a page that waits in vain runs five times as fast, so they keep their order."""


def opened(visitor: Visitor, address: str) -> Page:
    page = visitor.open(address)
    page.evaluate(RECORD)
    page.wait_for_function("face.stats.shown > 3")
    return page


def told(page: Page, name: str) -> list[Any]:
    found: list[Any] = page.evaluate("told")
    return [detail for kind, detail in found if kind == name]


@pytest.fixture
def shared(make_live: Callable[..., Live]) -> Live:
    return make_live(cors_origins="*")


def test_it_speaks_and_tells_what_happens(visitor: Visitor, shared: Live) -> None:
    with page_at(shared.address, FACE) as address:
        page = opened(visitor, address)
        said = page.evaluate("face.say('one two three', { utterance_id: 'mine' })")
        assert said == {"utterance_id": "mine", "queued": 0}
        page.wait_for_function("told.some(([name]) => name === 'speech_finished')")
        names = [name for name, _ in page.evaluate("told") if name != "ready"]
        assert names == ["speech_started", "word", "word", "word", "speech_finished"]
        assert [word["text"] for word in told(page, "word")] == ["one", "two", "three"]
        (finished,) = told(page, "speech_finished")
        assert finished["heard"] == "one two three"
        assert finished["utterance_id"] == "mine"
        assert page.locator("soyle-avatar canvas").evaluate("c => [c.width, c.height]") == [
            128,
            128,
        ]


def test_interrupt_tells_what_was_heard(visitor: Visitor, shared: Live) -> None:
    with page_at(shared.address, FACE) as address:
        page = opened(visitor, address)
        page.evaluate(f"void face.say(`{LONG}`)")
        page.wait_for_function("told.filter(([name]) => name === 'word').length > 3")
        answer = page.evaluate("face.interrupt()")
        page.wait_for_function("told.at(-1)[0] === 'interrupted'")
        (event,) = told(page, "interrupted")
        assert event["heard"] == answer["heard"]
        assert event["heard"].startswith("one two three")
        assert told(page, "speech_finished") == []


def test_a_removed_element_leaves_nothing(visitor: Visitor, shared: Live) -> None:
    with page_at(shared.address, FACE) as address:
        page = opened(visitor, address)
        (session,) = shared.sessions
        assert viewers(session) == 1
        page.evaluate("() => { window.gone = face; face.remove(); }")
        assert until(lambda: viewers(session) == 0)
        assert page.evaluate("gone.state") == "off"
        shown = page.evaluate("gone.stats.shown")
        page.evaluate("new Promise((resolve) => setTimeout(resolve, 300))")
        assert page.evaluate("gone.stats.shown") == shown
        page.evaluate("document.body.append(gone)")  # within the grace it is the same one
        assert until(lambda: viewers(session) == 1)
        assert shared.sessions == [session]


def test_it_shows_a_session_that_exists(visitor: Visitor, shared: Live) -> None:
    with page_at(shared.address, FACE) as address:
        page = opened(visitor, address)
        (session,) = shared.sessions
        page.evaluate(
            """([id, token]) => {
              const other = document.createElement("soyle-avatar");
              for (const [name, value] of Object.entries({ mode: "live", session: id, token })) {
                other.setAttribute(name, value);
              }
              other.id = "other";
              other.setAttribute("server", face.getAttribute("server") ?? "");
              other.setAttribute("server", document.querySelector("script[src]").src);
              document.body.append(other);
            }""",
            [session.id, session.view_token],
        )
        page.wait_for_function("other.stats.shown > 3")
        assert page.evaluate("other.sessionId") == session.id
        assert viewers(session) == 2
        refused = page.evaluate("other.say('one').catch(({ code }) => code)")
        assert refused == "forbidden"
        visitor.expect_complaint("403")
        assert len(shared.sessions) == 1


def test_an_end_is_told_and_say_begins_again(visitor: Visitor, shared: Live) -> None:
    with page_at(shared.address, FACE) as address:
        page = opened(visitor, address)
        shared.service.sessions.close(shared.sessions[0])
        page.wait_for_function("told.some(([name]) => name === 'end')")
        assert page.evaluate("face.state") == "over"
        assert told(page, "end")[0]["why"] == "closed"
        page.evaluate("face.say('one')")
        page.wait_for_function("told.some(([name]) => name === 'speech_finished')")


def test_a_refusal_is_an_event(visitor: Visitor, shared: Live) -> None:
    body = FACE.replace('language="en"', 'voice="nobody"')
    with page_at(shared.address, body) as address:
        page = visitor.open(address)
        page.wait_for_function("face.state === 'failed'")
        ((_, _, detail),) = page.evaluate("heard")
        assert (detail["code"], detail["status"]) == ("not_found", 404)
        visitor.expect_complaint("404")


@pytest.mark.parametrize("lost", ["requests", "a socket that never opens", "a refused socket"])
def test_without_a_line_it_says_so(visitor: Visitor, shared: Live, lost: str) -> None:
    page = visitor.page
    page.add_init_script(f"({HURRY})()")
    if lost == "requests":
        page.route("**/api/sessions", lambda route: route.abort())
    elif lost == "a refused socket":
        page.route_web_socket("**/socket?*", lambda socket: socket.close())
    else:
        page.route_web_socket("**/socket?*", lambda socket: None)
    with page_at(shared.address, FACE) as address:
        visitor.open(address)
        refused = page.evaluate(
            """Promise.race([
              face.say("one").catch(({ code, message }) => [code, message]),
              new Promise((resolve) => setTimeout(() => resolve(["hangs", ""]), 30000)),
            ])"""
        )
        assert refused[0] == "unreachable"
        assert "CORS_ORIGINS" in refused[1]
        told = [detail for _, name, detail in page.evaluate("heard") if name == "error"]
        assert [(error["code"], error["sentence"]) for error in told] == [tuple(refused)]
        left = page.evaluate(
            "() => { const said = face.say('two'); face.remove(); return said"
            ".catch(({ code }) => code); }"
        )
        assert left == "unreachable"
    if lost == "requests":
        visitor.complaints.clear()  # Chromium's own, one for each attempt


def test_an_interrupt_without_a_session_rejects(visitor: Visitor, shared: Live) -> None:
    visitor.page.route("**/api/sessions", lambda route: None)  # never answered
    with page_at(shared.address, FACE) as address:
        page = visitor.open(address)
        assert page.evaluate("(face.interrupt().catch(({ code }) => code))") == "unreachable"


def test_other_modes_are_kept_apart(visitor: Visitor, shared: Live) -> None:
    with page_at(shared.address, FACE) as address:
        page = opened(visitor, address)
        assert "say(text)" in page.evaluate("face.speak('one').catch(({ message }) => message)")
        page.evaluate("face.removeAttribute('mode')")
        assert page.evaluate("face.speak('one two')") == "finished"
        assert until(lambda: not any(viewers(session) for session in shared.sessions))


def test_the_bare_page_is_the_face_alone(visitor: Visitor, live: Live) -> None:
    page = visitor.open(f"{live.address}/avatar?background=tomato&language=en")
    page.wait_for_function("document.querySelector('soyle-avatar').stats.shown > 3")
    (session,) = live.sessions
    page.wait_for_function(f"document.title === '{session.id}'")
    assert session.manner.language == "en"
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 99, 71)"
    assert page.evaluate("document.body.innerText.trim()") == ""
    box = page.locator("soyle-avatar").bounding_box()
    assert box == {"x": 0, "y": 0, "width": 1280, "height": 800}
    live.post(session, "say", text=COUNTED)
    page.wait_for_function("document.querySelector('soyle-avatar').stats.level > 0.05")


def test_the_bare_page_comes_again_when_it_may(
    visitor: Visitor, make_live: Callable[..., Live]
) -> None:
    live = make_live(client_sessions=1)
    first = live.service.sessions.open(SessionRequest(size="128x128"), "address 127.0.0.1")
    visitor.page.add_init_script(
        "const later = setTimeout; window.waits = [];"
        "window.setTimeout = (call, ms) => "
        "{ waits.push(ms); return later(call, Math.min(ms, 300)); }"
    )
    with visitor.page.expect_response(lambda answer: answer.status == 429) as refused:
        page = visitor.open(f"{live.address}/avatar")
    wait_s = int(refused.value.headers["retry-after"])
    page.wait_for_function(f"waits.includes({1000 * wait_s})")
    assert page.evaluate("document.body.innerText.trim()") == ""
    live.service.sessions.close(first)
    page.wait_for_function("document.querySelector('soyle-avatar').stats.shown > 3")
    assert any("too_many" in text for text in visitor.complaints)
    told = ("too_many", "429")  # at each attempt
    visitor.complaints[:] = [t for t in visitor.complaints if not any(w in t for w in told)]


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("", "rgba(0, 0, 0, 0)"),
        ("%2300ff00", "rgb(0, 255, 0)"),
        ("url(x)", "rgba(0, 0, 0, 0)"),
        ("nocolour", "rgba(0, 0, 0, 0)"),
        ("red;opacity:0", "rgba(0, 0, 0, 0)"),
    ],
)
def test_the_background_is_a_colour_or_nothing(
    visitor: Visitor, live: Live, given: str, shown: str
) -> None:
    page = visitor.open(f"{live.address}/avatar?background={given}")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == shown


def test_the_bare_page_looks_at_a_session_and_comes_back(visitor: Visitor, live: Live) -> None:
    with_face = f"{live.address}/avatar"
    page = visitor.open(with_face)
    page.wait_for_function("document.title !== 'Soyle'")
    (first,) = live.sessions
    live.service.sessions.close(first)  # a kiosk goes on for ever
    page.wait_for_function(f"!['Soyle', '{first.id}'].includes(document.title)")
    (second,) = live.sessions
    other = page.context.new_page()
    other.goto(f"{with_face}?session={second.id}&token={second.view_token}")
    other.wait_for_function(f"document.title === '{second.id}'")
    assert live.sessions == [second]
    other.close()
