"""The real server, one for the tests of several files."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from app_core.face.track import cycle_track, load_track, save_track
from app_core.media.ffmpeg import find_ffmpeg
from tests.conftest import until
from tests.faces import FOLDER
from tests.server.test_server import Server, free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PICTURES = 50


@pytest.fixture(scope="session")
def short_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of avatars with the default one and the first two seconds of its clip: each server
    decodes all of it at every size that is asked for."""
    folder = tmp_path_factory.mktemp("avatars")
    home = folder / "aigul"
    shutil.copytree(FOLDER / "aigul", home)
    first = ["-i", f"file:{FOLDER / 'aigul' / 'loop.mp4'}", "-frames:v", f"{PICTURES}"]
    find_ffmpeg().run([*first, "-c", "copy", "-y", f"file:{home / 'loop.mp4'}"])
    whole = load_track(home / "loop.npz")
    track = cycle_track(whole.boxes[:PICTURES], whole.landmarks[:PICTURES], whole.fps)
    save_track(home / "loop.npz", track)
    return folder


@pytest.fixture(scope="session")
def still_avatar(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of avatars with the default one, without its clip: a server has nothing to decode
    before it is ready, nor at another size."""
    folder = tmp_path_factory.mktemp("still")
    (folder / "aigul").mkdir()
    for name in ("avatar.toml", "still.png", "track.npz"):
        shutil.copy(FOLDER / "aigul" / name, folder / "aigul")
    return folder


@pytest.fixture(scope="session")
def server(short_clip: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    settings = {"AVATAR_DIR": str(short_clip)}
    running = Server([free_port()], tmp_path_factory.mktemp("work"), settings)
    try:
        assert until(running.ready, 90), running.log.read_text()
        yield running
    finally:
        assert running.stop() == 0
        assert list(running.work.iterdir()) == [], "films are left after the end"
