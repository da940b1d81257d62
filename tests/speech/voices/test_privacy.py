"""Nothing tells anybody what is said here."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from app_core.config import ROOT
from tests.piper_voice import network

LOAD = """
import sys
import app_core.speech.voices
import onnxruntime
onnxruntime.InferenceSession(sys.argv[1], providers=["CPUExecutionProvider"])
"""


def test_onnx_runtime_keeps_and_sends_no_record(tmp_path: Path) -> None:
    model, home = tmp_path / "voice.onnx", tmp_path / "home"
    home.mkdir()
    model.write_bytes(network({"_": [0], "a": [1]}, 1))
    unset = ("ORT_DISABLE_TELEMETRY", "XDG_CACHE_HOME")
    quiet = {name: value for name, value in os.environ.items() if name not in unset}
    subprocess.run(
        [sys.executable, "-c", LOAD, str(model)],
        env=quiet | {"HOME": str(home)},
        cwd=ROOT,
        check=True,
        timeout=120,
    )
    assert list(home.rglob("*")) == []
