from __future__ import annotations

import re
import resource
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from app_core.errors import BadInput, Cancelled, FfmpegFailed, TooLarge
from app_core.media.decoder import ClipDecoder, measure_clip
from app_core.media.ffmpeg import Ffmpeg, find_ffmpeg
from app_core.media.ingest.limits import IngestLimits
from app_core.media.ingest.loop import Forward, make_cycle, one_picture
from app_core.media.ingest.mezzanine import encode_forward
from app_core.media.ingest.photo import BACKDROP
from app_core.media.ingest.probe import ClipFacts, probe_clip, sniff
from app_core.picture import to_bgr
from app_core.types import ClipShape, Picture
from tests.clips import children
from tests.faces import FOLDER
from tests.uploads import (
    FINE,
    HEIGHT,
    LOSSLESS,
    TAGS,
    WIDTH,
    clip,
    decoded,
    mark,
    marked,
    number,
    turned,
)

SIZE = (WIDTH, HEIGHT)


@pytest.fixture(scope="module")
def ffmpeg() -> Ffmpeg:
    return find_ffmpeg()


class Import:
    """What became of an upload."""

    def __init__(self, path: Path, folder: Path, limits: IngestLimits | None = None) -> None:
        self.ffmpeg, self.folder = find_ffmpeg(), folder
        self.limits = limits or IngestLimits()
        self.progress: list[float] = []
        self.stop: Callable[[], bool] = bool
        folder.mkdir(exist_ok=True)
        self.path = path
        self.facts: ClipFacts = probe_clip(self.ffmpeg, path, sniff(path).format, self.limits)

    def run(self, watch: Callable[[Iterator[Picture]], Any] = list) -> tuple[Forward, Any]:
        """By default what was seen is the list of the pictures."""
        return encode_forward(
            self.ffmpeg,
            self.path,
            self.facts,
            self.limits,
            self.folder,
            watch,
            self.progress.append,
            lambda: self.stop(),
        )

    def opened(self) -> Forward:
        """As a clip that does not close by itself, whatever its numbers look like."""
        return replace(self.run()[0], closes=False)

    def cycle(self, forward: Forward, target: Path) -> list[int]:
        return make_cycle(
            self.ffmpeg, forward, self.facts, target, self.progress.append, lambda: self.stop()
        )


def numbers(pictures: list[Picture]) -> list[int]:
    return [number(picture.y) for picture in pictures]


