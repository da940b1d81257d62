from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from app_core.errors import BadInput, TooLarge, UnsupportedMedia
from app_core.media.ffmpeg import find_ffmpeg
from app_core.media.ingest.limits import IngestLimits
from app_core.media.ingest.probe import ClipFacts, mezzanine_rate, mezzanine_size, probe_clip, sniff
from tests.uploads import HEIGHT, LOSSLESS, TAGS, WIDTH, clip, marked, turned

SECRET = "file:///etc/passwd"
HOSTILE = {
    "hls": f"#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:0\n#EXTINF:10.0,\n{SECRET}\n#EXT-X-ENDLIST\n",
    "concat": f"ffconcat version 1.0\nfile '{SECRET}'\n",
    "svg": f'<svg xmlns="http://www.w3.org/2000/svg"><image href="{SECRET}"/></svg>',
    "xml": f'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b SYSTEM "{SECRET}">]><svg>&b;</svg>',
    "dash": f'\ufeff<?xml version="1.0"?><MPD><BaseURL>{SECRET}</BaseURL></MPD>',
    "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\n",
    "srt": "1\n00:00:00,000 --> 00:00:02,000\nHello\n",
    "script": "#!/bin/sh\necho hello\n",
}


def probe(path: Path, limits: IngestLimits | None = None) -> ClipFacts:
    kind = sniff(path)
    assert kind.kind == "clip"
    return probe_clip(find_ffmpeg(), path, kind.format, limits or IngestLimits())


