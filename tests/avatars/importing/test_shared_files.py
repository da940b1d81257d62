"""Servers that share a folder: a file that is dropped there, a base video and a face by its path
are imported by one of them."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from app_core.avatars.importing import dropped_files as dropped
from app_core.avatars.importing.base_video import BaseVideo
from app_core.avatars.importing.content import content_of
from app_core.avatars.importing.face_paths import Faces
from app_core.avatars.importing.import_item import Import
from app_core.avatars.library import Avatar
from app_core.errors import NoFace, NotReady
from tests.avatars.importing.servers import Server, half_imported
from tests.conftest import until
from tests.importing import GOOD, Importer

Make = Callable[..., Server]


class Recorder(Importer):
    """Notes in the metadata what the import was made of, as a real one does."""

    def __call__(self, item: Import, home: Path) -> None:
        super().__call__(item, home)
        text = (home / "avatar.toml").read_text("utf-8")
        lines = f'sha256 = "{content_of(item.source)}"\ndropped = "{item.dropped}"\n'
        (home / "avatar.toml").write_text(lines + text, "utf-8")


@pytest.fixture
def usual(monkeypatch: pytest.MonkeyPatch) -> type[Importer]:
    monkeypatch.setattr(dropped, "STABLE_S", 0.0)
    return Recorder


def scan(*servers: Server, rounds: int = 3) -> None:
    for _ in range(rounds):
        for server in servers:
            server.files.scan()


def settled(*servers: Server) -> bool:
    return until(lambda: not any("importing" in s.statuses().values() for s in servers))


def memory(folder: Path) -> dict[str, object]:
    found: dict[str, object] = json.loads((folder / ".dropped.json").read_text("utf-8"))
    return found


# Dropped files


def test_a_dropped_file_is_imported_by_one(pair: tuple[Server, Server], folder: Path) -> None:
    one, two = pair
    one.importer.gate.clear()
    (folder / "anna.jpg").write_bytes(GOOD)
    scan(one, two)
    assert until(lambda: two.statuses() == {"aigul": "ready", "anna": "importing"})
    scan(one, two)
    one.importer.gate.set()
    assert settled(one, two)
    scan(one, two)
    assert (one.importer.began, two.importer.began) == (["anna"], [])
    assert two.statuses() == one.statuses() == {"aigul": "ready", "anna": "ready"}
    assert sorted(path.name for path in folder.glob(".*")) == [".dropped.json"]


def test_one_that_cannot_be_imported_is_tried_by_one(
    pair: tuple[Server, Server], folder: Path
) -> None:
    one, two = pair
    path = folder / "bek.jpg"
    path.write_bytes(b"nobody")
    scan(one, two)
    assert settled(one, two)
    scan(one, two)
    assert two.statuses() == one.statuses() == {"aigul": "ready", "bek": "failed"}
    assert (one.importer.began, two.importer.began) == (["bek"], [])
    path.unlink()
    scan(one, two)
    assert two.statuses() == one.statuses() == {"aigul": "ready"}
    assert memory(folder) == {"removed": [], "files": {}}


def test_the_next_tries_what_a_server_that_ended_could_not(
    pair: tuple[Server, Server], folder: Path
) -> None:
    one, two = pair
    (folder / "bek.jpg").write_bytes(b"nobody")
    scan(one, two)
    assert settled(one, two)
    one.close()
    scan(two)
    assert settled(two)
    assert two.importer.began == ["bek"]


def test_only_some_failures_hold_a_claim(
    pair: tuple[Server, Server], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is an open file."""
    monkeypatch.setattr(dropped, "FAILED", 2)
    one, two = pair
    for content in ("nobody", "broken", "full", "bug"):
        (folder / f"{content}.jpg").write_bytes(content.encode())
    scan(one)
    assert settled(one)
    scan(one)
    scan(two)
    assert settled(two)
    scan(one, two)
    assert (len(one.importer.began), len(two.importer.began)) == (4, 2)


def test_only_some_files_wait_at_once(
    make: Make, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dropped, "AT_ONCE", 2)
    server = make("aaaaaaaa")
    server.importer.gate.clear()
    for number in range(5):
        (folder / f"face-{number}.jpg").write_bytes(b"face %d" % number)
    scan(server)
    assert len(server.avatars.imports.all()) == 2
    server.importer.gate.set()
    assert until(lambda: scan(server) or list(server.statuses().values()).count("ready") == 6)


def test_a_killed_server_s_file_is_imported_by_another(
    make: Make, folder: Path, tmp_path: Path
) -> None:
    server = make("bbbbbbbb")
    (folder / "anna.jpg").write_bytes(GOOD)
    with half_imported("dropped", folder, tmp_path / "work") as process:
        scan(server)
        assert server.statuses() == {"aigul": "ready", "anna": "importing"}
        assert server.importer.began == []
        process.kill()
        process.wait(5)
        scan(server)
        assert settled(server)
    assert server.statuses() == {"aigul": "ready", "anna": "ready"}
    assert server.importer.began == ["anna"]


@pytest.mark.parametrize("by_the_importer", [True, False])
def test_what_either_removed_comes_back_in_none(
    pair: tuple[Server, Server], make: Make, folder: Path, by_the_importer: bool
) -> None:
    one, two = pair
    for name in ("anna", "bek"):
        (folder / f"{name}.jpg").write_bytes(GOOD + name.encode())
    scan(one, two)
    assert settled(one, two)
    scan(one, two)
    (one if by_the_importer else two).avatars.remove("anna")
    scan(two, one)
    (two if by_the_importer else one).avatars.remove("bek")
    scan(one, two)
    assert len(memory(folder)["removed"]) == 2
    third = make("cccccccc")
    scan(one, two, third)
    assert one.statuses() == two.statuses() == third.statuses() == {"aigul": "ready"}
    assert third.importer.began == []


