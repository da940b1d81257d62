"""Who comes, when, and for how long: the same schedule for the simulation and for a real run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

Kind = Literal["socket", "webrtc", "reader", "film"]


@dataclass(frozen=True, slots=True)
class Arrival:
    at_s: float
    kind: Kind
    """A session over a WebSocket or over WebRTC, an MJPEG reader, or a film."""
    length_s: float
    """That it stays, once it is let in; of a film: of its speech."""
    speaking: float = 1.0
    """Part of it that a session speaks, 0..1, from its begin."""
    viewers: int = 1
    """Of a session."""


@dataclass(frozen=True, slots=True)
class Mix:
    """What arrives. Lengths are exponential unless ``fixed``."""

    session_s: float = 300.0
    """Mean, seconds."""
    speaking: float = 0.5
    webrtc: float = 0.0
    """Part of the sessions."""
    viewers: float = 0.0
    """Viewers of a session beside the first: mean of a Poisson distribution."""
    readers: float = 0.0
    """For each session that comes."""
    reader_s: float = 20.0
    films: float = 0.0
    """For each session that comes."""
    film_s: float = 20.0
    fixed: bool = False

    @property
    def live_s(self) -> float:
        """Seconds of sessions and readers for each session that comes."""
        return self.session_s + self.readers * self.reader_s


def schedule(
    mix: Mix, per_s: Iterable[tuple[float, float]], seed: int, least_s: float = 0.0
) -> list[Arrival]:
    """In the order of time. ``per_s``: (seconds, sessions that come in a second) of one stretch of
    time after the other, each a Poisson process. Nobody stays less than ``least_s``."""
    random = np.random.default_rng(seed)
    found: list[Arrival] = []
    began_s = 0.0
    for long_s, rate in per_s:
        for kind, share in (("session", 1.0), ("reader", mix.readers), ("film", mix.films)):
            count = int(random.poisson(long_s * rate * share))
            for at_s in (began_s + long_s * random.random(count)).tolist():
                found.append(_arrival(mix, kind, at_s, random, least_s))
        began_s += long_s
    return sorted(found, key=lambda arrival: arrival.at_s)


def _arrival(
    mix: Mix, kind: str, at_s: float, random: np.random.Generator, least_s: float
) -> Arrival:
    mean_s = {"session": mix.session_s, "reader": mix.reader_s, "film": mix.film_s}[kind]
    length_s = max(least_s, mean_s if mix.fixed else float(random.exponential(mean_s)))
    if kind == "reader":
        return Arrival(at_s, "reader", length_s)
    if kind == "film":
        return Arrival(at_s, "film", length_s)
    over: Kind = "webrtc" if random.random() < mix.webrtc else "socket"
    return Arrival(at_s, over, length_s, mix.speaking, 1 + int(random.poisson(mix.viewers)))


def ramp(highest: float, long_s: float, steps: int = 60) -> list[tuple[float, float]]:
    """A rate that rises from nought to ``highest`` a second."""
    return [(long_s / steps, highest * (step + 0.5) / steps) for step in range(steps)]
