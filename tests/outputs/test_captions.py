from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from app_core.media.ffmpeg import find_ffmpeg
from app_core.outputs.captions import subrip, webvtt
from app_core.outputs.cues import Cue, Token


def cue(*lines: str, start_s: float = 1.5, word_s: float = 0.5, exact: bool = True) -> Cue:
    """Words of half a second each, one after the other."""
    said: list[tuple[Token, ...]] = []
    at = start_s
    for line in lines:
        words = line.split()
        said.append(
            tuple(
                Token(word, at + n * word_s, at + (n + 1) * word_s, exact)
                for n, word in enumerate(words)
            )
        )
        at += len(words) * word_s
    return Cue(tuple(said), start_s, at)


def test_webvtt_has_the_time_of_each_word() -> None:
    assert webvtt([cue("Привет, мир", "и всем"), cue("Пока!", start_s=3723.0)]) == (
        "WEBVTT\n\n"
        "00:00:01.500 --> 00:00:03.500\n"
        "Привет, <00:00:02.000>мир\n"
        "<00:00:02.500>и <00:00:03.000>всем\n\n"
        "01:02:03.000 --> 01:02:03.500\n"
        "Пока!\n"
    )


def test_subrip_is_numbered() -> None:
    assert subrip([cue("Привет, мир", "и всем"), cue("Пока!", start_s=3723.0)]) == (
        "1\n00:00:01,500 --> 00:00:03,500\nПривет, мир\nи всем\n\n"
        "2\n01:02:03,000 --> 01:02:03,500\nПока!\n"
    )


def test_what_means_something_in_webvtt_is_escaped() -> None:
    text = webvtt([cue("<b>a</b> &amp; --> <00:00:09.000>", exact=False)])
    assert text.splitlines()[3] == ("&lt;b&gt;a&lt;/b&gt; &amp;amp; --&gt; &lt;00:00:09.000&gt;")


def test_times_in_a_cue_rise_and_lie_inside() -> None:
    """The WebVTT specification, section 4.2.2: later than the cue's start and those before,
    earlier than its end."""
    same = tuple(Token(word, at, at) for word, at in [("a", 1.0), ("b", 1.0), ("c", 2.0)])
    late = (Token("d", 2.0, 2.0), Token("e", 3.0, 3.0))
    assert "a b <00:00:02.000>c\nd e\n" in webvtt([Cue((same, late), 1.0, 3.0)])


def test_a_cue_lasts_a_millisecond_at_least() -> None:
    assert "00:00:01.000 --> 00:00:01.001" in webvtt([Cue(cue("a").lines, 1.0, 1.0)])


def test_nothing_said_is_an_empty_file() -> None:
    assert (webvtt([]), subrip([])) == ("WEBVTT\n", "")


@pytest.mark.parametrize("kind", ["vtt", "srt"])
def test_other_programs_show_the_text_as_it_is_written(kind: str, tmp_path: Path) -> None:
    shown = ["<b>Да</b> & нет", "00:00:07,000 --> 00:00:08,000", "{\\an8}сверху <i>", "42"]
    said = [cue(text, start_s=1.0 + 4 * n, exact=False) for n, text in enumerate(shown)]
    path = tmp_path / f"captions.{kind}"
    path.write_text({"vtt": webvtt, "srt": subrip}[kind](said), encoding="utf-8")
    told = subprocess.run(
        [find_ffmpeg().path, "-v", "error", "-i", path, "-f", "ass", "-"],
        capture_output=True,
        check=True,
        timeout=60,
    ).stdout.decode()
    events = [line for line in told.splitlines() if line.startswith("Dialogue:")]
    # What ASS itself would take for an override is escaped there, as each ffmpeg does it.
    texts = [event.split(",", 9)[9].replace("\u2060", "") for event in events]
    texts = [text.replace("{{}", "{").replace("\\{", "{") for text in texts]
    assert texts == shown
