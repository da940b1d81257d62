"""How much room a film will take, before its first picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app_core.errors import TooCostly
from app_core.services.render_cost import likely_s

if TYPE_CHECKING:
    from app_core.job import Job
    from app_core.storage.disk_room import DiskRoom

_BITS_A_PIXEL = 0.05
"""Of libx264 at CRF 18; they halve with every 6."""
_SOUND_BITS_S = 192_000


def film_bytes(seconds: float, width: int, height: int, fps: int, crf: int) -> int:
    """Of an ordinary face, about."""
    picture_bits_s = width * height * fps * _BITS_A_PIXEL * 2 ** ((18 - crf) / 6)
    return round(seconds * (picture_bits_s + _SOUND_BITS_S) / 8)


def too_large_to_keep(size: int, quota: int) -> TooCostly:
    return TooCostly(
        f"The film takes {size >> 20} MiB, and CACHE_MB keeps {quota >> 20} of results: send less"
        " text, ask for a smaller size, or read the film as an answer",
        field="text",
    )


class FilmRoom:
    """On the disk where films are made, and among the results that are kept, ``quota`` bytes."""

    def __init__(self, disk: DiskRoom, quota: int) -> None:
        self._disk, self.quota = disk, quota

    def check(self, job: Job, size: tuple[int, int], *, kept: bool) -> None:
        """``size`` is that of its pictures. Raises TooCostly for a film that could not be ``kept``,
        DiskFull for one that would fill the disk."""
        request, seconds = job.request, job.seconds_expected
        if seconds is None:
            seconds = likely_s(request.text, request.speed, request.dictionary)
        expected = film_bytes(seconds, *size, request.fps, request.encoding.crf)
        if kept and expected > self.quota:
            raise too_large_to_keep(expected, self.quota)
        self._disk.need(expected, "The film")

    def check_kept(self, size: int) -> None:
        """Of a film that is made, bytes. Raises TooCostly."""
        if size > self.quota:
            raise too_large_to_keep(size, self.quota)
