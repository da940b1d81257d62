"""From what is said when to cues: phrases of at most two lines, as they are written."""

from __future__ import annotations

import textwrap
from bisect import bisect_right
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

from app_core.types import Sentence, Word

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

LINE = 42
"""Characters of a line, as the Netflix Timed Text Style Guides set it for Cyrillic and Latin."""
_CUE = 2 * LINE + 1
PAUSE_S = 0.6
"""A silence of this length begins another cue."""
_BREATH_S = 0.15
LINGER_S = 0.7
"""For what a cue stays after its last word, unless another comes."""
SHORTEST_S = 0.05
"""Of a cue whose words were found in no time at all."""

_BESIDE = 8
"""Characters right beside a word that are shown with it though they are not said; more are not."""
_CLOSERS = "\"'»”’)]}*_"
_SENTENCE_ENDS, _CLAUSE_ENDS = frozenset(".!?…"), frozenset(",;:—–")
_OPEN, _SHORT, _ANOTHER = 0.6, 0.4, 1.0
"""What it costs to cut where no clause ends, or behind a word of one or two letters; and each
cue, beside the square of the part of it that is left empty."""


@dataclass(frozen=True, slots=True)
class Token:
    """What is shown between two spaces, or of which one of them is a part of a number."""

    text: str
    start_s: float
    end_s: float
    exact: bool = True
    """False where only the time of its sentence is known."""
    last: bool = False
    """Of a line without a mark at its end, as a heading."""
    inside: bool = False
    """Its sentence goes on without a breath: a point is that of an abbreviation."""

    def ends(self, marks: frozenset[str]) -> bool:
        mark = self.text.rstrip(_CLOSERS)[-1:]
        return mark in marks and not (self.inside and mark in _SENTENCE_ENDS)

    @property
    def cost(self) -> float:
        """Of a cut behind it."""
        if self.ends(_SENTENCE_ENDS | _CLAUSE_ENDS):
            return 0.0
        return _OPEN + (_SHORT if len(self.text) <= 2 else 0.0)


@dataclass(frozen=True, slots=True)
class Cue:
    lines: tuple[tuple[Token, ...], ...]
    """One or two, none of them empty."""
    start_s: float
    end_s: float


def cues(marks: Sequence[Sentence | Word], text: str) -> list[Cue]:
    """In order and without overlaps. ``marks`` as of a Job; ``text``: as it was sent."""
    found: list[Cue] = []
    until_s = max((mark.end_s for mark in marks), default=0.0)
    for run in _runs(_tokens(marks, text)):
        for part in _parts(run):
            end_s = min(part[-1].end_s + LINGER_S, until_s)
            end_s = max(end_s, part[0].start_s + SHORTEST_S)
            found.append(Cue(_lines(part), part[0].start_s, end_s))
    ended = [
        replace(cue, end_s=max(min(cue.end_s, after.start_s), cue.start_s + 0.001))
        for cue, after in pairwise(found)
    ]
    return ended + found[-1:]


def _tokens(marks: Sequence[Sentence | Word], text: str) -> Iterator[Token]:
    """Every one at most LINE long. A sentence whose words nobody knows stands for them."""
    said = [
        mark
        for mark, after in pairwise([*marks, None])
        if isinstance(mark, Word) or (mark and not isinstance(after, Word))
    ]
    first = {id(after) for mark, after in pairwise(marks) if isinstance(mark, Sentence)}
    before = _touching(text[: said[0].start]) if said and isinstance(said[0], Word) else ""
    for mark, after in pairwise([*said, None]):
        if isinstance(mark, Sentence):
            parts = [part for word in mark.text.split() for part in _wrapped(word)]
            yield from _shared(parts, mark.start_s, mark.end_s, exact=False)
            before = ""
        elif mark and mark.text.strip():
            behind, alone, next_before = _between(mark, after, text)
            written = " ".join([f"{before}{mark.text}{behind}", *alone])
            tokens = list(_shared(_wrapped(written), mark.start_s, mark.end_s, exact=True))
            new_line = isinstance(after, Word) and "\n" in text[mark.end : after.start]
            goes_on = isinstance(after, Word) and id(after) not in first
            breath_s = after.start_s - mark.end_s if after else 0.0
            inside = goes_on and breath_s < _BREATH_S
            tokens[-1] = replace(tokens[-1], last=new_line and not goes_on, inside=inside)
            yield from tokens
            before = next_before


