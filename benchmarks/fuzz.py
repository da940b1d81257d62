"""Random requests by the contract: schemathesis reads /openapi.json and asks a server.

Streams and sockets are left out: what they answer is no document. Texts are short, so that renders
are. Well done is: no 5xx but 503 with Retry-After, no answer that the document does not know, and
afterwards no session, job, thread, descriptor or file that was not there before.

python -m benchmarks.fuzz [--examples 200] [--seed 1]
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.server import ROOT, Server
from benchmarks.table import end, show
from tests.below import files_below

STREAMS = r"(stream_mjpeg|audio\.wav|events|socket)$"
CHECKS = (
    "refuses_properly",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
)
GRACE_S, WARM_S = 2, 60
PATIENCE_S = 60.0
SLACK = {"threads": 12, "descriptors": 4, "sockets": 2}
"""By so much more than before is nothing that stays. The pools for requests and for what peers ask
keep the threads that they had at once."""


def state(server: Server, work: Path) -> dict[str, int]:
    held = server.held()
    jobs = server.health()["capacity"]["jobs"]
    files = len(files_below(work))
    return {"jobs": jobs, **held, "files": files}


def settled(server: Server, work: Path) -> dict[str, int]:
    """Once sessions and jobs have ended."""
    until_s = time.monotonic() + PATIENCE_S
    while True:
        seen = state(server, work)
        if not (seen["jobs"] or seen["sessions"] or seen["children"]):
            time.sleep(GRACE_S)  # sockets that say goodbye
            return state(server, work)
        if time.monotonic() > until_s:
            return seen
        time.sleep(0.5)


def ask(
    server: Server, work: Path, chosen: argparse.Namespace, examples: int, phases: str, most_s: int
) -> int:
    return subprocess.run(
        [
            Path(sys.executable).with_name("schemathesis"),
            "run",
            f"{server.url}/openapi.json",
            f"--phases={phases}",
            f"--max-examples={examples}",
            f"--seed={chosen.seed}",
            f"--checks={','.join(CHECKS)}",
            f"--exclude-path-regex={STREAMS}",
            *([f"--include-path-regex={chosen.only}"] if chosen.only else []),
            *([f"--max-time={most_s}"] if most_s else []),
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
            "FUZZ_COUNTS": str(work / "counts.json"),
        },
    ).returncode


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=200, help="random cases an operation")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=int, default=0, help="at most; 0: until all is asked")
    parser.add_argument("--only", default="", help="a pattern of paths")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        work, avatars, own = (Path(folder) / name for name in ("work", "avatars", "own"))
        for made in (work, own):
            made.mkdir()
        # Random requests may add some, and remove them.
        shutil.copytree(ROOT / "avatar" / "aigul", avatars / "aigul")
        settings = ["MAX_TEXT_CHARS=3", "CACHE_MB=64", f"SESSION_GRACE_S={GRACE_S}"]
        settings += [f"WORK_DIR={work}", f"AVATAR_DIR={avatars}"]
        with Server(settings=settings) as server:
            ask(server, own, chosen, 1, "fuzzing", WARM_S)  # what is loaded once stays
            before = settled(server, work)
            failed = ask(server, own, chosen, chosen.examples, "coverage,fuzzing", chosen.seconds)
            after = settled(server, work)
            counts: dict[str, Any] = json.loads((own / "counts.json").read_text())
            errors = server.errors()
    stays = [name for name in SLACK if after[name] > before[name] + SLACK[name]]
    # Results of films that ended are kept for an hour, in the folder of the process.
    stays += [name for name in ("jobs", "sessions", "children") if after[name]]
    well = not (failed or stays or errors)
    show(
        "Before and after",
        ["", *before],
        [["before", *before.values()], ["after", *after.values()]],
    )
    print(f"\n{'PASS' if well else 'FAIL'}", *stays, *errors[:10], sep="\n")
    end(
        "fuzz",
        {
            "requests": sum(counts["asked"].values()),
            "operations": counts["operations"],
            "statuses": counts["asked"],
            "errors": len(errors),
            "before": before,
            "after": after,
            "stays": stays,
            "passed": well,
        },
    )
    return not well


if __name__ == "__main__":
    sys.exit(main())
