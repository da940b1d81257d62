"""An import has as much time as what it is of takes, and no more."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image

from app_core.avatars.importing import import_time
from app_core.avatars.importing.import_time import LEAST_S, MOST_S, ImportTime, clip_s
from app_core.errors import BadInput, Cancelled, TooCostly
from app_core.media.ffmpeg import find_ffmpeg
from app_core.media.ingest.probe import ClipFacts
from tests.avatars.importing.test_avatar_import import Desk, desk, photo, video
from tests.clips import children

__all__ = ["desk"]
HALF_AN_HOUR_S = 1800.0


def facts(seconds: float, width: int = 1920, height: int = 1080) -> ClipFacts:
    size = (width, height)
    return ClipFacts("mov", "", *size, size, 25, seconds, "bt709", "bt709", False, False, False)


def test_time_grows_with_pictures_and_their_size() -> None:
    short = clip_s(facts(10), 5 << 20, HALF_AN_HOUR_S)
    assert LEAST_S + 100 < short < LEAST_S + 400
    assert clip_s(facts(20), 10 << 20, HALF_AN_HOUR_S) - LEAST_S == pytest.approx(
        2 * (short - LEAST_S)
    )
    assert clip_s(facts(10, 3840, 2160), 5 << 20, HALF_AN_HOUR_S) > 2 * short
    assert clip_s(facts(HALF_AN_HOUR_S), 300 << 20, HALF_AN_HOUR_S) == MOST_S


def test_a_small_file_that_says_it_is_long_gets_no_time_for_it() -> None:
    """Half an hour of a picture a second in 45 kB; one that does not say how long it is."""
    for seconds in (HALF_AN_HOUR_S, 0.0):
        assert clip_s(facts(seconds), 45_000, HALF_AN_HOUR_S) < 3 * LEAST_S


def test_an_import_knows_when_its_time_is_over() -> None:
    now = 5.0
    allowed = ImportTime(clock=lambda: now)
    now += LEAST_S - 1
    assert not allowed.over
    allowed.allow(50)
    assert allowed.over
    allowed.allow(LEAST_S)
    assert not allowed.over
    now += 2
    assert allowed.over
    assert (allowed.error().status, allowed.error().field) == (400, "file")


def test_a_large_file_has_time_to_be_read() -> None:
    now = 5.0
    allowed = ImportTime(20 << 30, lambda: now)
    now += 4 * LEAST_S
    assert not allowed.over


def test_a_clip_that_takes_too_long_is_ended_and_leaves_nothing(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = video(tmp_path / "a.mp4")
    monkeypatch.setattr(import_time, "LEAST_S", 0.0)
    monkeypatch.setattr(import_time, "PICTURE_S", 0.0)
    monkeypatch.setattr(import_time, "MEGAPIXEL_S", 0.0)
    with pytest.raises(TooCostly, match="takes longer than 0 s"):
        desk.take(source)
    assert desk.left() == []
    assert not children()
    desk.stop = lambda: True  # its client's own cancel stays one
    with pytest.raises(Cancelled):
        desk.take(source)


def test_two_pictures_half_an_hour_apart_are_no_clip(desk: Desk, tmp_path: Path) -> None:
    photo(tmp_path / "a.png")
    source = tmp_path / "a.mp4"
    twice = ["-loop", "1", "-framerate", "1/800", "-i", f"file:{tmp_path / 'a.png'}"]
    find_ffmpeg().run([*twice, "-frames:v", "2", "-pix_fmt", "yuv420p", "-y", f"file:{source}"])
    with pytest.raises(BadInput, match="less than a picture a second") as refused:
        desk.take(source)
    assert refused.value.field == "file"
    assert desk.left() == []


def test_a_jpeg_of_30_000_scans_is_refused_and_the_next_photo_is_taken(
    desk: Desk, tmp_path: Path
) -> None:
    made = io.BytesIO()
    Image.radial_gradient("L").resize((1000, 1000)).save(made, "JPEG", progressive=True)
    data = made.getvalue()
    scan = data[data.rindex(b"\xff\xda") : -2]
    bomb = data[:-2] + scan[:60] * 30_000 + data[-2:]
    assert 1 << 20 < len(bomb) < 3 << 20
    (tmp_path / "bomb.jpg").write_bytes(bomb)
    with pytest.raises(BadInput, match=r"300\d\d steps"):
        desk.take(tmp_path / "bomb.jpg", "bomb")
    assert desk.take(photo(tmp_path / "good.png"), "good").is_dir()
    assert desk.left() == ["good"]
