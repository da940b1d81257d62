"""Whose each face is: who added it may change and remove it, and the operator; all may use it."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from app_core.avatars.metadata import read_metadata
from app_core.errors import Forbidden

if TYPE_CHECKING:
    from pathlib import Path

    from app_core.avatars.importing.shared_imports import SharedImports


class FaceOwners:
    """Of the faces in ``folder`` and of those on their way. An empty client is the operator, whose
    are those without an owner."""

    def __init__(self, folder: Path, imports: SharedImports) -> None:
        self._folder, self._imports = folder, imports

    def check(self, avatar_id: str, client: str) -> None:
        """Raises Forbidden."""
        if not self.may_change(avatar_id, client):
            raise Forbidden(
                "This face was added by somebody else: who added it may change or remove it, and"
                " the operator"
            )

    def may_change(self, avatar_id: str, client: str) -> bool:
        return not client or client == self._owner(avatar_id)

    def _owner(self, avatar_id: str) -> str:
        if self._imports.here(avatar_id) is None:
            with contextlib.suppress(OSError, ValueError):
                return str(read_metadata(self._folder / avatar_id).get("owner", ""))
        return self._imports.owner(avatar_id)
