"""How long one import may take: by what there is to do."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from app_core.errors import TooCostly

if TYPE_CHECKING:
    from collections.abc import Callable

    from app_core.media.ingest.probe import ClipFacts

LEAST_S = 120.0
"""Also on a machine that has much else to do, as are the others."""
READ_BYTES_S = 10e6
"""Of a file that is read to its end before anything else, from a slow disk."""
PICTURE_S, MEGAPIXEL_S = 0.4, 0.25
"""For each picture of the mezzanine, and a million pixels of the source: some ten times what it
takes where nothing else runs on two cores."""
LEAST_BYTES = 200
"""Of a picture: a clip with fewer has more pictures than it shows, and gets no time for them."""
MOST_S = 6 * 3600.0


def clip_s(facts: ClipFacts, size: int, longest_s: float) -> float:
    """Seconds for a clip of ``size`` bytes, which lasts ``longest_s`` when it does not say."""
    pictures = min((facts.seconds or longest_s) * facts.fps, size / LEAST_BYTES)
    megapixels = facts.shown[0] * facts.shown[1] / 1e6
    work_s = pictures * (PICTURE_S + MEGAPIXEL_S * megapixels)
    return min(LEAST_S + size / READ_BYTES_S + work_s, MOST_S)


class ImportTime:
    def __init__(self, size: int = 0, clock: Callable[[], float] = time.monotonic) -> None:
        """``size``: bytes of the file."""
        self._clock, self._began_s = clock, clock()
        self._most_s = min(LEAST_S + size / READ_BYTES_S, MOST_S)

    def allow(self, seconds: float) -> None:
        """From the beginning on."""
        self._most_s = seconds

    @property
    def over(self) -> bool:
        return self._clock() - self._began_s > self._most_s

    def error(self) -> TooCostly:
        return TooCostly(
            f"To read the file takes longer than {self._most_s:.0f} s, which is too much for what"
            " it shows. Send it shorter or smaller, or encode it again.",
            field="file",
        )
