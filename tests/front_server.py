"""A server with the product's worker and a small application; its limits come as JSON.

python -m tests.front_server PORT FOLDER '{"head_s": 1}' [DESCRIPTORS]

A file "fails" in FOLDER says how its workers fail to come up, one after the other.
"""

from __future__ import annotations

import io
import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

from flask import Flask, Response, request, send_file
from gunicorn.app.base import BaseApplication

from app_core.routes.http.context import client_socket
from app_core.routes.http.file_response import FileResponse
from app_core.routes.http.web_socket import SocketClosed, SocketEnded, WebSocket
from app_core.server.arbiter import Arbiter
from app_core.server.limits import Limits
from app_core.server.worker import FrontWorker

SIZE = 24 << 20
"""Bytes of a body that no kernel buffers."""

closed: Counter[str] = Counter()
refused: Counter[int] = Counter()
condemned = threading.Event()
inside = threading.Semaphore(0)
held: list[str] = []
"""One for each request that was held, ever."""


def application() -> Flask:
    app = Flask("front")
    app.response_class = FileResponse
    app.config["MAX_CONTENT_LENGTH"] = 1 << 20

    @app.get("/api/health/live")
    def live() -> Any:
        descriptors = len(os.listdir("/proc/self/fd"))
        told = {"closed": closed, "refused": refused, "held": len(held)}
        return told | {"descriptors": descriptors}

    @app.route("/echo", methods=["GET", "POST"])
    def echo() -> Any:
        return {"length": len(request.get_data()), "query": len(request.query_string)}

    @app.post("/ignore")
    def ignore() -> Any:
        return {"read": 0}

    @app.post("/upload")
    def upload() -> Any:
        if request.args.get("read") == "no":
            return {"read": 0}
        request.max_content_length = 2 * SIZE
        read = 0
        while block := request.stream.read(1 << 16):
            read += len(block)
        return {"read": read}

    def told(response: Response) -> Response:
        response.call_on_close(lambda: closed.update([request_path]))
        request_path = request.path
        return response

    film = tempfile.NamedTemporaryFile()
    film.write(bytes(range(256)) * (SIZE // 256))
    film.flush()

    @app.get("/file")
    def file() -> Response:
        return told(send_file(film.name, "video/mp4", conditional=True))

    @app.get("/memory")
    def memory() -> Response:
        body = io.BytesIO(bytes(range(256)) * (SIZE // 256))
        return told(send_file(body, "audio/wav", conditional=True, etag=False))

    @app.get("/stream")
    def stream() -> Response:
        parts = (b"x" * 50_000 for _ in range(int(request.args.get("parts", 1000))))
        return told(Response(parts))

    @app.get("/unlinked")
    def unlinked() -> Response:
        """Sent from its descriptor alone."""
        part = tempfile.TemporaryFile()
        part.write(bytes(5000))
        part.seek(0)
        response = send_file(part, "video/mp4", etag=False)
        response.content_length = 5000
        return told(response)

    @app.get("/broken")
    def broken() -> Response:
        def parts() -> Any:
            yield b"one"
            if request_path == "cut":
                raise ConnectionResetError("cut")
            raise RuntimeError("bug")

        request_path = request.args["how"]
        return Response(parts())

    @app.get("/condemn")
    def condemn() -> Any:
        condemned.set()
        return {}

    @app.get("/child")
    def child() -> str:
        """Its number. It would go on for a minute, whatever becomes of its pipes."""
        line = [sys.executable, "-S", "-c", "import time; time.sleep(60)"]
        session = request.args["how"] == "session"
        made = subprocess.Popen(line, stdin=subprocess.DEVNULL, start_new_session=session)
        return str(made.pid)

    @app.get("/slow")
    def slow() -> Any:
        time.sleep(float(request.args["seconds"]))
        connection = client_socket()
        return {"blocking": connection is not None and connection.getblocking()}

    @app.get("/held")
    def hold() -> Any:
        """Until there is a file, which a test makes."""
        held.append("")
        until_s = time.monotonic() + 30
        while not os.path.exists(request.args["until"]) and time.monotonic() < until_s:
            time.sleep(0.01)
        return {}

    @app.route("/socket", websocket=True)
    def socket() -> Response:
        ws = WebSocket.accept(1 << 20, 5.0)
        try:
            while (said := ws.receive(1.0)) != "end":
                if said is not None:
                    ws.send(said)
            ws.close()
        except SocketClosed:
            pass
        return SocketEnded()

    return app


class Server(BaseApplication):  # type: ignore[misc]
    def __init__(
        self, port: int, folder: Path, needs: list[str] | None = None, **limits: Any
    ) -> None:
        """``needs``: a command without which the server is of no use."""
        self.port, self.limits, self.fails = port, Limits(**limits), folder / "fails"
        self.needs = subprocess.Popen(needs).pid if needs else None
        super().__init__()

    def load_config(self) -> None:
        self.cfg.set("bind", [f"127.0.0.1:{self.port}"])
        self.cfg.set("worker_class", FrontWorker)
        self.cfg.set("limit_request_line", 0)
        self.cfg.set("graceful_timeout", 3)
        self.cfg.set("control_socket_disable", True)
        self.cfg.set("loglevel", "warning")

    def count(self, method: str, route: str, status: int) -> None:
        refused.update([status])

    def condemned(self) -> str:
        return "" if not condemned.is_set() else "a test says so"

    def load(self) -> Flask:
        failure, *rest = (self.fails.read_text() if self.fails.exists() else "").split(" ")
        self.fails.write_text(" ".join(rest))
        if failure == "exit":
            raise SystemExit(3)
        if failure:
            raise MemoryError
        return application()

    def run(self) -> None:
        Arbiter(self, self.needs).run()


if __name__ == "__main__":
    if len(sys.argv) > 4:
        resource.setrlimit(resource.RLIMIT_NOFILE, (int(sys.argv[4]), int(sys.argv[4])))
    Server(int(sys.argv[1]), Path(sys.argv[2]), **json.loads(sys.argv[3])).run()
