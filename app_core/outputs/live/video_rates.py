"""How many bits a second a talking face takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

_SIDE, _FPS, _CEILING = 512, 25, 1_200_000
"""Twice what the shipped face takes at CRF 22 while it speaks."""
_FLOOR = 1 / 12
"""Of the ceiling: with less than half of it smaller pictures show more of the shipped face; of a
photographed one they do sooner."""
LEAST_BITS_S = 30_000
"""With fewer pictures of any size are grey."""


@dataclass(frozen=True, slots=True)
class VideoRates:
    """Bits a second, 0 < ``floor`` <= ``ceiling``."""

    floor: int
    """Below it pictures become smaller and fewer."""
    ceiling: int

    def __post_init__(self) -> None:
        if not 0 < self.floor <= self.ceiling:
            raise ValueError(f"no rates of video: {self.floor} to {self.ceiling} bits a second")

    @classmethod
    def for_size(cls, width: int, height: int, fps: int, floor: int = 0, ceiling: int = 0) -> Self:
        """Width and height in pixels, above 0, as ``fps``. ``floor``, ``ceiling``: in place of what
        the size takes; 0: none."""
        pixels, pace = width * height / _SIDE**2, fps / _FPS
        usual = _CEILING * share(pixels, pace)
        most = max(ceiling or round(usual), floor, LEAST_BITS_S)
        least = max(floor or round(usual * _FLOOR), LEAST_BITS_S)
        return cls(min(least, most), most)


def share(pixels: float, pace: float) -> float:
    """Of the bits, for a share of the pixels and of the rate: neighbours are alike, so that twice
    as many take less than twice as much."""
    return float(pixels**0.75 * pace**0.5)
