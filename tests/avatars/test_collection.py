"""Avatars behind the routes: imports that are cancelled, removal while one speaks, the end."""

from __future__ import annotations

import os
import random
import shutil
import threading
import time
import weakref
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from app_core.avatars.clip_plate import ClipPlate
from app_core.avatars.collection import Avatars
from app_core.avatars.importing.avatar_folder import discard_leftovers, new_part
from app_core.avatars.importing.import_queue import FAILURES, PLACES, Import
from app_core.avatars.importing.naming import LONGEST, free_id, slug
from app_core.avatars.library import AvatarLibrary
from app_core.avatars.metadata import change_metadata
from app_core.cancel_scope import never
from app_core.config import Config
from app_core.errors import Busy, Cancelled, Conflict, NotFound, SoyleError
from app_core.face.track import load_track
from app_core.job import JobStatus
from app_core.media.decoder import ClipFootage
from app_core.media.ffmpeg import find_ffmpeg
from app_core.request import GenerateRequest, MjpegRequest
from app_core.storage.scratch import Scratch
from tests.begun import begun
from tests.below import entries_below
from tests.clips import PICTURES, children, make_avatar
from tests.conftest import until
from tests.fakes import EchoModel, GreyPlate
from tests.importing import GOOD, Importer, make_still_avatar


@pytest.fixture
def avatars(tmp_path: Path, folder: Path, importer: Importer) -> Any:
    config = Config(avatar_dir=folder, work_dir=tmp_path / "work")
    made = Avatars(config, AvatarLibrary(folder), Scratch(config.work_dir), importer)
    yield made
    made.close()


def begin(avatars: Avatars, content: bytes = GOOD, avatar_id: str | None = None) -> Import:
    with avatars.upload() as upload:
        upload.place().write_bytes(content)
        return avatars.add(upload, "Somebody", avatar_id)


def nothing_left(tmp_path: Path) -> bool:
    """Neither an upload nor a part of an avatar, at once or very soon."""
    parts = tmp_path / "avatars"
    work = tmp_path / "work"
    return until(lambda: not list(parts.glob(".*")) and not entries_below(work))


@pytest.mark.parametrize("seed", range(8))
def test_a_cancel_at_any_moment_leaves_nothing(
    avatars: Avatars, importer: Importer, tmp_path: Path, seed: int
) -> None:
    item = begin(avatars)
    time.sleep(random.Random(seed).uniform(0, 0.06))
    avatars.remove(item.id)
    assert item.ended.is_set()
    assert not (tmp_path / "avatars" / item.id).exists()
    assert nothing_left(tmp_path)
    with pytest.raises(NotFound):
        avatars.describe(item.id)
    assert begin(avatars, avatar_id=item.id).ended.wait(5)
    assert avatars.describe(item.id)["status"] == "ready"


