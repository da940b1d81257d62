from __future__ import annotations

import struct
import subprocess
import sys
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image, ImageCms

from app_core.config import ROOT
from app_core.errors import BadInput, TooLarge, UnsupportedMedia
from app_core.media.ingest import photo
from app_core.media.ingest.limits import IngestLimits
from app_core.media.ingest.photo import BACKDROP, heic_works, read_photo
from app_core.media.ingest.probe import sniff

WIDTH, HEIGHT = 120, 80
CORNERS = ((255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0))
"""Of the test picture: left top, right top, left bottom, right bottom."""


def scene(width: int = WIDTH, height: int = HEIGHT) -> Image.Image:
    pixels = np.zeros((height, width, 3), np.uint8)
    high, wide = height // 2, width // 2
    pixels[:high, :wide], pixels[:high, wide:] = CORNERS[0], CORNERS[1]
    pixels[high:, :wide], pixels[high:, wide:] = CORNERS[2], CORNERS[3]
    return Image.fromarray(pixels)


def read(path: Path, limits: IngestLimits | None = None) -> np.ndarray:
    """As RGB."""
    kind = sniff(path)
    assert kind.kind == "photo"
    bgr = read_photo(path, kind.format, limits or IngestLimits())
    assert bgr.dtype == np.uint8 and bgr.flags.c_contiguous
    assert bgr.shape[0] % 2 == bgr.shape[1] % 2 == 0
    return bgr[:, :, ::-1]


def corners(rgb: np.ndarray) -> np.ndarray:
    high, wide = rgb.shape[:2]
    rows, columns = (high // 4, high * 3 // 4), (wide // 4, wide * 3 // 4)
    return np.array([rgb[row, column] for row in rows for column in columns], int)


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims a size and holds next to nothing."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = zlib.compress(bytes(10_000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.webp", "a.heic"])
def test_every_kind_of_photo_is_read(name: str, tmp_path: Path) -> None:
    if name == "a.heic" and not heic_works():
        pytest.skip("pillow-heif is not installed")
    path = tmp_path / "named.txt"  # the name says nothing
    kind = {"jpg": "JPEG", "heic": "HEIF"}.get(name[2:], name[2:].upper())
    scene().save(path, kind, quality=95)
    rgb = read(path)
    assert rgb.shape == (HEIGHT, WIDTH, 3)
    assert np.abs(corners(rgb) - CORNERS).max() < 12


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photo_stands_as_its_exif_says(orientation: int, tmp_path: Path) -> None:
    back = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,  # the camera lay on its side: shown turned clockwise
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    image = scene().transpose(back[orientation]) if orientation > 1 else scene()
    exif = Image.Exif()
    exif[0x0112] = orientation
    image.save(tmp_path / "a.jpg", exif=exif, quality=95)
    rgb = read(tmp_path / "a.jpg")
    assert rgb.shape == (HEIGHT, WIDTH, 3)
    assert np.abs(corners(rgb) - CORNERS).max() < 12


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
def test_broken_exif_is_no_broken_photo(tmp_path: Path) -> None:
    scene().save(tmp_path / "a.jpg", exif=b"Exif\0\0MM\0*\0\0\0\x08\xff\xff\0\0", quality=95)
    assert np.abs(corners(read(tmp_path / "a.jpg")) - CORNERS).max() < 12


