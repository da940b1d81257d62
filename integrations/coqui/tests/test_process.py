"""The server as Soyle starts it: a child that says where it listens and ends with its input."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).resolve().parents[1]


def child(*arguments: str, key: str = "secret") -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "soyle_coqui", "serve", *arguments]
    return subprocess.Popen(
        command,
        cwd=FOLDER,
        env={**os.environ, "SPEECH_SERVER_KEY": key},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def asked(url: str, key: str) -> tuple[int, str]:
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {key}"})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


@pytest.mark.parametrize("ending", ["input", "term"])
def test_it_listens_before_the_model_is_there_and_ends_when_it_should(
    tmp_path: Path, ending: str
) -> None:
    arguments = ["--model-dir", str(tmp_path / "none"), "--listen", "127.0.0.1:0"]
    with child(*arguments, "--until-input-ends") as server:
        assert server.stdout is not None and server.stdin is not None
        line = server.stdout.readline()
        found: Any = re.fullmatch(r"listening on (http://127\.0\.0\.1:\d+)\n", line)
        assert found, line
        assert "there is no folder" in server.stdout.readline()
        status, body = asked(found[1] + "/health", "secret")
        assert status == 503 and "there is no folder" in body
        assert asked(found[1] + "/health", "other")[0] == 401
        if ending == "input":
            server.stdin.close()
        else:
            server.terminate()
        assert server.wait(10) == 0


def test_beyond_this_machine_only_with_a_key(tmp_path: Path) -> None:
    with child("--model-dir", str(tmp_path), "--listen", "0.0.0.0:0", key="") as server:
        told, _ = server.communicate(timeout=20)
    assert server.returncode == 2
    assert "set SPEECH_SERVER_KEY" in told
