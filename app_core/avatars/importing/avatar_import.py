"""One file to one avatar: checked, decoded once, its face found; all of it is kept or nothing."""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from app_core.avatars.importing.avatar_folder import new_part, settle
from app_core.avatars.importing.clip_import import READ, import_clip
from app_core.avatars.importing.content import RECIPE, content_of, stamp_of
from app_core.avatars.importing.import_job import ImportJob
from app_core.avatars.importing.import_time import ImportTime, clip_s
from app_core.avatars.importing.photo_import import import_photo
from app_core.avatars.importing.twin import digest, folders, take_twin
from app_core.avatars.metadata import write_metadata
from app_core.errors import (
    BadInput,
    Cancelled,
    Conflict,
    FfmpegFailed,
    FileChanged,
    SoyleError,
    as_job_error,
)
from app_core.face.face_choice import FaceChoice
from app_core.media.ingest.photo import read_photo
from app_core.media.ingest.probe import probe_clip, sniff

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from app_core.avatars.importing.import_job import ImportTools
    from app_core.media.ingest.probe import ClipFacts
    from app_core.types import UInt8


@dataclass(frozen=True, slots=True)
class AvatarMetadata:
    """What a person says about an avatar."""

    id: str
    name: str
    consent: str
    """When somebody confirmed that the face may be used, ISO 8601, and how."""
    jaw: float = 1.0
    open: float = 1.0
    choice: FaceChoice = field(default_factory=FaceChoice)
    dropped: str = ""
    """The name of the file in AVATAR_DIR that it was made of."""
    owner: str = ""
    """The client who alone may change it, beside the operator; empty: the operator alone."""


def import_avatar(
    source: Path,
    home: Path,
    metadata: AvatarMetadata,
    tools: ImportTools,
    progress: Callable[[str, float], None],
    cancelled: Callable[[], bool],
    twins: Iterable[Path] = (),
) -> None:
    """Makes the avatar's folder ``home``, which does not exist before, nor after a failure. Of the
    file, what is seen in it is kept, not the file: it may say where and by whom it was made.

    ``progress`` hears the stage (reading, video, faces, cycle) and how much of all is done, 0..1.
    ``twins`` are more folders in which earlier imports lie.
    Raises BadInput with field ``file`` that names what is wrong with the file (NoFace, TooLarge,
    TooCostly, FileChanged and UnsupportedMedia are its kinds) or ``face``, Conflict, Cancelled,
    DiskFull or FfmpegFailed.
    """
    if home.exists():
        raise Conflict("There is an avatar with this id", field="id")
    allowed = ImportTime(os.path.getsize(source) if os.path.isfile(source) else 0)

    def stopped() -> bool:
        return cancelled() or allowed.over

    try:
        with new_part(home) as part:
            finder = tools.finder()
            job = ImportJob(source, part, tools, finder, metadata.choice, progress, stopped)
            made = _make(job, metadata, folders(*dict.fromkeys((home.parent, *twins))), allowed)
            gains = {"jaw": metadata.jaw, "open": metadata.open}
            whose = {"dropped": metadata.dropped or None, "owner": metadata.owner or None}
            told_by_person = {"consent": metadata.consent, "gains": gains}
            write_metadata(part, {"name": metadata.name, **made, **whose, **told_by_person})
            job.check()
            tools.room(0)
            settle(part, home)
    except Cancelled as error:
        if cancelled() or not allowed.over:
            raise
        raise allowed.error() from error
    except (BadInput, FfmpegFailed) as error:
        if os.path.isfile(source):
            raise
        raise FileChanged(field="file") from error
    except OSError as error:
        if not os.path.isfile(source):
            raise FileChanged(field="file") from error
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise SoyleError("The server cannot write where faces lie; see AVATAR_DIR") from error
        raise as_job_error(error) from error
    progress("cycle" if made["kind"] == "clip" else "faces", 1.0)


def _make(
    job: ImportJob, metadata: AvatarMetadata, twins: list[Path], allowed: ImportTime
) -> dict[str, Any]:
    """Fills the folder, but for the metadata, which it returns."""
    job.note("reading", 0.0)
    stamp = stamp_of(job.source)
    kind = sniff(job.source)
    about: dict[str, Any] = {
        "kind": kind.kind,
        "recipe": RECIPE,
        "finder": job.finder.name,
        "sha256": content_of(job.source, job.check),
        **job.choice.metadata,
    }
    pixels: UInt8 | None = None
    facts: ClipFacts | None = None
    if kind.kind == "photo":
        pixels = read_photo(job.source, kind.format, job.tools.limits)
    else:
        limits = job.tools.limits
        facts = probe_clip(job.tools.ffmpeg(), job.source, kind.format, limits)
        allowed.allow(clip_s(facts, job.source.stat().st_size, limits.max_clip_s))
    job.check()
    job.note("reading", READ)
    made = take_twin(job.folder, twins, about)
    if made is None:
        if pixels is not None:
            made = import_photo(job, pixels)
        else:
            assert facts is not None
            made = import_clip(job, facts)
        made["tracks"] = digest(job.folder)
    if stamp_of(job.source) != stamp:
        raise FileChanged(field="file")
    return about | made