def test_a_cancel_is_one_for_all(pair: tuple[Server, Server], folder: Path) -> None:
    one, two = pair
    one.importer.gate.clear()
    (folder / "anna.jpg").write_bytes(GOOD)
    scan(one, two)
    assert until(lambda: one.importer.began == ["anna"])
    one.avatars.remove("anna")
    scan(two)
    scan(one, two)
    assert two.importer.began == []
    assert two.statuses() == one.statuses() == {"aigul": "ready"}


def test_what_is_remembered_of_files_is_written_by_all(
    pair: tuple[Server, Server], folder: Path
) -> None:
    """Also by those that began before others wrote, and of files that only others have seen."""
    one, two = pair
    (folder / "a.jpg").write_bytes(b"one face")
    scan(one)
    assert settled(one)
    scan(one)
    scan(two)
    (folder / "b.jpg").write_bytes(b"another face")
    two.files._present = lambda: {
        "a.jpg": two.files._files["a.jpg"].stamp
    }  # its look at the folder was before that
    scan(one)
    assert settled(one)
    scan(one)
    one.avatars.remove("b")
    scan(two)
    assert sorted(memory(folder)["files"]) == ["a.jpg", "b.jpg"]
    assert memory(folder)["removed"] == [content_of(folder / "b.jpg")]


def test_many_changes_at_once_are_all_kept(pair: tuple[Server, Server], folder: Path) -> None:
    def note(server: Server, name: str) -> None:
        for number in range(20):
            key = f"{name}-{number}.jpg"
            server.files._change(lambda memory, key=key: memory["removed"].append(key))

    threads = [threading.Thread(target=note, args=(server, server.config.place)) for server in pair]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(set(memory(folder)["removed"])) == 40


# Base video and face paths


class Watcher:
    """What a server has of faces by path; ``look`` as its thread that looks after the disk."""

    def __init__(self, server: Server, path: Path) -> None:
        self.server = server
        config, imports = server.config, server.avatars.imports
        self.faces = Faces(config, server.library, imports, server.importer)
        self.video = BaseVideo(path, self.faces, server.library)
        self.importer = server.importer

    @property
    def state(self) -> tuple[str, float]:
        self.video.look()
        told = self.video.describe()
        assert told is not None
        return told["status"], told["progress"]


@pytest.fixture
def video(tmp_path: Path) -> Path:
    path = tmp_path / "me.mov"
    path.write_bytes(GOOD)
    return path


@pytest.fixture
def watchers(make: Make, video: Path, tmp_path: Path) -> tuple[Watcher, Watcher]:
    places = "aaaaaaaa", "bbbbbbbb"
    one, two = (Watcher(make(place, Importer()), video) for place in places)
    return one, two


def test_a_base_video_is_imported_by_one(watchers: tuple[Watcher, Watcher], folder: Path) -> None:
    one, two = watchers
    one.importer.gate.clear()
    assert until(lambda: one.state == ("importing", 0.5))
    assert until(lambda: two.state == ("importing", 0.5)), "as far as the other is"
    with pytest.raises(NotReady, match="50 %"):
        two.video.avatar()
    one.importer.gate.set()
    assert until(lambda: one.state == two.state == ("ready", 1.0))
    assert two.video.avatar().folder == one.video.avatar().folder
    assert (len(one.importer.began), two.importer.began) == (1, [])
    assert len(list((folder / ".imports").iterdir())) == 1


def test_nothing_waits_for_one_that_another_server_makes(
    watchers: tuple[Watcher, Watcher], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither what else is imported, nor the end."""
    monkeypatch.setattr("app_core.avatars.importing.import_queue.AGAIN_S", 60.0)
    one, two = watchers
    one.importer.gate.clear()
    assert until(lambda: one.state[1] == 0.5)
    assert until(lambda: two.state[1] == 0.5)
    item = two.server.add(avatar_id="me")
    assert item.ended.wait(5) and item.error is None
    two.server.avatars.close()
    assert two.server.avatars.imports._worker is not None
    assert not two.server.avatars.imports._worker.is_alive()


def test_a_face_by_path_waits_for_the_other_server(
    watchers: tuple[Watcher, Watcher], video: Path
) -> None:
    one, two = watchers
    found: list[Avatar] = []
    one.importer.gate.clear()
    threads = [
        threading.Thread(target=lambda each=each: found.append(each.faces.at(video)))
        for each in watchers
    ]
    threads[0].start()
    assert until(lambda: one.importer.began)
    threads[1].start()
    assert not until(lambda: found, 0.3)
    one.importer.gate.set()
    for thread in threads:
        thread.join(10)
    assert len({avatar.folder for avatar in found}) == 1 and len(found) == 2
    assert two.importer.began == []


def test_what_cannot_speak_does_so_nowhere(watchers: tuple[Watcher, Watcher], video: Path) -> None:
    video.write_bytes(b"nobody")
    for each in watchers:
        with pytest.raises(NoFace):
            each.faces.at(video)


def test_a_killed_server_s_base_video_is_imported_by_another(
    make: Make, folder: Path, video: Path, tmp_path: Path
) -> None:
    server = make("bbbbbbbb", Importer())
    watcher = Watcher(server, video)
    with half_imported("path", folder, tmp_path / "work", video) as process:
        assert until(lambda: watcher.state == ("importing", 0.5))
        assert server.importer.began == []
        process.kill()
        process.wait(5)
        assert until(lambda: watcher.state == ("ready", 1.0))
    assert len(server.importer.began) == 1
