"""Servers that share the folder of avatars: no two make one of the same id, and all know of it."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app_core.avatars.importing.avatar_folder import discard_leftovers
from app_core.avatars.importing.import_item import Import
from app_core.avatars.metadata import change_metadata
from app_core.cancel_scope import never
from app_core.errors import Busy, Conflict, NoFace, NotFound
from app_core.storage.claims import CLAIMS, Claims
from tests.avatars.importing.half_imported import PLACE
from tests.avatars.importing.servers import Server, half_imported
from tests.conftest import until
from tests.importing import make_still_avatar

Make = Callable[..., Server]


def hidden(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob(".*"))


def test_an_id_is_given_once(pair: tuple[Server, Server], folder: Path) -> None:
    one, two = pair
    one.importer.gate.clear()
    first = one.add(avatar_id="me")
    with pytest.raises(Conflict, match="There is an avatar with this id") as taken:
        two.add(avatar_id="me")
    assert taken.value.field == "id"
    named = [one.add().id, two.add().id, one.add().id, two.add().id]
    assert named == ["somebody", "somebody-2", "somebody-3", "somebody-4"]
    one.importer.gate.set()
    assert first.ended.wait(5)
    with pytest.raises(Conflict):
        two.add(avatar_id="me")
    everybody = {name: "ready" for name in ("aigul", "me", *named)}
    assert until(lambda: one.statuses() == everybody == two.statuses())
    assert until(lambda: hidden(folder) == [])


def test_an_id_whose_import_cannot_begin_is_free(
    pair: tuple[Server, Server], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = pair

    def refuse(item: Import) -> None:
        raise Busy("no thread left")

    monkeypatch.setattr(one.avatars.imports, "start", refuse)
    for avatar_id in ("me", None):
        with pytest.raises(Busy):
            one.add(avatar_id=avatar_id)
    assert hidden(folder) == []
    assert two.avatars.wait(two.add(avatar_id="me"), never)["status"] == "ready"


def test_all_see_how_far_it_is_and_where(pair: tuple[Server, Server]) -> None:
    one, two = pair
    one.importer.gate.clear()
    item = one.add(avatar_id="me", client="anna")
    assert until(lambda: two.avatars.describe("me")["stage"] == "faces")
    told = two.avatars.describe("me")
    assert told == one.avatars.describe("me")
    assert (told["name"], told["status"], told["progress"]) == ("Somebody", "importing", 0.5)
    assert two.statuses() == {"aigul": "ready", "me": "importing"}
    assert (one.avatars.elsewhere("me"), two.avatars.elsewhere("me")) == ("", "aaaaaaaa")
    assert two.avatars.elsewhere("aigul") == two.avatars.elsewhere("../me") == ""
    assert two.avatars.describe("me", "anna")["removable"]
    assert not two.avatars.describe("me", "boris")["removable"]
    for ask in (two.avatars.landmarks, lambda name: two.avatars.preview(name, 64, False)):
        with pytest.raises(Conflict, match="still being imported"):
            ask("me")
    with pytest.raises(Conflict, match="by another server"):
        two.avatars.remove("me")
    one.importer.gate.set()
    assert item.ended.wait(5)
    assert two.avatars.elsewhere("me") == ""
    assert two.avatars.describe("me", "boris") == one.avatars.describe("me", "boris")
    assert two.avatars.describe("me")["status"] == "ready"
    two.avatars.remove("me")
    with pytest.raises(NotFound):
        one.avatars.describe("me")


def test_a_cancelled_one_is_forgotten_by_all(pair: tuple[Server, Server], folder: Path) -> None:
    one, two = pair
    one.importer.gate.clear()
    one.add(avatar_id="me")
    assert until(lambda: two.avatars.describe("me")["stage"] == "faces")
    one.avatars.remove("me")
    assert one.statuses() == two.statuses() == {"aigul": "ready"}
    with pytest.raises(NotFound):
        two.avatars.describe("me")
    assert hidden(folder) == []


def test_a_failure_is_told_by_all_until_it_is_removed(
    pair: tuple[Server, Server], folder: Path
) -> None:
    one, two = pair
    for which in pair:
        assert one.add(b"nobody", "me", "anna").ended.wait(5)
        told = two.avatars.describe("me")
        assert told == one.avatars.describe("me")
        assert (told["status"], told["error"]["code"]) == ("failed", "no_face")
        assert two.statuses() == one.statuses() == {"aigul": "ready", "me": "failed"}
        assert one.avatars.elsewhere("me") == two.avatars.elsewhere("me") == "", "all can tell"
        assert not two.avatars.describe("me", "boris")["removable"]
        which.avatars.remove("me")
        assert one.statuses() == two.statuses() == {"aigul": "ready"}
        with pytest.raises(NotFound):
            one.avatars.remove("me")
        assert hidden(folder) == []


def test_one_that_comes_after_a_failure_elsewhere_is_the_avatar(
    pair: tuple[Server, Server], folder: Path
) -> None:
    one, two = pair
    assert one.add(b"nobody", "me", "anna").ended.wait(5)
    two.importer.gate.clear()
    item = two.add(avatar_id="me", client="boris")
    assert one.avatars.describe("me")["status"] == "importing"
    assert not one.avatars.describe("me", "anna")["removable"], "it is another's now"
    two.importer.gate.set()
    assert item.ended.wait(5)
    assert one.statuses() == two.statuses() == {"aigul": "ready", "me": "ready"}
    assert not one.avatars.describe("me", "anna")["removable"]
    assert hidden(folder) == []


def test_an_upload_that_is_waited_for_leaves_no_failure(
    pair: tuple[Server, Server], folder: Path
) -> None:
    one, two = pair
    item = one.add(b"nobody", "me")
    with pytest.raises(NoFace):
        one.avatars.wait(item, never)
    assert one.statuses() == two.statuses() == {"aigul": "ready"}
    assert hidden(folder) == []


def test_old_failures_are_swept(
    pair: tuple[Server, Server], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = pair
    assert one.add(b"nobody", "me").ended.wait(5)
    two.avatars.sweep()
    assert two.statuses()["me"] == "failed"
    monkeypatch.setattr(two.avatars._shared, "_life_s", 0.0)
    assert two.statuses() == {"aigul": "ready"}
    two.avatars.sweep()
    assert hidden(folder) == []


def test_a_server_alone_leaves_nothing(make: Make, folder: Path) -> None:
    alone = make("")
    assert alone.add(b"nobody", "me").ended.wait(5)
    assert alone.statuses()["me"] == "failed" and hidden(folder) == []
    assert alone.avatars.wait(alone.add(avatar_id="me"), never)["status"] == "ready"
    assert hidden(folder) == []


def test_a_killed_server_imports_nothing_any_more(make: Make, folder: Path, tmp_path: Path) -> None:
    server = make("bbbbbbbb")
    with half_imported("upload", folder, tmp_path / "work") as process:
        told = server.avatars.describe("me")
        assert (told["status"], server.avatars.elsewhere("me")) == ("importing", PLACE)
        with pytest.raises(Conflict):
            server.add(avatar_id="me")
        server.avatars.sweep()
        assert server.avatars.elsewhere("me") == PLACE
        process.kill()
        process.wait(5)
        assert server.statuses() == {"aigul": "ready"}
        assert server.avatars.elsewhere("me") == ""
        with pytest.raises(NotFound):
            server.avatars.describe("me")
    assert server.avatars.wait(server.add(avatar_id="me"), never)["status"] == "ready"
    server.avatars.sweep()
    assert [name for name in hidden(folder) if name == CLAIMS] == []


def test_what_a_server_of_another_machine_imports_is_not_swept(folder: Path) -> None:
    """Its lock on the folder that it fills is not seen there; its claim is."""
    (folder / ".me.part-12345678").mkdir()
    claim = Claims(folder / CLAIMS, "aaaaaaaa").take("me", name="Somebody")
    discard_leftovers(folder)
    assert (folder / ".me.part-12345678").is_dir()
    claim.release()
    discard_leftovers(folder)
    assert hidden(folder) == []


def test_gains_set_by_two_servers_are_all_kept(
    pair: tuple[Server, Server], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second waits for the first, and must see what the first has written."""
    make_still_avatar(folder / "me")
    writing, go_on = threading.Event(), threading.Event()

    def slow(*given: Any) -> None:
        writing.set()
        go_on.wait(5)
        change_metadata(*given)

    monkeypatch.setattr("app_core.avatars.edit_landmarks.change_metadata", slow)
    one, two = pair
    asked = [(one, {"jaw": 1.5}), (two, {"open": 0.5})]
    threads = [
        threading.Thread(target=server.avatars.move_mouth, args=("me", None, gains))
        for server, gains in asked
    ]
    threads[0].start()
    assert writing.wait(5)
    threads[1].start()
    assert not until(lambda: not threads[1].is_alive(), 0.2)
    go_on.set()
    for thread in threads:
        thread.join()
    for server in pair:
        assert server.avatars.describe("me")["gains"] == {"jaw": 1.5, "open": 0.5}
    assert hidden(folder) == []


