"""A web server of files with the faults that web servers have."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class FileServer(ThreadingHTTPServer):
    """Serves ``files`` by their path, with ranges and entity tags."""

    daemon_threads = False

    def __init__(self, files: dict[str, bytes]) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files = files
        self.ranges = True
        self.tags = True
        self.lengths = True
        """Else the body comes in chunks, without a length."""
        self.breaks_after: list[int] = []
        """Bytes of a body before the connection breaks, for one answer after another."""
        self.refusals: list[int] = []
        """Statuses, for one request after another."""
        self.retry_after = ""
        self.hold: threading.Event | None = None
        """A body stops in its middle until this is set."""
        self.asked: list[tuple[str, str | None, str | None]] = []
        """Path, Range and If-Range of each request."""

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server_port}/{path}"


class Handler(BaseHTTPRequestHandler):
    server: FileServer
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        server, headers = self.server, self.headers
        self.close_connection = True
        server.asked.append((self.path[1:], headers["Range"], headers["If-Range"]))
        content = server.files.get(self.path[1:])
        status = server.refusals.pop(0) if server.refusals else 200 if content is not None else 404
        if content is None or status != 200:
            self.send_response(status)
            if server.retry_after:
                self.send_header("Retry-After", server.retry_after)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        tag = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
        wanted = headers["Range"] if headers["If-Range"] in (None, tag) else None
        start = int(wanted[6:-1]) if wanted and server.ranges else 0
        if start >= len(content) > 0:
            self.send_response(416)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        if server.tags:
            self.send_header("ETag", tag)
        self._send(content[start:])

    def _send(self, body: bytes) -> None:
        server = self.server
        coded = (
            "Transfer-Encoding: chunked" if not server.lengths else f"Content-Length: {len(body)}"
        )
        name, _, value = coded.partition(": ")
        self.send_header(name, value)
        self.end_headers()
        kept = body[: server.breaks_after.pop(0)] if server.breaks_after else body
        half = len(kept) // 2
        for part in (kept[:half], kept[half:]):
            try:
                if server.lengths:
                    self.wfile.write(part)
                elif part:
                    self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
                self.wfile.flush()
            except OSError:
                return  # the client has left
            if server.hold is not None:
                server.hold.wait(10)
        if not server.lengths and len(kept) == len(body):
            self.wfile.write(b"0\r\n\r\n")

    def log_message(self, *_: object) -> None: ...


@contextmanager
def serving(files: dict[str, bytes]) -> Iterator[FileServer]:
    with FileServer(files) as made:
        thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield made
        finally:
            if made.hold is not None:
                made.hold.set()
            made.shutdown()
            thread.join()