@pytest.mark.parametrize("mode", ["L", "1", "P", "CMYK", "I;16"])
def test_other_kinds_of_colour(mode: str, tmp_path: Path) -> None:
    grey = mode in ("L", "1", "I;16")
    light = np.full((HEIGHT, WIDTH), 40, np.uint8)
    light[:, WIDTH // 2 :] = 200
    if mode == "I;16":
        image = Image.fromarray(light.astype(np.uint16) * 257)
    elif mode == "1":
        image = Image.fromarray(light > 100)
    else:
        image = (Image.fromarray(light) if grey else scene()).convert(mode)
    path = tmp_path / ("a.jpg" if mode == "CMYK" else "a.png")
    image.save(path)
    with Image.open(path) as kept:
        assert kept.mode == mode
    found = corners(read(path))
    dark, bright = (0, 255) if mode == "1" else (40, 200)
    expected = [(dark,) * 3, (bright,) * 3] * 2 if grey else CORNERS
    assert np.abs(found - expected).max() < 12


def test_sixteen_bits_a_colour(tmp_path: Path) -> None:
    deep = np.zeros((HEIGHT, WIDTH, 3), np.uint16)
    deep[:] = (20 * 257, 100 * 257, 220 * 257)  # OpenCV's order: blue first
    assert cv2.imwrite(str(tmp_path / "a.png"), deep)
    assert np.abs(corners(read(tmp_path / "a.png")) - (220, 100, 20)).max() <= 1


@pytest.mark.parametrize("name", ["a.png", "a.webp"])
def test_what_is_clear_becomes_grey(name: str, tmp_path: Path) -> None:
    image = scene().convert("RGBA")
    alpha = np.full((HEIGHT, WIDTH), 255, np.uint8)
    alpha[:, WIDTH // 2 :] = 0
    image.putalpha(Image.fromarray(alpha))
    image.save(tmp_path / name, lossless=True)
    found = corners(read(tmp_path / name))
    expected = [CORNERS[0], (BACKDROP,) * 3, CORNERS[2], (BACKDROP,) * 3]
    assert np.abs(found - expected).max() <= 2


def half_clear(mode: str) -> Image.Image:
    """Black that is half clear, on the right; white that is not, on the left."""
    light, alpha = (np.full((HEIGHT, WIDTH), 255, np.uint8) for _ in range(2))
    light[:, WIDTH // 2 :], alpha[:, WIDTH // 2 :] = 0, 128
    image = Image.fromarray(light).convert(mode.rstrip("A"))
    image.putalpha(Image.fromarray(alpha))
    return image


@pytest.mark.parametrize("kind", ["RGBA", "LA", "palette", "profile", "grey profile", "16 bits"])
def test_half_clear_black_is_half_of_the_grey_behind_it(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    if kind == "palette":
        image = Image.new("P", (WIDTH, HEIGHT), 1)
        image.putpalette([255, 255, 255, 0, 0, 0])
        image.paste(0, (0, 0, WIDTH // 2, HEIGHT))
        image.save(path, transparency=bytes([255, 128]))
    elif kind == "16 bits":
        deep = np.asarray(half_clear("RGBA")).astype(np.uint16) * 257
        assert cv2.imwrite(str(path), deep)
    else:
        srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
        given = srgb if kind == "profile" else None
        half_clear("LA" if kind in ("LA", "grey profile") else "RGBA").save(path, icc_profile=given)
    found = corners(read(path))
    assert np.abs(found - [[255] * 3, [88] * 3] * 2).max() <= 1


def test_a_soft_edge_has_no_rim(tmp_path: Path) -> None:
    """Every light between two greys, and none beside them."""
    alpha = np.tile(np.linspace(0, 255, WIDTH).astype(np.uint8), (HEIGHT, 1))
    image = Image.new("RGB", (WIDTH, HEIGHT), (40, 40, 40))
    image.putalpha(Image.fromarray(alpha))
    image.save(tmp_path / "a.png")
    row = read(tmp_path / "a.png")[HEIGHT // 2].astype(int)
    assert (np.diff(row, axis=0) <= 0).all()
    assert row[0].tolist() == [BACKDROP] * 3 and row[-1].tolist() == [40] * 3


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_a_clear_colour_beside_a_profile(mode: str, tmp_path: Path) -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    image = Image.new(mode, (WIDTH, HEIGHT), 40 if mode == "L" else (200, 40, 40))
    clear = 7 if mode == "L" else (7, 7, 7)
    image.paste(clear, (WIDTH // 2, 0, WIDTH, HEIGHT))
    image.save(tmp_path / "a.png", transparency=clear, icc_profile=srgb)
    found = corners(read(tmp_path / "a.png"))
    assert np.abs(found[1] - BACKDROP).max() <= 1
    assert np.abs(found[0] - ([40] * 3 if mode == "L" else [200, 40, 40])).max() <= 1


def test_a_clear_grey_of_sixteen_bits(tmp_path: Path) -> None:
    deep = np.full((HEIGHT, WIDTH), 40 * 257, np.uint16)
    deep[:, WIDTH // 2 :] = 7
    Image.fromarray(deep).save(tmp_path / "a.png")
    data = (tmp_path / "a.png").read_bytes()
    clear = b"tRNS" + struct.pack(">H", 7)
    chunk = struct.pack(">I", 2) + clear + struct.pack(">I", zlib.crc32(clear))
    at = data.index(b"IDAT") - 4
    (tmp_path / "a.png").write_bytes(data[:at] + chunk + data[at:])
    found = corners(read(tmp_path / "a.png"))
    assert np.abs(found - [[40] * 3, [BACKDROP] * 3] * 2).max() <= 1


def test_a_clear_colour_of_a_palette(tmp_path: Path) -> None:
    image = scene().convert("P", palette=Image.Palette.ADAPTIVE)
    clear = image.getpixel((WIDTH - 2, 2))
    image.save(tmp_path / "a.png", transparency=clear)
    found = corners(read(tmp_path / "a.png"))
    assert np.abs(found[1] - BACKDROP).max() <= 2
    assert np.abs(found[0] - CORNERS[0]).max() <= 2


def test_colours_of_an_embedded_profile_become_srgb(tmp_path: Path) -> None:
    """Lab is far from RGB, so a profile that is passed over would show."""
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
    swapped = bytearray(srgb.tobytes())
    red, blue = swapped.find(b"rXYZ"), swapped.find(b"bXYZ")
    swapped[red : red + 4], swapped[blue : blue + 4] = b"bXYZ", b"rXYZ"
    scene().save(tmp_path / "a.png", icc_profile=bytes(swapped))
    found = corners(read(tmp_path / "a.png"))
    assert np.abs(found[0] - CORNERS[2]).max() < 30, "its red is our blue"
    scene().save(tmp_path / "b.png", icc_profile=b"no profile at all")
    assert np.abs(corners(read(tmp_path / "b.png")) - CORNERS).max() <= 1


def test_a_large_photo_is_made_smaller_and_an_odd_one_even(tmp_path: Path) -> None:
    scene(4001, 3001).save(tmp_path / "a.jpg", quality=90)
    scene(2401, 3203).save(tmp_path / "a.png")
    scene(121, 81).save(tmp_path / "odd.png")
    assert read(tmp_path / "a.jpg").shape == (1440, 1920, 3)
    assert read(tmp_path / "a.png").shape == (1920, 1438, 3)
    assert read(tmp_path / "odd.png").shape == (80, 120, 3)
    assert np.abs(corners(read(tmp_path / "a.png")) - CORNERS).max() <= 1


def test_the_first_picture_of_an_animation(tmp_path: Path) -> None:
    black = Image.new("RGB", (WIDTH, HEIGHT))
    scene().save(tmp_path / "a.webp", save_all=True, append_images=[black], lossless=True)
    assert np.abs(corners(read(tmp_path / "a.webp")) - CORNERS).max() <= 2


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.webp", "a.heic"])
@pytest.mark.parametrize("part", [0.1, 0.6, 0.97])
def test_a_photo_cut_off(name: str, part: float, tmp_path: Path) -> None:
    if name == "a.heic" and not heic_works():
        pytest.skip("pillow-heif is not installed")
    path = tmp_path / name
    noise = np.random.default_rng(0).integers(0, 255, (HEIGHT, WIDTH, 3), np.uint8)
    Image.fromarray(noise).save(path, "HEIF" if name == "a.heic" else None)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * part)])
    with pytest.raises(BadInput, match="damaged or cut off") as raised:
        read(path)
    assert raised.value.field == "file" and raised.value.status == 400


@pytest.mark.parametrize("size", [(2, 2), (63, 200), (1, 1000)])
def test_a_tiny_photo(size: tuple[int, int], tmp_path: Path) -> None:
    Image.new("RGB", size).save(tmp_path / "a.png")
    with pytest.raises(BadInput, match=f"{size[0]}x{size[1]} pixels.* 64 or more"):
        read(tmp_path / "a.png")


@pytest.mark.parametrize("size", [(7200, 7200), (12_000, 12_000), (60_000, 60_000)])
def test_a_bomb_is_refused_by_its_header(size: tuple[int, int], tmp_path: Path) -> None:
    """Between the limits of ours, of Pillow's warning and of Pillow's error."""
    (tmp_path / "a.png").write_bytes(png_header(*size))
    with pytest.raises(TooLarge, match="pixels") as raised:
        read(tmp_path / "a.png")
    assert raised.value.status == 413


def test_the_limit_of_pixels_is_a_setting(tmp_path: Path) -> None:
    scene().save(tmp_path / "a.png")
    with pytest.raises(TooLarge, match="120x80 pixels; the limit is 0.009 million"):
        read(tmp_path / "a.png", IngestLimits(max_pixels=9000))
    assert read(tmp_path / "a.png", IngestLimits(max_pixels=9600)).shape == (80, 120, 3)


@pytest.mark.parametrize("mode", ["L", "LA", "P", "RGB", "RGBA", "I;16", "1"])
def test_strips_make_the_same_picture(
    mode: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = scene(4001, 1203)
    if mode == "I;16":
        image = Image.fromarray(np.asarray(image.convert("L")).astype(np.uint16) * 257)
    else:
        image = image.convert(mode)
    image.save(tmp_path / "a.png")
    whole = read(tmp_path / "a.png")
    monkeypatch.setattr(photo, "_STRIP", 4001 * 7)
    assert np.array_equal(read(tmp_path / "a.png"), whole)
    if mode not in ("I;16", "1"):  # of dots, a corner is their mean
        assert np.abs(corners(whole) - corners(np.asarray(image.convert("RGB")))).max() <= 1


def test_a_large_photo_stands_as_its_exif_says(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    scene(3001, 4001).transpose(Image.Transpose.ROTATE_90).save(tmp_path / "a.png", exif=exif)
    rgb = read(tmp_path / "a.png")
    assert rgb.shape == (1920, 1440, 3)
    assert np.abs(corners(rgb) - CORNERS).max() <= 1


_PEAK = """
import resource, sys
from pathlib import Path
from app_core.media.ingest.photo import read_photo
from app_core.media.ingest.limits import IngestLimits
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
read_photo(Path(sys.argv[1]), "PNG", IngestLimits())
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.parametrize("mode", ["P", "I;16"])
def test_a_large_photo_takes_no_more_than_its_own_pixels(mode: str, tmp_path: Path) -> None:
    """In KiB of a process of its own: at most 6 bytes a pixel, all copies together."""
    side = 5000
    if mode == "P":
        Image.new("P", (side, side), 1).save(tmp_path / "a.png", transparency=3)
    else:
        Image.fromarray(np.full((side, side), 900, np.uint16)).save(tmp_path / "a.png")
    argv = [sys.executable, "-c", _PEAK, str(tmp_path / "a.png")]
    root = ROOT
    done = subprocess.run(argv, capture_output=True, timeout=120, cwd=root, check=True)
    assert int(done.stdout) * 1024 < 6 * side * side


def test_what_takes_too_much_memory_is_refused_before_it_is_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(photo, "_MOST_MEMORY", 1 << 20)
    scene(500, 400).save(tmp_path / "plain.jpg")
    assert read(tmp_path / "plain.jpg").shape == (400, 500, 3)
    scene(500, 400).save(tmp_path / "a.jpg", progressive=True)
    scene(500, 400).save(tmp_path / "a.webp")
    for name in ("a.jpg", "a.webp"):
        with pytest.raises(TooLarge, match="MiB of memory") as raised:
            read(tmp_path / name)
        assert (raised.value.status, raised.value.field) == (413, "file")


def test_a_jpeg_of_many_scans_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    scene().save(tmp_path / "a.jpg", progressive=True)
    assert read(tmp_path / "a.jpg").shape == (HEIGHT, WIDTH, 3)
    data = (tmp_path / "a.jpg").read_bytes()
    last = data[data.rindex(b"\xff\xda") : -2]
    (tmp_path / "b.jpg").write_bytes(data[:-2] + last * 200 + data[-2:])
    with pytest.raises(BadInput, match="steps") as raised:
        read(tmp_path / "b.jpg")
    assert (raised.value.status, raised.value.field) == (400, "file")


def test_heic_is_refused_by_name_where_nothing_reads_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(photo, "heic_works", lambda: False)
    path = tmp_path / "a.heic"
    path.write_bytes(b"\0\0\0\x18ftypheic" + bytes(40))
    with pytest.raises(UnsupportedMedia, match="pillow-heif"):
        read(path)


def test_a_jpeg_with_more_pictures_behind_the_first(tmp_path: Path) -> None:
    """As phones save depth, and light for HDR."""
    more = [Image.new("L", (40, 30))]
    scene().save(tmp_path / "a.jpg", "MPO", save_all=True, append_images=more, quality=95)
    assert np.abs(corners(read(tmp_path / "a.jpg")) - CORNERS).max() < 12


def test_greys_of_a_profile_for_colour_are_kept(tmp_path: Path) -> None:
    """A grey picture whose profile is one of RGB: the profile is wrong, the picture is not."""
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    Image.new("L", (WIDTH, HEIGHT), 100).save(tmp_path / "a.jpg", icc_profile=srgb)
    assert np.abs(corners(read(tmp_path / "a.jpg")) - 100).max() <= 2
