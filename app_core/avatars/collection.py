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
from app_core.avatars.importing.content import origin
from app_core.avatars.importing.import_item import Import
from app_core.avatars.importing.import_queue import Imports
from app_core.avatars.importing.shared_imports import SharedImports
from app_core.avatars.importing.uploaded_file import Upload
from app_core.avatars.library import ID
from app_core.avatars.metadata import METADATA
from app_core.avatars.previews import Previews
from app_core.avatars.records import BUILT_IN, AvatarRecords
from app_core.errors import BadInput, Busy, Cancelled, Conflict, NotFound, SoyleError, afresh
from app_core.face.face_choice import FaceChoice
from app_core.shares import Holding, Shares

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from app_core.avatars.library import Avatar, AvatarLibrary
    from app_core.avatars.mouth_handles import Points
    from app_core.config import Config
    from app_core.storage.claims import Told
    from app_core.storage.scratch import Scratch

LONGEST_NAME = 80
CANCEL_S = 30.0
_LOOK_S = 0.25


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
        self._shared = SharedImports(self._folder, config.place, self.imports, config.job_life_s)
        self.claims = self._shared.claims
        self.unremoved: Callable[[str, str, SoyleError], None] = lambda *_: None  # told of failures
        self._owners = FaceOwners(self._folder, self._shared)
        self._edits = threading.Lock()
        self._previews = Previews(self._folder)

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
        when = datetime.now(UTC).isoformat(timespec="seconds")
        item = Import(avatar_id or "", name, when, upload.path, choice or FaceChoice())
        item.owner, item.share = client, upload.share
        self._shared.start(item)
        upload.taken = True
        return item

    def add_dropped(self, path: Path) -> Import:
        """Starts the import of a file in AVATAR_DIR, which stays there. Raises Busy."""
        name = " ".join(path.stem.split())[:LONGEST_NAME] or "?"
        when = datetime.now(UTC).isoformat(timespec="seconds")
        consent = f"{when}, put into AVATAR_DIR by the operator"
        item = Import("", name, consent, path, theirs=True, dropped=path.name)
        self._shared.start(item)
        return item

    def withdraw(self, item: Import) -> None:
        """Ends the import of a file in AVATAR_DIR that is gone, also one that has failed: nothing
        more is told of it. The avatar that it has become stays.
        """
        self.imports.cancel(item)
        if item.ended.is_set():
            self.imports.drop(item)

    def made_of(self, sha256: str) -> tuple[str, str] | None:
        """The avatar that was made of these bytes, and the file in AVATAR_DIR that they came from
        if they did; None when there is none.
        """
        for avatar_id in self._library.ids():
            content, dropped = origin(self._folder / avatar_id)
            if content == sha256:
                return avatar_id, dropped
        return None

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

    # Looking

    def all(self, client: str = "") -> list[dict[str, Any]]:
        """Every avatar, those that are being imported and those that failed to be, here or
        elsewhere, as ``client`` may use it."""
        elsewhere = self._shared.all_elsewhere()  # before the others: it may come just now
        coming = {*elsewhere, *(item.id for item in self.imports.all())}
        found = []
        for avatar_id in sorted(coming.union(self._library.ids())):
            with contextlib.suppress(NotFound):  # removed a moment ago
                found.append(self._describe(avatar_id, elsewhere.get(avatar_id), client))
        return found

    def describe(self, avatar_id: str, client: str = "") -> dict[str, Any]:
        """``client`` as for ``remove``. Raises NotFound."""
        return self._describe(avatar_id, self._shared.elsewhere(avatar_id), client)

    def _describe(self, avatar_id: str, told: Told | None, client: str) -> dict[str, Any]:
        item = self._shared.here(avatar_id)
        if item is not None and not (item.error is None and item.ended.is_set()):
            found = self._records.coming(item)
        elif told is not None and not self._is_there(avatar_id):
            found = self._records.elsewhere(avatar_id, told)
        else:
            found = self._records.ready(avatar_id)
        if self._owners.may_change(avatar_id, client):
            return found
        return found | {"removable": False, "editable": False}

    def preview(self, avatar_id: str, longest: int, square: bool) -> tuple[bytes, str]:
        """A JPEG and its ETag."""
        return self._previews.get(self._ready(avatar_id), longest, square)

    def landmarks(self, avatar_id: str) -> dict[str, Any]:
        """The still's size, and where the parts of its face are, pixels."""
        return landmarks(self._ready(avatar_id))

    def _ready(self, avatar_id: str) -> Avatar:
        """Raises NotFound, Conflict while it is being imported."""
        if self._shared.runs(avatar_id):
            raise Conflict("This avatar is still being imported")
        return self._library.get(avatar_id)

    def elsewhere(self, avatar_id: str) -> str:
        """The place of the server that imports it now; empty: it is this one, or nobody does. Why
        it could not be anybody can tell, though that server may have gone since."""
        told = self._shared.elsewhere(avatar_id)
        if told is None or not told.held or told.place == self.claims.place:
            return ""
        return told.place

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
        try:
            with self._edits, self.claims.alone(f"edit.{avatar_id}"):
                change_mouth(self._library.get(avatar_id), points, gains)
        except BlockingIOError as error:
            raise Busy("Another server changes this avatar; try again soon") from error
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
        item, told = self._shared.here(avatar_id), self._shared.elsewhere(avatar_id)
        if item is None and told is None and not self._is_there(avatar_id):
            self._library.get(avatar_id)  # raises NotFound, with those there are
        self._owners.check(avatar_id, client)
        if item is None and told is not None:
            if told.held:
                raise Conflict("This avatar is being imported by another server")
            self.claims.clear(avatar_id)
            return
        if item is not None:
            self.imports.cancel(item)
            if not item.ended.wait(CANCEL_S):
                raise Conflict("The import is being cancelled; it takes a while")
            self.imports.drop(item)
            if isinstance(item.error, Cancelled) or not self._is_there(avatar_id):
                return
        self._remove(self._folder / avatar_id, owner)

    def _is_there(self, avatar_id: str) -> bool:
        return bool(ID.fullmatch(avatar_id)) and (self._folder / avatar_id / METADATA).is_file()

    def _remove(self, home: Path, owner: str) -> None:
        with self._edits:
            content = origin(home)
            try:
                away = take_away(home)
            except SoyleError as error:
                self.unremoved(home.name, owner, error)
                raise
        # At once: until it is told, a dropped file may come in anew.
        self._removed(home.name, *content, owner)
        self._records.forget(home.name)
        self._library.forget(home)
        self._previews.forget(home.name)
        discard(away)

    def forget_gone(self) -> None:
        """Puts away what was made of avatars that other servers, or people, have removed."""
        self._library.forget_gone()
        self._previews.forget_gone()

    # Life

    def sweep(self) -> None:
        """Removes what a process that died was importing or removing."""
        discard_leftovers(self._folder)
        self._shared.sweep()

    def close(self) -> None:
        """Cancels the imports and waits for their end."""
        self.imports.close()
        self.claims.close()
