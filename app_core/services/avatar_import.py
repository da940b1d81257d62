"""One upload to one avatar: checked, decoded once, its face found; all of it is kept or nothing."""

from __future__ import annotations

import hashlib
import logging
import math
import os
import shutil
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from app_core.errors import Cancelled, Conflict, NoFace, told
from app_core.face.avatar import CLIP, CLIP_TRACK, STILL, TRACK
from app_core.face.calm import calmest
from app_core.face.card import CARD, read_card, write_card
from app_core.face.following import follow
from app_core.face.track import cycle_track, save_track
from app_core.media.cycle import make_cycle, one_picture
from app_core.media.limits import Limits
from app_core.media.mezzanine import Forward, encode_forward
from app_core.media.photo import read_photo
from app_core.media.probe import probe_clip, sniff
from app_core.picture import to_bgr
from app_core.services.avatar_home import new_part, settle
from app_core.types import FaceTrack

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from app_core.face.finder import FaceFinder
    from app_core.face.following import Following
    from app_core.media.ffmpeg import Ffmpeg
    from app_core.media.probe import ClipFacts
    from app_core.types import UInt8

logger = logging.getLogger(__name__)

RECIPE = 1
"""Changes when what an import makes of the same bytes does."""

_BLOCK = 1 << 20
_STILL_FPS = 25.0
_READ, _CYCLE = 0.02, 0.6
"""Where the progress of a clip stands after reading it, and before its cycle is made."""


@dataclass(frozen=True, slots=True)
class Card:
    """What a person says about an avatar."""

    id: str
    name: str
    consent: str
    """When somebody confirmed that the face may be used, ISO 8601."""
    jaw: float = 1.0
    open: float = 1.0


@dataclass(frozen=True, slots=True)
class ImportTools:
    ffmpeg: Callable[[], Ffmpeg]
    """Raises FfmpegFailed where there is none."""
    finder: Callable[[], FaceFinder]
    limits: Limits = field(default_factory=Limits)
    use_nvdec: bool = False
    """Where an NVIDIA decoder works."""


@dataclass(frozen=True, slots=True)
class _Job:
    source: Path
    folder: Path
    """Where the avatar is made."""
    tools: ImportTools
    finder: FaceFinder
    note: Callable[[str, float], None]
    cancelled: Callable[[], bool]

    def check(self) -> None:
        if self.cancelled():
            raise Cancelled("The import was cancelled")


def import_avatar(
    source: Path,
    home: Path,
    card: Card,
    tools: ImportTools,
    progress: Callable[[str, float], None],
    cancelled: Callable[[], bool],
) -> None:
    """Makes the avatar's folder ``home``, which does not exist before, nor after a failure.

    ``progress`` hears the stage (reading, video, faces, cycle) and how much of all is done, 0..1.
    Raises BadInput with field ``file`` that names what is wrong with the upload (NoFace, TooLarge
    and UnsupportedMedia are its kinds), Conflict, Cancelled, DiskFull or FfmpegFailed.
    """
    if home.exists():
        raise Conflict("There is an avatar with this id", field="id")
    try:
        with new_part(home) as part:
            job = _Job(source, part, tools, tools.finder(), progress, cancelled)
            made = _make(job, home.parent)
            gains = {"jaw": card.jaw, "open": card.open}
            write_card(part, {"name": card.name, **made, "consent": card.consent, "gains": gains})
            job.check()
            settle(part, home)
    except OSError as error:
        raise told(error) from error
    progress("cycle" if made["kind"] == "clip" else "faces", 1.0)


def _make(job: _Job, avatars: Path) -> dict[str, Any]:
    """Fills the folder, but for the card, whose lines it returns."""
    job.note("reading", 0.0)
    kind = sniff(job.source)
    sha256 = _sha256(job)
    about: dict[str, Any] = {
        "kind": kind.kind,
        "recipe": RECIPE,
        "finder": job.finder.name,
        "sha256": sha256,
    }
    pixels: UInt8 | None = None
    facts: ClipFacts | None = None
    if kind.kind == "photo":
        pixels = read_photo(job.source, kind.format, job.tools.limits)
    else:
        facts = probe_clip(job.tools.ffmpeg(), job.source, kind.format, job.tools.limits)
    job.check()
    job.note("reading", _READ)
    twin = _twin(job, avatars, about)
    if twin is not None:
        return twin
    about["source"] = f"source{kind.suffix}"
    _link(job.source, job.folder / about["source"])
    if pixels is not None:
        found = _photo(job, pixels)
    else:
        assert facts is not None
        found = _clip(job, facts)
    return about | found | {"tracks": _digest(job.folder)}


def _photo(job: _Job, pixels: UInt8) -> dict[str, Any]:
    job.note("faces", 0.3)
    upright, track = _face(job.finder, pixels)
    if track is None:
        raise NoFace("No face was found in the photo.", field="file")
    job.check()
    _save_still(job.folder, upright, track)
    return {"pictures": 1, "seen": 1}