def colour(picture: Picture, x: float = 0.5, y: float = 0.7) -> tuple[int, int, int]:
    row, column = int(picture.height * y), int(picture.width * x)
    planes = (picture.u, picture.v)
    half = [int(plane[row // 2, column // 2]) for plane in planes]
    return (int(picture.y[row, column]), half[0], half[1])


def test_the_pictures_that_are_seen_are_those_of_the_file(tmp_path: Path) -> None:
    done = Import(marked(tmp_path / "a.mov", 40), tmp_path / "b")
    forward, pictures = done.run()
    assert (forward.pictures, forward.cut_off) == (40, False)
    assert numbers(pictures) == list(range(40))
    assert np.array_equal(pictures[3].y, mark(3)[:HEIGHT]), "BT.601 in tv range passes unchanged"
    written = decoded(forward.path)
    assert [number(luma) for luma in written] == list(range(40))
    assert np.abs(written[20].astype(int) - pictures[20].y).mean() < 2
    assert done.progress == sorted(done.progress) and done.progress[-1] == 1
    assert children("ffmpeg") == []


def test_the_file_is_what_the_decoder_of_films_wants(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    done = Import(marked(tmp_path / "a.mov", 40, fps=24), tmp_path / "b")
    forward, _ = done.run()
    assert measure_clip(ffmpeg, forward.path) == ClipShape(WIDTH, HEIGHT, 24.0, 40)
    said = ffmpeg.describe(["-i", f"file:{forward.path}", "-vf", "showinfo", "-f", "null", "-"])
    assert "yuv420p(tv, smpte170m" in said and "h264" in said and "Audio" not in said
    keys = [int(n) for n in re.findall(r"n: *(\d+) .* iskey:1", said)]
    assert keys == [0, 24]


def test_no_picture_is_shown_twice_at_the_turns(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    done = Import(marked(tmp_path / "a.mov", 60), tmp_path / "b")
    rows = done.cycle(done.opened(), tmp_path / "loop.mp4")
    assert rows == [*range(60), *range(58, 0, -1)]
    assert [number(luma) for luma in decoded(tmp_path / "loop.mp4")] == rows
    assert done.progress[-1] == 1
    assert list((tmp_path / "b").iterdir()) == [], "nothing is left beside it"
    shape = measure_clip(ffmpeg, tmp_path / "loop.mp4")
    assert (shape.pictures, shape.fps) == (118, 25.0)
    with ClipDecoder(ffmpeg, tmp_path / "loop.mp4", shape.whole, SIZE) as decoder:
        around = [number(decoder.read().y) for _ in range(130)]
    assert around == rows + rows[:12], "the decoder of films goes round without a seam"


@pytest.mark.parametrize("pictures", [25, 26, 27, 51])
def test_a_last_second_of_any_length(pictures: int, tmp_path: Path) -> None:
    done = Import(marked(tmp_path / "a.mov", pictures), tmp_path / "b")
    rows = done.cycle(done.opened(), tmp_path / "loop.mp4")
    assert [number(luma) for luma in decoded(tmp_path / "loop.mp4")] == rows
    assert rows == [*range(pictures), *range(pictures - 2, 0, -1)]


def swinging(count: int, turns: float) -> Iterator[np.ndarray]:
    """A light that goes round; after whole turns it is where it began."""
    for index in range(count):
        angle = 2 * np.pi * turns * index / count
        data = np.full((HEIGHT * 3 // 2, WIDTH), 128, np.uint8)
        middle = (int(80 + 40 * np.cos(angle)), int(48 + 30 * np.sin(angle)))
        cv2.circle(data[:HEIGHT], middle, 12, 230, -1, cv2.LINE_AA)
        yield data


@pytest.mark.parametrize(("turns", "closes"), [(1.0, True), (0.5, False), (1.2, False)])
def test_a_clip_that_closes_by_itself_stays(turns: float, closes: bool, tmp_path: Path) -> None:
    done = Import(clip(tmp_path / "a.mp4", swinging(50, turns)), tmp_path / "b")
    forward, _ = done.run()
    assert forward.closes is closes
    rows = done.cycle(forward, tmp_path / "loop.mp4")
    assert len(rows) == (50 if closes else 98)
    assert len(decoded(tmp_path / "loop.mp4")) == len(rows)


def test_one_cut_inside_excuses_no_jump_at_the_end(tmp_path: Path) -> None:
    pictures = [*swinging(50, 0.1), *(255 - data for data in swinging(10, 0.05))]
    forward, _ = Import(clip(tmp_path / "a.mp4", pictures), tmp_path / "b").run()
    assert not forward.closes


def test_one_picture_again(tmp_path: Path) -> None:
    done = Import(marked(tmp_path / "a.mov", 40), tmp_path / "b")
    forward, _ = done.run()
    for index in (0, 24, 25, 39):
        found = one_picture(done.ffmpeg, forward, done.facts, index)
        assert number(found.y) == index


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_a_turned_clip_comes_out_upright(degrees: int, tmp_path: Path) -> None:
    """Stored as phones do: on its side, with the angle beside it."""
    quarters = degrees // 90

    def stored(index: int) -> np.ndarray:
        planes = mark(index)
        luma = np.rot90(planes[:HEIGHT], -quarters)
        grey = np.full(luma.size // 2, 128, np.uint8)
        return np.concatenate([luma.ravel(), grey])

    size = SIZE if degrees == 180 else (HEIGHT, WIDTH)
    lying = clip(tmp_path / "a.mov", (stored(i) for i in range(30)), size=size)
    forward, pictures = Import(turned(tmp_path / "b.mov", lying, degrees), tmp_path / "c").run()
    assert {(picture.width, picture.height) for picture in pictures} == {SIZE}
    assert numbers(pictures) == list(range(30))
    assert forward.pictures == 30


@pytest.mark.parametrize(
    ("own", "rate", "every"), [(60, 30, 2), (50, 25, 2), (15, 30, 0.5), (30, 30, 1), (24, 24, 1)]
)
def test_rates_become_even(own: int, rate: int, every: float, tmp_path: Path) -> None:
    done = Import(marked(tmp_path / "a.mp4", own * 2, fps=own), tmp_path / "b")
    _, pictures = done.run()
    assert done.facts.fps == rate
    assert len(pictures) == pytest.approx(2 * rate, abs=1)
    expected = [min(int(index * every), own * 2 - 1) for index in range(len(pictures))]
    assert np.abs(np.subtract(numbers(pictures), expected)).max() <= 1
    steps = np.diff(numbers(pictures))[:-1]
    assert set(steps) <= ({0, 1} if every < 1 else {int(every)})


def test_a_rate_that_varies_stays_on_the_clock(tmp_path: Path) -> None:
    """Two of five pictures are missing for a while, then none, then three of four."""
    kept = "not(lt(t,1)*gt(mod(n,5),2))*not(gt(t,2)*mod(n,4))"
    varied = ["-vf", f"select='{kept}'", "-fps_mode", "vfr", *LOSSLESS, *TAGS]
    done = Import(marked(tmp_path / "a.mov", 90, fps=30, coded=varied), tmp_path / "b")
    _, pictures = done.run()
    seconds = np.arange(len(pictures)) / done.facts.fps
    shown = np.array(numbers(pictures)) / 30
    assert len(pictures) / done.facts.fps == pytest.approx(3.0, abs=0.15)
    held = np.where(seconds > 2, 3 / 30, np.where(seconds < 1, 2 / 30, 0))
    late = seconds - shown
    assert (late > -1 / 30 - 1e-6).all() and (late < held + 1 / 30 + 1e-6).all()


def test_odd_sides_lose_a_pixel_and_nothing_is_blurred(tmp_path: Path) -> None:
    rgb = np.zeros((97, 161, 3), np.uint8)
    rgb[:, ::2] = 255
    form = {"form": "rgb24", "size": (161, 97), "given": []}
    path = clip(tmp_path / "a.mkv", [rgb] * 25, coded=["-c:v", "ffv1"], **form)  # type: ignore[arg-type]
    _, pictures = Import(path, tmp_path / "b").run()
    assert (pictures[0].width, pictures[0].height) == SIZE
    assert set(pictures[0].y[40, 10:30].tolist()) == {16, 235}


def test_pixels_become_square_and_a_large_clip_smaller(tmp_path: Path) -> None:
    wide = ["-vf", "setsar=2/1", *FINE, *TAGS]
    done = Import(marked(tmp_path / "a.mp4", 25, coded=wide), tmp_path / "b")
    assert done.facts.size == (2 * WIDTH, HEIGHT)
    assert numbers(done.run()[1]) == list(range(25))
    grown = ["-vf", "scale=2560:1536:flags=neighbor", *FINE, *TAGS]
    done = Import(marked(tmp_path / "c.mp4", 25, coded=grown), tmp_path / "d")
    assert done.facts.size == (1920, 1152)
    assert numbers(done.run()[1]) == list(range(25))


def test_a_size_that_changes_on_the_way(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    """As browsers record a call."""
    coded = ["-c:v", "libvpx", "-cpu-used", "8", "-b:v", "2M"]
    marked(tmp_path / "a.webm", 30, coded=coded)
    marked(tmp_path / "b.webm", 30, coded=["-vf", "scale=320:192:flags=neighbor", *coded])
    (tmp_path / "list").write_text("file 'a.webm'\nfile 'b.webm'\n")
    both = tmp_path / "c.webm"
    ffmpeg.run(["-f", "concat", "-i", f"{tmp_path}/list", "-c", "copy", f"{both}"])
    _, pictures = Import(both, tmp_path / "d").run()
    found = numbers(pictures)
    assert set(found) == set(range(30)) and found[-1] == 29
    assert {(picture.width, picture.height) for picture in pictures} == {SIZE}


def test_ten_bits_are_dithered_to_eight(tmp_path: Path) -> None:
    """A step of ten bits that lies between two of eight comes out as a mixture of both."""
    deep = np.full((HEIGHT * 3 // 2, WIDTH), 512, np.uint16)
    deep[:HEIGHT] = 4 * 100 + 1
    coded = ["-c:v", "ffv1", *TAGS]
    path = clip(tmp_path / "a.mkv", [deep] * 25, form="yuv420p10le", coded=coded)
    _, pictures = Import(path, tmp_path / "b").run()
    assert set(np.unique(pictures[0].y)) <= {100, 101}
    assert pictures[0].y.mean() == pytest.approx(100.25, abs=0.13)


@pytest.mark.parametrize(
    ("tags", "given", "expected"),
    [
        ("bt709", (63, 102, 240), (81, 90, 240)),  # red
        ("smpte170m", (81, 90, 240), (81, 90, 240)),
        ("bt2020nc", (74, 97, 240), (81, 90, 240)),
    ],
)
def test_colours_become_bt601(
    tags: str, given: tuple[int, ...], expected: tuple[int, ...], tmp_path: Path
) -> None:
    data = np.empty((HEIGHT * 3 // 2, WIDTH), np.uint8)
    data[:HEIGHT], data[HEIGHT : HEIGHT * 5 // 4], data[HEIGHT * 5 // 4 :] = given
    named = ["-color_range", "tv", "-colorspace", tags]
    path = clip(tmp_path / "a.mp4", [data] * 25, given=named, coded=[*LOSSLESS, *named])
    _, pictures = Import(path, tmp_path / "b").run()
    assert colour(pictures[0]) == pytest.approx(expected, abs=3)


def test_full_range_becomes_that_of_television(tmp_path: Path) -> None:
    data = np.full((HEIGHT * 3 // 2, WIDTH), 128, np.uint8)
    data[: HEIGHT // 2], data[HEIGHT // 2 : HEIGHT] = 255, 0
    named = ["-color_range", "pc", "-colorspace", "smpte170m"]
    path = clip(tmp_path / "a.mp4", [data] * 25, given=named, coded=[*LOSSLESS, *named])
    _, pictures = Import(path, tmp_path / "b").run()
    assert colour(pictures[0], y=0.2)[0] == pytest.approx(235, abs=1)
    assert colour(pictures[0], y=0.8)[0] == pytest.approx(16, abs=1)


@pytest.mark.parametrize(
    ("transfer", "code", "grey"),
    [
        ("arib-std-b67", 0.25, 72),
        ("arib-std-b67", 0.5, 143),
        ("arib-std-b67", 0.75, 227),  # reference white keeps room above it
        ("arib-std-b67", 1.0, 255),
        ("smpte2084", 0.38, 108),
        ("smpte2084", 0.58, 226),
        ("smpte2084", 0.75, 255),
    ],
)
def test_hdr_becomes_sdr(transfer: str, code: float, grey: int, tmp_path: Path) -> None:
    """Greys of BT.2100 in ten bits, and what a display of BT.1886 is sent for the same light."""
    deep = np.full((HEIGHT * 3 // 2, WIDTH), 512, np.uint16)
    deep[:HEIGHT] = round(64 + 876 * code)
    named = ["-color_range", "tv", "-colorspace", "bt2020nc"]
    named += ["-color_primaries", "bt2020", "-color_trc", transfer]
    how = {"form": "yuv420p10le", "given": named, "coded": ["-c:v", "ffv1", *named]}
    path = clip(tmp_path / "a.mkv", [deep] * 25, **how)  # type: ignore[arg-type]
    done = Import(path, tmp_path / "it's: [b], c;")
    assert done.facts.hdr
    forward, pictures = done.run()
    assert list(done.folder.iterdir()) == [forward.path]
    luma, u, v = colour(pictures[0])
    assert (luma - 16) * 255 / 219 == pytest.approx(grey, abs=3)
    assert (u, v) == pytest.approx((128, 128), abs=1)


def test_what_is_clear_becomes_grey(tmp_path: Path) -> None:
    red = np.zeros((HEIGHT, WIDTH, 4), np.uint8)
    red[:, :, 0] = red[:, : WIDTH // 2, 3] = 255
    how = {"form": "rgba", "given": [], "coded": ["-c:v", "png"]}
    path = clip(tmp_path / "a.mov", [red] * 25, **how)  # type: ignore[arg-type]
    _, pictures = Import(path, tmp_path / "b").run()
    assert len(pictures) == 25
    assert colour(pictures[9], x=0.2) == pytest.approx((81, 90, 240), abs=3)
    grey = 16 + BACKDROP * 219 / 255
    assert colour(pictures[9], x=0.8) == pytest.approx((grey, 128, 128), abs=2)


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="this system limits no child")
def test_a_clip_that_takes_too_much_memory_is_refused(tmp_path: Path) -> None:
    """It is not taken for one that is damaged or cut off, of which the beginning is kept."""
    heavy = ["-vf", "scale=1920:1080,format=yuv444p10le", "-x264-params", "ref=16:bframes=0"]
    coded = ["-c:v", "libx264", "-preset", "ultrafast", *heavy, *TAGS]
    source = marked(tmp_path / "a.mp4", 40, coded=coded)
    made = Import(source, tmp_path / "made")
    assert made.run(lambda pictures: sum(1 for _ in pictures))[1] == 40
    again = Import(source, tmp_path / "again")
    again.ffmpeg = replace(again.ffmpeg, memory=100 << 20)
    with pytest.raises(TooLarge, match="over 100 MiB of memory") as raised:
        again.run()
    assert (raised.value.status, raised.value.field) == (413, "file")


def test_a_half_clear_clip_is_half_of_the_grey_behind_it(tmp_path: Path) -> None:
    """Black at half its alpha: 88 of 255."""
    half = np.full((HEIGHT * 5 // 2, WIDTH), 128, np.uint8)
    half[:HEIGHT] = 16
    half[HEIGHT * 3 // 2 :] = 128
    coded = ["-c:v", "qtrle"]
    source = clip(tmp_path / "a.mov", [half] * 30, form="yuva420p", coded=coded)
    made = Import(source, tmp_path / "made")
    assert made.facts.alpha
    _, pictures = made.run()
    assert colour(pictures[9], x=0.5) == pytest.approx((16 + 88 * 219 / 255, 128, 128), abs=2)


def test_the_alpha_of_webm_is_seen(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    if "libvpx-vp9" not in ffmpeg.decoders:
        pytest.skip("this ffmpeg has no libvpx-vp9")
    data = np.full((HEIGHT * 5 // 2, WIDTH), 128, np.uint8)
    data[:HEIGHT] = 60
    data[HEIGHT * 3 // 2 :, : WIDTH // 2], data[HEIGHT * 3 // 2 :, WIDTH // 2 :] = 255, 0
    coded = ["-c:v", "libvpx-vp9", "-cpu-used", "8", "-crf", "10", "-b:v", "0"]
    path = clip(tmp_path / "a.webm", [data] * 25, form="yuva420p", coded=coded)
    _, pictures = Import(path, tmp_path / "b").run()
    assert colour(pictures[9], x=0.2)[0] == pytest.approx(60, abs=3)
    assert colour(pictures[9], x=0.8)[0] == pytest.approx(16 + BACKDROP * 219 / 255, abs=3)


def test_fields_are_woven_without_combs(tmp_path: Path) -> None:
    """A bar that has moved between the two fields of a picture."""

    def woven(index: int) -> np.ndarray:
        data = np.full((HEIGHT * 3 // 2, WIDTH), 128, np.uint8)
        data[:HEIGHT] = 40
        for field in (0, 1):
            left = 8 + 4 * index + 10 * field
            data[field:HEIGHT:2, left : left + 20] = 220
        return data

    fields = [*LOSSLESS, "-flags", "+ildct+ilme", "-x264-params", "tff=1", "-vf", "setfield=tff"]
    path = clip(tmp_path / "a.mp4", map(woven, range(26)), coded=[*fields, *TAGS])
    _, pictures = Import(path, tmp_path / "b").run()
    inner = pictures[10].y[20:60].astype(int)
    combs = np.abs(2 * inner[1:-1] - inner[:-2] - inner[2:]).max(1)
    assert np.median(combs) < 100, "lines alternate by 360 where fields are woven as they are"


def test_the_good_part_of_a_clip_cut_off_is_kept(tmp_path: Path) -> None:
    indexed = [*LOSSLESS, *TAGS, "-movflags", "+faststart"]
    path = marked(tmp_path / "a.mp4", 100, coded=indexed)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * 0.6)])
    forward, pictures = Import(path, tmp_path / "b").run()
    assert forward.cut_off and 25 <= forward.pictures < 90
    good = numbers(pictures[:-2])
    assert good == list(range(len(good)))
    path.write_bytes(whole[: int(len(whole) * 0.15)])
    with pytest.raises(BadInput, match="at least 1 s") as raised:
        Import(path, tmp_path / "c").run()
    assert raised.value.field == "file"
    assert children("ffmpeg") == []


def test_a_clip_of_half_a_second_is_too_short(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="too short"):
        Import(marked(tmp_path / "a.mp4", 12), tmp_path / "b").run()


def test_a_length_that_is_not_told_is_bounded_all_the_same(tmp_path: Path) -> None:
    """As browsers record: no duration in the file."""
    live = ["-c:v", "libvpx", "-cpu-used", "8", "-deadline", "realtime", "-b:v", "1M"]
    path = marked(tmp_path / "a.webm", 100, coded=[*live, "-live", "1", "-f", "webm"])
    done = Import(path, tmp_path / "b", IngestLimits(max_clip_s=2))
    assert done.facts.seconds == 0
    with pytest.raises(TooLarge, match="too long; the limit is 2 s"):
        done.run()
    done = Import(path, tmp_path / "b", IngestLimits(max_clip_s=4))
    forward, _ = done.run()
    assert forward.pictures == 100 and not forward.cut_off
    assert done.progress == sorted(done.progress) and done.progress[-1] < 1


def test_cancel_ends_both_processes(tmp_path: Path) -> None:
    done = Import(marked(tmp_path / "a.mp4", 100), tmp_path / "b")
    done.stop = lambda: len(done.progress) >= 5
    running: list[int] = []

    def watch(pictures: Iterator[Picture]) -> None:
        for _ in pictures:
            running[:] = children("ffmpeg")

    with pytest.raises(Cancelled):
        done.run(watch)
    assert len(running) == 2 and children("ffmpeg") == []
    assert len(done.progress) == 5
    done.stop = bool
    forward = done.opened()
    before = len(done.progress)
    done.stop = lambda: len(done.progress) >= before + 5
    with pytest.raises(Cancelled):
        done.cycle(forward, tmp_path / "loop.mp4")
    assert children("ffmpeg") == []
    assert not (tmp_path / "loop.mp4").exists()


def test_an_encoder_that_cannot_write_says_so(tmp_path: Path) -> None:
    done = Import(marked(tmp_path / "a.mp4", 40), tmp_path / "b")
    (tmp_path / "b").rmdir()
    with pytest.raises(FfmpegFailed):
        done.run()
    assert children("ffmpeg") == []


def test_a_watcher_that_fails_leaves_no_process(tmp_path: Path) -> None:
    def watch(pictures: Iterator[Picture]) -> None:
        next(pictures)
        raise RuntimeError("no more")

    with pytest.raises(RuntimeError, match="no more"):
        Import(marked(tmp_path / "a.mp4", 40), tmp_path / "b").run(watch)
    assert children("ffmpeg") == []


def test_a_clip_from_a_phone(ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    """MOV, HEVC of ten bits, lying on its side, at a rate that varies: upright and in sync."""
    known = subprocess.run([ffmpeg.path, "-encoders"], capture_output=True, text=True).stdout
    if "libx265" not in known:
        pytest.skip("this ffmpeg has no libx265")
    size, seconds, fps = (180, 320), 20, 30
    drawn = FOLDER / "aigul" / "loop.mp4"
    shape = measure_clip(ffmpeg, drawn)
    source: list[Picture] = []
    with ClipDecoder(ffmpeg, drawn, shape.whole, size) as decoder:
        for _ in range(shape.pictures):
            source.append(decoder.read())

    def shown(index: int) -> np.ndarray:
        luma = source[index * shape.pictures // (seconds * fps)].y.copy()
        luma[: size[1] // 4] = mark(index, *size)[: size[1] // 4]
        return luma

    def stored(index: int) -> np.ndarray:
        luma = np.rot90(shown(index), -1)
        return np.concatenate([luma.ravel(), np.full(luma.size // 2, 128, np.uint8)])

    jitter = "settb=1/600,setpts='N*20+round(6*sin(N/3))'"  # +-10 ms around 30 a second
    drops = "select='not(eq(mod(n,11),7))'"
    coded = ["-vf", f"{drops},{jitter.replace('N*20', '(N+floor((N+2)/10))*20')}"]
    coded += ["-fps_mode", "passthrough", "-enc_time_base", "1/600", "-pix_fmt", "yuv420p10le"]
    coded += ["-c:v", "libx265", "-preset", "ultrafast", "-crf", "12", "-tag:v", "hvc1"]
    coded += ["-x265-params", "log-level=error", *TAGS]
    pictures = (stored(index) for index in range(seconds * fps))
    lying = clip(tmp_path / "a.mov", pictures, size=(320, 180), fps=fps, coded=coded)
    phone = turned(tmp_path / "IMG_3899.MOV", lying, 90)

    done = Import(phone, tmp_path / "b")
    forward, seen = done.run()
    assert done.facts.size == size and done.facts.fps == 30 and not forward.cut_off
    assert forward.pictures == pytest.approx(seconds * fps, abs=2)
    found = np.array([number(luma) for luma in decoded(forward.path, size)])
    late = np.arange(len(found)) - found
    assert np.abs(late).max() <= 1, "a mark is seen within a picture of its time, also at the end"
    for index in (0, 200, 599):
        upright = shown(int(found[index])).astype(int)
        assert np.abs(upright - seen[index].y).mean() < 4


def test_colours_of_hdr_are_those_of_its_light(tmp_path: Path) -> None:
    """Skin, (160, 120, 100) on an SDR display: what HLG codes for the same light."""
    red, green, blue = 0.52346, 0.42668, 0.34570
    y = 0.2627 * red + 0.678 * green + 0.0593 * blue
    deep = np.empty((HEIGHT * 3 // 2, WIDTH), np.uint16)
    deep[:HEIGHT] = round(64 + 876 * y)
    deep[HEIGHT : HEIGHT * 5 // 4] = round(512 + 896 * (blue - y) / 1.8814)
    deep[HEIGHT * 5 // 4 :] = round(512 + 896 * (red - y) / 1.4746)
    named = ["-color_range", "tv", "-colorspace", "bt2020nc"]
    named += ["-color_primaries", "bt2020", "-color_trc", "arib-std-b67"]
    how = {"form": "yuv420p10le", "given": named, "coded": ["-c:v", "ffv1", *named]}
    _, pictures = Import(clip(tmp_path / "a.mkv", [deep] * 25, **how), tmp_path / "b").run()  # type: ignore[arg-type]
    bgr = to_bgr(pictures[5])[40, 40].tolist()
    assert bgr == pytest.approx([100, 120, 160], abs=4)
