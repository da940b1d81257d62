"""Chromium on the real app, which listens on a free loopback port."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from werkzeug.serving import WSGIRequestHandler, make_server

from app_core import create_app
from app_core.config import ROOT, Config
from app_core.engine import core_budget
from app_core.services.lipsync_service import LipsyncService
from tests.browser.live import Live
from tests.fakes import ToneVoice, ToneVoices

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from flask import Flask
    from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Playwright

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
OFF = [
    # Renderers that each new context would start beside its page's: they cost more than the page.
    "SpareRendererForSitePerProcess",
    "WebUIOmniboxAimPopup",
    "WebUIOmniboxFullPopup",
    "WebUIOmniboxPopup",
    # Chromium hears one list only, the last: what Playwright's own switches off stays off.
    "AimEnabled",
    "AvoidCorsURLLoaderRestartOnRedirect",
    "AvoidUnnecessaryBeforeUnloadCheckSync",
    "DestroyProfileOnBrowserClose",
    "HttpsFirstBalancedModeAutoEnable",
    "HttpsUpgrades",
    "LensOverlay",
    "MediaRouter",
    "NetworkTimeServiceQuerying",
    "OptimizationHints",
    "PaintHolding",
    "PreconnectToSearch",
    "ThirdPartyStoragePartitioning",
]
FLAGS = [
    f"--disable-features={','.join(OFF)}",
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    # A browser that leaves during the handshake of a WebSocket leaves simple-websocket's copy of
    # the connection to the garbage collector, which closes it.
    unclosed = pytest.mark.filterwarnings("ignore:Exception ignored in.*socket")
    for item in items:
        if item.path.parent == Path(__file__).parent:
            item.add_marker(unclosed)
            item.add_marker(pytest.mark.browser)


def _ending_sockets(app: WSGIApplication) -> WSGIApplication:
    """Werkzeug would write an HTTP answer behind the last frame of a WebSocket; gunicorn not."""

    def answer(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        statuses = []

        def begin(status: str, *rest: Any) -> Any:
            statuses.append(status)
            return start(status, *rest)

        body = app(environ, begin)
        upgrade = environ.get("HTTP_UPGRADE", "").lower() == "websocket"
        if upgrade and statuses[-1].startswith("2"):  # else it was refused before the upgrade
            raise ConnectionResetError("the WebSocket has ended")
        return body

    return answer


class _Handler(WSGIRequestHandler):
    def connection_dropped(self, error: BaseException, environ: Any = None) -> None:
        """A browser's goodbye to a WebSocket is no request: Werkzeug would answer it with 400."""
        self.close_connection = True


