"""/realtime: it speaks, stops when interrupted, listens, and comes back to its session."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from tests.browser.conftest import Visitor
from tests.browser.live import COUNTED, LONG, Live, stored, viewers
from tests.conftest import until
from tests.fakes import ToneVoice

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

RECORD_CAPTIONS = """() => {
  window.captions = [];
  const line = document.getElementById("caption");
  new MutationObserver(() => captions.push(line.textContent)).observe(line, { childList: true });
}"""

RECORD_SENT = """() => {
  window.sent = [];
  const send = WebSocket.prototype.send;
  WebSocket.prototype.send = function (data) {
    const type = typeof data === "string" ? JSON.parse(data).type : "sound";
    if (type !== "ping") sent.push(type);
    send.call(this, data);
  };
}"""


def opened(visitor: Visitor, live: Live) -> Page:
    """The page, with its face."""
    page = visitor.open(f"{live.address}/realtime")
    page.wait_for_function("soyle.stats.shown > 3")
    return page


def say(page: Page, text: str, keys: str = "Enter") -> Locator:
    """Types it and sends it; its line in the history."""
    page.locator("textarea").fill(text)
    page.locator("textarea").press(keys)
    return page.locator("#history li").last


def until_state(line: Locator, state: str) -> None:
    line.page.wait_for_function(
        "([line, state]) => line.dataset.state === state", arg=[line.element_handle(), state]
    )


def heard(line: Locator) -> str:
    return line.locator("button span").first.inner_text().strip()


def test_it_speaks_word_by_word(visitor: Visitor, live: Live) -> None:
    page = opened(visitor, live)
    page.evaluate(RECORD_CAPTIONS)
    line = say(page, "one two three four")
    page.wait_for_function("soyle.stats.level > 0.05")
    assert page.evaluate("soyle.stats.running")
    until_state(line, "said")
    told = [text for text in page.evaluate("captions") if text]
    assert told == ["one", "one two", "one two three", "one two three four"]
    assert page.locator("#status").inner_text() == "На связи"
    assert page.locator("textarea").input_value() == ""


def test_the_picture_goes_on(visitor: Visitor, live: Live) -> None:
    page = opened(visitor, live)
    face = page.locator("#face")
    seen = set()
    assert until(lambda: seen.add(face.screenshot()) or len(seen) >= 3, 20)  # type: ignore[func-returns-value]


def test_it_starts_muted_until_a_tap(visitor: Visitor, live: Live) -> None:
    page = opened(visitor, live)
    tap, mute = page.locator("#tap"), page.locator("#mute")
    assert tap.inner_text() == "Включить звук"
    frame, button = page.locator("#frame").bounding_box(), tap.bounding_box()
    assert frame is not None and button is not None
    assert button["y"] > frame["y"] + frame["height"] / 2, "the picture's label stands above"
    assert mute.get_attribute("aria-pressed") == "true"
    assert page.evaluate("soyle.stats.running") is False
    tap.click()
    page.wait_for_function("soyle.stats.running")
    assert tap.is_hidden()
    assert mute.get_attribute("aria-pressed") == "false"
    mute.click()
    assert mute.get_attribute("aria-label") == "Включить звук"
    shown = page.evaluate("soyle.stats.time")
    page.wait_for_function(f"soyle.stats.time > {shown + 0.5}")  # muted, the clock goes on


def test_interrupted_in_the_middle(visitor: Visitor, live: Live) -> None:
    page = opened(visitor, live)
    line = say(page, LONG)
    page.locator("#caption", has_text="three").wait_for()
    page.keyboard.press("Escape")
    until_state(line, "interrupted")
    part = heard(line)
    assert part.startswith("one two three")
    assert LONG.startswith(part)
    assert len(part) < len(LONG)
    assert line.locator(".rest").inner_text().strip() == LONG.removeprefix(part).strip()
    page.wait_for_function("soyle.stats.level < 0.01")
    again = say(page, "five six")
    until_state(again, "said")


def test_interrupted_before_the_first_sound(
    visitor: Visitor, make_live: Callable[..., Live]
) -> None:
    live = make_live(ToneVoice(delay_s=1.0))
    page = opened(visitor, live)
    line = say(page, COUNTED)
    assert line.get_attribute("data-state") == "waiting"
    page.locator("#interrupt").click()
    until_state(line, "interrupted")
    assert heard(line) == ""
    again = say(page, "eleven")
    until_state(again, "said")


def test_texts_wait_for_each_other_and_may_be_replaced(visitor: Visitor, live: Live) -> None:
    page = opened(visitor, live)
    first = say(page, LONG)
    until_state(first, "speaking")
    first, second = page.locator("#history li").first, say(page, "later")
    assert second.get_attribute("data-state") == "waiting"
    say(page, "instead", "Control+Enter")
    lines = page.locator("#history li")
    for index, state in enumerate(["interrupted", "interrupted", "said"]):
        until_state(lines.nth(index), state)
    lines.nth(2).locator("button").click()  # once more
    until_state(lines.nth(3), "said")
    assert lines.nth(3).locator("button").inner_text() == "instead"


def test_the_switch_replaces_too(visitor: Visitor, live: Live) -> None:
    page = opened(visitor, live)
    page.locator("input[name=replace]").check()
    say(page, LONG)
    until_state(page.locator("#history li").first, "speaking")
    until_state(say(page, "instead"), "said")
    until_state(page.locator("#history li").first, "interrupted")


def test_shift_enter_is_a_new_line(visitor: Visitor, live: Live) -> None:
    page = opened(visitor, live)
    page.locator("textarea").fill("one")
    page.locator("textarea").press("Shift+Enter")
    assert page.locator("textarea").input_value() == "one\n"
    assert page.locator("#history li").count() == 0


def test_a_text_in_pieces(visitor: Visitor, live: Live) -> None:
    page = opened(visitor, live)
    page.evaluate(RECORD_CAPTIONS)
    session = live.session(page)
    live.post(session, "say", text="one two, ", utterance_id="pieces", more=True)
    live.post(session, "say", text="three four.", utterance_id="pieces")
    page.wait_for_function("captions.at(-1) === 'one two, three four.'")


def test_the_microphone_moves_the_lips(visitor: Visitor, live: Live) -> None:
    page = opened(visitor, live)
    page.locator("#tap").click()
    button, note = page.locator("#microphone"), page.locator("#microphone-note")
    button.click()
    note.get_by_text("Звук этой страницы выключен").wait_for()
    assert button.get_attribute("aria-pressed") == "true"
    assert page.locator("#mute").is_disabled()
    page.wait_for_function("soyle.stats.level > 0.01")  # the fake device beeps
    assert live.session(page).describe()["state"] == "speaking"
    button.click()
    page.wait_for_function("!document.getElementById('microphone-note').textContent")
    assert page.locator("#mute").is_enabled()
    assert page.locator("#mute").get_attribute("aria-pressed") == "false"
    assert until(lambda: live.session(page).describe()["state"] == "idle")
    until_state(say(page, "one"), "said")


def spoken_into(visitor: Visitor, live: Live) -> Page:
    """The page, whose microphone is heard."""
    page = opened(visitor, live)
    page.evaluate(RECORD_SENT)
    page.locator("#tap").click()
    page.locator("#microphone").click()
    page.wait_for_function("soyle.stats.level > 0.01")
    return page


def until_microphone_is_off(page: Page) -> None:
    page.wait_for_function(
        "document.getElementById('microphone').getAttribute('aria-pressed') === 'false'"
    )
    page.evaluate("new Promise((resolve) => setTimeout(resolve, 200))")  # ten blocks of sound
    assert page.evaluate("sent.at(-1)") == "audio_end"
    assert page.locator("#mute").is_enabled()
    assert page.locator("#error").is_hidden()


@pytest.mark.parametrize("how", ["Escape", "button"])
def test_an_interrupt_switches_the_microphone_off(visitor: Visitor, live: Live, how: str) -> None:
    page = spoken_into(visitor, live)
    if how == "Escape":
        page.keyboard.press(how)
    else:
        page.locator("#interrupt").click()
    until_microphone_is_off(page)
    assert page.locator("#microphone-note").inner_text() == ""
    assert until(lambda: live.session(page).describe()["queued"] == 0)
    page.locator("#microphone").click()  # and on again
    page.wait_for_function("soyle.stats.level > 0.01")


@pytest.mark.parametrize("keys", ["Enter", "Control+Enter"])
def test_a_text_does_not_wait_for_the_microphone(visitor: Visitor, live: Live, keys: str) -> None:
    page = spoken_into(visitor, live)
    line = say(page, "one two", keys)
    until_microphone_is_off(page)
    until_state(line, "said")


@pytest.mark.parametrize("how", ["interrupted", "finished"])
def test_a_microphone_that_the_server_has_ended_is_off(
    visitor: Visitor, live: Live, how: str
) -> None:
    page = spoken_into(visitor, live)
    session = live.session(page)
    if how == "interrupted":
        live.post(session, "interrupt")
    else:
        assert session._microphone is not None
        session._microphone.end()
    page.locator("#microphone-note", has_text="Микрофон выключен").wait_for()
    until_microphone_is_off(page)


def test_a_reload_comes_back_to_the_session(visitor: Visitor, live: Live) -> None:
    page = opened(visitor, live)
    until_state(say(page, "one two"), "said")
    before = stored(page)
    page.reload()
    page.wait_for_function("window.soyle?.stats.shown > 3")
    assert stored(page) == before
    assert [session.id for session in live.sessions] == [before["session_id"]]
    assert page.locator("#history li").get_attribute("data-state") == "said"
    until_state(say(page, "three"), "said")


def test_a_lost_line_comes_back_to_the_session(visitor: Visitor, live: Live) -> None:
    page = opened(visitor, live)
    (session,) = live.sessions
    (line,) = session._fanout.lines
    line.close()
    page.wait_for_function("!document.getElementById('again').hidden")
    page.wait_for_function("document.getElementById('again').hidden")
    assert until(lambda: viewers(session) == 1)
    assert live.sessions == [session]
    until_state(say(page, "one"), "said")


def test_a_second_window_is_another_session(visitor: Visitor, live: Live) -> None:
    page = opened(visitor, live)
    other = visitor.page.context.new_page()
    other.goto(f"{live.address}/realtime")
    other.wait_for_function("window.soyle?.stats.shown > 3")
    assert stored(page)["session_id"] != stored(other)["session_id"]
    line = say(page, LONG)
    page.locator("#caption", has_text="three").wait_for()
    other.locator("#interrupt").click()
    until_state(say(other, "one two"), "said")
    assert line.get_attribute("data-state") == "speaking"
    assert other.locator("#history li").count() == 1
    other.close()
    page.keyboard.press("Escape")
    until_state(line, "interrupted")


def test_an_ended_session_is_begun_again_by_the_next_text(visitor: Visitor, live: Live) -> None:
    page = opened(visitor, live)
    (first,) = live.sessions
    live.service.sessions.close(first)
    page.locator("#status", has_text="Разговор окончен").wait_for()
    assert page.locator("#again").is_visible()
    until_state(say(page, "one"), "said")
    assert live.session(page) is not first


def test_a_full_server_is_tried_again(visitor: Visitor, make_live: Callable[..., Live]) -> None:
    live = make_live(max_sessions=1)
    page = opened(visitor, live)
    other = visitor.page.context.new_page()
    other.goto(f"{live.address}/realtime")
    other.locator("#status", has_text="Сервер занят").wait_for()
    assert "снова через" in other.locator("#retry").inner_text()
    live.service.sessions.close(live.session(page))
    other.locator("#again").click()
    other.wait_for_function("window.soyle?.stats.shown > 3")
    other.close()


def test_automatic_is_the_first_voice_again(visitor: Visitor, live: Live) -> None:
    page = opened(visitor, live)
    session = live.session(page)
    page.locator("#settings > summary").click()
    voice = page.locator("#voice").locator("option").nth(1).get_attribute("value")
    page.locator("#voice").select_option(voice)
    assert until(lambda: session.manner.voice == voice)
    page.locator("#voice").select_option("")
    assert until(lambda: session.manner.voice is None)
    live.post(session, "voice", voice=voice)
    page.reload()
    page.wait_for_function("window.soyle?.stats.shown > 3")
    until_state(say(page, "one"), "said")
    assert session.manner.voice is None


def test_a_refused_text_is_told(visitor: Visitor, make_live: Callable[..., Live]) -> None:
    live = make_live(session_queue=1)
    page = opened(visitor, live)
    say(page, LONG)
    say(page, "two")
    refused = say(page, "three")
    until_state(refused, "failed")
    assert "В очереди" in page.locator("#error").inner_text()
    visitor.expect_complaint("409")


def test_less_data_is_video(visitor: Visitor, live: Live) -> None:
    page = opened(visitor, live)
    page.locator("#tap").click()
    page.locator("#settings > summary").click()
    page.locator("input[name=less]").check()
    page.wait_for_function("document.querySelector('#frame video')?.currentTime > 0")
    (session,) = live.sessions
    assert until(lambda: session.describe()["viewers"] == [{"video": "mp4", "audio": "opus"}])
    until_state(say(page, "one two"), "said")
    begun = page.evaluate("soyle.stats.pictureTime")
    page.wait_for_function(f"soyle.stats.pictureTime > {begun}")
    page.locator("input[name=less]").uncheck()
    assert until(lambda: session.describe()["viewers"] == [{"video": "jpeg", "audio": "pcm"}])
    assert page.locator("#frame video").count() == 0
    begun = page.evaluate("soyle.stats.shown")
    page.wait_for_function(f"soyle.stats.shown > {begun + 5}")


def test_figures_are_folded_on_a_phone(phone: Visitor, visitor: Visitor, live: Live) -> None:
    assert opened(phone, live).locator("#stat-skew").is_hidden()
    page = opened(visitor, live)
    page.wait_for_function("/\\d мс/.test(document.getElementById('stat-skew').textContent)")
    assert page.locator("#stat-rate").inner_text().endswith("КБ/с")


@pytest.mark.parametrize("height", [360, 740])
def test_the_face_fills_a_phone_and_nothing_moves(phone: Visitor, live: Live, height: int) -> None:
    page = phone.page
    page.set_viewport_size({"width": 1100 - height, "height": height})
    phone.open(f"{live.address}/realtime")
    before = page.locator("#frame").bounding_box()
    page.wait_for_function("soyle.stats.shown > 3")
    assert page.locator("#frame").bounding_box() == before
    assert before is not None
    if height == 360:
        assert before["height"] == 360
    else:
        assert before["width"] == 360
        assert page.locator("#speak").bounding_box()["y"] < height  # type: ignore[index]


def test_the_token_is_asked_for(visitor: Visitor, make_live: Callable[..., Live]) -> None:
    live = make_live(api_token="secret")
    page = visitor.open(f"{live.address}/realtime")
    page.locator("#token-dialog input").fill("wrong")
    page.keyboard.press("Enter")
    page.locator("#token-wrong", has_text="Этот токен не подходит").wait_for()
    assert page.locator("#token-dialog[open] input").input_value() == ""
    page.locator("#token-dialog input").fill("secret")
    page.keyboard.press("Enter")
    page.wait_for_function("soyle.stats.shown > 3")
    until_state(say(page, "one"), "said")
    page.reload()
    page.wait_for_function("window.soyle?.stats.shown > 3")
    assert len(live.sessions) == 1
    # one for each call that a wrong token was sent with
    visitor.complaints[:] = [text for text in visitor.complaints if "401" not in text]
