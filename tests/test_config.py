from __future__ import annotations

import re
from pathlib import Path

import pytest

from app_core.config import ROOT, Config, ConfigError


def test_environment_wins_over_defaults() -> None:
    config = Config.from_env({"MAX_JOBS": "3", "SWAY": "false", "LISTEN": "[::1]:80,0.0.0.0:81"})
    assert config.max_jobs == 3
    assert config.sway is False
    assert config.addresses == [("::1", 80), ("0.0.0.0", 81)]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MAX_JOBS", "0"),
        ("MAX_JOBS", "many"),
        ("LISTEN", "5000"),
        ("LISTEN", "localhost:99999"),
        ("CPU_SHARE", "2"),
        ("LOG_LEVEL", "loud"),
        ("MODELS", "viseme,viseme"),
        ("MODELS", "viseme,"),
        ("MODELS", "auto,viseme"),
    ],
)
def test_a_wrong_setting_is_named(name: str, value: str) -> None:
    with pytest.raises(ConfigError, match=name):
        Config.from_env({name: value})


def test_models_to_load() -> None:
    assert Config.from_env({"MODEL": "viseme"}).model_names == ("viseme",)
    assert Config.from_env({"MODELS": ""}).model_names == ("auto",)
    both = Config.from_env({"MODEL": "viseme", "MODELS": "wav2lip, viseme"})
    assert both.model_names == ("wav2lip", "viseme")


PATHS = ("AVATAR_DIR", "MODELS_DIR", "BASE_VIDEO_PATH", "WORK_DIR")


@pytest.mark.parametrize("name", PATHS)
def test_paths_are_relative_to_the_project(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/home/somebody")
    for given, path in {
        ".": ROOT,
        "media/IMG_3899.MOV": ROOT / "media/IMG_3899.MOV",
        "/data/x": Path("/data/x"),
        "~/x": Path("/home/somebody/x"),
    }.items():
        assert getattr(Config.from_env({name: given}), name.lower()) == path
    for empty in ("", " "):
        assert Config.from_env({name: empty}) == Config()
    unset = getattr(Config(), name.lower())
    assert unset in (None, ROOT / "avatar", ROOT / "models")


def test_ffmpeg_is_a_command_or_a_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/somebody")
    for given, found in {
        "": "",
        "ffmpeg7": "ffmpeg7",
        "tools/ffmpeg": str(ROOT / "tools/ffmpeg"),
        "./ffmpeg": str(ROOT / "ffmpeg"),
        "~/ffmpeg": "/home/somebody/ffmpeg",
        "/opt/ffmpeg": "/opt/ffmpeg",
    }.items():
        assert Config.from_env({"FFMPEG": given}).ffmpeg == found


def test_env_example_is_the_config() -> None:
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    shown = dict(re.findall(r"^#?([A-Z_]+)=(.*)$", text, re.M))
    assert shown.keys() == {name.upper() for name in Config.model_fields}
    assert Config.from_env({k: v for k, v in shown.items() if v}) == Config()
    for name, field in Config.model_fields.items():
        assert f"# {field.description}\n" in text, name
