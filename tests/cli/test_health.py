"""`app.py health`: 0 where the server answers, 1 where nobody does or it says no."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

import app
from app_core.cli import health
from app_core.config import Config


@contextmanager
def answering(status: int) -> Iterator[int]:
    """The port of a server that knows one path."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/api/health/live" else 404)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0", "localhost"])
def test_a_server_that_answers(host: str) -> None:
    with answering(200) as port:
        assert health.command(Config(listen=f"{host}:{port},127.0.0.1:1")) == 0


def test_a_server_that_does_not(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with answering(503) as port:
        assert health.command(Config(listen=f"127.0.0.1:{port}")) == 1
    monkeypatch.setenv("LISTEN", f"127.0.0.1:{port}")
    assert app.main(["health"]) == 1
    assert "nobody answers" in capsys.readouterr().out
