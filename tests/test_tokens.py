"""Tokens by file: what is taken, how a fault is named, and what a change of the file does."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import pytest

from app_core.config import ConfigError
from app_core.config.tokens import LOOK_S, BearerToken, Tokens, read_tokens

ANNA, BERIK = "anna-0123456789abcdef", "berik-0123456789abcde"


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def written(path: Path, text: str | bytes) -> Path:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    path.chmod(0o600)
    return path


def test_names_remarks_and_empty_lines(tmp_path: Path) -> None:
    text = f"# who may\n\nanna  {ANNA}\n\t berik\t{BERIK}  \r\n#{ANNA}\n"
    file = written(tmp_path / "tokens", b"\xef\xbb\xbf" + text.encode())
    assert read_tokens(file) == (BearerToken("anna", ANNA), BearerToken("berik", BERIK))


def test_one_token_alone_is_the_operators(tmp_path: Path) -> None:
    file = written(tmp_path / "secret", f"# of the container\n{ANNA}\n")
    assert read_tokens(file) == (BearerToken("", ANNA),)


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        (f"anna {ANNA}\n{BERIK}\n", [2]),
        (f"{ANNA}\n{BERIK}\n", [1, 2]),
        (f"anna {ANNA} more\n", [1]),
        (f"анна {ANNA}\n", [1]),
        (f"an/na {ANNA}\n", [1]),
        (f"{'a' * 65} {ANNA}\n", [1]),
        (f"anna {ANNA}ё\n", [1]),
        (f"anna {ANNA}\x00\n", [1]),
        ("anna short\n", [1]),
        (f"anna {ANNA}\n\nanna {BERIK}\n", [3]),
        (f"anna {ANNA}\n# x\nberik {ANNA}\n", [3]),
        ("a\nb\nc\nd\ne\n", [1, 2, 3]),
    ],
)
def test_a_bad_line_is_named_and_not_shown(tmp_path: Path, text: str, lines: list[int]) -> None:
    with pytest.raises(ConfigError, match="API_TOKEN_FILE") as refused:
        read_tokens(written(tmp_path / "tokens", text))
    told = str(refused.value)
    assert [number for number in range(9) if f"line {number} " in told] == lines
    assert not any(word in told for word in (ANNA, BERIK, "short", "анна", "an/na"))


@pytest.mark.parametrize("text", ["", "# nobody\n", b"\xff\xfe\x00", "x" * (1 << 20) + "y"])
def test_a_file_without_tokens_is_refused(tmp_path: Path, text: str | bytes) -> None:
    with pytest.raises(ConfigError, match="API_TOKEN_FILE"):
        read_tokens(written(tmp_path / "tokens", text))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="API_TOKEN_FILE cannot be read: No such file"):
        read_tokens(tmp_path / "nothing")
    with pytest.raises(ConfigError, match="Is a directory"):
        read_tokens(tmp_path)


def test_a_change_is_seen_and_a_fault_keeps_what_was(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clock, file = Clock(), written(tmp_path / "tokens", f"anna {ANNA}\nberik {BERIK}\n")
    tokens = Tokens("operators", file, clock)
    assert tokens.find(ANNA) == BearerToken("anna", ANNA)
    assert tokens.find("operators") == BearerToken("", "operators")
    assert tokens.find("") is None

    written(file, f"berik {BERIK}\n")
    assert tokens.find(ANNA) is not None  # it is looked at once a second
    clock.now += LOOK_S
    assert tokens.find(ANNA) is None
    assert tokens.find(BERIK) == BearerToken("berik", BERIK)

    for fault in ("", f"{BERIK} {ANNA}ё"):
        written(file, fault)
        clock.now += LOOK_S
        assert tokens.find(BERIK) is not None
        assert "API_TOKEN_FILE" in tokens.fault
        assert "stay" in tokens.fault
    file.unlink()
    for _ in range(3):
        clock.now += LOOK_S
        assert tokens.find(BERIK) is not None
    assert "No such file" in tokens.fault
    errors = [r for r in caplog.records if r.levelno == logging.ERROR]
    assert len(errors) == 3  # each fault once
    assert ANNA not in caplog.text
    assert BERIK not in caplog.text

    written(file, f"anna {ANNA}\n")
    clock.now += LOOK_S
    assert tokens.find(BERIK) is None
    assert tokens.find(ANNA) is not None
    assert tokens.fault == ""


def test_another_file_in_its_place_is_seen(tmp_path: Path) -> None:
    """Of the same size and time, as tools that swap links make them."""
    clock, file = Clock(), written(tmp_path / "tokens", f"anna {ANNA}\n")
    tokens = Tokens("", file, clock)
    other = written(tmp_path / "other", f"anna {ANNA[::-1]}\n")
    facts = file.stat()
    os.utime(other, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    other.replace(file)
    clock.now += LOOK_S
    assert tokens.find(ANNA) is None
    assert tokens.find(ANNA[::-1]) is not None


def test_a_fault_from_the_start_lets_nobody_in(tmp_path: Path) -> None:
    tokens = Tokens("", written(tmp_path / "tokens", "anna short\n"))
    assert tokens.all() == ()
    assert tokens.find("short") is None
    assert "nobody" in tokens.fault


@pytest.mark.parametrize(("mode", "warnings"), [(0o600, 0), (0o400, 0), (0o640, 1), (0o604, 1)])
def test_wide_permissions_are_told_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, mode: int, warnings: int
) -> None:
    clock, file = Clock(), written(tmp_path / "tokens", f"anna {ANNA}\n")
    file.chmod(mode)
    tokens = Tokens("", file, clock)
    file.chmod(0o600)
    written(file, f"anna {BERIK}\n").chmod(mode)
    clock.now += LOOK_S
    assert tokens.find(BERIK) is not None
    assert sum("chmod 600" in record.message for record in caplog.records) == warnings


def test_the_server_does_not_start_with_a_bad_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    import app

    monkeypatch.setattr(app, "setup_logging", lambda *_: None)
    monkeypatch.setattr(app, "load_dotenv", lambda _: None)
    monkeypatch.setenv("API_TOKEN_FILE", str(written(tmp_path / "tokens", f"{ANNA} {BERIK}\nx\n")))
    assert app.main([]) == 2
    assert "line 2" in caplog.text
    assert ANNA not in caplog.text
