"""Attackers that seem to be viewers."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from benchmarks.session_viewer import Refused, patiently
from benchmarks.target import SMALL
from benchmarks.webrtc_viewer import WebRtcViewer, freeze

if TYPE_CHECKING:
    from benchmarks.target import Target


def stopping_peers(target: Target) -> list[int]:
    """They connect, and then neither read nor answer nor leave."""
    url = f"http://{target.address[0]}:{target.address[1]}"
    for _ in range(target.count):
        try:
            patiently(lambda: WebRtcViewer(url, keep=False, **SMALL), 5.0)
        except (Refused, TimeoutError):
            break
    time.sleep(1.0)
    freeze(max(0.0, target.end_s - time.monotonic()))
    return []
