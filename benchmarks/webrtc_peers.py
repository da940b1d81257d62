"""Peers that decode nothing, in a process that can be killed: one JSON line for each, then how many
there are. It stays until its input ends.

python -m benchmarks.webrtc_peers URL [--peers 10] [--session ID --token TOKEN]
"""

from __future__ import annotations

import argparse
import json
import sys

from benchmarks.session_viewer import Refused
from benchmarks.webrtc_tracks import PICTURE
from benchmarks.webrtc_viewer import WebRtcViewer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--peers", type=int, default=1)
    parser.add_argument("--session", default="", help="a session's id; empty: one for each peer")
    parser.add_argument("--token", default="")
    parser.add_argument("--size", default="128x128")
    chosen = parser.parse_args()
    session = {"session_id": chosen.session, "token": chosen.token} if chosen.session else None
    fields = {} if session else {"size": chosen.size, "language": "en"}
    viewers = []
    for _ in range(chosen.peers):
        try:
            viewer = WebRtcViewer(chosen.url, keep=False, session=session, **fields)
            viewer.wait(lambda message: message.kind == PICTURE)
            viewers.append(viewer)
            print(json.dumps({"open": viewer.session["session_id"]}), flush=True)
        except Refused as refused:
            print(json.dumps({"refused": refused.status}), flush=True)
        except TimeoutError:
            print(json.dumps({"silent": True}), flush=True)
    print(json.dumps({"peers": len(viewers)}), flush=True)
    sys.stdin.read()
    for viewer in viewers:
        viewer.close()


if __name__ == "__main__":
    main()