def _evaluating(app: WSGIApplication) -> WSGIApplication:
    """Pages may evaluate strings, which is how Playwright waits for what a test names; whatever
    else their policy stops is stopped."""

    def answer(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        def begin(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            eased = [
                (name, value.replace("script-src 'self'", "script-src 'self' 'unsafe-eval'"))
                for name, value in headers
            ]
            return start(status, eased, *rest)

        return app(environ, begin)

    return answer


@contextmanager
def serving(app: Flask, *, strict: bool = False) -> Iterator[str]:
    """The address of ``app`` while it is served; ``strict``: with its policy as it is."""
    ended = _ending_sockets(app)
    shown = ended if strict else _evaluating(ended)
    server = make_server("127.0.0.1", 0, shown, threaded=True, request_handler=_Handler)
    server.daemon_threads = True  # type: ignore[attr-defined]
    ends = {"poll_interval": 0.02}  # as soon as it is told to
    thread = threading.Thread(target=server.serve_forever, kwargs=ends, name="live-server")
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        for visitor in _HERE:  # with connections that it has opened and not used
            visitor.page.context.close()
        server.shutdown()
        thread.join(10)
        server.server_close()


@pytest.fixture(scope="session")
def still_avatar(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of avatars with the default one, without its clip: only the mouth moves."""
    folder = tmp_path_factory.mktemp("avatars")
    (folder / "aigul").mkdir()
    for name in ("avatar.toml", "still.png", "track.npz"):
        shutil.copy(ROOT / "avatar" / "aigul" / name, folder / "aigul")
    return folder


@pytest.fixture(scope="session")
def address(still_avatar: Path) -> Iterator[str]:
    """The real service with its own voice, model and avatar; the head holds still."""
    service = LipsyncService(Config(sway=False, avatar_dir=still_avatar))
    service.start(wait_s=120)
    # What else this machine does must not make a test's second stream "full".
    service.capacity.cores = 64
    try:
        with pytest.MonkeyPatch.context() as patch, serving(create_app(service=service)) as url:
            patch.setattr(core_budget, "LATE_SHARE", 1.0)
            yield url
    finally:
        service.close()


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    if CHROMIUM is None:
        pytest.skip("there is no Chromium on this machine")
    playwright_api = pytest.importorskip("playwright.sync_api", reason="playwright is missing")
    with playwright_api.sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="session")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
    yield browser
    browser.close()


@dataclass
class Visitor:
    """One page in a browser of its own, and what went wrong on it."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def listen(self) -> None:
        self.page.on("console", self._on_console)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda r: self.requests.append(f"{r.method} {r.url}"))

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(f"{message.text} {message.location}")

    def open(self, url: str) -> Page:
        self.page.goto(url)
        self.page.wait_for_selector("html[data-ready]")
        return self.page

    def expect_complaint(self, part: str) -> None:
        """Chromium itself writes an error for each refused request: take one that is meant."""
        found = [text for text in self.complaints if part in text]
        assert found, f"no complaint about {part}"
        self.complaints.remove(found[0])


_HERE: list[Visitor] = []
"""Those whose pages would look for a server that ends before them, and complain."""

NO_WEBRTC = "delete window.RTCPeerConnection"
"""A live face then comes over its socket, with every packet where a test can see it."""


@contextmanager
def visiting(context: BrowserContext) -> Iterator[Visitor]:
    context.set_default_timeout(15_000)
    visitor = Visitor(context.new_page())
    visitor.listen()
    _HERE.append(visitor)
    yield visitor
    _HERE.remove(visitor)
    context.close()
    assert visitor.complaints == []


@pytest.fixture
def visitor(chromium: Browser) -> Iterator[Visitor]:
    """A Russian visitor with a laptop, whose browser has no WebRTC."""
    context = chromium.new_context(viewport={"width": 1280, "height": 800}, locale="ru-RU")
    context.add_init_script(NO_WEBRTC)
    with visiting(context) as visitor:
        yield visitor


@pytest.fixture
def caller(chromium: Browser) -> Iterator[Visitor]:
    """The same with WebRTC."""
    context = chromium.new_context(viewport={"width": 1280, "height": 800}, locale="ru-RU")
    with visiting(context) as visitor:
        yield visitor


@pytest.fixture
def phone(chromium: Browser) -> Iterator[Visitor]:
    """The narrowest phone that the pages are made for."""
    context = chromium.new_context(
        viewport={"width": 360, "height": 740}, locale="ru-RU", is_mobile=True, has_touch=True
    )
    context.add_init_script(NO_WEBRTC)
    with visiting(context) as visitor:
        yield visitor


@pytest.fixture
def make_live(
    make_service: Callable[..., LipsyncService], config: Config, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Live]]:
    """Servers on fakes, with these settings, or with a voice of its own."""
    # Late frames of a busy machine must not make a test's session "full".
    monkeypatch.setattr(core_budget, "LATE_SHARE", 1.0)
    with ExitStack() as stack:

        def make(voice: ToneVoice | None = None, **settings: Any) -> Live:
            parts = {"voices": ToneVoices(voice)} if voice else {}
            service = make_service(config=config.model_copy(update=settings), **parts)
            return Live(service, stack.enter_context(serving(create_app(service=service))))

        yield make


@pytest.fixture
def live(make_live: Callable[..., Live]) -> Live:
    return make_live()
