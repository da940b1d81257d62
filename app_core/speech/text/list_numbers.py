"""The numbers of a list's items: ``1.`` at the beginning of a line, ``1) … 2) …`` within one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app_core.speech.text.span_text import SpanText

_FIRST = re.compile(r"^(\d{1,3}(?:\.\d{1,2}){0,3})[.)](?= [^\W\d_]| [«“\"(])", re.MULTILINE)
_WITHIN = re.compile(
    r"(?<!\S)(?P<number>\d{1,2})(?P<closer>[.)])(?= (?:[^\W_]|[«“\"№~$€₸]))"
    r"(?! (?:и|или|а также|және|мен|не|and|or)\b)"
)
_SPOKEN_OF = re.compile(
    r"(?:пункт\w{0,3}|пп?\.|абзац\w{0,2}|items?|points?|тармақ\w{0,5}) $", re.IGNORECASE
)
_LOOK_BACK = 200
_FEWEST = 2
"""Items in a line that are a list; a single number with a bracket may be anything."""


def list_numbers(text: SpanText) -> SpanText:
    """With a comma behind each, where a point or a bracket would end a sentence or be silent."""
    starts = _within(text.text)
    if starts:
        text = text.sub(_WITHIN, lambda match: _item(match) if match.start() in starts else None)
    return text.sub(_FIRST, lambda match: match[1] + ",")


def _within(text: str) -> set[int]:
    """Where the items of a list within a line begin: numbered from one without a gap."""
    found: set[int] = set()
    run: list[re.Match[str]] = []
    for match in _WITHIN.finditer(text):
        if not _may_be_item(match):
            continue
        number = int(match["number"])
        same = run and match["closer"] == run[-1]["closer"]
        same = same and "\n" not in text[run[-1].end() : match.start()]
        if same and number == len(run) + 1:
            run.append(match)
            if len(run) >= _FEWEST:
                found.update(item.start() for item in run)
        elif number == 1 and (
            match["closer"] == ")" or _begins(text[max(0, match.start() - 9) : match.start()])
        ):
            run = [match]
    return found


def _may_be_item(match: re.Match[str]) -> bool:
    """Not ``пункт 1)``, nor a bracket that another one has opened."""
    before = match.string[max(0, match.start() - _LOOK_BACK) : match.start()].rpartition("\n")[2]
    within = match["closer"] == ")" and before.count("(") > before.count(")")
    return not within and _SPOKEN_OF.search(before[-20:]) is None


def _begins(before: str) -> bool:
    """Whether a list may begin there: sentences end with numbers too."""
    return not before.strip(" ") or before.rstrip(" ")[-1] in "\n:"


def _item(match: re.Match[str]) -> str:
    text, start = match.string, match.start()
    before = text[:start].rstrip(" ")[-1:]
    goes_on = before.isalnum() or before in '»”")%' and before
    return f", {match['number']}," if goes_on else f"{match['number']},"
