"""One file an engine."""

import os

# Its official builds send what they run to their maker unless this is set before they are loaded.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
