"""A live face over WebRTC: it is seen and heard, comes back, and gives way to the socket."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from app_core.request import SessionRequest
from tests.browser.conftest import CHROMIUM, FLAGS, Visitor, visiting
from tests.browser.live import COUNTED, LONG, Live, stored, viewers
from tests.browser.test_element import page_at
from tests.browser.test_live_element import FACE
from tests.browser.test_realtime_page import RECORD_CAPTIONS, opened, say, until_state
from tests.conftest import until

if TYPE_CHECKING:
    from playwright.sync_api import Page, Playwright

NO_UDP = "--webrtc-ip-handling-policy=disable_non_proxied_udp"
RECORD_COMMANDS = """() => {
  window.sent = [];
  const send = RTCDataChannel.prototype.send;
  RTCDataChannel.prototype.send = function (data) {
    const { type } = JSON.parse(data);
    if (type !== "ping") sent.push([this.label, type]);
    send.call(this, data);
  };
}"""


def called(visitor: Visitor, live: Live) -> Page:
    """The page, with its face over WebRTC."""
    page = opened(visitor, live)
    assert page.evaluate("soyle.stats.way") == "webrtc"
    assert page.locator("#way-note").inner_text() == ""
    return page


def offers(visitor: Visitor) -> int:
    return len([asked for asked in visitor.requests if "/offer" in asked])


LIGHT = """(picture) => {
  const context = new OffscreenCanvas(16, 16).getContext("2d");
  context.drawImage(document.querySelector(picture), 0, 0, 16, 16);
  return context.getImageData(0, 0, 16, 16).data.reduce((sum, value) => sum + value, 0) / 1024;
}"""  # mean of all channels, 0..255


def hang_up(live: Live) -> None:
    """The server ends every connection, but no session."""
    for peer in list(live.service.peers._peers.values()):
        live.service.peers.end(peer)


def until_way(page: Page, way: str) -> None:
    page.wait_for_function(
        "way => soyle.stats.way === way"
        " && document.getElementById('live').dataset.status === 'there'",
        arg=way,
    )


def codecs(live: Live, page: Page) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = live.session(page).describe()["viewers"]
    return found


def test_it_is_seen_and_heard(live: Live, caller: Visitor) -> None:
    page = called(caller, live)
    page.evaluate(RECORD_CAPTIONS)
    assert codecs(live, page) == [{"video": "h264", "audio": "opus"}]
    line = say(page, "one two three four")
    page.wait_for_function("soyle.stats.level > 0.05")
    assert page.evaluate("soyle.stats.running")
    until_state(line, "said")
    told = [text for text in page.evaluate("captions") if text]
    assert told == ["one", "one two", "one two three", "one two three four"]
    page.wait_for_function("document.getElementById('stat-way').textContent === 'WebRTC H264'")
    page.wait_for_function("/^0,\\d %$/.test(document.getElementById('stat-loss').textContent)")
    decoded = page.evaluate("soyle.stats.shown")
    page.wait_for_function(f"soyle.stats.shown > {decoded + 10}")
    assert offers(caller) == 1


def test_an_interrupt_goes_over_the_channel(
    make_live: Callable[..., Live], caller: Visitor
) -> None:
    live = make_live(api_token="secret")  # which the session's own stands in for
    caller.page.add_init_script("localStorage.setItem('soyle.token', 'secret')")
    page = called(caller, live)
    page.evaluate(RECORD_COMMANDS)
    line = say(page, LONG)
    page.locator("#caption", has_text="three").wait_for()
    page.keyboard.press("Escape")
    until_state(line, "interrupted")
    assert page.evaluate("sent") == [["control", "interrupt"]]
    page.wait_for_function("soyle.stats.level < 0.01")
    again = say(page, "five six")
    page.wait_for_function("soyle.stats.level > 0.05")
    until_state(again, "said")
    assert not [asked for asked in caller.requests if asked.endswith("/interrupt")]


def test_it_comes_back_to_its_session_and_gives_way_the_second_time(
    live: Live, caller: Visitor
) -> None:
    page = called(caller, live)
    before = stored(page)
    page.reload()
    page.wait_for_function("window.soyle?.stats.shown > 3")
    hang_up(live)
    page.wait_for_function("document.getElementById('live').dataset.status !== 'there'")
    until_way(page, "webrtc")
    until_state(say(page, "one"), "said")
    assert offers(caller) == 3  # one for each connection
    hang_up(live)
    until_way(page, "socket")
    assert "WebRTC обрывается" in page.locator("#way-note").inner_text()
    until_state(say(page, "two"), "said")
    assert stored(page) == before
    assert [session.id for session in live.sessions] == [before["session_id"]]


def test_a_lost_face_keeps_its_last_picture(live: Live, caller: Visitor) -> None:
    page = called(caller, live)
    shown = page.evaluate(LIGHT, "#frame video")
    poster = page.evaluate(LIGHT, "#face")
    assert abs(shown - poster) > 40
    page.evaluate("void (window.fetch = () => new Promise(() => {}))")  # the server is gone
    hang_up(live)
    page.wait_for_function("document.getElementById('live').dataset.status !== 'there'")
    assert page.locator("#frame video").count() == 0
    assert page.evaluate(LIGHT, "#face") == pytest.approx(shown, abs=15)


@pytest.fixture
def caged(playwright: Playwright) -> Iterator[Visitor]:
    """Somebody whose browser lets no UDP out."""
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS, NO_UDP])
    with visiting(browser.new_context(locale="ru-RU")) as visitor:
        yield visitor
    browser.close()


def test_without_udp_it_is_the_socket(live: Live, caged: Visitor) -> None:
    page = opened(caged, live)
    assert page.evaluate("soyle.stats.way") == "socket"
    assert "UDP закрыт: связь через WebSocket" in page.locator("#way-note").inner_text()
    until_state(say(page, "one"), "said")
    assert codecs(live, page) == [{"video": "jpeg", "audio": "pcm"}]
    assert len(live.sessions) == 1


def test_without_any_network_it_is_the_socket_at_once(live: Live, caller: Visitor) -> None:
    caller.page.add_init_script(
        "Object.defineProperty(Navigator.prototype, 'onLine', { get: () => false })"
    )
    page = opened(caller, live)
    assert page.evaluate("soyle.stats.way") == "socket"
    assert offers(caller) == 0


@pytest.mark.parametrize("how", ["silent", "refused"])
def test_an_offer_without_an_answer_gives_way(live: Live, caller: Visitor, how: str) -> None:
    full = {"error": "full", "code": "busy", "field": None}
    caller.page.route(
        "**/offer*",
        lambda route: route.fulfill(status=503, json=full) if how == "refused" else None,
    )
    page = opened(caller, live)
    assert page.evaluate("soyle.stats.way") == "socket"
    why = {"silent": "Сервер не ответил вовремя", "refused": "WebRTC не принят"}[how]
    assert why in page.locator("#way-note").inner_text()
    assert len(live.sessions) == 1
    if how == "refused":
        caller.expect_complaint("503")


def test_the_way_is_chosen(live: Live, caller: Visitor) -> None:
    page = called(caller, live)
    page.locator("#settings > summary").click()
    page.locator("select[name=way]").select_option("socket")
    assert until(lambda: codecs(live, page) == [{"video": "jpeg", "audio": "pcm"}])
    page.reload()
    page.wait_for_function("window.soyle?.stats.shown > 3")
    assert page.evaluate("soyle.stats.way") == "socket"
    assert page.locator("#way-note").inner_text() == ""
    assert offers(caller) == 1


def test_the_microphone_is_a_track(live: Live, caller: Visitor) -> None:
    page = called(caller, live)
    page.locator("#microphone").click()
    page.locator("#microphone-note", has_text="лицо повторяет ваш голос").wait_for()
    assert page.locator("#mute").is_enabled()
    assert page.locator("#mute").get_attribute("aria-pressed") == "false"
    assert page.locator("#tap").is_hidden()
    page.wait_for_function("soyle.stats.level > 0.01")  # the fake device beeps
    assert live.session(page).describe()["state"] == "speaking"
    assert page.evaluate("soyle.stats.way") == "webrtc"
    until_state(say(page, "one"), "said")
    assert page.locator("#microphone").get_attribute("aria-pressed") == "false"
    assert viewers(live.session(page)) == 1


def test_an_element_in_another_page(make_live: Callable[..., Live], caller: Visitor) -> None:
    live = make_live(cors_origins="*")
    with page_at(live.address, FACE) as address:
        page = caller.open(address)
        page.wait_for_function("face.stats.shown > 3")
        assert page.evaluate("face.stats.way") == "webrtc"
        page.evaluate(f"void face.say(`{LONG}`)")
        page.wait_for_function("face.stats.level > 0.05")
        assert page.evaluate("face.interrupt()")["heard"] in LONG
        (session,) = live.sessions
        page.evaluate("face.remove()")
        assert until(lambda: viewers(session) == 0)


def test_the_player_of_whep_says_what_is_wrong(live: Live, caller: Visitor) -> None:
    # A picture that never comes keeps a page from being loaded.
    caller.page.goto(f"{live.address}/whep_test?avatar=nobody", wait_until="commit")
    caller.page.locator("#state", has_text="avatar").wait_for()
    assert "{" not in caller.page.locator("#state").inner_text()
    caller.expect_complaint("404")


def test_a_player_of_whep_to_copy(live: Live, caller: Visitor) -> None:
    session = live.service.sessions.open(SessionRequest(size="128x128", language="en"))
    page = caller.page
    page.goto(f"{live.address}/whep_test?session={session.id}&token={session.view_token}")
    page.wait_for_function("document.querySelector('video').currentTime > 0.2")
    assert page.evaluate("face.srcObject.getTracks().map(({ kind }) => kind).sort()") == [
        "audio",
        "video",
    ]
    live.post(session, "say", text=COUNTED)
    assert viewers(session) == 1
    page.goto("about:blank")
    assert until(lambda: viewers(session) == 0)