def test_previews_are_bounded_and_go_with_their_avatar(
    tmp_path: Path, folder: Path, importer: Importer, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_still_avatar(folder / "me")
    removed: list[tuple[str, str]] = []
    config = Config(avatar_dir=folder, work_dir=tmp_path / "work")
    avatars = Avatars(
        config,
        AvatarLibrary(folder),
        Scratch(config.work_dir),
        importer,
        removed=lambda _, sha256, dropped, owner: removed.append((sha256, dropped)),
    )
    sizes = range(32, 64)
    made = {size: len(avatars.preview("me", size, False)[0]) for size in sizes}
    assert avatars._previews.nbytes == sum(made.values())
    other, _ = avatars.preview("aigul", 64, True)
    avatars.remove("me")
    assert avatars._previews.nbytes == len(other) and removed == [("", "")]
    monkeypatch.setattr("app_core.avatars.previews.MOST_BYTES", 3 * len(other))
    for size in sizes:
        avatars.preview("aigul", size, False)
        assert avatars._previews.nbytes <= 3 * len(other)
    avatars.close()


def test_those_that_wait_can_be_cancelled(
    avatars: Avatars, importer: Importer, tmp_path: Path
) -> None:
    importer.gate.clear()
    first, second = begin(avatars), begin(avatars)
    assert until(lambda: first.stage == "faces")
    assert second.stage == "waiting"
    avatars.remove(second.id)
    assert second.ended.is_set() and first.stage == "faces"
    with pytest.raises(NotFound):
        avatars.describe(second.id)
    third = begin(avatars)
    with pytest.raises(Cancelled):
        avatars.wait(third, lambda: True)
    items = [begin(avatars) for _ in range(PLACES - 1)]
    importer.gate.set()
    assert all(item.ended.wait(5) for item in (first, *items))
    assert importer.began == [first.id, *(item.id for item in items)]
    assert avatars.describe(first.id)["status"] == "ready"
    assert nothing_left(tmp_path)


def test_an_import_that_does_not_end_is_said_to_be_on_its_way_out(
    avatars: Avatars, importer: Importer, monkeypatch: pytest.MonkeyPatch
) -> None:
    importer.gate.clear()
    monkeypatch.setattr("app_core.avatars.collection.CANCEL_S", 0.05)
    monkeypatch.setattr(Import, "cancelled", lambda self: False)
    item = begin(avatars)
    assert until(lambda: item.stage == "faces")
    with pytest.raises(Conflict, match="being cancelled"):
        avatars.remove(item.id)
    importer.gate.set()
    assert item.ended.wait(5)


def test_a_client_that_leaves_cancels(avatars: Avatars, importer: Importer, tmp_path: Path) -> None:
    importer.gate.clear()
    item = begin(avatars)
    with pytest.raises(Cancelled):
        avatars.wait(item, lambda: True)
    assert nothing_left(tmp_path)


def test_an_upload_that_fails_gives_its_place_back(avatars: Avatars, tmp_path: Path) -> None:
    for _ in range(2 * PLACES):
        with pytest.raises(RuntimeError), avatars.upload() as upload:
            upload.place().write_bytes(b"half")
            raise RuntimeError("the client left")
    assert nothing_left(tmp_path)
    for _ in range(2 * PLACES):
        avatars.wait(begin(avatars), never)


def test_places_are_bounded(avatars: Avatars, importer: Importer) -> None:
    importer.gate.clear()
    items = [begin(avatars) for _ in range(PLACES)]
    with pytest.raises(Busy) as full, avatars.upload():
        pass
    assert full.value.retry_after_s > 1
    importer.gate.set()
    assert all(item.ended.wait(5) for item in items)
    assert avatars.wait(begin(avatars), never)["status"] == "ready"


def test_an_import_that_gets_no_thread_holds_up_no_other(
    avatars: Avatars, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as none_left:
        none_left.setattr(threading.Thread, "start", refuse)
        for _ in range(PLACES + 1):
            with pytest.raises(Busy, match="no thread left"):
                begin(avatars)
    assert nothing_left(tmp_path)
    assert avatars.wait(begin(avatars), never)["status"] == "ready"


def test_failures_are_forgotten_in_time(avatars: Avatars) -> None:
    for number in range(FAILURES + 4):
        assert begin(avatars, b"nobody", f"no-{number}").ended.wait(5)
    known = [record["id"] for record in avatars.all() if record["status"] == "failed"]
    assert sorted(known) == sorted(f"no-{number}" for number in range(4, FAILURES + 4))


def test_two_that_ask_for_one_id(avatars: Avatars, importer: Importer) -> None:
    importer.gate.clear()
    start, outcomes = threading.Barrier(4), list[str]()

    def ask() -> None:
        start.wait(5)
        try:
            outcomes.append(begin(avatars, avatar_id="one").id)
        except Conflict as error:
            outcomes.append(error.code)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    importer.gate.set()
    assert sorted(outcomes) == ["conflict", "conflict", "conflict", "one"]


def test_the_end_cancels_and_leaves_nothing(
    avatars: Avatars, importer: Importer, tmp_path: Path
) -> None:
    importer.gate.clear()
    items = [begin(avatars), begin(avatars)]
    assert until(lambda: items[0].stage == "faces")
    avatars.close()
    assert all(isinstance(item.error, Cancelled) for item in items)
    assert nothing_left(tmp_path)
    with pytest.raises(Busy):
        begin(avatars)


def test_what_a_killed_server_left_is_removed(avatars: Avatars, folder: Path) -> None:
    for name in (".me.part-1234", ".removed-me-1234"):
        (folder / name).mkdir()
        (folder / name / "still.png").write_bytes(b"half")
    avatars.sweep()
    assert [path.name for path in folder.iterdir()] == ["aigul"]


def test_a_full_disk_changes_no_mouth(
    avatars: Avatars, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = make_still_avatar(folder / "me")
    before = {path: path.read_bytes() for path in home.iterdir()}

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("app_core.avatars.edit_landmarks.save_track", full)
    points = avatars.landmarks("me")["mouth"]
    with pytest.raises(SoyleError) as refused:
        avatars.move_mouth("me", points, {})
    assert refused.value.status == 507
    assert {path: path.read_bytes() for path in home.iterdir()} == before


def test_gains_set_at_once_are_all_kept(
    avatars: Avatars, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second waits for the first, and must see what the first has written."""
    make_still_avatar(folder / "me")
    writing, go_on = threading.Event(), threading.Event()

    def slow(*given: Any) -> None:
        writing.set()
        go_on.wait(5)
        change_metadata(*given)

    monkeypatch.setattr("app_core.avatars.edit_landmarks.change_metadata", slow)
    threads = [
        threading.Thread(target=avatars.move_mouth, args=("me", None, gains))
        for gains in ({"jaw": 1.5}, {"open": 0.5})
    ]
    threads[0].start()
    assert writing.wait(5)
    threads[1].start()
    time.sleep(0.1)
    go_on.set()
    for thread in threads:
        thread.join()
    assert avatars.describe("me")["gains"] == {"jaw": 1.5, "open": 0.5}


def test_an_avatar_that_goes_while_it_is_described_is_not_found(
    avatars: Avatars, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = make_still_avatar(folder / "me")
    real = load_track

    def gone(path: Path) -> Any:
        found = real(path)
        shutil.rmtree(home)
        return found

    monkeypatch.setattr("app_core.avatars.records.load_track", gone)
    with pytest.raises(NotFound):
        avatars.describe("me")


def test_another_server_keeps_what_it_is_importing(folder: Path) -> None:
    theirs = new_part(folder / "me")
    with theirs as part:
        (part / "still.png").write_bytes(b"half")
        discard_leftovers(folder)
        assert (part / "still.png").read_bytes() == b"half"
    assert [path.name for path in folder.iterdir()] == ["aigul"]


def test_the_clip_moves_with_the_still(tmp_path: Path) -> None:
    folder = make_avatar(tmp_path / "avatars", faceless=(3,))
    library = AvatarLibrary(folder, 200, ClipFootage(find_ffmpeg))
    config = Config(avatar_dir=folder)
    avatars = Avatars(config, library, Scratch(tmp_path), Importer())
    told = avatars.describe("clip")
    assert (told["kind"], told["clip"], told["fps"], told["seconds"]) == ("clip", True, 25.0, 2.0)
    assert (told["pictures"], told["faces"]) == (PICTURES, PICTURES - 1)
    before = load_track(folder / "clip" / "loop.npz")
    old = library.plate(library.get("clip"), static=False)
    points = avatars.landmarks("clip")["mouth"]
    avatars.move_mouth("clip", {name: (x, y + 20) for name, (x, y) in points.items()}, {})
    after = load_track(folder / "clip" / "loop.npz")
    shift = after.landmarks - before.landmarks
    assert np.isnan(shift[3]).all()
    # The still is 1080 wide and frames the same face as the clip's 54 columns of it.
    lips = shift[0, :68]
    assert np.ptp(lips, axis=0).max() < 1e-2 and lips[0, 1] > 0.5 and abs(lips[0, 0]) < 0.2
    assert np.array_equal(shift[0, 68:], np.zeros_like(shift[0, 68:]))
    new = library.plate(library.get("clip"), static=False)
    assert new is not old
    library.close()


# What runs while files go


@pytest.fixture
def clip_service(make_service: Any, tmp_path: Path) -> Any:
    folder = make_avatar(tmp_path / "avatars")
    make_still_avatar(folder / "aigul", "Aigul")
    config = Config(avatar_dir=folder, work_dir=tmp_path / "work", sway=False, max_jobs=8)
    library = AvatarLibrary(folder, 200, ClipFootage(find_ffmpeg))
    return make_service(config=config, library=library, importer=Importer())


@pytest.mark.parametrize("still", [True, False])
def test_an_avatar_is_removed_while_it_speaks(clip_service: Any, still: bool) -> None:
    text = " ".join(["word"] * 20)
    asked = GenerateRequest(text=text, avatar="clip", static_mode=still, size="128x128")
    job = begun(clip_service, asked)
    with clip_service.frames(job.id, lambda frame: frame.index) as frames:
        seen = [next(frames)]
        clip_service.avatars.remove("clip")
        with pytest.raises(NotFound):
            clip_service.submit(MjpegRequest(text="one", avatar="clip"))
        seen += list(frames)
    assert seen == list(range(100))
    assert job.status is JobStatus.DONE
    assert until(lambda: children("stream_loop") == [])


def test_several_avatars_at_once(clip_service: Any) -> None:
    jobs = [
        begun(
            clip_service,
            MjpegRequest(text="one two", avatar=name, size="128x128", pace="asap"),
        )
        for name in ("aigul", "clip", "aigul", "clip")
    ]
    for job in jobs:
        with clip_service.frames(job.id, lambda frame: frame.picture) as frames:
            assert len(list(frames)) == 10
        assert job.status is JobStatus.DONE


def test_a_face_that_is_being_opened_holds_up_no_other(make_service: Any) -> None:
    opening, go_on = threading.Event(), threading.Event()
    first, long = GreyPlate(), GreyPlate()

    class Slow(EchoModel):
        def open(self, plate: Any) -> str:
            if plate is long:
                opening.set()
                assert go_on.wait(10)
            return f"face {id(plate)}"

    service = make_service(model=Slow())
    face = service.backend.face(service.backend.model, first)
    held = threading.Thread(target=service.backend.face, args=(service.backend.model, long))
    held.start()
    assert opening.wait(5)
    found: list[Any] = []
    other = threading.Thread(
        target=lambda: found.append(service.backend.face(service.backend.model, first))
    )
    other.start()
    other.join(2)
    go_on.set()
    waited = other.is_alive()
    held.join()
    other.join()
    assert not waited and found == [face]


def library_of(folder: Path, room_mb: float) -> AvatarLibrary:
    return AvatarLibrary(folder, room_mb, ClipFootage(find_ffmpeg))


def touch(path: Path) -> None:
    facts = path.stat()
    os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns + 10**9))


class Held:
    """Clips whose decoding stands still, so that it can be seen to end."""

    def __init__(self) -> None:
        self.real = ClipFootage(find_ffmpeg)
        self.measure = self.real.measure
        self.open_streams = 0

    def open(self, *args: Any, **more: Any) -> Any:
        held, closed = self, threading.Event()
        stream = self.real.open(*args, **more)
        self.open_streams += 1

        class Stream:
            def __init__(self) -> None:
                self.reads = 0

            def read(self) -> Any:
                self.reads += 1
                if self.reads > 3:
                    closed.wait(20)
                return stream.read()

            def close(self) -> None:
                if not closed.is_set():
                    closed.set()
                    held.open_streams -= 1
                stream.close()

        return Stream()


def clips(folder: Path, names: tuple[str, ...]) -> Path:
    make_avatar(folder)
    for name in names:
        shutil.copytree(folder / "clip", folder / name)
    return folder


def test_an_evicted_clip_that_nobody_reads_ends_its_decoder(tmp_path: Path) -> None:
    footage = Held()
    folder = clips(tmp_path, ("other",))
    one_mb = PICTURES * 128 * 96 * 1.5 / 2**20
    library = AvatarLibrary(folder, 1.5 * one_mb, footage)
    first = library.plate(library.get("clip"), static=False)
    first.picture(0)
    assert footage.open_streams == 1
    second = library.plate(library.get("other"), static=False)
    assert isinstance(first, ClipPlate) and not first.keep and second.keep
    assert footage.open_streams == 0
    library.close()


def test_many_clips_at_many_sizes_take_what_one_budget_allows(tmp_path: Path) -> None:
    """And nothing of them is left when their avatars go, also of those that a job still reads."""
    names = ("clip", "one", "two", "three")
    folder = clips(tmp_path, names[1:])
    room = 4 * PICTURES * 128 * 96 * 3 // 2
    library = AvatarLibrary(folder, room / 2**20, ClipFootage(find_ffmpeg))
    slabs, frame_sources = [], []
    for name in names:
        for size in ((128, 96), (96, 96), (64, 64), (256, 192)):
            plate = library.plate(library.get(name), size, static=False)
            assert isinstance(plate, ClipPlate)
            frame_source = plate.frame_source()
            if plate.keep:
                slabs.append(weakref.ref(frame_source.picture(3).y.base))
            if len(frame_sources) < 2:
                frame_sources.append((plate, frame_source))  # as a job has both
            else:
                frame_source.close()
            assert library._plates_cache.nbytes <= room
    assert len(slabs) >= 5
    del plate, frame_source
    for name in names:
        library.forget(folder / name)
    assert 0 < library._plates_cache.nbytes <= room
    while frame_sources:
        frame_sources.pop()[1].close()

    def gone() -> bool:
        return library._plates_cache.nbytes == 0 and not any(slab() is not None for slab in slabs)

    assert until(gone)
    assert until(lambda: children("stream_loop") == [])
    library.close()


def test_an_evicted_clip_that_is_read_ends_its_decoder_after_the_last(tmp_path: Path) -> None:
    footage = Held()
    library = AvatarLibrary(clips(tmp_path, ()), 200, footage)
    plate = library.plate(library.get("clip"), static=False)
    one, two = plate.frame_source(), plate.frame_source()
    one.picture(0)
    library.forget(tmp_path / "clip")
    assert footage.open_streams == 1
    one.close()
    assert two.picture(2).width == 128 and footage.open_streams == 1
    two.close()
    assert footage.open_streams == 0
    assert until(lambda: children("stream_loop") == [])


def test_replaced_files_end_the_decoder_of_what_was_there(tmp_path: Path) -> None:
    footage = Held()
    library = AvatarLibrary(clips(tmp_path, ()), 200, footage)
    old = library.plate(library.get("clip"), static=False)
    old.picture(0)
    touch(tmp_path / "clip" / "loop.npz")
    new = library.plate(library.get("clip"), static=False)
    assert new is not old and not old.keep
    assert footage.open_streams == 0
    new.picture(0)
    assert footage.open_streams == 1
    library.close()
    assert footage.open_streams == 0


def test_a_new_avatar_is_there_at_once(folder: Path) -> None:
    library = AvatarLibrary(folder)
    with pytest.raises(NotFound):
        library.get("new")
    home = make_still_avatar(folder / "new")
    before = library.plate(library.get("new"), (128, 128), sway=False)
    still = cv2.imread(str(home / "still.png"))
    cv2.imwrite(str(home / "still.png"), 255 - still)
    touch(home / "still.png")
    after = library.plate(library.get("new"), (128, 128), sway=False)
    assert after is not before
    assert not np.array_equal(after.picture(0).y, before.picture(0).y)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Айгүл Қасымова", "aigul-qasymova"),
        ("Щукин Ёж", "shchukin-yozh"),
        ("Élodie & Ко", "elodie-ko"),
        ("李", "avatar"),
        ("../../etc/passwd", "etc-passwd"),
        ("-_-", "avatar"),
        ("a" * 200, "a" * 48),
    ],
)
def test_a_name_makes_an_id(name: str, expected: str) -> None:
    assert slug(name) == expected


def test_an_id_that_is_taken_gets_a_number() -> None:
    there = {"me", "me-2", "a" * 64}
    assert free_id("me", there.__contains__) == "me-3"
    assert len(free_id("a" * 64, there.__contains__)) <= LONGEST
