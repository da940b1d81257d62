"""What the doctor says of the settings' files and folders."""

from __future__ import annotations

from pathlib import Path

import pytest

from app_core.cli import doctor
from app_core.cli.doctor import settings
from app_core.config import Config
from app_core.lipsync import devices

NOWHERE = Path("/dev/null/folder")
"""Nothing can be made there."""


def found(config: Config, tmp_path: Path) -> dict[str, tuple[bool, bool]]:
    """By the first word of the sentence: whether it is good, and a note."""
    findings = settings(config, tmp_path / "none")
    return {each.sentence.split()[0]: (each.good, each.note) for each in findings}


def config_of(tmp_path: Path, **more: object) -> Config:
    tokens = tmp_path / "tokens"
    tokens.write_text("anna 0123456789abcdef\n")
    given = {"avatar_dir": tmp_path / "a", "work_dir": tmp_path / "w", "api_token_file": tokens}
    return Config.model_validate(given | {"audit_log": tmp_path / "audit"} | more)


def test_what_is_well_is_said_and_nothing_is_made(tmp_path: Path) -> None:
    assert found(config_of(tmp_path), tmp_path) == dict.fromkeys(
        ("WORK_DIR", "AVATAR_DIR", "API_TOKEN_FILE", "AUDIT_LOG"), (True, False)
    )
    assert [path.name for path in tmp_path.iterdir()] == ["tokens"]


@pytest.mark.parametrize(
    ("name", "finding"),
    [
        ("work_dir", (True, True)),
        ("avatar_dir", (True, True)),
        ("api_token_file", (False, False)),
        ("audit_log", (False, False)),
    ],
)
def test_what_cannot_be_used_is_said(tmp_path: Path, name: str, finding: tuple[bool, bool]) -> None:
    """The server runs without folders to write."""
    told = found(config_of(tmp_path, **{name: NOWHERE}), tmp_path)
    assert {key: each for key, each in told.items() if each != (True, False)} == {
        name.upper(): finding
    }


def test_a_folder_is_no_file_for_the_audit(tmp_path: Path) -> None:
    assert found(config_of(tmp_path, audit_log=tmp_path), tmp_path)["AUDIT_LOG"] == (False, False)


def test_strangers_are_a_note(tmp_path: Path) -> None:
    config = config_of(tmp_path, api_token_file=None, listen="0.0.0.0:3000", work_dir=None)
    told = found(config, tmp_path)
    assert told["there"] == (True, True)
    assert "API_TOKEN_FILE" not in told and "WORK_DIR" not in told


def told_of_devices(**given: str) -> list[tuple[bool, str]]:
    found = doctor._devices(Config.model_validate(given))
    return [(each.good, each.sentence) for each in found]


def test_the_devices_of_networks_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a machine without a GPU, and of one that is said to have two."""
    monkeypatch.setattr(devices, "gpus", lambda: ())
    monkeypatch.setattr(doctor, "gpus", lambda: ())
    assert told_of_devices() == [(True, "networks run on the CPU")]
    assert told_of_devices(devices="cpu:0,cuda:1") == [
        (True, "networks run on cpu:0"),
        (False, "There is no GPU cuda:1; torch finds: none"),
    ]
    monkeypatch.setattr(doctor, "gpus", lambda: ("cuda:0", "cuda:1"))
    monkeypatch.setattr(doctor, "title", lambda name: f"{name} (fake)")
    assert told_of_devices() == [
        (True, "networks run on cuda:0 (fake)"),
        (True, "networks run on cuda:1 (fake)"),
    ]
    assert told_of_devices(model_runtime="torch") == [(True, "networks run on the CPU")]
