"""The avatars that clients see: added from an upload, changed by hand, removed."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import threading
import uuid
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from app_core.errors import BadInput, Cancelled, Conflict, NotFound, SoyleError, told
from app_core.face.avatar import CLIP_TRACK, ID, STILL, TRACK
from app_core.face.card import read_card, write_card
from app_core.face.mouth import carried, handles, moved
from app_core.face.preview import preview
from app_core.face.track import cycle_track, load_track, save_track
from app_core.landmarks import POINTS
from app_core.services.imports import Import, Imports, record
from app_core.services.naming import free_id, slug

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from app_core.config import Config
    from app_core.face.avatar import Avatar, AvatarLibrary
    from app_core.face.mouth import Points
    from app_core.services.results import Results

BUILT_IN = "aigul"
LONGEST_NAME = 80
_SUFFIX = re.compile(r"\.[a-z0-9]{1,5}")
_REMOVED = ".removed-"
_LOOK_S = 0.25
_CANCEL_S = 30.0
_PREVIEWS = 64
"""Previews that stay ready."""


class Upload:
    """A file on its way in. It is removed with the ``with`` block unless an import has it."""

    def __init__(self, results: Results) -> None:
        self._results = results
        self.path: Path | None = None
        self.taken = False

    def place(self, client_name: str) -> Path:
        """An empty file with the suffix of the client's. Raises OSError."""
        suffix = _SUFFIX.search(client_name.lower()[-6:])
        ending = suffix[0] if suffix and client_name.lower().endswith(suffix[0]) else ""
        self.path = self._results.take(f"upload-{uuid.uuid4()}{ending}")
        return self.path


class _Facts(NamedTuple):
    fps: float | None
    seconds: float | None
    pictures: int
    faces: int


