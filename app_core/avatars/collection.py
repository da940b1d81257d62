"""The avatars that clients see: added from an upload, changed by hand, removed."""

from __future__ import annotations

import contextlib
import threading
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from app_core.avatars.edit_landmarks import change_mouth, landmarks
from app_core.avatars.face_owners import FaceOwners
from app_core.avatars.importing.avatar_folder import discard, discard_leftovers, take_away
from app_core.avatars.importing.import_queue import Import, Imports
from app_core.avatars.importing.naming import free_id, slug
from app_core.avatars.importing.uploaded_file import Upload
from app_core.avatars.library import ID, STILL, TRACK
from app_core.avatars.metadata import METADATA, read_metadata
from app_core.avatars.preview import preview
from app_core.avatars.records import BUILT_IN, AvatarRecords, touched
from app_core.errors import BadInput, Cancelled, Conflict, NotFound, SoyleError, afresh
from app_core.face.face_choice import FaceChoice
from app_core.shares import Holding, Shares

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from app_core.avatars.library import Avatar, AvatarLibrary
    from app_core.avatars.mouth_handles import Points
    from app_core.config import Config
    from app_core.storage.scratch import Scratch

LONGEST_NAME = 80
CANCEL_S = 30.0
_LOOK_S = 0.25
_PREVIEWS_BYTES = 8 << 20
"""Previews that stay ready."""


