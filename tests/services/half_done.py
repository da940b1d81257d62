"""A process that is in the middle of everything that leaves something on the disk, until it is
killed: ``python -m tests.services.half_done WORK_DIR AVATAR_DIR``. It says where it is."""

from __future__ import annotations

import shutil
import sys
import time
from pathlib import Path

import numpy as np

from app_core.audio import AudioBuffer
from app_core.avatars.importing.avatar_folder import IMPORTS, new_part, take_away
from app_core.storage.scratch import Scratch
from app_core.storage.spool import Spool
from tests.importing import make_still_avatar


def main(work: Path, avatars: Path) -> None:
    scratch, spool = Scratch(work), Spool(work)
    for name in ("upload.part", "film.mp4", "film.mp4.sound", "chunk-1.mp4", "chunk-1.wav"):
        scratch.take(name).write_bytes(bytes(5000))
    spool.put([bytes(5000)], 5000)
    sound = AudioBuffer(16_000, None, spills=True, spill=str(work), spool=spool)
    sound.append(np.zeros(16_000 * 300, np.float32))
    make_still_avatar(avatars / "whole")
    gone = take_away(make_still_avatar(avatars / "removed"))
    shutil.rmtree(gone / "still.png", ignore_errors=True)
    with new_part(avatars / "upload") as part, new_part(avatars / IMPORTS / "base") as base:
        for folder in (part, base):
            (folder / "loop.mp4").write_bytes(bytes(5000))
            (folder / "forward.mp4").write_bytes(bytes(100))
        sys.stdout.write("in the middle\n")
        sys.stdout.flush()
        time.sleep(60)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
