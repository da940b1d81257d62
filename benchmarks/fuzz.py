"""Random requests by the contract: schemathesis reads /openapi.json and asks a server.

Streams are left out: what they answer is no document. Texts are short, so that renders are.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.server import ROOT, Server

STREAMS = r"(stream_mjpeg|audio\.wav|events)$"
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=200, help="random cases an operation")
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as work:
        avatars = Path(work) / "avatars"  # random requests may add some, and remove them
        shutil.copytree(ROOT / "avatar" / "aigul", avatars / "aigul")
        settings = ["MAX_TEXT_CHARS=3", "CACHE_MB=64", f"WORK_DIR={work}", f"AVATAR_DIR={avatars}"]
        with Server(settings=settings) as server:
            return subprocess.run(
                [
                    Path(sys.executable).with_name("schemathesis"),
                    "run",
                    f"{server.url}/openapi.json",
                    "--phases=coverage,fuzzing",
                    f"--max-examples={chosen.examples}",
                    f"--seed={chosen.seed}",
                    f"--checks={','.join(CHECKS)}",
                    f"--exclude-path-regex={STREAMS}",
                    "--continue-on-failure",
                    "--request-timeout=60",
                    "--generation-database=none",
                ],
                cwd=work,
                env=os.environ
                | {
                    "SCHEMATHESIS_HOOKS": "benchmarks.fuzz_pace",
                    "PYTHONPATH": str(ROOT),
                    "SOYLE_URL": server.url,
                },
            ).returncode


if __name__ == "__main__":
    sys.exit(main())
