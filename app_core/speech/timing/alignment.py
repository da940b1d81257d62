"""A recording and its transcript: when each phoneme and word of the text is heard.

A voice whose phoneme times are known speaks the text; its sound is warped onto the recording,
sentence by sentence, each with the beginning of the next so that its own end is found. Pauses are
shortened in both first: how long somebody is silent says nothing about the words. One pass over
the recording, some seconds of it in memory; the work grows with its length alone.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from app_core.speech.timing.bands import HOPS, Bands, features, stretched
from app_core.speech.timing.retiming import retimed, retimed_words
from app_core.speech.timing.warping import warp
from app_core.speech.timing.window import EDGE, PAUSE, Window
from app_core.types import Float32, Phoneme, Speech

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Hops = NDArray[np.int64]

logger = logging.getLogger(__name__)

_AHEAD = 300
"""Columns of the next sentence that help to find the end of one."""
_LEADING = 50
"""Columns of silence that are not looked at for words."""
_RATES = (1.0, 0.8, 1.25, 0.65, 1.5)
"""How much slower than the voice the speaker may be, roughly: warping does the rest."""
_SPARE = 1.5
_WORST_FITS = ((150, 300), (0.80, 0.87))
"""Of the cost of sounds in another order, by the columns of a first sentence: short ones resemble
many things. The right text has 0.45 .. 0.84, another 0.80 .. 1.1, 0.71 .. where it is short
(measured: three languages, seven voices, 0.8 to 1.4 times as fast, noise down to 10 dB)."""
_WORST_NEXT_FIT = 0.9
"""Once a sentence was found, the next one is likely."""
_NO_ORDER = 0.05
"""A sound that fits any order this well does not change."""
_MOST_MISSES = 4
_MISSED = 3 * HOPS
"""Columns that are given up at once where no words are found."""
_UNHEARD = 10 * HOPS
"""Columns of a piece without known words."""


@dataclass(slots=True)
class Fit:
    """How well a text and a recording belong together; grows while they are aligned."""

    characters: int = 0
    """Of the text that was looked for so far."""
    found: int = 0
    """Of these, those that were heard."""


class Alignment:
    """Iterates over the recording as Speech: with text, phonemes and words where the text is
    heard, without (``phonemes`` None) where it is not.
    """

    def __init__(
        self,
        blocks: Iterator[Float32],
        sample_rate: int,
        spoken: Iterator[Speech],
        fit: Fit,
    ) -> None:
        """``spoken``: the text by a voice that knows its phonemes. Raises what both raise."""
        self._sound = Window(blocks, sample_rate)
        self._spoken, self._fit = spoken, fit
        self._index = 0
        self._rate = 1.0

    def __iter__(self) -> Iterator[Speech]:
        here = next(self._spoken, None)
        after = next(self._spoken, None)
        misses = 0
        while here is not None and misses < _MOST_MISSES:
            yield from self._silence()
            if not self._sound.fill(1):
                break
            found = self._find(here, after)
            if found is None:
                misses += 1
                yield self._unheard(_MISSED)
                continue
            misses = 0
            self._fit.characters += len(here.text)
            self._fit.found += len(here.text)
            yield found
            here, after = after, next(self._spoken, None)
        left = ([here] if here else []) + ([after] if after else []) + list(self._rest(misses))
        self._fit.characters += sum(len(speech.text) for speech in left)
        if left:
            logger.warning(
                "%d of the %d characters of the transcript are heard; elsewhere the lips follow"
                " the sound",
                self._fit.found,
                self._fit.characters,
            )
        while self._sound.fill(_UNHEARD):
            yield self._unheard(_UNHEARD)

    def _rest(self, misses: int) -> Iterator[Speech]:
        """What nobody will look for is not spoken when the text is another one."""
        return iter(()) if misses else self._spoken

    def _silence(self) -> Iterator[Speech]:
        """Long silence ahead of the next word."""
        while self._sound.fill(_UNHEARD):
            lead = self._sound.leading()
            if lead < _LEADING:
                return
            pcm = self._sound.take(lead - PAUSE)
            seconds = len(pcm) / self._sound.rate
            yield self._piece(pcm, "", [Phoneme("", 0.0, seconds)])

    def _unheard(self, columns: int) -> Speech:
        return self._piece(self._sound.take(self._sound.break_near(columns)), "", None)

    def _piece(self, pcm: Float32, text: str, phonemes: list[Phoneme] | None) -> Speech:
        speech = Speech(self._index, text, pcm, self._sound.rate, phonemes)
        self._index += 1
        return speech

    def _find(self, here: Speech, after: Speech | None) -> Speech | None:
        rows, kept = _spoken_rows([here, after] if after else [here], self._sound.rate)
        slowest = self._rate if self._fit.found else max(_RATES)
        self._sound.fill_kept(int(len(rows) * slowest * _SPARE) + HOPS)
        columns, places = self._sound.kept()
        if len(columns) < PAUSE:
            return None
        heard = features(columns)
        open_end = after is not None or not self._sound.ended
        worst = _WORST_NEXT_FIT if self._fit.found else float(np.interp(len(rows), *_WORST_FITS))
        best = self._warped(rows, heard, self._rate, open_end)
        if not self._fit.found or best.fit > worst:
            tries = (self._warped(rows, heard, rate, open_end) for rate in _RATES)
            best = min([best, *tries], key=lambda found: found.fit)
        if best.fit > worst:
            return None
        spoken_s = (kept + 0.5) / HOPS
        heard_s = (np.interp(best.places, np.arange(len(places)), places) + 0.5) / HOPS

        def clock(second: float) -> float:
            return float(np.interp(second, spoken_s, heard_s))

        end = len(here.pcm) / here.sample_rate
        stop = round(clock(end) * HOPS)
        if after is None and self._sound.ended and self._sound.silent_from(stop):
            stop = self._sound.columns
        pcm = self._sound.peek(stop)
        if not len(pcm):
            return None
        said = max(int(np.searchsorted(kept, end * HOPS)), 1)
        self._rate = float(np.clip(best.places[said - 1] / said, min(_RATES), max(_RATES)))
        seconds = len(pcm) / self._sound.rate
        pauses = self._sound.pauses(stop)
        assert here.phonemes is not None
        speech = Speech(
            self._index,
            here.text,
            self._sound.take(stop),
            self._sound.rate,
            retimed(here.phonemes, clock, pauses, seconds),
            retimed_words(here.words, clock, pauses, seconds),
        )
        self._index += 1
        return speech

    def _warped(self, rows: Float32, heard: Float32, rate: float, open_end: bool) -> _Found:
        scaled = stretched(rows, rate)
        spoken = features(scaled)
        found = warp(spoken, heard, open_end=open_end)
        others = [features(scaled[::-1]), np.roll(spoken, len(spoken) // 2, 0)]
        chance = float(np.mean([warp(other, heard, open_end=open_end).cost for other in others]))
        at = np.arange(len(rows)) * (len(scaled) / len(rows))
        places = np.interp(at, np.arange(len(scaled)), found.places)
        return _Found(places, found.cost / chance if chance > _NO_ORDER else 1.0)


@dataclass(frozen=True, slots=True)
class _Found:
    places: NDArray[np.float64]
    fit: float


def _spoken_rows(speeches: list[Speech], other_rate: int) -> tuple[Float32, Hops]:
    """The columns of what is spoken without the inside of its pauses, and which ones they are."""
    rate = speeches[0].sample_rate
    bands = Bands(rate, other_rate)
    levels = np.concatenate(
        [
            *(bands.push(speech.pcm) for speech in speeches),
            bands.push(np.zeros(0, np.float32), last=True),
        ]
    )
    inside = np.zeros(len(levels), bool)
    begun = 0.0
    for speech in speeches:
        for phoneme in speech.phonemes or ():
            if not phoneme.ipa:
                start, stop = (round((begun + s) * HOPS) for s in (phoneme.start_s, phoneme.end_s))
                inside[start + EDGE : max(stop - EDGE, start + EDGE)] = True
        begun += len(speech.pcm) / rate
    first = round(len(speeches[0].pcm) / rate * HOPS)
    kept = np.flatnonzero(~inside)
    kept = kept[: np.searchsorted(kept, first) + _AHEAD]
    return levels[kept], kept