def _face(finder: FaceFinder, pixels: UInt8) -> tuple[UInt8, FaceTrack | None]:
    """A photo that lies on its side, without saying so, is set upright by its face."""
    sighting = finder.photo(np.ascontiguousarray(pixels[:, :, ::-1]))
    if sighting is None:
        return pixels, None
    quarters = round(sighting.roll / (math.pi / 2)) % 4
    if quarters:
        turned = np.ascontiguousarray(np.rot90(pixels, quarters))
        again = finder.photo(np.ascontiguousarray(turned[:, :, ::-1]))
        if again is not None and abs(again.roll) < math.pi / 4:
            pixels, sighting = turned, again
    return pixels, cycle_track(sighting.box[None], sighting.landmarks[None], _STILL_FPS)


def _clip(job: _Job, facts: ClipFacts) -> dict[str, Any]:
    ffmpeg, tools = job.tools.ffmpeg(), job.tools
    job.note("video", _READ)
    forward, seen = encode_forward(
        ffmpeg,
        job.source,
        facts,
        tools.limits,
        job.folder,
        lambda pictures: follow(job.finder, pictures, facts.fps),
        lambda part: job.note("video", _READ + part * (_CYCLE - _READ)),
        job.cancelled,
        use_nvdec=tools.use_nvdec and ffmpeg.nvdec,
    )
    job.note("faces", _CYCLE)
    _keep_calmest(job, facts, forward, seen)
    job.check()
    job.note("cycle", _CYCLE)
    cycle = make_cycle(
        ffmpeg,
        forward,
        facts,
        job.folder / CLIP,
        lambda part: job.note("cycle", _CYCLE + part * (1 - _CYCLE) * 0.99),
        job.cancelled,
    )
    save_track(job.folder / CLIP_TRACK, _rows(seen.track, cycle))
    cut_off = {"cut_off": True} if forward.cut_off else {}
    return {"pictures": forward.pictures, "seen": seen.seen} | cut_off


def _keep_calmest(job: _Job, facts: ClipFacts, forward: Forward, seen: Following) -> None:
    index = calmest(seen.track) if seen.seen else None
    if index is None:
        raise NoFace("No face was found in the clip.", field="file")
    picture = one_picture(job.tools.ffmpeg(), forward, facts, index)
    boxes, landmarks = seen.track.boxes[index], seen.track.landmarks[index]
    _save_still(job.folder, to_bgr(picture), cycle_track(boxes[None], landmarks[None], _STILL_FPS))


def _rows(track: FaceTrack, rows: list[int]) -> FaceTrack:
    return cycle_track(track.boxes[rows], track.landmarks[rows], track.fps, track.strength[rows])


def _save_still(folder: Path, bgr: UInt8, track: FaceTrack) -> None:
    _, png = cv2.imencode(".png", bgr, [cv2.IMWRITE_PNG_COMPRESSION, 3])
    (folder / STILL).write_bytes(png.tobytes())
    save_track(folder / TRACK, track)


def _twin(job: _Job, avatars: Path, about: dict[str, Any]) -> dict[str, Any] | None:
    """The work of an earlier import of the same bytes, unless a hand has changed it since."""
    for other in sorted(avatars.iterdir()):
        try:
            if other.name.startswith(".") or not (other / CARD).is_file():
                continue
            card = read_card(other)
            same = all(card.get(name) == value for name, value in about.items())
            if not same or card.get("tracks") != _digest(other):
                continue
            for name in (str(card["source"]), STILL, CLIP):
                if (other / name).is_file():
                    _link(other / name, job.folder / name)
            for name in (TRACK, CLIP_TRACK):
                if (other / name).is_file():
                    shutil.copyfile(other / name, job.folder / name)
            if _digest(job.folder) != card["tracks"]:
                raise FileNotFoundError(other)
        except (OSError, ValueError, KeyError) as error:
            logger.info("%s is not taken again: %s", other.name, error)
            for left in job.folder.iterdir():
                left.unlink()
            continue
        logger.info("the upload is the source of %s: its work is taken again", other.name)
        kept = ("source", "pictures", "seen", "cut_off", "tracks")
        return about | {name: card[name] for name in kept if name in card}
    return None


def _digest(folder: Path) -> str:
    """Of the tracks as they are on the disk. Raises OSError."""
    found = hashlib.sha256((folder / TRACK).read_bytes())
    if (folder / CLIP_TRACK).is_file():
        found.update((folder / CLIP_TRACK).read_bytes())
    return found.hexdigest()


def _sha256(job: _Job) -> str:
    found = hashlib.sha256()
    with job.source.open("rb") as file:
        while block := file.read(_BLOCK):
            found.update(block)
            job.check()
    return found.hexdigest()


def _link(source: Path, target: Path) -> None:
    """Nobody writes into these files, so one is enough where the disk allows it."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
