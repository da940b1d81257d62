"""The command line that brings and checks the files of networks."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from app_core.cli.models import USAGE, command
from app_core.config import ROOT
from app_core.weights.catalogue import FACE, faults


def test_the_command_line(tmp_path: Path) -> None:
    said: list[str] = []
    assert command(["list"], tmp_path, said.append) == 0
    assert "missing" in said[0]
    assert "Apache-2.0" in said[0]
    assert command(["verify"], tmp_path, said.append) == 1
    assert command(["pull", "hands"], tmp_path, said.append) == 1
    assert command([], tmp_path, said.append) == 2
    assert said[-1] == USAGE


def test_app_py_models(tmp_path: Path) -> None:
    environ = os.environ | {"MODELS_DIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "app.py", "models", "list"],
        cwd=ROOT,
        env=environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0
    assert done.stdout.startswith("face  missing")


def test_verify_says_when_all_is_well(models: Path) -> None:
    said: list[str] = []
    assert command(["verify"], models, said.append) == 0
    assert command(["pull", "face"], models, said.append) == 0
    assert "here already" in said[-1]
    assert faults(replace(FACE, folder="elsewhere"), models) != []


def test_an_imported_checkpoint_is_verified_and_a_foreign_file_refused(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    from tests.seeded_weights import state

    said: list[str] = []
    models = tmp_path / "models"
    torch.save({"state_dict": state()}, tmp_path / "lips.pth")
    assert command(["import", str(tmp_path / "lips.pth")], models, said.append) == 0
    target = models / "wav2lip" / "lips.safetensors"
    assert str(target) in said.pop()
    command(["verify"], models, said.append)
    assert said and not any(str(target) in sentence for sentence in said)
    target.write_bytes(target.read_bytes()[:-4] + b"\x7f\x7f\x7f\x7f")
    command(["verify"], models, said.append)
    assert said[-1] == f"{target} is not what was imported"
    torch.save({"weight": torch.zeros(3)}, tmp_path / "foreign.pth")
    assert command(["import", str(tmp_path / "foreign.pth")], models, said.append) == 1
    assert "not Wav2Lip" in said[-1]