class Avatars:
    """Thread-safe. ``work(item, home)`` makes the avatar's folder ``home`` of an upload."""

    def __init__(
        self,
        config: Config,
        library: AvatarLibrary,
        results: Results,
        work: Callable[[Import, Path], None],
    ) -> None:
        self._config, self._library, self._results = config, library, results
        self._folder = config.avatar_dir
        self._imports = Imports(
            lambda item: work(item, self._folder / item.id), results.free, config.job_life_s
        )
        self._edits = threading.Lock()
        self._facts: dict[str, tuple[tuple[int, ...], _Facts]] = {}
        self._previews: dict[str, bytes] = {}

    # Adding

    @contextmanager
    def upload(self) -> Iterator[Upload]:
        """A place in the queue and for the file. Raises Busy."""
        self._imports.reserve()
        upload = Upload(self._results)
        try:
            yield upload
        finally:
            if not upload.taken:
                if upload.path is not None:
                    with contextlib.suppress(OSError):
                        self._results.free(upload.path)
                self._imports.give_up()

    def add(self, upload: Upload, name: str, avatar_id: str | None = None) -> Import:
        """Starts the import of an upload to whose use somebody has consented.

        Raises BadInput for an id that is none, Conflict for one that is taken.
        """
        assert upload.path is not None
        name = " ".join(name.split())
        if not name or len(name) > LONGEST_NAME:
            raise BadInput(f"'name' must have 1..{LONGEST_NAME} characters", field="name")
        if avatar_id is not None and not ID.fullmatch(avatar_id):
            raise BadInput("'id' must be 1..64 of a-z, 0-9 and -", field="id")
        if avatar_id is not None and self._is_taken(avatar_id):
            raise Conflict("There is an avatar with this id", field="id")
        with self._edits:
            chosen = avatar_id or free_id(slug(name), self._is_taken)
            consent = datetime.now(UTC).isoformat(timespec="seconds")
            item = Import(chosen, name, consent, upload.path)
            self._imports.start(item)
            upload.taken = True
        return item

    def coming(self, item: Import) -> dict[str, Any]:
        """An import as it is now, also when it has just ended."""
        return record(item)

    def wait(self, item: Import, gone: Callable[[], bool]) -> dict[str, Any]:
        """The avatar once it is there. A client that has ``gone`` cancels. Raises its error."""
        while not item.ended.wait(_LOOK_S):
            if gone():
                item.cancel()
        self._imports.drop(item)
        if item.error is not None:
            raise item.error
        return self.describe(item.id)

    def _is_taken(self, avatar_id: str) -> bool:
        item = self._imports.get(avatar_id)
        if item is not None and not item.ended.is_set():
            return True
        return (self._folder / avatar_id).exists()

    # Looking

    def all(self) -> list[dict[str, Any]]:
        """Every avatar, those that are being imported and those that failed to be."""
        coming = {item.id: item for item in self._imports.all()}
        there = [avatar_id for avatar_id in self._library.ids() if avatar_id not in coming]
        found = []
        for avatar_id in sorted([*there, *coming]):
            with contextlib.suppress(NotFound):  # removed a moment ago
                found.append(self.describe(avatar_id))
        return found

    def describe(self, avatar_id: str) -> dict[str, Any]:
        """Raises NotFound."""
        item = self._imports.get(avatar_id)
        if item is not None and not (item.error is None and item.ended.is_set()):
            return record(item)
        try:
            avatar = self._library.get(avatar_id)
            facts = self._known(avatar)
        except BadInput as error:
            broken = Import(avatar_id, avatar_id, "", self._folder, error=error)
            return record(broken) | {"removable": self._is_removable(avatar_id)}
        return {
            "id": avatar.id,
            "name": avatar.name,
            "kind": avatar.kind,
            "status": "ready",
            "stage": "done",
            "progress": 1.0,
            "width": avatar.width,
            "height": avatar.height,
            "fps": facts.fps,
            "seconds": facts.seconds,
            "finder": avatar.finder,
            "pictures": facts.pictures,
            "faces": facts.faces,
            "gains": {"jaw": avatar.jaw_gain, "open": avatar.open_gain},
            "clip": avatar.clip is not None,
            "removable": self._is_removable(avatar_id),
            "editable": avatar_id != BUILT_IN,
            "error": None,
        }

    def preview(self, avatar_id: str, longest: int, square: bool) -> tuple[bytes, str]:
        """A JPEG and its ETag."""
        avatar = self._ready(avatar_id)
        made = [_touched(avatar.folder / name) for name in (STILL, TRACK)]
        tag = f"{avatar.id}-{made[0]:x}-{made[1]:x}-{longest}-{square:d}"
        found = self._previews.get(tag)
        if found is None:
            found = preview(avatar, longest, square)
            while len(self._previews) >= _PREVIEWS:
                self._previews.pop(next(iter(self._previews)), None)
            self._previews[tag] = found
        return found, tag

    def landmarks(self, avatar_id: str) -> dict[str, Any]:
        """The still's size, and where the parts of its face are, pixels."""
        avatar = self._ready(avatar_id)
        track = load_track(avatar.folder / TRACK)
        row = track.landmarks[0]
        if not np.isfinite(row).all():
            raise BadInput("There is no face in this avatar's still", field="avatar")
        return {
            "width": avatar.width,
            "height": avatar.height,
            "box": np.round(track.boxes[0], 2).tolist(),
            "points": {name: _rounded(row[where]) for name, where in POINTS.items()},
            "mouth": {name: _rounded(point) for name, point in handles(row).items()},
        }

    def _ready(self, avatar_id: str) -> Avatar:
        """Raises NotFound, Conflict while it is being imported."""
        item = self._imports.get(avatar_id)
        if item is not None and not item.ended.is_set():
            raise Conflict("This avatar is still being imported")
        return self._library.get(avatar_id)

    def _known(self, avatar: Avatar) -> _Facts:
        path = avatar.folder / (TRACK if avatar.clip is None else CLIP_TRACK)
        if not path.exists():
            return _Facts(None, None, 1, 0)
        stamp = (_touched(path), _touched(avatar.folder / "avatar.toml"))
        kept = self._facts.get(avatar.id)
        if kept is None or kept[0] != stamp:
            track, card = load_track(path), read_card(avatar.folder)
            pictures = len(track.boxes)
            faces = int(np.isfinite(track.boxes).all(1).sum())
            moving = avatar.clip is not None
            kept = (
                stamp,
                _Facts(
                    round(track.fps, 3) if moving else None,
                    round(pictures / track.fps, 3) if moving else None,
                    int(card.get("pictures", pictures)),
                    int(card.get("seen", faces)),
                ),
            )
            self._facts[avatar.id] = kept
        return kept[1]

    # Changing

    def move_mouth(
        self, avatar_id: str, points: Points | None, gains: Mapping[str, float]
    ) -> dict[str, Any]:
        """Moves the mouth's points in the still, and along with it in the clip, and sets the
        gains of ``jaw`` and ``open``. Jobs that run keep what they have.

        Raises BadInput, NotFound, Conflict for the built-in avatar, DiskFull.
        """
        avatar = self._ready(avatar_id)
        if avatar_id == BUILT_IN:
            raise Conflict("The built-in avatar cannot be changed; import a face of your own")
        with self._edits:
            try:
                if points:
                    _move(avatar, points)
                if gains:
                    card = read_card(avatar.folder)
                    there = {"jaw": avatar.jaw_gain, "open": avatar.open_gain}
                    write_card(avatar.folder, card | {"gains": there | dict(gains)})
            except FileNotFoundError as error:
                raise NotFound("The avatar has been removed", field="avatar") from error
            except OSError as error:
                raise told(error) from error
        return self.describe(avatar_id)

    def remove(self, avatar_id: str) -> None:
        """Cancels an import, or removes an avatar. Jobs that have its pictures go on.

        Raises NotFound, Conflict for the built-in avatar and the server's own.
        """
        if not self._is_removable(avatar_id):
            raise Conflict("The built-in avatar and the server's own cannot be removed")
        item = self._imports.get(avatar_id)
        if item is not None:
            item.cancel()
            if not item.ended.wait(_CANCEL_S):
                raise SoyleError("The import does not end")
            self._imports.drop(item)
            if isinstance(item.error, Cancelled) or not self._is_there(avatar_id):
                return
        elif not self._is_there(avatar_id):
            self._library.get(avatar_id)  # raises NotFound, with those there are
        self._remove(self._folder / avatar_id)

    def _is_there(self, avatar_id: str) -> bool:
        return avatar_id in self._library.ids()

    def _is_removable(self, avatar_id: str) -> bool:
        return avatar_id not in (BUILT_IN, self._config.avatar)

    def _remove(self, home: Path) -> None:
        """At once for everybody who looks: first the folder takes another name."""
        away = home.with_name(f"{_REMOVED}{home.name[:40]}-{uuid.uuid4().hex[:8]}")
        with self._edits:
            try:
                home.rename(away)
            except FileNotFoundError as error:
                raise NotFound("There is no such avatar", field="avatar") from error
        self._facts.pop(home.name, None)
        self._library.forget(home)
        _discard(away)

    # Life

    def sweep(self) -> None:
        """Removes what a process that died was importing or removing."""
        if self._folder.is_dir() and any(self._folder.glob(".*")):
            from app_core.services.avatar_import import discard_leftovers

            discard_leftovers(self._folder)
            for left in self._folder.glob(f"{_REMOVED}*"):
                _discard(left)

    def close(self) -> None:
        """Cancels the imports and waits for their end."""
        self._imports.close()


