"""What a process that was killed in the middle of everything left is gone at the next start."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from app_core.avatars.importing.avatar_folder import IMPORTS
from app_core.avatars.library import AvatarLibrary
from app_core.config import ROOT, Config
from app_core.services.lipsync_service import LipsyncService


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_nothing_of_a_killed_process_is_left(
    make_service: Callable[..., LipsyncService], tmp_path: Path
) -> None:
    work, avatars = tmp_path / "work", tmp_path / "avatars"
    line = [sys.executable, "-m", "tests.services.half_done", str(work), str(avatars)]
    with subprocess.Popen(line, cwd=ROOT, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        said = child.stdout.readline()
        half_done, kept = files(work), files(avatars)
        child.kill()
    assert said == "in the middle\n"
    scratch = {Path(name).name for name in half_done}
    assert scratch == {
        "upload.part",
        "film.mp4",
        "film.mp4.sound",
        "chunk-1.mp4",
        "chunk-1.wav",
    }, "sounds have no names"
    hidden = {name for name in kept if name.startswith(".")}
    assert {Path(name).name for name in hidden} >= {"loop.mp4", "forward.mp4", "avatar.toml"}
    whole = kept - hidden

    config = Config(avatar="whole", avatar_dir=avatars, work_dir=work, max_jobs=8)
    library = AvatarLibrary(avatars, 64)
    service = make_service(config=config, library=library)
    assert files(work) == set()
    assert files(avatars) == whole
    assert list(work.iterdir()) == []
    assert {path.name for path in avatars.iterdir()} <= {"whole", IMPORTS}
    assert library.ids() == ["whole"]
    assert service.health()["status"] == "ready"
