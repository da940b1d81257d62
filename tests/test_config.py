from __future__ import annotations

import re
from pathlib import Path

import pytest

from app_core.config import Config, ConfigError

ROOT = Path(__file__).resolve().parent.parent


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
    ],
)
def test_a_wrong_setting_is_named(name: str, value: str) -> None:
    with pytest.raises(ConfigError, match=name):
        Config.from_env({name: value})


def test_env_example_is_the_config() -> None:
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    shown = dict(re.findall(r"^#?([A-Z_]+)=(.*)$", text, re.M))
    assert shown.keys() == {name.upper() for name in Config.model_fields}
    assert Config.from_env({k: v for k, v in shown.items() if v}) == Config()
    for name, field in Config.model_fields.items():
        assert f"# {field.description}\n" in text, name
