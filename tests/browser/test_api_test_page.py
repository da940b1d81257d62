"""/api-test: every call of the contract is listed, and all can be tried with one click."""

from __future__ import annotations

import json
import urllib.request
from typing import TYPE_CHECKING

from tests.browser.conftest import Visitor

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Locator, Page

    from tests.browser.live import Live


def trial(page: Page, method: str, path: str) -> Locator:
    """The first with this method and path."""
    found = page.locator(".call").filter(has=page.get_by_text(path, exact=True))
    return found.filter(has=page.locator(f".method.{method.lower()}")).first


def attempt(page: Page, method: str, path: str) -> str:
    """Tries one call. What its fold says in the end."""
    shown = trial(page, method, path)
    if not shown.evaluate("fold => fold.open"):
        shown.locator("summary").click()
    shown.locator("form button").click()
    shown.locator("form button:not([aria-busy])").wait_for()
    return shown.locator(".result b").inner_text()


def test_every_call_of_the_document_is_listed(visitor: Visitor, live: Live) -> None:
    with urllib.request.urlopen(f"{live.address}/openapi.json") as answer:
        paths = json.load(answer)["paths"]
    page = visitor.open(f"{live.address}/api-test")
    page.locator("#try-all:enabled").wait_for()
    listed = page.locator(".call").evaluate_all(
        "calls => calls.map((c) => `${c.querySelector('.method').textContent} "
        "${c.querySelector('code').textContent}`)"
    )
    described = {
        f"{method.upper()} {path}" for path, methods in paths.items() for method in methods
    }
    assert set(listed) == described


def test_the_calls_of_a_session_follow_each_other(visitor: Visitor, live: Live) -> None:
    page = visitor.open(f"{live.address}/api-test")
    page.locator("#try-all:enabled").wait_for()
    one = "/api/sessions/{session_id}"
    assert attempt(page, "POST", "/api/sessions") == "201"
    (session,) = live.sessions
    assert attempt(page, "POST", f"{one}/say") == "202"
    assert attempt(page, "GET", f"{one}/socket") == "101"
    assert '"type": "ready"' in trial(page, "GET", f"{one}/socket").locator(".answer").inner_text()
    assert "JPEG key" in trial(page, "GET", f"{one}/socket").locator(".answer").inner_text()
    assert attempt(page, "DELETE", one) == "200"
    assert session.closed
    assert attempt(page, "POST", f"{one}/interrupt") == "404"
    visitor.expect_complaint("404")


def test_what_a_person_writes_is_sent(visitor: Visitor, live: Live) -> None:
    page = visitor.open(f"{live.address}/api-test")
    shown = trial(page, "POST", "/api/text")
    shown.locator("summary").click()
    shown.locator("textarea").fill('{"text": ""}')
    assert attempt(page, "POST", "/api/text") == "400"
    assert "text" in shown.locator(".answer").inner_text()
    visitor.expect_complaint("400")


def test_the_token_is_asked_for_once(visitor: Visitor, make_live: Callable[..., Live]) -> None:
    live = make_live(api_token="secret")
    page = visitor.open(f"{live.address}/api-test")
    shown = trial(page, "GET", "/api/sessions")
    shown.locator("summary").click()
    shown.locator("form button").click()
    page.locator("#token-dialog input").fill("secret")
    page.keyboard.press("Enter")
    shown.locator(".result b").wait_for()
    assert shown.locator(".result b").inner_text() == "200"
    assert attempt(page, "POST", "/api/sessions") == "201"
    assert attempt(page, "POST", "/api/sessions/{session_id}/interrupt") == "200"
    assert attempt(page, "GET", "/api/sessions/{session_id}/events") == "101"
    visitor.expect_complaint("401")


def test_all_are_tried_and_none_fails(visitor: Visitor, address: str) -> None:
    page = visitor.open(f"{address}/api-test")
    page.locator("#try-all:enabled").click()
    page.locator("#summary", has_text="Готово").wait_for(timeout=240_000)
    shown = page.locator(".result b").evaluate_all(
        "badges => badges.map((b) => [b.textContent, b.dataset.kind])"
    )
    assert len(shown) == page.locator(".call").count() > 40
    assert [badge for badge in shown if badge[1] == "failed"] == []
    answered = [status for status, kind in shown if kind == "good"]
    assert len(answered) > 0.8 * len(shown)
    assert page.locator(".answer video, .answer audio, .answer img").count() > 8
    # Chromium itself complains of each refusal.
    visitor.complaints = [text for text in visitor.complaints if "the server responded" not in text]