class Avatars:
    """Thread-safe. ``work(item, home)`` makes the avatar's folder ``home`` of an
    upload. ``removed(id, sha256, dropped, owner)`` is told of each removal: of the content that the
    avatar was made of, and of its file in AVATAR_DIR, both empty where its metadata do not say, and
    of the client who wanted it.
    ``room(size)`` raises DiskFull where an upload of so many bytes has none."""

    def __init__(
        self,
        config: Config,
        library: AvatarLibrary,
        scratch: Scratch,
        work: Callable[[Import, Path], None],
        removed: Callable[[str, str, str, str], None] = lambda *_: None,
        shares: Shares | None = None,
        room: Callable[[int], None] = lambda size: None,
    ) -> None:
        self._shares = shares or Shares()
        self._library, self._scratch = library, scratch
        self._folder, self._removed, self._room = config.avatar_dir, removed, room
        self._records = AvatarRecords(library, config.avatar)
        self.imports = Imports(
            lambda item: work(item, self._folder / item.id), scratch.free, config.job_life_s
        )
        self.unremoved: Callable[[str, str, SoyleError], None] = lambda *_: None  # told of failures
        self._owners = FaceOwners(self._folder, self.imports)
        self._edits = threading.Lock()
        self._previews: dict[str, bytes] = {}
        self._previewing = threading.Lock()

    # Adding

    @contextmanager
    def upload(self, owner: str = "", size: int = 0) -> Iterator[Upload]:
        """A place in the queue and for the file of ``size`` bytes, 0 where nobody knows.
        ``owner``: the client; empty: this program. Raises Busy, TooMany or DiskFull."""
        with self._shares.take(Holding.UPLOADS, owner).kept() as share:
            self.imports.reserve()
        upload = Upload(self._scratch, share)
        try:
            self._room(size)
            yield upload
        finally:
            upload.close()
            if not upload.taken:
                self.imports.give_up()
                share.release()

    def add(
        self,
        upload: Upload,
        name: str,
        avatar_id: str | None = None,
        choice: FaceChoice | None = None,
        client: str = "",
    ) -> Import:
        """Starts the import of an upload to whose use somebody has consented. ``client``: who alone
        may change or remove it, beside the operator; empty: the operator alone.

        Raises BadInput for an id that is none, Conflict for one that is taken.
        """
        assert upload.path is not None
        name = " ".join(name.split())
        if not name or len(name) > LONGEST_NAME:
            raise BadInput(f"'name' must have 1..{LONGEST_NAME} characters", field="name")
        if avatar_id is not None and not ID.fullmatch(avatar_id):
            raise BadInput("'id' must be 1..64 of a-z, 0-9 and -", field="id")
        with self._edits:
            if avatar_id is not None and self._is_taken(avatar_id):
                raise Conflict("There is an avatar with this id", field="id")
            chosen = avatar_id or free_id(slug(name), self._is_taken)
            consent = datetime.now(UTC).isoformat(timespec="seconds")
            item = Import(chosen, name, consent, upload.path, choice or FaceChoice())
            item.owner, item.share = client, upload.share
            self.imports.start(item)
            upload.taken = True
        return item

    def add_dropped(self, path: Path) -> Import:
        """Starts the import of a file in AVATAR_DIR, which stays there. Raises Busy."""
        name = " ".join(path.stem.split())[:LONGEST_NAME] or "?"
        when = datetime.now(UTC).isoformat(timespec="seconds")
        with self._edits:
            chosen = free_id(slug(name), self._is_taken)
            consent = f"{when}, put into AVATAR_DIR by the operator"
            item = Import(chosen, name, consent, path, theirs=True, dropped=path.name)
            self.imports.start(item)
        return item

    def withdraw(self, item: Import) -> None:
        """Ends the import of a file in AVATAR_DIR that is gone, also one that has failed: nothing
        more is told of it. The avatar that it has become stays.
        """
        self.imports.cancel(item)
        if item.ended.is_set():
            self.imports.drop(item)

    def elsewhere(self, avatar_id: str) -> str:
        return ""

    def made_of(self, sha256: str) -> tuple[str, str] | None:
        """The avatar that was made of these bytes, and the file in AVATAR_DIR that they came from
        if they did; None when there is none.
        """
        for avatar_id in self._library.ids():
            content, dropped = self._content(avatar_id)
            if content == sha256:
                return avatar_id, dropped
        return None

    def _content(self, avatar_id: str) -> tuple[str, str]:
        """What ``removed`` is told."""
        with contextlib.suppress(OSError, ValueError):
            metadata = read_metadata(self._folder / avatar_id)
            return str(metadata.get("sha256", "")), str(metadata.get("dropped", ""))
        return "", ""

    def coming(self, item: Import) -> dict[str, Any]:
        """An import as it is now, also when it has just ended."""
        return self._records.coming(item)

    def wait(self, item: Import, gone: Callable[[], bool]) -> dict[str, Any]:
        """The avatar once it is there. A client that has ``gone`` cancels. Raises its error."""
        while not item.ended.wait(_LOOK_S):
            if gone():
                self.imports.cancel(item)
        self.imports.drop(item)
        if item.error is not None:
            raise afresh(item.error)
        return self.describe(item.id)

    def _is_taken(self, avatar_id: str) -> bool:
        item = self.imports.get(avatar_id)
        if item is not None and not item.ended.is_set():
            return True
        return (self._folder / avatar_id).exists()

    # Looking

    def all(self, client: str = "") -> list[dict[str, Any]]:
        """Every avatar, those that are being imported and those that failed to be, as ``client``
        may use it."""
        coming = {item.id: item for item in self.imports.all()}
        there = [avatar_id for avatar_id in self._library.ids() if avatar_id not in coming]
        found = []
        for avatar_id in sorted([*there, *coming]):
            with contextlib.suppress(NotFound):  # removed a moment ago
                found.append(self.describe(avatar_id, client))
        return found

    def describe(self, avatar_id: str, client: str = "") -> dict[str, Any]:
        """``client`` as for ``remove``. Raises NotFound."""
        item = self.imports.get(avatar_id)
        if item is not None and not (item.error is None and item.ended.is_set()):
            found = self._records.coming(item)
        else:
            found = self._records.ready(avatar_id)
        if self._owners.may_change(avatar_id, client):
            return found
        return found | {"removable": False, "editable": False}

    def preview(self, avatar_id: str, longest: int, square: bool) -> tuple[bytes, str]:
        """A JPEG and its ETag."""
        avatar = self._ready(avatar_id)
        made = [touched(avatar.folder / name) for name in (STILL, TRACK)]
        tag = f"{avatar.id}-{made[0]:x}-{made[1]:x}-{longest}-{square:d}"
        found = self._previews.get(tag)
        if found is None:
            found = preview(avatar, longest, square)
            with self._previewing:
                if (avatar.folder / METADATA).is_file():  # and has not been removed meanwhile
                    self._previews[tag] = found
                while sum(map(len, self._previews.values())) > _PREVIEWS_BYTES:
                    del self._previews[next(iter(self._previews))]
        return found, tag

    def landmarks(self, avatar_id: str) -> dict[str, Any]:
        """The still's size, and where the parts of its face are, pixels."""
        return landmarks(self._ready(avatar_id))

    def _ready(self, avatar_id: str) -> Avatar:
        """Raises NotFound, Conflict while it is being imported."""
        item = self.imports.get(avatar_id)
        if item is not None and not item.ended.is_set():
            raise Conflict("This avatar is still being imported")
        return self._library.get(avatar_id)

    # Changing

    def move_mouth(
        self,
        avatar_id: str,
        points: Points | None,
        gains: Mapping[str, float],
        client: str = "",
    ) -> dict[str, Any]:
        """Moves the mouth's points in the still, and along with it in the clip, and sets the
        gains of ``jaw`` and ``open``. Jobs that run keep what they have.

        Raises BadInput, NotFound, Conflict for the built-in avatar, Forbidden where it is not
        ``client``'s, DiskFull.
        """
        self._ready(avatar_id)
        if avatar_id == BUILT_IN:
            raise Conflict("The built-in avatar cannot be changed; import a face of your own")
        self._owners.check(avatar_id, client)
        with self._edits:
            change_mouth(self._library.get(avatar_id), points, gains)
        return self.describe(avatar_id)

    def is_removable(self, avatar_id: str) -> bool:
        return self._records.is_removable(avatar_id)

    def remove(self, avatar_id: str, owner: str = "", client: str = "") -> None:
        """Cancels an import, or removes an avatar. Jobs that have its pictures go on. ``owner``:
        who asks; empty: this program. ``client``: who may remove its own alone; empty: any.

        Raises NotFound, Conflict for the built-in and the server's own, Forbidden, SoyleError.
        """
        if not self._records.is_removable(avatar_id):
            raise Conflict("The built-in avatar and the server's own cannot be removed")
        item = self.imports.get(avatar_id)
        if item is None and not self._is_there(avatar_id):
            self._library.get(avatar_id)  # raises NotFound, with those there are
        self._owners.check(avatar_id, client)
        if item is not None:
            self.imports.cancel(item)
            if not item.ended.wait(CANCEL_S):
                raise Conflict("The import is being cancelled; it takes a while")
            self.imports.drop(item)
            if isinstance(item.error, Cancelled) or not self._is_there(avatar_id):
                return
        self._remove(self._folder / avatar_id, owner)

    def _is_there(self, avatar_id: str) -> bool:
        return avatar_id in self._library.ids()

    def _remove(self, home: Path, owner: str) -> None:
        with self._edits:
            content = self._content(home.name)
            try:
                away = take_away(home)
            except SoyleError as error:
                self.unremoved(home.name, owner, error)
                raise
        # At once: until it is told, a dropped file may come in anew.
        self._removed(home.name, *content, owner)
        self._records.forget(home.name)
        self._library.forget(home)
        with self._previewing:
            for tag in [tag for tag in self._previews if tag.startswith(f"{home.name}-")]:
                del self._previews[tag]
        discard(away)

    # Life

    def sweep(self) -> None:
        """Removes what a process that died was importing or removing."""
        discard_leftovers(self._folder)

    def close(self) -> None:
        """Cancels the imports and waits for their end."""
        self.imports.close()
