"""The avatars on this machine: one folder each, and their plates at the sizes in use."""

from __future__ import annotations

import os
import re
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app_core.avatars.clip_plate import ClipPlate, open_clip
from app_core.avatars.metadata import METADATA, read_metadata
from app_core.avatars.plate_cache import PlateCache
from app_core.avatars.still_plate import StillPlate, read_still
from app_core.errors import BadInput, FfmpegFailed, NotFound
from app_core.face.track import load_track

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from app_core.avatars.clip_plate import Footage
    from app_core.types import ClipShape

STILL, TRACK = "still.png", "track.npz"
CLIP, CLIP_TRACK = "loop.mp4", "loop.npz"

ID = re.compile(r"[a-z0-9-]{1,64}")
_PNG = b"\x89PNG\r\n\x1a\n"
_MEBIBYTE = 2**20


@dataclass(frozen=True, slots=True)
class Avatar:
    id: str
    name: str
    folder: Path
    jaw_gain: float
    open_gain: float
    width: int
    """Pixels of its own still, as is the height."""
    height: int
    clip: Path | None = None
    """A video of the face, its track beside it under the same name."""
    kind: str = "photo"
    """photo or clip: what it was made from."""
    finder: str = "hand"
    """What found its face; hand: its points were given."""


class AvatarLibrary:
    """Thread-safe. Plates, what models made of them and the pictures that they keep stay
    below ``picture_cache_mb`` MiB in all.

    ``footage`` reads the clips; without it every avatar has its still only.
    """

    def __init__(
        self, folder: Path, picture_cache_mb: float = 200, footage: Footage | None = None
    ) -> None:
        self._folder = folder
        self._footage = footage
        self._avatars: dict[Path, tuple[Sequence[object], Avatar]] = {}
        """By folder, each with the stamps of its files when it was read."""
        self._shapes: dict[tuple[Path, int, int], ClipShape] = {}
        self._plates_cache = PlateCache(int(picture_cache_mb * _MEBIBYTE))

    def ids(self) -> list[str]:
        if not self._folder.is_dir():
            return []
        return sorted(
            entry.name
            for entry in self._folder.iterdir()
            if ID.fullmatch(entry.name) and (entry / METADATA).is_file()
        )

    def get(self, avatar_id: str) -> Avatar:
        """Raises NotFound naming the avatars there are, BadInput for a broken one."""
        folder = self._folder / avatar_id
        if not ID.fullmatch(avatar_id) or not (folder / METADATA).is_file():
            known = ", ".join(self.ids()) or "none"
            raise NotFound(f"There is no such avatar; there are: {known}.", field="avatar")
        stamps = [_file_stamp(folder / name) for name in (METADATA, STILL, CLIP, CLIP_TRACK)]
        kept = self._avatars.get(folder)
        if kept is None or kept[0] != stamps:
            kept = self._avatars[folder] = (stamps, _read(folder))
        return kept[1]

    @staticmethod
    def at(path: Path) -> Avatar:
        """The avatar whose folder, or a file in whose folder, is at ``path``.

        Raises NotFound when there is none, BadInput for a broken one.
        """
        folder = path if path.is_dir() else path.parent
        if not path.exists() or not (folder / METADATA).is_file():
            raise NotFound(
                f"There is no face at {path}: no photo or clip, and no avatar's folder or id",
                field="face_path",
            )
        return _read(folder.resolve())

    def video(self, path: Path) -> Avatar:
        """A video that no avatar owns. Raises NotFound, or FfmpegFailed when it is none."""
        if not path.is_file():
            raise NotFound(f"There is no video at {path}")
        shape = self.shape(path)
        return Avatar(path.stem, path.name, path.parent, 1.0, 1.0, shape.width, shape.height, path)

    def shape(self, path: Path) -> ClipShape:
        """What a video file holds, looked up once. Raises OSError or FfmpegFailed."""
        if self._footage is None:
            raise ValueError("this library reads no videos")
        facts = path.stat()
        key = (path, facts.st_mtime_ns, facts.st_size)
        if key not in self._shapes:
            self._shapes[key] = self._footage.measure(path)
        return self._shapes[key]

    def plate(
        self,
        avatar: Avatar,
        size: tuple[int, int] | None = None,
        static: bool = True,
        sway: bool = True,
    ) -> StillPlate | ClipPlate:
        """The avatar at an even (width, height), or near its own size; shared, read-only.

        ``static`` asks for the still rather than the clip; an avatar without a clip has its
        still for both. A still without ``sway`` is one picture.
        """
        clip = None if static or self._footage is None else avatar.clip
        if size is None:
            own = avatar if clip is None else self._readable(clip)
            size = (own.width // 2 * 2, own.height // 2 * 2)
        place = (avatar.folder, clip, size, clip is not None or sway)
        version = (avatar, *_stamp(avatar, clip))
        return self._plates_cache.get(
            place,
            version,
            lambda: _build(avatar, size, sway) if clip is None else self._open(avatar, clip, size),
        )

    def charge(self, plate: object, nbytes: int) -> None:
        """Counts what a model holds of a plate to the room for pictures."""
        if isinstance(plate, StillPlate | ClipPlate):
            self._plates_cache.charge(plate, nbytes)

    def forget(self, folder: Path) -> None:
        """Closes what is ready for the avatar that was in ``folder``; jobs on it go on."""
        self._plates_cache.forget(folder)
        self._avatars.pop(folder, None)
        for key in list(self._shapes):
            if key[0].parent == folder:
                self._shapes.pop(key, None)

    def forget_gone(self) -> None:
        """Puts away what was made of avatars while they were being removed, or by a server that
        does not know of the removal."""
        known = {*self._avatars, *self._plates_cache.folders()}
        try:
            there = set(os.listdir(self._folder)) if known else set()
        except FileNotFoundError:
            there = set()
        except OSError:
            return  # nobody knows what is there
        for folder in known:
            if folder.parent == self._folder and folder.name not in there:
                self.forget(folder)

    def close(self) -> None:
        """Ends the decoders that fill kept pictures."""
        self._plates_cache.close()

    def _open(self, avatar: Avatar, clip: Path, size: tuple[int, int]) -> ClipPlate:
        assert self._footage is not None
        gains = (avatar.jaw_gain, avatar.open_gain)
        try:
            return open_clip(clip, self._readable(clip), self._footage, size, gains)
        except BadInput as error:
            raise BadInput(f"The clip {clip.name} is broken: {error}", field="avatar") from error

    def _readable(self, clip: Path) -> ClipShape:
        try:
            return self.shape(clip)
        except (OSError, FfmpegFailed) as error:
            raise BadInput(f"The clip {clip.name} is broken: {error}", field="avatar") from error


def _read(folder: Path) -> Avatar:
    try:
        metadata = read_metadata(folder)
        gains = metadata.get("gains", {})
        width, height = _png_size(folder / STILL)
        clip = folder / CLIP if _has_clip(folder) else None
        return Avatar(
            folder.name,
            str(metadata["name"]),
            folder,
            float(gains.get("jaw", 1.0)),
            float(gains.get("open", 1.0)),
            width,
            height,
            clip,
            str(metadata.get("kind", "photo" if clip is None else "clip")),
            str(metadata.get("finder", "hand")),
        )
    except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
        raise BadInput(f"The avatar {folder.name} is broken: {error}", field="avatar") from error


def _file_stamp(path: Path) -> object:
    """Another one when the file is written, replaced or removed."""
    try:
        facts = path.stat()
    except OSError:
        return None
    return facts.st_mtime_ns, facts.st_size, facts.st_ino


def _has_clip(folder: Path) -> bool:
    return (folder / CLIP).is_file() and (folder / CLIP_TRACK).is_file()


def _stamp(avatar: Avatar, clip: Path | None) -> tuple[object, ...]:
    """Changes when the files of the avatar's still or clip do."""
    files = [avatar.folder / STILL, avatar.folder / TRACK]
    if clip is not None:
        track = clip.with_suffix(".npz")
        files = [clip, track] if track.is_file() else [clip]
    try:
        return tuple((file.name, file.stat().st_mtime_ns) for file in files)
    except OSError as error:
        raise BadInput(f"The avatar {avatar.id} is broken: {error}", field="avatar") from error


def _build(avatar: Avatar, size: tuple[int, int], sway: bool) -> StillPlate:
    try:
        track = load_track(avatar.folder / TRACK)
        still, track = read_still(avatar.folder / STILL, track, size)
    except (OSError, BadInput) as error:
        raise BadInput(f"The avatar {avatar.id} is broken: {error}", field="avatar") from error
    plate = StillPlate(still, track, (avatar.jaw_gain, avatar.open_gain), lively=sway)
    plate.picture(len(plate.track.boxes) - 1)  # compiles the kernel here and not in a live frame
    return plate


def _png_size(path: Path) -> tuple[int, int]:
    """Width and height from the header (PNG specification, section 11.2.1: IHDR comes first)."""
    with path.open("rb") as file:
        head = file.read(24)
    if len(head) < 24 or not head.startswith(_PNG):
        raise ValueError(f"{path.name} is not a PNG file")
    width, height = struct.unpack(">II", head[16:24])
    return width, height
