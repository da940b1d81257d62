from __future__ import annotations

import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image, ImageCms

from app_core.errors import BadInput, TooLarge, UnsupportedMedia
from app_core.media import photo
from app_core.media.photo import BACKDROP, heic_works, read_photo
from app_core.media.probe import Limits, sniff

WIDTH, HEIGHT = 120, 80
CORNERS = ((255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0))
"""Of the test picture: left top, right top, left bottom, right bottom."""


def scene(width: int = WIDTH, height: int = HEIGHT) -> Image.Image:
    pixels = np.zeros((height, width, 3), np.uint8)
    high, wide = height // 2, width // 2
    pixels[:high, :wide], pixels[:high, wide:] = CORNERS[0], CORNERS[1]
    pixels[high:, :wide], pixels[high:, wide:] = CORNERS[2], CORNERS[3]
    return Image.fromarray(pixels)


def read(path: Path, limits: Limits | None = None) -> np.ndarray:
    """As RGB."""
    kind = sniff(path)
    assert kind.kind == "photo"
    bgr = read_photo(path, kind.format, limits or Limits())
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
        read(tmp_path / "a.png", Limits(max_pixels=9000))
    assert read(tmp_path / "a.png", Limits(max_pixels=9600)).shape == (80, 120, 3)


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
