"""Captions as files: WebVTT (W3C, 2019) with the time of each word, and SubRip."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app_core.outputs.cues import Cue, Token

VTT, SRT = "text/vtt", "application/x-subrip"
"""Media types; both files are UTF-8."""

_ESCAPED = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
_JOINER = "\u2060"
"""Shows nothing. SubRip has no escapes: with it behind their first character, what players take
for a tag, an ASS override or the line of times is shown as it is written."""
_PLAIN = str.maketrans({"<": f"<{_JOINER}", "{": f"{{{_JOINER}"})


def webvtt(cues: Sequence[Cue]) -> str:
    """Each word but the first of a cue has its own time in it, where it is known."""
    blocks = ["WEBVTT\n"]
    for cue in cues:
        start, end = _milliseconds(cue)
        said, lines = start, []
        for line in cue.lines:
            words = []
            for token in line:
                time = _timed(token, said, end)
                said = time or said
                stamp = f"<{_clock(time, '.')}>" if time else ""
                words.append(stamp + token.text.translate(_ESCAPED))
            lines.append(" ".join(words))
        blocks.append("\n".join([f"{_clock(start, '.')} --> {_clock(end, '.')}", *lines, ""]))
    return "\n".join(blocks)


def subrip(cues: Sequence[Cue]) -> str:
    blocks = []
    for number, cue in enumerate(cues, 1):
        start, end = _milliseconds(cue)
        times = f"{_clock(start, ',')} --> {_clock(end, ',')}"
        blocks.append("\n".join([str(number), times, *map(_plain, cue.lines), ""]))
    return "\n".join(blocks)


def _plain(line: tuple[Token, ...]) -> str:
    text = " ".join(token.text for token in line)
    return text.translate(_PLAIN).replace("-->", f"--{_JOINER}>")


def _timed(token: Token, before: int, end: int) -> int:
    """Milliseconds; 0 where no time may stand: those in a cue rise, and lie inside of it."""
    time = round(token.start_s * 1000)
    return time if token.exact and before < time < end else 0


def _milliseconds(cue: Cue) -> tuple[int, int]:
    start = round(cue.start_s * 1000)
    return start, max(round(cue.end_s * 1000), start + 1)


def _clock(milliseconds: int, point: str) -> str:
    seconds, thousandths = divmod(milliseconds, 1000)
    minutes, second = divmod(seconds, 60)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{second:02d}{point}{thousandths:03d}"
