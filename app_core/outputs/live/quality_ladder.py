"""Smaller and fewer pictures where the bits do not suffice for all of them."""

from __future__ import annotations

from typing import NamedTuple

from app_core.outputs.live.video_rates import share

DOWN_S = 1.0
"""Too little for so long, and it goes down."""
UP_S = 5.0
"""Enough for so long, and it goes up by one rung."""
MARGIN = 1.3
"""Times what the rung above needs is enough to go there."""


class Rung(NamedTuple):
    scale: float
    """Of width and height."""
    every: int
    """One of so many pictures is shown."""

    @property
    def need(self) -> float:
        """Share of the floor's bits."""
        return share(self.scale**2, 1 / self.every)

    def size(self, width: int, height: int) -> tuple[int, int]:
        """Even sides."""
        return _even(width * self.scale), _even(height * self.scale)


RUNGS = (Rung(1, 1), Rung(0.75, 1), Rung(0.5, 1), Rung(0.5, 2))


class QualityLadder:
    """Frames are its clock."""

    def __init__(self, floor: int, fps: int) -> None:
        """``floor``: bits a second that the first rung needs."""
        self._floor, self._fps = floor, fps
        self._at = 0
        self._low_since: int | None = None
        self._high_since: int | None = None

    @property
    def rung(self) -> Rung:
        return RUNGS[self._at]

    def look(self, index: int, bits_s: int) -> Rung:
        """At frame ``index``, not before that of the last look, there are so many bits a second."""
        if bits_s < self._need(self._at) and self._at < len(RUNGS) - 1:
            self._high_since = None
            self._low_since = index if self._low_since is None else self._low_since
            if index - self._low_since >= DOWN_S * self._fps:
                self._go(self._fitting(bits_s))
        elif self._at and bits_s >= MARGIN * self._need(self._at - 1):
            self._low_since = None
            self._high_since = index if self._high_since is None else self._high_since
            if index - self._high_since >= UP_S * self._fps:
                self._go(self._at - 1)
        else:
            self._low_since = self._high_since = None
        return self.rung

    def _go(self, at: int) -> None:
        self._at = at
        self._low_since = self._high_since = None

    def _need(self, at: int) -> float:
        return RUNGS[at].need * self._floor

    def _fitting(self, bits_s: int) -> int:
        for at in range(self._at + 1, len(RUNGS)):
            if bits_s >= self._need(at):
                return at
        return len(RUNGS) - 1


def _even(side: float) -> int:
    return max(2, int(side / 2) * 2)
