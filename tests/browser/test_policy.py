"""No page does what its own policy stops: Chromium would complain of each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from app_core import create_app
from tests.browser.conftest import Visitor, serving
from tests.conftest import until

if TYPE_CHECKING:
    from app_core.services.lipsync_service import LipsyncService

PATHS = ["/", "/mjpeg_test", "/api/lipsync/video", "/avatars", "/embed", "/docs", "/api-test"]


@pytest.fixture
def strict(service: LipsyncService) -> Iterator[str]:
    with serving(create_app(service=service), strict=True) as address:
        yield address


def test_every_page_opens_without_a_complaint(visitor: Visitor, strict: str) -> None:
    for path in PATHS:
        visitor.open(strict + path)
    visitor.page.goto("about:blank")
    assert not [text for text in visitor.complaints if "Security Policy" in text]
    visitor.complaints.clear()  # the fake face has no picture to show


def test_a_face_alone_lives(visitor: Visitor, strict: str, service: LipsyncService) -> None:
    page = visitor.open(f"{strict}/avatar?size=128x128&muted")
    element = page.locator("soyle-avatar")
    assert until(lambda: element.evaluate("face => face.sessionId"), 20.0)
    assert until(lambda: service.sessions.all()[0].describe()["viewers"], 20.0)
    shown = "face => getComputedStyle(face.shadowRoot.querySelector('canvas')).display"
    assert element.evaluate(shown) == "block"
    page.goto("about:blank")
    service.sessions.all()[0].close()


def test_what_is_injected_does_not_run(visitor: Visitor, strict: str) -> None:
    page = visitor.open(f"{strict}/docs")
    page.evaluate(
        """() => {
          const image = document.createElement("img");
          image.setAttribute("onerror", "window.ran = true");
          image.src = "data:,";
          document.body.append(image);
          const script = document.createElement("script");
          script.textContent = "window.ran = true";
          document.body.append(script);
        }"""
    )
    assert until(lambda: len(visitor.complaints) >= 2)
    assert page.evaluate("window.ran") is None
    while visitor.complaints:
        visitor.expect_complaint("Content Security Policy")
