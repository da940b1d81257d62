"""/docs and /embed: every call is shown, commands are whole, phones need no sideways scroll."""

from __future__ import annotations

import json
import urllib.request
from typing import TYPE_CHECKING

import pytest

from tests.browser.conftest import Visitor

if TYPE_CHECKING:
    from playwright.sync_api import Page


def calls(page: Page) -> list[str]:
    shown = "call => [...call.querySelectorAll('.method, code')].slice(0, 2)"
    found: list[str] = page.locator(".call").evaluate_all(
        f"calls => calls.map({shown}.map((part) => part.textContent).join(' '))"
    )
    return found


def test_every_call_of_the_document_is_shown(visitor: Visitor, address: str) -> None:
    with urllib.request.urlopen(f"{address}/openapi.json") as answer:
        paths = json.load(answer)["paths"]
    page = visitor.open(f"{address}/docs")
    described = {
        f"{method.upper()} {path}" for path, methods in paths.items() for method in methods
    }
    assert set(calls(page)) == described
    assert len(calls(page)) == len(described)


def test_a_call_has_fields_answers_and_a_command(visitor: Visitor, address: str) -> None:
    page = visitor.open(f"{address}/docs#post_api_stream_mjpeg")
    call = page.locator("#post_api_stream_mjpeg")
    assert call.evaluate("call => call.open")
    rows = call.locator("table").first.inner_text()
    assert "ru kk en" in rows
    assert "10..60" in rows
    assert "1..5000 characters" in rows
    assert "503" in call.locator(".answers").inner_text()
    command = call.locator("pre").first.inner_text()
    assert command.startswith("curl -X POST --no-buffer")
    assert f"{address}/api/stream_mjpeg" in command
    assert '{"text": "' in command
    visitor.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    call.locator("button").first.click()
    assert page.evaluate("navigator.clipboard.readText()") == command


@pytest.mark.parametrize("path", ["/docs", "/embed", "/api-test"])
@pytest.mark.parametrize("language", ["ru", "kk", "en"])
def test_phone_needs_no_sideways_scroll(
    phone: Visitor, address: str, path: str, language: str
) -> None:
    page = phone.open(address + path)
    page.locator(f"[data-set-language={language}]").click()
    page.wait_for_function(f"document.documentElement.lang === '{language}'")
    page.evaluate("document.querySelectorAll('details').forEach((d) => (d.open = true))")
    assert page.evaluate("document.documentElement.scrollWidth") == 360


def test_the_embedded_face_speaks_and_stops(visitor: Visitor, address: str) -> None:
    page = visitor.open(f"{address}/embed")
    page.locator("#embed-form [type=submit]").click()
    page.wait_for_function("document.getElementById('embedded').stats.shown > 3")
    page.locator("#embed-stop").click()
    page.wait_for_function("document.getElementById('embedded').stats.status === 'stopped'")
    lines = page.locator(".example code").inner_text().strip().splitlines()
    assert len(lines) == 10
    assert f"{address}/static/soyle-avatar.js" in lines[0]
