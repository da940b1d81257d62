"""How many of the closed lips are heard, and how many of those that are heard are none."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from app_core.lipsync.viseme.articulation import (
    CLOSE,
    TRACKS,
    Array,
    gestures,
    shaped,
    tracks,
)
from app_core.lipsync.viseme.features import Articulation
from app_core.lipsync.viseme.heard.heard_articulation import HeardArticulation
from app_core.types import Float32, Speech, frame_count

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from app_core.lipsync.viseme.heard.network import HearingWeights
    from tools.articulation_net.utterance import Utterance

FPS = 25
NEAR_S = 0.04
"""A closure counts within this of an m, b or p."""


def heard_tracks(pcm: Float32, rate: int, fps: int = FPS) -> Float32:
    """What the mouth is drawn by when nobody knows the text, (frames, 8)."""
    stream = Articulation(fps)
    first = stream.push(Speech(0, "", pcm, rate, None))
    return np.concatenate([first, stream.finish()])


def heard_by(trained: HearingWeights, pcm: Float32, rate: int) -> HeardArticulation:
    heard = HeardArticulation(rate, 0.0, trained=trained)
    heard.push(pcm, last=True)
    return heard


def tracks_by(trained: HearingWeights, pcm: Float32, rate: int) -> Array:
    """As ``heard_tracks``, with other weights and without the loudness of the moment."""
    moments = (np.arange(frame_count(len(pcm), rate, FPS)) + 0.5) / FPS
    return shaped(heard_by(trained, pcm, rate).tracks(moments, 0.5 / FPS), FPS)


def heard_closures(pcm: Float32, rate: int, fps: int = FPS) -> Array:
    """Start and end of each closure that is drawn, in seconds, (closures, 2)."""
    return closures(heard_tracks(pcm, rate, fps), fps)


def closures(tracks: Float32 | Array, fps: int) -> Array:
    """Of the frames with ``close`` 1."""
    closed = np.concatenate([[0], tracks[:, CLOSE] == 1, [0]]).astype(int)
    edges = np.flatnonzero(np.diff(closed))
    return edges.reshape(-1, 2) / fps


@dataclass(slots=True)
class Score:
    sounds: int = 0
    """m, b and p that were said."""
    found: int = 0
    """Of them, with a closure near."""
    closures: int = 0
    false: int = 0
    """Of ``closures``, without an m, b or p near."""
    offsets_s: list[float] = field(default_factory=list)
    """Of each sound that was found: the middle of the nearest closure after its own middle."""
    correlations: list[Array] = field(default_factory=list)
    """One of each utterance, (8,), NaN where a track stands still."""

    @property
    def recall(self) -> float:
        return self.found / max(self.sounds, 1)

    @property
    def false_share(self) -> float:
        return self.false / max(self.closures, 1)

    def add(self, seals: Array, heard: Array) -> None:
        """``seals`` (sounds, 2) that were said and ``heard`` (closures, 2), in seconds."""
        apart = np.maximum(
            seals[:, None, 0] - heard[None, :, 1], heard[None, :, 0] - seals[:, None, 1]
        )
        near = apart <= NEAR_S
        self.sounds, self.closures = self.sounds + len(seals), self.closures + len(heard)
        self.found += int(near.any(1).sum())
        self.false += int((~near.any(0)).sum())
        if len(heard):
            off = heard.mean(1)[None] - seals.mean(1)[:, None]
            best = np.abs(off).argmin(1)
            kept = near.any(1)
            self.offsets_s += off[np.arange(len(seals)), best][kept].tolist()

    def correlate(self, truth: Array, heard: Array) -> None:
        count = min(len(truth), len(heard))
        rows = np.full(len(TRACKS), np.nan)
        for track in range(len(TRACKS)):
            a, b = truth[:count, track], heard[:count, track]
            if a.std() > 1e-3:
                rows[track] = np.corrcoef(a, b)[0, 1] if b.std() > 1e-6 else 0.0
        self.correlations.append(rows)

    def row(self) -> str:
        """recall, false share, median offset, and the mean correlation of each track."""
        offset = 1000 * np.median(self.offsets_s) if self.offsets_s else np.nan
        with np.errstate(invalid="ignore"):
            means = np.nanmean(self.correlations, 0) if self.correlations else np.zeros(0)
        tracks = " ".join(f"{value:5.2f}" for value in means)
        return (
            f"{self.sounds:5d} {100 * self.recall:5.0f} % {100 * self.false_share:5.0f} % "
            f"{offset:+4.0f} ms  {tracks}"
        )


HEADER = f"{'':34s} m b p  found  false offset  " + " ".join(f"{name[:5]:>5s}" for name in TRACKS)


def measured(
    utterances: Iterable[Utterance], drawn: Callable[[Float32, int], Float32 | Array] = heard_tracks
) -> Score:
    """``drawn`` gives the tracks of a sound, FPS frames a second."""
    score = Score()
    for utterance in utterances:
        found = drawn(utterance.pcm, utterance.rate)
        score.add(utterance.seals(), closures(found, FPS))
        truth = tracks(gestures(utterance.phonemes, utterance.seconds), 0, len(found), FPS)
        score.correlate(shaped(truth, FPS), np.asarray(found, float))
    return score
