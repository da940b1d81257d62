"""A speech server as small as can be: it does what its first argument says.

healthy   ready at once
broken    fails, with the reason of its second argument
words     says its second argument and ends with status 3
mute      never answers, and does not end when it is asked to
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

MODE, WORDS = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else ""


def end_with_input() -> None:
    sys.stdin.buffer.read()
    os._exit(0)


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        known = self.headers["Authorization"] == f"Bearer {os.environ['SPEECH_SERVER_KEY']}"
        told = {
            "status": "failed" if MODE == "broken" else "ready",
            "reason": WORDS or None,
            "model": "tiny",
            "languages": ["ru", "en"],
            "sample_rate": 24000,
        }
        body = json.dumps(told if known else {}).encode()
        self.send_response(503 if MODE == "broken" else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


if MODE == "words":
    sys.stderr.write(f"something before\n{WORDS}\n")
    sys.exit(3)
if MODE == "mute":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sys.stdout.write("nothing will come\n")
    sys.stdout.flush()
    time.sleep(600)
threading.Thread(target=end_with_input, daemon=True).start()
server = HTTPServer(("127.0.0.1", 0), Handler)
sys.stdout.write(f"listening on http://127.0.0.1:{server.server_port}\n")
sys.stdout.flush()
server.serve_forever()
