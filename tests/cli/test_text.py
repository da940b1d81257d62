"""The command line that shows how a text is read."""

from __future__ import annotations

import subprocess
import sys

import pytest

from app_core.cli.text import USAGE, command
from app_core.config import ROOT, Config


@pytest.mark.parametrize(
    "arguments",
    [
        ["Salt & pepper\n\nand more", "--language", "en"],
        ["--language", "en", "Salt & pepper\n\nand more"],
        ["--language=en", "Salt & pepper\n\nand more"],
        ["Salt & pepper\n\nand more", "--language=en"],
    ],
)
def test_what_is_said_is_one_line(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert command(arguments, Config()) == 0
    assert capsys.readouterr().out == "Salt and pepper. and more.\n"


def test_a_text_may_begin_with_a_dash(capsys: pytest.CaptureFixture[str]) -> None:
    assert command(["— Да."], Config()) == 0
    assert "Да." in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [
        ["--", "-5 °C"],
        ["--language", "ru", "--", "-5 °C"],
        ["--language=ru", "--", "-5 °C"],
        ["-5 °C", "--language=ru"],
    ],
)
def test_two_dashes_end_the_options(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(arguments, Config()) == 0
    assert capsys.readouterr().out == "минус пять градусов Цельсия.\n"


def test_what_follows_two_dashes_is_the_text(capsys: pytest.CaptureFixture[str]) -> None:
    assert command(["--language", "en", "--", "--language"], Config()) == 0
    assert capsys.readouterr().out == "--language.\n"


@pytest.mark.parametrize("text", ["🙂", "", "а" * 5001, "\udcff"])
def test_a_text_that_cannot_be_said_is_a_sentence_and_1(
    text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command([text], Config()) == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.count("\n") == 1
    assert "ext" in told.err


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["a", "b"],
        ["--language", "ru"],
        ["a", "--fps", "5"],
        ["--"],
        ["--", "a", "b"],
        ["a", "--", "b"],
        ["a", "--language", "ru", "--language", "en"],
    ],
)
def test_what_cannot_be_understood_is_2(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(arguments, Config()) == 2
    assert capsys.readouterr().err == f"{USAGE}\n"


def test_an_unknown_language_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert command(["a", "--language", "de"], Config()) == 2
    assert "language" in capsys.readouterr().err


def test_app_py_text() -> None:
    done = subprocess.run(
        [sys.executable, "app.py", "text", "Цена & качество", "--language", "ru"],
        cwd=ROOT,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout.decode()) == (0, "Цена и качество.\n")
