"""Which device draws a job: the one that has most frames a second left for it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from app_core.job import Job
    from app_core.services.devices.loaded_model import LoadedModel


def for_live(devices: Sequence[LoadedModel]) -> list[LoadedModel]:
    """Those of one model, the best first. Films give way to a live render, and do not count. One on
    which nothing could be drawn a moment ago comes last."""
    return sorted(devices, key=lambda each: (each.engine.failing, -each.capacity.slack))


def for_film(devices: Sequence[LoadedModel], running: Iterable[Job]) -> LoadedModel:
    """The films on a device share what its live renders leave. ``running`` are all renders."""
    films = Counter(job.placement for job in running if not job.live)

    def rank(each: LoadedModel) -> tuple[bool, float, int]:
        others = films[each.placement]
        return each.engine.failing, -each.capacity.slack / (others + 1), others

    return min(devices, key=rank)


def admitted(
    devices: Sequence[LoadedModel],
    job_id: str,
    size: tuple[int, int],
    fps: int,
    margin: float = 1.0,
    owner: str = "",
    *,
    halved: bool = False,
) -> LoadedModel | None:
    """The device that has taken a live render in; None: none has room. Raises TooMany where the
    client of one that is ``halved`` has half of all devices, as ``Capacity.admit``."""
    for each in for_live(devices):
        if each.capacity.admit(job_id, *size, fps, margin, owner, halved=halved):
            return each
    return None
