"""Loaded by schemathesis: the next request waits until the last render has ended.

Renders go on behind some answers; without a pause the server is soon full, and says so.
"""

from __future__ import annotations

import json
import os
import time
import urllib.request
from typing import Any

import schemathesis

LONGEST_S = 60.0


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: Any) -> None:
    end = time.monotonic() + LONGEST_S
    while _jobs() and time.monotonic() < end:
        time.sleep(0.05)


def _jobs() -> int:
    with urllib.request.urlopen(f"{os.environ['SOYLE_URL']}/api/health", timeout=10) as answer:
        return int(json.load(answer)["capacity"]["jobs"])
