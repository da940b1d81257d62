"""What is said of settings at the start."""

from __future__ import annotations

import logging
import re
from pathlib import Path

import pytest

import app
from app_core.config import ROOT, Config
from app_core.config.notices import notices, unknown_names

OPEN = {"LISTEN": "0.0.0.0:3000"}
TOKEN = {"API_TOKEN": "0123456789abcdef"}


def said(environ: dict[str, str], file: Path) -> list[str]:
    return list(notices(Config.from_env(environ), file))


def test_names_in_the_file_that_are_no_settings_are_named(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("MAX_JOBZ=3\nMAX_JOBS=3\nlisten=x\n# NOTHING=1\nSITE=a\nXDG_CACHE_HOME=/c\n")
    assert unknown_names(file) == ["MAX_JOBZ", "listen"]
    assert said({"WHATEVER": "1"}, file) == [
        ".env has names that are no settings: MAX_JOBZ, listen"
    ]


def test_the_example_names_settings_alone(tmp_path: Path) -> None:
    example = (ROOT / ".env.example").read_text()
    lines = re.findall(r"^#? ?([A-Z_]+=.*)$", example, re.MULTILINE)
    assert len(lines) > 50
    file = tmp_path / ".env"
    file.write_text("\n".join(lines))
    assert unknown_names(file) == []


@pytest.mark.parametrize(
    ("environ", "warned"),
    [
        (OPEN, True),
        ({"TRUSTED_PROXIES": "10.0.0.1"}, True),
        ({}, False),
        (OPEN | TOKEN, False),
        (OPEN | {"API_TOKEN_FILE": "/run/tokens"}, False),
    ],
)
def test_a_server_for_strangers_without_a_token_is_said(
    environ: dict[str, str], warned: bool, tmp_path: Path
) -> None:
    told = said(environ, tmp_path / "none")
    assert len(told) == warned
    assert all("strangers may" in sentence and "API_TOKEN" in sentence for sentence in told)


def test_the_start_says_them(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text("AVATARDIR=x\n")
    monkeypatch.setattr(app, "ROOT", tmp_path)
    monkeypatch.setattr(app, "setup_logging", lambda *_: None)
    monkeypatch.setattr(app, "serve", lambda config: 0)
    monkeypatch.setenv("LISTEN", "0.0.0.0:3000")
    monkeypatch.setenv("AVATARDIR", "x")  # is set by the file; taken back after the test
    for name in ("API_TOKEN", "API_TOKEN_FILE"):
        monkeypatch.delenv(name, raising=False)
    assert app.main([]) == 0
    told = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert len(told) == 2 and "AVATARDIR" in told[0] and "strangers" in told[1]
