"""A server that is in the middle of an import until it is killed:
``python -m tests.avatars.importing.half_imported upload|dropped|path AVATAR_DIR WORK_DIR FILE``.
It says where it is. ``upload`` makes the avatar ``me``, ``dropped`` one of FILE in AVATAR_DIR, and
``path`` a face of FILE."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from app_core.avatars.collection import Avatars
from app_core.avatars.importing import dropped_files
from app_core.avatars.importing.dropped_files import DroppedFiles
from app_core.avatars.importing.face_paths import Faces
from app_core.avatars.library import AvatarLibrary
from app_core.config import Config
from app_core.storage.scratch import Scratch
from tests.importing import GOOD, Importer

PLACE = "0a1b2c3d"


def main(what: str, avatar_dir: Path, work: Path, file: Path) -> None:
    config = Config(avatar_dir=avatar_dir, work_dir=work, models_dir=work / "models", place=PLACE)
    importer, library = Importer(), AvatarLibrary(avatar_dir)
    importer.gate.clear()
    avatars = Avatars(config, library, Scratch(work), importer)
    if what == "upload":
        with avatars.upload() as upload:
            upload.place().write_bytes(GOOD)
            avatars.add(upload, "Somebody", "me", client="anna")
    elif what == "dropped":
        dropped_files.STABLE_S = 0.0
        files = DroppedFiles(avatar_dir, avatars)
        files.scan()
        files.scan()
    else:
        Faces(config, library, avatars.imports, importer).look(file)
    while not importer.began:
        time.sleep(0.01)
    sys.stdout.write("in the middle\n")
    sys.stdout.flush()
    time.sleep(60)


if __name__ == "__main__":
    main(sys.argv[1], *map(Path, sys.argv[2:]))