@pytest.mark.parametrize("name", sorted(HOSTILE))
@pytest.mark.parametrize("ending", ["mp4", "jpg"])
def test_what_names_other_files_is_no_media(name: str, ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"upload.{ending}"
    path.write_text(HOSTILE[name], "utf-8")
    with pytest.raises(UnsupportedMedia, match="Photos may be JPEG") as raised:
        sniff(path)
    assert (raised.value.status, raised.value.field) == (415, "file")


@pytest.mark.parametrize("name", ["hls", "concat"])
@pytest.mark.parametrize("head", [b"\0\0\0\x18ftypisom\0\0\0\0isommp42", b"\x1a\x45\xdf\xa3"])
def test_a_playlist_under_another_head_is_damaged(name: str, head: bytes, tmp_path: Path) -> None:
    path = tmp_path / "upload.mp4"
    path.write_bytes(head + HOSTILE[name].encode())
    with pytest.raises(BadInput, match="cut off|damaged"):
        probe(path)


@pytest.mark.parametrize("head", [b"GIF89a", b"RIFF\0\0\0\0AVI ", b"OggS", b"PK\3\4", b"%PDF-1.7"])
def test_other_media_are_refused(head: bytes, tmp_path: Path) -> None:
    path = tmp_path / "upload.mp4"
    path.write_bytes(head + bytes(100))
    with pytest.raises(UnsupportedMedia):
        sniff(path)


def test_an_empty_file(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").touch()
    with pytest.raises(BadInput, match="empty") as raised:
        sniff(tmp_path / "a.mp4")
    assert raised.value.status == 400


@pytest.mark.parametrize(
    ("name", "coded", "kind", "suffix"),
    [
        ("a.mp4", LOSSLESS, "mov", ".mp4"),
        ("a.mov", LOSSLESS, "mov", ".mov"),
        ("a.mkv", LOSSLESS, "matroska", ".mkv"),
        ("a.webm", ["-c:v", "libvpx-vp9", "-cpu-used", "8"], "matroska", ".webm"),
    ],
)
def test_a_clip_is_known_by_its_content(
    name: str, coded: list[str], kind: str, suffix: str, tmp_path: Path
) -> None:
    path = marked(tmp_path / name, 26, coded=coded).rename(tmp_path / "photo.jpg")
    assert sniff(path) == ("clip", kind, suffix)
    facts = probe(path)
    assert (facts.size, facts.fps, facts.hdr, facts.alpha) == ((WIDTH, HEIGHT), 25, False, False)
    assert facts.seconds == pytest.approx(1.04, abs=0.05)


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_the_size_of_a_turned_clip_is_the_upright_one(degrees: int, tmp_path: Path) -> None:
    facts = probe(turned(tmp_path / "b.mov", marked(tmp_path / "a.mov", 5), degrees))
    assert facts.shown == ((WIDTH, HEIGHT) if degrees == 180 else (HEIGHT, WIDTH))


def test_colours_are_read_from_the_pictures(tmp_path: Path) -> None:
    hlg = ["-color_range", "tv", "-colorspace", "bt2020nc"]
    hlg += ["-color_primaries", "bt2020", "-color_trc", "arib-std-b67"]
    facts = probe(marked(tmp_path / "a.mp4", 2, coded=[*LOSSLESS, *hlg], given=hlg))
    assert (facts.hdr, facts.transfer, facts.matrix) == (True, "arib-std-b67", "bt2020nc")
    assert not facts.full_range
    full = ["-color_range", "pc", "-colorspace", "bt709"]
    facts = probe(marked(tmp_path / "b.mp4", 2, coded=[*LOSSLESS, *full], given=full))
    assert (facts.hdr, facts.matrix, facts.full_range) == (False, "bt709", True)
    facts = probe(marked(tmp_path / "c.mp4", 2, coded=LOSSLESS, given=[]))
    assert facts.matrix == "smpte170m", "a small clip that says nothing"


def test_alpha_and_fields_are_seen(tmp_path: Path) -> None:
    alpha = np.full((HEIGHT * 5 // 2, WIDTH), 128, np.uint8)
    webm = ["-c:v", "libvpx-vp9", "-cpu-used", "8"]
    path = clip(tmp_path / "a.webm", [alpha] * 2, form="yuva420p", coded=webm)
    assert probe(path).alpha
    fields = [*LOSSLESS, "-flags", "+ildct+ilme", "-x264-params", "tff=1", "-vf", "setfield=tff"]
    assert probe(marked(tmp_path / "b.mp4", 4, coded=[*fields, *TAGS])).interlaced


def test_sound_only(tmp_path: Path) -> None:
    tone = ["-f", "lavfi", "-i", "sine=d=1"]
    cover = ["-f", "lavfi", "-i", "color=red:s=200x200:d=0.04", "-map", "0", "-map", "1"]
    cover += ["-c:v", "mjpeg", "-disposition:v:0", "attached_pic"]
    for name, more in (("a.mp4", []), ("b.m4a", []), ("c.mp4", cover)):
        path = tmp_path / name
        find_ffmpeg().run([*tone, *more, "-c:a", "aac", f"file:{path}"])
        with pytest.raises(BadInput, match="sound") as raised:
            probe(path)
        assert raised.value.status == 400


def test_a_clip_without_its_index(tmp_path: Path) -> None:
    path = marked(tmp_path / "a.mov")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(BadInput, match="cut off"):
        probe(path)


def test_limits_of_length_and_of_pixels(tmp_path: Path) -> None:
    path = marked(tmp_path / "a.mp4", 50)
    with pytest.raises(TooLarge, match="lasts 2 s; the limit is 1 s") as raised:
        probe(path, IngestLimits(max_clip_s=1))
    assert (raised.value.status, raised.value.field) == (413, "file")
    with pytest.raises(TooLarge, match=f"{WIDTH}x{HEIGHT} pixels"):
        probe(path, IngestLimits(max_clip_pixels=WIDTH * HEIGHT - 1))
    few = IngestLimits(max_pixels=1, max_clip_pixels=10**6, max_clip_s=2)
    assert probe(path, few).size == (WIDTH, HEIGHT)


def test_a_clip_may_have_4k_and_no_more(tmp_path: Path) -> None:
    """A decoder holds 20 of its pictures and more, where a photo is one."""
    coded = ["-c:v", "libx264", "-preset", "ultrafast", "-vf", "scale=4096:2304", *TAGS]
    assert probe(marked(tmp_path / "a.mp4", 2, coded=coded)).size == (1920, 1080)
    coded[-len(TAGS) - 1] = "scale=5000:3000"
    with pytest.raises(TooLarge, match="5000x3000 pixels; the limit is 9.5 million") as raised:
        probe(marked(tmp_path / "b.mp4", 2, coded=coded))
    assert (raised.value.status, raised.value.field) == (413, "file")


def test_a_tiny_clip(tmp_path: Path) -> None:
    pictures = [np.full((3, 2), 128, np.uint8)] * 30
    path = clip(tmp_path / "a.mp4", pictures, size=(2, 2))
    with pytest.raises(BadInput, match="2x2 pixels"):
        probe(path)


@pytest.mark.parametrize(
    ("own", "rate"),
    [
        *((24, 24), (25, 25), (30, 30), (23.976, 24), (29.97, 30), (50, 25), (60, 30), (59.94, 30)),
        *((120, 30), (240, 30), (100, 25), (48, 24), (15, 30), (12.5, 25), (10, 30), (29.3, 30)),
        *((24.6, 25), (27.3, 30), (26, 25), (0, 30), (1000, 25), (90_000, 30)),
    ],
)
def test_rates(own: float, rate: int) -> None:
    assert mezzanine_rate(own) == rate


@pytest.mark.parametrize(
    ("kept", "rate"),
    [
        ("1", 25),
        ("not(eq(mod(n,9),4))", 25),  # an average of 22
        ("not(mod(n,2))", 25),  # each second one, evenly: 12.5 a second
        ("lt(mod(n,10),4)", 30),  # too few of a grid of 25: an average of 10
    ],
)
def test_the_rate_of_a_clip_that_lost_pictures(kept: str, rate: int, tmp_path: Path) -> None:
    coded = ["-vf", f"select='{kept}'", "-fps_mode", "vfr", *LOSSLESS, *TAGS]
    assert probe(marked(tmp_path / "a.mov", 100, coded=coded)).fps == rate


@pytest.mark.parametrize(
    ("own", "shape", "size"),
    [
        ((1920, 1080), (1, 1), (1920, 1080)),
        ((3840, 2160), (1, 1), (1920, 1080)),
        ((2160, 3840), (0, 1), (1080, 1920)),
        ((721, 1281), (1, 1), (720, 1280)),
        ((1440, 1080), (4, 3), (1920, 1080)),
        ((720, 576), (16, 15), (768, 576)),
        ((640, 480), (1, 1000), (640, 480)),
    ],
)
def test_sizes(own: tuple[int, int], shape: tuple[int, int], size: tuple[int, int]) -> None:
    assert mezzanine_size(*own, *shape) == size


@pytest.mark.parametrize("size", [(2, 2), (63, 640), (21_000, 640)])
def test_sizes_that_are_refused(size: tuple[int, int]) -> None:
    with pytest.raises(BadInput, match="64 or more"):
        mezzanine_size(*size)