def _move(avatar: Avatar, points: Points) -> None:
    """Both tracks are written before either takes its place."""
    still = load_track(avatar.folder / TRACK)
    row = still.landmarks[0]
    if not np.isfinite(row).all():
        raise BadInput("There is no face in this avatar's still", field="points")
    changed = moved(row, points, avatar.width, avatar.height)
    tracks = {TRACK: cycle_track(still.boxes, changed[None], still.fps, still.strength)}
    if avatar.clip is not None:
        clip = load_track(avatar.folder / CLIP_TRACK)
        after = carried(clip.landmarks, row, changed)
        tracks[CLIP_TRACK] = cycle_track(clip.boxes, after, clip.fps, clip.strength)
    drafts = {name: avatar.folder / f".{name}.{os.getpid()}" for name in tracks}
    try:
        for name, track in tracks.items():
            save_track(drafts[name], track)
        for name, draft in drafts.items():
            draft.replace(avatar.folder / name)
    finally:
        for draft in drafts.values():
            draft.unlink(missing_ok=True)


def _discard(folder: Path) -> None:
    if folder.is_symlink():
        folder.unlink(missing_ok=True)
    else:
        shutil.rmtree(folder, ignore_errors=True)


def _touched(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


def _rounded(points: Any) -> Any:
    return np.round(points, 2).tolist()