def test_an_edit_is_seen_by_the_other_server(pair: tuple[Server, Server], folder: Path) -> None:
    one, two = pair
    make_still_avatar(folder / "me")
    before, tag = two.avatars.preview("me", 64, False)
    points = two.avatars.landmarks("me")["mouth"]
    plate = two.library.plate(two.library.get("me"), (128, 128), sway=False)
    moved = {name: (x, y + 4) for name, (x, y) in points.items()}
    one.avatars.move_mouth("me", moved, {"jaw": 1.5})
    assert two.avatars.landmarks("me")["mouth"] == one.avatars.landmarks("me")["mouth"] != points
    assert two.avatars.describe("me")["gains"]["jaw"] == 1.5
    after = two.library.plate(two.library.get("me"), (128, 128), sway=False)
    assert after is not plate and after.jaw_gain == 1.5
    same, another = two.avatars.preview("me", 64, False)
    assert same == before and another != tag


def test_what_another_server_removed_is_put_away(pair: tuple[Server, Server], folder: Path) -> None:
    one, two = pair
    make_still_avatar(folder / "me")
    for name in ("me", "aigul"):
        two.avatars.preview(name, 64, False)
        two.library.plate(two.library.get(name), (128, 128), sway=False)
    one.avatars.remove("me")
    two.avatars.forget_gone()
    assert two.library._plates_cache.folders() == {folder / "aigul"}
    assert set(two.library._avatars) == {folder / "aigul"}
    assert len(two.avatars._previews) == 1
    with pytest.raises(NotFound):
        two.avatars.preview("me", 64, False)


def test_a_running_server_puts_away_what_another_removed(
    make_service: Callable[..., Any], pair: tuple[Server, Server], folder: Path
) -> None:
    make_still_avatar(folder / "me")
    one, two = pair
    service = make_service(config=two.config, library=two.library, importer=two.importer)
    service.avatars.preview("me", 64, False)
    two.library.plate(two.library.get("me"), (128, 128), sway=False)
    one.avatars.remove("me")
    assert until(lambda: folder / "me" not in two.library._plates_cache.folders())
    assert until(lambda: not service.avatars._previews)


def test_a_folder_that_cannot_be_read_now_is_not_gone(
    pair: tuple[Server, Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    two = pair[1]
    two.library.plate(two.library.get("aigul"), (128, 128), sway=False)

    def stale(*_: Any) -> list[str]:
        raise OSError(116, "Stale file handle")

    with monkeypatch.context() as broken:
        broken.setattr(os, "listdir", stale)
        two.avatars.forget_gone()
    assert len(two.library._plates_cache.folders()) == 1