def _between(word: Word, after: Sentence | Word | None, text: str) -> tuple[str, list[str], str]:
    """What is written between two words and is not said, as ``**`` or a dash: what touches the
    first, what stands alone in its line, and what touches the second."""
    if not word.end:
        return "", [], ""
    if not isinstance(after, Word):
        behind = _touching(text[word.end : word.end + _BESIDE + 1][::-1])[::-1]
        return ("" if any(map(str.isalnum, behind)) else behind), [], ""
    gap = text[word.end : after.start]
    if not gap or gap.isspace():
        return "", [], ""
    behind = _touching(gap[::-1])[::-1]
    before = "" if behind == gap else _touching(gap)
    line = gap[len(behind) : len(gap) - len(before)].partition("\n")[0]
    return behind, [] if any(map(str.isalnum, line)) else line.split(), before


def _touching(gap: str) -> str:
    """The short end of it without a space."""
    if not gap or gap[-1].isspace():
        return ""
    end = gap.split()[-1]
    return end if len(end) <= _BESIDE else ""


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(" ".join(text.split()), LINE, break_on_hyphens=False)


def _shared(parts: list[str], start_s: float, end_s: float, *, exact: bool) -> Iterator[Token]:
    """One after the other, each as long as its characters are many."""
    whole, done = sum(map(len, parts)), 0
    for part in parts:
        begun = start_s + (end_s - start_s) * done / whole
        done += len(part)
        yield Token(part, begun, start_s + (end_s - start_s) * done / whole, exact)


def _runs(tokens: Iterator[Token]) -> Iterator[list[Token]]:
    """Sentences, and parts of them between long silences."""
    run: list[Token] = []
    for token in tokens:
        if run and (
            run[-1].last or run[-1].ends(_SENTENCE_ENDS) or token.start_s - run[-1].end_s > PAUSE_S
        ):
            yield run
            run = []
        run.append(token)
    if run:
        yield run


def _parts(run: list[Token]) -> list[list[Token]]:
    """The cheapest way to cut a run into cues, in time in proportion to its length."""
    # at[n]: the characters before token n in one long line, spaces counted.
    at = [0]
    for token in run:
        at.append(at[-1] + len(token.text) + 1)
    filled = [_filled(at, first) for first in range(len(run))]
    cheapest = [0.0]
    begins = [0]
    for end in range(1, len(run) + 1):
        best, begin = float("inf"), end - 1
        for first in range(end - 1, -1, -1):
            length = at[end] - at[first] - 1
            if length > _CUE:
                break
            if filled[first] < end and at[end] - at[filled[first]] - 1 > LINE:
                continue  # the second line would be too long
            cost = cheapest[first] + _ANOTHER + ((_CUE - length) / _CUE) ** 2
            if cost < best:
                best, begin = cost, first
        cheapest.append(best + (run[end - 1].cost if end < len(run) else 0.0))
        begins.append(begin)
    parts: list[list[Token]] = []
    end = len(run)
    while end:
        parts.append(run[begins[end] : end])
        end = begins[end]
    return parts[::-1]


def _filled(at: list[int], first: int) -> int:
    """Behind the last token of a line that begins with ``first``."""
    return bisect_right(at, at[first] + LINE + 1) - 1


def _lines(part: list[Token]) -> tuple[tuple[Token, ...], ...]:
    """One line where there is room, else two that are about equally long."""

    def length(tokens: list[Token]) -> int:
        return sum(len(token.text) + 1 for token in tokens) - 1

    def cost(cut: int) -> float:
        one, other = length(part[:cut]), length(part[cut:])
        if max(one, other) > LINE:
            return float("inf")
        return part[cut - 1].cost + abs(one - other) / LINE

    if length(part) <= LINE:
        return (tuple(part),)
    cut = min(range(1, len(part)), key=cost)
    return tuple(part[:cut]), tuple(part[cut:])
