"""When each phoneme and word of a piece is heard in sound that arrives with no times of its own.

A voice whose phoneme times are known says the same piece, and its sound is warped onto this one
(``warping.py``). Sound may arrive in parts: what is heard so far is laid onto the beginning of
what is known, and given out up to the end of its last whole word.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from app_core.speech.timing.bands import HOPS, Bands, features, stretched
from app_core.speech.timing.retiming import retimed, retimed_words
from app_core.speech.timing.warping import warp
from app_core.speech.timing.window import Window
from app_core.types import Float32, Phoneme, Speech, Word

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_SURE_S = 0.35
"""Of the sound that has arrived, what may still turn out to be another part of the text."""
_LONGEST_S = 1.5
"""Without the end of a word, before a part ends within one."""
_RATES = (0.5, 2.0)
_LEAST_COLUMNS = 4
_EDGE = 4
"""Columns that are kept of a pause at either end."""


@dataclass(frozen=True, slots=True, eq=False)
class Timed:
    """A part of the sound."""

    pcm: Float32
    phonemes: list[Phoneme]
    """Over the whole of it; seconds from its start, as are those of the words."""
    words: tuple[Word, ...]
    """That begin in it."""


class PieceTiming:
    def __init__(self, known: Speech, sample_rate: int, rate: float = 1.0) -> None:
        """``known``: the piece by a voice with phonemes; ``sample_rate``: of the other sound;
        ``rate``: how many times slower that one is, about, until all of it is there."""
        assert known.phonemes is not None
        self._known, self._rate = known, sample_rate
        self.slowness = rate
        """As ``rate``, as far as it is heard."""
        phonemes = [replace(p, start=n + 1, end=n + 1) for n, p in enumerate(known.phonemes)]
        first, last = 0, len(phonemes)
        while first < last and not phonemes[first].ipa:
            first += 1
        while last > first and not phonemes[last - 1].ipa:
            last -= 1
        self._phonemes = phonemes[first:last]
        begin = round(self._phonemes[0].start_s * HOPS) if self._phonemes else 0
        end = round(self._phonemes[-1].end_s * HOPS) if self._phonemes else 0
        self._begin_s = begin / HOPS
        said = Bands(known.sample_rate, sample_rate).push(known.pcm, last=True)
        self._said = said[begin : max(end, begin + 1)]
        """Columns of the known sound, from its first phoneme to its last."""
        self._pcm = np.zeros(0, np.float32)
        self._window = Window(iter(()), sample_rate, known.sample_rate)
        self._given = 0
        """Samples that were given out."""
        self._phoneme, self._word = 0, 0
        """The last that was given out (its number, from 1), and the next."""

    def push(self, pcm: Float32, *, last: bool = False) -> Timed | None:
        """More sound, without silence before the first word; ``last``: no more comes. What is
        known well enough now, and at the end all that is left."""
        self._pcm = np.concatenate([self._pcm, pcm])
        self._window.push(pcm, last=last)
        waiting_s = (len(self._pcm) - self._given) / self._rate
        if not last and waiting_s < 2 * _SURE_S:
            return None
        if not len(self._pcm) - self._given:
            return None
        phonemes, words = self._heard(whole=last)
        end_s = len(self._pcm) / self._rate
        if not last:
            sure_s = end_s - _SURE_S
            begun_s = self._given / self._rate
            ends = [word.end_s for word in words[self._word :] if word.end_s <= sure_s]
            if not ends and sure_s - begun_s > _LONGEST_S:
                ends = [p.end_s for p in phonemes if begun_s < p.end_s <= sure_s]
            if not ends or ends[-1] <= begun_s:
                return None
            end_s = ends[-1]
        return self._part(phonemes, words, end_s, last=last)

    def _part(
        self, phonemes: list[Phoneme], words: Sequence[Word], end_s: float, *, last: bool
    ) -> Timed:
        begin_s, start = self._given / self._rate, self._given
        stop = len(self._pcm) if last else min(round(end_s * self._rate), len(self._pcm))
        length_s = (stop - start) / self._rate
        found: list[Phoneme] = []
        for phoneme in phonemes:
            if (phoneme.start and phoneme.start <= self._phoneme) or phoneme.end_s <= begin_s:
                continue
            if phoneme.start_s >= end_s and not last:
                break
            end = min(phoneme.end_s - begin_s, length_s)
            before = found[-1].end_s if found else 0.0
            if end > before:
                self._phoneme = max(self._phoneme, phoneme.start)
                found.append(Phoneme(phoneme.ipa, before, end))
        if found:
            found[-1] = replace(found[-1], end_s=length_s)
        else:
            found = [Phoneme("", 0.0, length_s)]
        said = [
            replace(
                word,
                start_s=min(max(word.start_s - begin_s, 0.0), length_s),
                end_s=min(max(word.end_s - begin_s, 0.0), length_s),
            )
            for word in words[self._word :]
            if last or word.end_s <= end_s
        ]
        self._word += len(said)
        self._given = stop
        return Timed(self._pcm[start:stop], found, tuple(said))

    def _heard(self, *, whole: bool) -> tuple[list[Phoneme], tuple[Word, ...]]:
        """On the clock of the whole sound so far."""
        end_s = len(self._pcm) / self._rate
        columns, places = self._window.kept()
        known, kept = self._kept()
        if min(len(columns), len(known)) < _LEAST_COLUMNS or not self._phonemes:
            share = end_s / max(len(self._said) / HOPS, 1 / HOPS)
            slowness = share if whole else self.slowness

            def evenly(second: float) -> float:
                return (second - self._begin_s) * slowness

            return (
                retimed(self._phonemes, evenly, [], end_s),
                retimed_words(self._known.words, evenly, [], end_s),
            )
        if whole:
            self.slowness = float(np.clip(len(columns) / len(known), *_RATES))
        spoken, heard = features(stretched(known, self.slowness)), features(columns)
        if whole:
            found = warp(spoken, heard, open_end=False).places
            at = np.interp(
                np.arange(len(known)) * (len(spoken) / len(known)), np.arange(len(found)), found
            )
            spoken_s = kept.astype(np.float64)
            heard_s = np.interp(at, np.arange(len(places)), places)
        else:
            found = warp(heard, spoken, open_end=True).places * (len(known) / len(spoken))
            spoken_s = np.interp(found, np.arange(len(kept)), kept)
            heard_s = places.astype(np.float64)
        return self._on_clock(
            (spoken_s + 0.5) / HOPS + self._begin_s, (heard_s + 0.5) / HOPS, end_s, whole
        )

    def _on_clock(
        self,
        spoken_s: NDArray[np.float64],
        heard_s: NDArray[np.float64],
        end_s: float,
        whole: bool,
    ) -> tuple[list[Phoneme], tuple[Word, ...]]:
        spoken_s = np.maximum.accumulate(spoken_s + np.arange(len(spoken_s)) * 1e-9)

        def clock(second: float) -> float:
            if second > spoken_s[-1]:
                return float(heard_s[-1] + (second - spoken_s[-1]) * self.slowness)
            return float(np.interp(second, spoken_s, heard_s))

        pauses = self._window.pauses(self._window.columns)
        phonemes, words = self._phonemes, self._known.words
        if not whole:
            phonemes = [p for p in phonemes if clock(p.start_s) < end_s]
            words = tuple(word for word in words if clock(word.end_s) < end_s)
        return (
            retimed(phonemes, clock, pauses, end_s),
            retimed_words(words, clock, pauses, end_s),
        )

    def _kept(self) -> tuple[Float32, NDArray[np.int64]]:
        """The columns of the known sound without the inside of its pauses, and which they are."""
        inside = np.zeros(len(self._said), bool)
        for phoneme in self._phonemes:
            if not phoneme.ipa:
                start, stop = (
                    round((s - self._begin_s) * HOPS) for s in (phoneme.start_s, phoneme.end_s)
                )
                inside[start + _EDGE : max(stop - _EDGE, start + _EDGE)] = True
        kept = np.flatnonzero(~inside)
        return self._said[kept], kept
