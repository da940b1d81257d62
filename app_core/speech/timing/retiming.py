"""Phonemes and words of one speech, put to the times of another that says the same."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from app_core.types import Phoneme

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from app_core.types import Word

    Clock = Callable[[float], float]
    """From a moment of the one to the moment of the other, seconds. Never falls."""

_SHORTEST_S = 0.02
"""What a phoneme keeps beside a pause; what lasts less is left to its neighbours."""


class Pause(NamedTuple):
    start_s: float
    end_s: float


def retimed(
    phonemes: Sequence[Phoneme], clock: Clock, pauses: Sequence[Pause], end_s: float
) -> list[Phoneme]:
    """Over 0..``end_s`` without gaps or overlaps. The ``pauses`` of the other speech are silent."""
    found: list[Phoneme] = []
    for phoneme in phonemes:
        start, end = max(clock(phoneme.start_s), 0.0), min(clock(phoneme.end_s), end_s)
        if phoneme.ipa:
            start, end = _beside(start, end, pauses)
        start = max(start, found[-1].end_s if found else 0.0)
        if end - start < _SHORTEST_S and not (phoneme.ipa and end > start):
            continue
        _fill(found, start, pauses)
        begun = found[-1].end_s if found else 0.0
        found.append(replace(phoneme, start_s=begun, end_s=end))
    _fill(found, end_s, pauses, last=True)
    return found


def retimed_words(
    words: Sequence[Word], clock: Clock, pauses: Sequence[Pause], end_s: float
) -> tuple[Word, ...]:
    found = []
    before = 0.0
    for word in words:
        start = min(max(clock(word.start_s), before), end_s)
        end = min(max(clock(word.end_s), start), end_s)
        for pause in pauses:
            if pause.start_s <= start < pause.end_s <= end:
                start = pause.end_s
            elif start <= pause.start_s < end <= pause.end_s:
                end = pause.start_s
        found.append(replace(word, start_s=start, end_s=end))
        before = end
    return tuple(found)


def _beside(start: float, end: float, pauses: Sequence[Pause]) -> tuple[float, float]:
    """The longer part of a sound that a pause cuts; nothing of one that lies inside."""
    for pause in pauses:
        if pause.end_s <= start or pause.start_s >= end:
            continue
        if pause.start_s - start >= end - pause.end_s:
            end = max(pause.start_s, start)
        else:
            start = min(pause.end_s, end)
    return start, end


def _fill(
    found: list[Phoneme], until: float, pauses: Sequence[Pause], *, last: bool = False
) -> None:
    """``found`` up to ``until``: its last sound goes on, silence is where a pause is. What comes
    after a pause belongs to the next sound, which begins where ``found`` ends.
    """
    at = found[-1].end_s if found else 0.0
    for pause in pauses:
        start, end = max(pause.start_s, at), min(pause.end_s, until)
        if end - start < _SHORTEST_S:
            continue
        if not found or not found[-1].ipa:
            start = found.pop().start_s if found else 0.0
        else:
            found[-1] = replace(found[-1], end_s=start)
        found.append(Phoneme("", start, end))
        at = end
    if at < until and (last or not found or found[-1].ipa):
        if found:
            found[-1] = replace(found[-1], end_s=until)
        else:
            found.append(Phoneme("", 0.0, until))
