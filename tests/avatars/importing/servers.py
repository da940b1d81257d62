"""Two servers that have the same folder of avatars, and one that is killed."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from app_core.avatars.collection import Avatars
from app_core.avatars.importing.dropped_files import DroppedFiles
from app_core.avatars.importing.import_item import Import
from app_core.avatars.library import AvatarLibrary
from app_core.config import ROOT, Config
from app_core.storage.scratch import Scratch
from tests.importing import GOOD, Importer


class Server:
    """What a server has of avatars. ``place`` is its name."""

    def __init__(self, folder: Path, work: Path, place: str, importer: Importer) -> None:
        own, models = work / (place or "alone"), work / "models"
        self.config = Config(avatar_dir=folder, work_dir=own, models_dir=models, place=place)
        self.importer, self.library = importer, AvatarLibrary(folder)
        scratch = Scratch(self.config.work_dir)
        self.avatars = Avatars(self.config, self.library, scratch, importer)
        self.files = DroppedFiles(folder, self.avatars)
        self.avatars._removed = lambda _, sha256, dropped, owner: self.files.removed(
            sha256, dropped
        )

    def add(self, content: bytes = GOOD, avatar_id: str | None = None, client: str = "") -> Import:
        with self.avatars.upload() as upload:
            upload.place().write_bytes(content)
            return self.avatars.add(upload, "Somebody", avatar_id, client=client)

    def statuses(self) -> dict[str, str]:
        return {record["id"]: record["status"] for record in self.avatars.all()}

    def close(self) -> None:
        self.importer.gate.set()
        self.avatars.close()


@contextlib.contextmanager
def half_imported(
    what: str, folder: Path, work: Path, file: Path | None = None
) -> Iterator[subprocess.Popen[str]]:
    """A process in the middle of an import, see ``half_imported.py``; killed at the end at the
    latest."""
    module = "tests.avatars.importing.half_imported"
    line = [sys.executable, "-m", module, what, str(folder), str(work), str(file or folder)]
    with subprocess.Popen(line, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "in the middle\n"
            yield process
        finally:
            process.kill()
