"""The pages below a path prefix: nothing is asked for beside it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from app_core import create_app
from app_core.engine import core_budget
from tests.browser.conftest import Visitor, serving

if TYPE_CHECKING:
    import pytest
    from flask import Flask

    from app_core.config import Config
    from app_core.services.lipsync_service import LipsyncService

PREFIX = "/soyle"
PATHS = ("/", "/realtime", "/api/lipsync/video", "/mjpeg_test", "/embed", "/docs")


def test_pages_below_a_prefix(
    visitor: Visitor,
    make_service: Callable[..., LipsyncService],
    config: Config,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Late frames of a busy machine must not make a test's session "full".
    monkeypatch.setattr(core_budget, "LATE_SHARE", 1.0)
    named = config.model_copy(update={"trusted_proxies": "127.0.0.1"})
    app = create_app(service=make_service(config=named))

    def proxy(environ: dict[str, Any], start: Any) -> Any:
        """Answers below the prefix alone."""
        path = environ["PATH_INFO"]
        if not path.startswith(f"{PREFIX}/"):
            start("404 Not Found", [("Content-Length", "0")])
            return []
        environ["HTTP_X_FORWARDED_PREFIX"] = PREFIX
        environ["PATH_INFO"] = path.removeprefix(PREFIX)
        return app.wsgi_app(environ, start)

    with serving(cast("Flask", proxy)) as address:
        url = f"{address}{PREFIX}"
        page = visitor.page
        for path in PATHS:
            visitor.open(f"{url}{path}")
            page.wait_for_load_state("networkidle")
        links = page.eval_on_selector_all("a[href]", "all => all.map((a) => a.pathname)")
        assert all(link.startswith(f"{PREFIX}/") for link in links), links
        visitor.open(f"{url}/mjpeg_test")
        page.fill("textarea", "one")
        page.click("#speak")
        page.wait_for_selector('#stage[data-status="finished"]')
        visitor.open(f"{url}/embed")
        page.evaluate(f"embedded.setAttribute('server', '{url}')")
        page.click("#embed-form button[type=submit]")
        page.evaluate("new Promise((done) => embedded.addEventListener('finished', done))")
        page.goto("about:blank")
    asked = [request.split(" ")[1] for request in visitor.requests]
    beside = [a for a in asked if not a.startswith((f"{url}/", "blob:", "data:", "about:"))]
    assert beside == [] and len(asked) > 20
