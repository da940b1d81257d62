"""What became of a request to render, in plain data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app_core.services.cancel_on_close import CancelOnClose


@dataclass(frozen=True, slots=True)
class Outcome:
    """Has a ``film``, a ``stream`` or, of one made later and kept, its ``description``."""

    job_id: str
    fps: int
    """Frames a second, those of the avatar's clip where the client left it open."""
    voices: Sequence[str]
    """Ids of those who have spoken. Grows while the job runs."""
    film: BinaryIO | None = None
    """Whole, open, and without a name on the disk."""
    stream: CancelOnClose[bytes] | None = None
    """While it is made; closing it cancels the job."""
    codecs: str = ""
    """Of a fragmented MP4 (RFC 6381)."""
    aligned: float | None = None
    """Of a whole film with a transcript: the part of it that was found in the recording, 0..1."""
    description: dict[str, Any] | None = None
    """The job as ``Job.describe`` gives it."""
