"""The imports of all servers that share the folder of avatars: no two make one of the same id, and
each server knows how far those of the others are."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from app_core.avatars.importing.avatar_folder import IMPORTS
from app_core.avatars.importing.naming import free_id, slug
from app_core.avatars.library import ID
from app_core.avatars.metadata import METADATA
from app_core.errors import Conflict
from app_core.storage.claims import CLAIMS, Claims

if TYPE_CHECKING:
    from pathlib import Path

    from app_core.avatars.importing.import_item import Import
    from app_core.avatars.importing.import_queue import Imports
    from app_core.storage.claims import Claim, Told


class SharedImports:
    """Thread-safe. ``folder``: of the avatars. ``imports``: those of this server, whose name among
    the others is ``place``. Those of another that failed are known for ``life_s`` seconds, where
    servers have names.
    """

    def __init__(self, folder: Path, place: str, imports: Imports, life_s: float) -> None:
        self._folder, self._imports, self._life_s = folder, imports, life_s
        self.claims = Claims(folder / CLAIMS, place)
        self._starting = threading.Lock()

    def start(self, item: Import) -> None:
        """Under its id, or under a free one by its name, which no server gives to another until it
        ends. Raises Conflict or Busy."""

        def taken(avatar_id: str) -> bool:
            claim = self._claim(avatar_id, item)
            item.claim = claim or item.claim
            return claim is None

        with self._starting:
            if item.id and taken(item.id):
                raise Conflict("There is an avatar with this id", field="id")
            item.id = item.id or free_id(slug(item.name), taken)
            try:
                self._imports.start(item)
            except BaseException:
                item.claim.release()
                raise

    def _claim(self, avatar_id: str, item: Import) -> Claim | None:
        """None: it is another's."""
        there = self._imports.get(avatar_id)
        if there is not None and not there.ended.is_set():
            return None
        about = {"name": item.name, "owner": item.owner, "stage": item.stage}
        try:
            claim = self.claims.take(avatar_id, **about, progress=item.progress)
        except BlockingIOError:
            return None
        if (self._folder / avatar_id).exists():
            claim.release()
            return None
        return claim

    def here(self, avatar_id: str) -> Import | None:
        """One that runs, waits or has failed here, unless it has come from elsewhere since."""
        item = self._imports.get(avatar_id)
        if item is None or item.error is None:
            return item
        told = self._told(avatar_id)
        cleared = item.claim.left and told is None
        if cleared or (told is not None and told.held) or self._is_there(avatar_id):
            self._imports.drop(item)
            return None
        return item

    def elsewhere(self, avatar_id: str) -> Told | None:
        """One that runs or waits in another server, or failed there; not one that has come."""
        told = self._told(avatar_id)
        return None if told is None or self._is_there(avatar_id) else told

    def all_elsewhere(self) -> dict[str, Told]:
        """By their ids."""
        found = {name: self.elsewhere(name) for name in self.claims.names()}
        return {name: told for name, told in found.items() if told is not None}

    def runs(self, avatar_id: str) -> bool:
        """Its avatar is on the way, here or elsewhere."""
        item, told = self._imports.get(avatar_id), self.elsewhere(avatar_id)
        here = item is not None and not item.ended.is_set()
        return here or (told is not None and told.held)

    def owner(self, avatar_id: str) -> str:
        """The client whose face it will be; empty: the operator's, or nobody's."""
        item, told = self.here(avatar_id), self.elsewhere(avatar_id)
        if item is not None:
            return item.owner
        return "" if told is None else str(told.about.get("owner", ""))

    def sweep(self) -> None:
        """Removes what servers left that died, or whose failures are old."""
        for claims in (self.claims, Claims(self._folder / IMPORTS / CLAIMS)):
            for name in claims.names():
                told = claims.look(name)
                if told is None or not (told.held or self._is_fresh(told)):
                    claims.clear(name)

    def _told(self, avatar_id: str) -> Told | None:
        told = self.claims.look(avatar_id) if ID.fullmatch(avatar_id) else None
        return told if told is None or told.held or self._is_fresh(told) else None

    def _is_fresh(self, told: Told) -> bool:
        """A failure that may still be asked about."""
        failed_s = told.about.get("failed_s")
        return isinstance(failed_s, float) and abs(time.time() - failed_s) < self._life_s

    def _is_there(self, avatar_id: str) -> bool:
        return (self._folder / avatar_id / METADATA).is_file()
