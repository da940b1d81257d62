"""From a request with fifty words to the first picture of the speech, over loopback.

Sentences are made anew for each request, unless a running server keeps them.

python -m benchmarks.first_frame [--url http://127.0.0.1:5000] [--count 40]
"""

from __future__ import annotations

import argparse
import time

import numpy as np

from benchmarks.mjpeg_reader import MjpegReader
from benchmarks.server import Server
from benchmarks.table import end, show
from benchmarks.texts import TEXTS

DOCUMENTS_S = 1.2
"""The first frame in the documents, on an H200."""
_WARM_UP = 3
_PAUSE_S = 0.2
_SETTLED_S = 3.0
"""After a start: for two seconds what is loaded beside the first requests takes a core."""


SAID_BY = (("ru", "espeak"), ("kk", "espeak"), ("en", "espeak"), ("en", "hibari"))


def first_frame_s(server: Server, language: str, voice: str) -> float:
    asked = {"text": TEXTS[language], "language": language, "voice": voice}
    reader = MjpegReader(server.address, asked)
    try:
        while 0 not in reader.arrivals:
            reader.receive()
            if reader.ended or reader.status not in (0, 200):
                raise RuntimeError(f"no first frame: status {reader.status}")
    finally:
        reader.close()
    time.sleep(_PAUSE_S)
    return reader.arrivals[0] - reader.began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", default="", help="a running server; none: start one")
    parser.add_argument("--count", type=int, default=40, help="requests for each language")
    chosen = parser.parse_args()
    rows, figures = [], {}
    with Server(chosen.url, ["VOICE_CACHE_MB=0"]) as server:
        time.sleep(_SETTLED_S)
        for language, voice in SAID_BY:
            times = [first_frame_s(server, language, voice) for _ in range(_WARM_UP + chosen.count)]
            median, p95 = np.percentile(times[_WARM_UP:], [50, 95]).tolist()
            name = language if voice == "espeak" else f"{language} {voice}"
            rows.append([name, DOCUMENTS_S * 1000, median * 1000, p95 * 1000])
            figures[name] = {"median_s": round(median, 4), "p95_s": round(p95, 4)}
    show(
        f"First frame of a text of fifty words, ms, {chosen.count} requests for each language; "
        "beside it the documents' figure, measured on an H200",
        ["language", "documents", "median", "p95"],
        rows,
    )
    end("first_frame", {"count": chosen.count, "documents_s": DOCUMENTS_S, **figures})


if __name__ == "__main__":
    main()
