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
        ("DEVICES", "gpu"),
        ("DEVICES", "cuda:0,"),
        ("DEVICES", "cuda:-1"),
        ("DEVICES", "cuda,cuda:0"),
        ("DEVICES", "cpu:0,cpu"),
        ("DEVICES", "auto,cpu"),
        ("WEBRTC_PORTS", "abc"),
        ("WEBRTC_PORTS", "50000"),
        ("WEBRTC_PORTS", "50100-50000"),
        ("WEBRTC_PORTS", "80-90"),
        ("WEBRTC_PUBLIC_ADDRESS", "my.site"),
        ("ICE_SERVERS", "http://a.example"),
        ("ICE_SERVERS", "turn:a.example:99999"),
        ("ICE_SERVERS", "stun:"),
    ],
)
def test_a_wrong_setting_is_named(name: str, value: str) -> None:
    with pytest.raises(ConfigError, match=name):
        Config.from_env({name: value})


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"WEBRTC_MIN_KBPS": "9", "WEBRTC_MAX_KBPS": "3"}, "WEBRTC_MIN_KBPS is above"),
        ({"ICE_SERVERS": "turn:a.example:3478"}, "needs TURN_SECRET"),
        ({"TURN_SECRET": "a", "TURN_PASSWORD": "b"}, "TURN_PASSWORD is of no use"),
    ],
)
def test_settings_that_do_not_go_together(settings: dict[str, str], why: str) -> None:
    with pytest.raises(ConfigError, match=why) as refusal:
        Config.from_env(settings)
    assert "Value error" not in str(refusal.value)


def test_ports_and_servers_of_webrtc() -> None:
    servers = "stun:a.example:3478, turn:[2001:db8::1]:3478?transport=tcp,turns:b.example"
    config = Config.from_env(
        {"WEBRTC_PORTS": "50000-50010", "ICE_SERVERS": servers, "TURN_SECRET": "s"}
    )
    assert config.webrtc_port_range == range(50000, 50011)
    assert [url.partition(":")[0] for url in config.ice_urls] == ["stun", "turn", "turns"]
    assert Config().webrtc_port_range is None


def test_models_to_load() -> None:
    assert Config.from_env({"MODEL": "viseme"}).model_names == ("viseme",)
    assert Config.from_env({"MODELS": ""}).model_names == ("auto",)
    both = Config.from_env({"MODEL": "viseme", "MODELS": "wav2lip, viseme"})
    assert both.model_names == ("wav2lip", "viseme")


def test_devices_of_networks() -> None:
    assert Config().device_names == Config.from_env({"DEVICES": " "}).device_names == ()
    assert Config.from_env({"DEVICES": "cuda, cuda:2"}).device_names == ("cuda:0", "cuda:2")
    assert Config.from_env({"DEVICES": "cpu"}).device_names == ("cpu",)


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
    assert shown.keys() == {name.upper() for name in Config.setting_names()}
    assert Config.from_env({k: v for k, v in shown.items() if v}) == Config()
    for name in Config.setting_names():
        assert f"# {Config.model_fields[name].description}\n" in text, name


def test_the_place_is_no_setting() -> None:
    assert Config.from_env({"PLACE": "0a1b2c3d"}) == Config()
    assert set(Config.model_fields) - set(Config.setting_names()) == {"place"}
