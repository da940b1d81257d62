from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from app_core.errors import DiskFull
from app_core.storage.disk_room import DiskRoom, folder_bytes

MIB = 1 << 20


class Disk:
    """``free`` MiB are free."""

    def __init__(self, free: int) -> None:
        self.free, self.asked = free, list[Path]()

    def __call__(self, folder: Path) -> SimpleNamespace:
        self.asked.append(folder)
        return SimpleNamespace(f_bavail=self.free * 256, f_frsize=4096)


def test_the_reserve_is_never_filled() -> None:
    disk = Disk(300)
    room = DiskRoom(Path("/data"), 256 * MIB, statvfs=disk)
    room.need(44 * MIB, "The film")
    with pytest.raises(DiskFull) as caught:
        room.need(45 * MIB, "The film")
    assert str(caught.value) == (
        "The film has no room on the disk of WORK_DIR, of which DISK_RESERVE_MB stays free"
    )
    assert (room.lacks(), room.lacks(50 * MIB)) == (0, 6 * MIB)
    disk.free = 200
    assert room.lacks() == 56 * MIB


def test_what_is_not_needed_any_more_goes_first() -> None:
    disk = Disk(300)
    old = [20, 20, 20]

    def free_more() -> bool:
        if old:
            disk.free += old.pop()
            return True
        return False

    room = DiskRoom(Path("/data"), 256 * MIB, free_more, disk, lambda: sum(old) * MIB)
    room.need(70 * MIB, "The film")
    assert (disk.free, old) == (340, [20]), "no more than is needed"
    with pytest.raises(DiskFull):
        room.need(105 * MIB, "The film")
    assert old == [20], "what would not be enough costs nobody anything"
    room.need(104 * MIB, "The film")
    assert old == []


def test_a_folder_that_is_not_there_yet_lies_where_its_parent_does(tmp_path: Path) -> None:
    facts = os.statvfs(tmp_path)
    found = DiskRoom(tmp_path / "a" / "b", 0).free()
    assert found is not None and abs(found - facts.f_bavail * facts.f_frsize) < 64 * MIB


def test_a_disk_that_does_not_say_takes_everything() -> None:
    def silent(folder: Path) -> SimpleNamespace:
        raise PermissionError

    room = DiskRoom(Path("/data"), MIB, statvfs=silent)
    assert (room.free(), room.lacks(MIB)) == (None, 0)
    room.need(MIB, "The film")


def test_a_file_with_two_names_counts_once(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "one").write_bytes(b"x" * 1000)
    os.link(tmp_path / "a" / "one", tmp_path / "two")
    (tmp_path / "three").write_bytes(b"x" * 10)
    (tmp_path / "link").symlink_to("/usr")
    assert folder_bytes(tmp_path) == 1010
    assert folder_bytes(tmp_path / "gone") == 0
