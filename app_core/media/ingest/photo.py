"""A photo as the pixels that are shown: upright, sRGB, opaque, even-sized and not huge."""

from __future__ import annotations

import importlib.util
import io
import logging
from functools import cache
from typing import TYPE_CHECKING, cast

import cv2
import numpy as np
from PIL import Image, ImageCms, ImageFile, ImageOps

from app_core.errors import BadInput, TooLarge, UnsupportedMedia
from app_core.media.ingest.limits import IngestLimits, check_pixels
from app_core.media.ingest.probe import LONGEST_SIDE, SHORTEST_SIDE

if TYPE_CHECKING:
    from pathlib import Path

    from app_core.types import UInt8

logger = logging.getLogger(__name__)

BACKDROP = 176
"""The grey, 0..255, that shows where a picture or a clip is transparent."""

_TALLEST = 8
"""One side may be this much longer than the other."""

_BYTES = {"": 4, "WEBP": 16, "HEIF": 10}
"""Memory that decoding takes, bytes a pixel, measured: Pillow's own picture, and what the
decoders of WebP and HEIC hold beside it."""
_COEFFICIENTS = 6
"""Bytes a pixel that a progressive JPEG holds until its last scan, however small it is drawn."""
_MOST_MEMORY = 512 << 20
_MOST_SCANS, _MOST_WORK = 100, 2_000_000_000
"""Scans of a JPEG, and scans times pixels. Cameras and programs make about ten."""
_START_OF_SCAN = b"\xff\xda"
_BLOCK = 1 << 20
_STRIP = 1 << 21
"""Pixels that are made smaller at a time."""


def read_photo(path: Path, kind: str, limits: IngestLimits) -> UInt8:
    """BGR (height, width, 3) of a file that ``sniff`` called ``kind``.

    Raises BadInput that names the reason, TooLarge or UnsupportedMedia.
    """
    if kind == "HEIF" and not heic_works():
        raise UnsupportedMedia(
            "HEIC photos need the Python package pillow-heif on the server; send a JPEG.",
            field="file",
        )
    try:
        with Image.open(path, formats=(kind,)) as image:
            check_pixels(*image.size, limits)
            if kind == "JPEG":
                _check_scans(path, image.width * image.height)
            return _pixels(image)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise TooLarge("The picture has too many pixels.", field="file") from error
    except (BadInput, MemoryError):
        raise
    except Exception as error:  # a decoder that meets a broken file may raise anything
        logger.info("a photo could not be read: %s: %s", type(error).__name__, error)
        damaged = "The photo cannot be read: it is damaged or cut off."
        raise BadInput(damaged, field="file") from error


@cache
def heic_works() -> bool:
    """Teaches Pillow to read HEIC where pillow-heif is installed."""
    if importlib.util.find_spec("pillow_heif") is None:
        return False
    import pillow_heif

    pillow_heif.register_heif_opener(thumbnails=False)
    return True


def _pixels(image: ImageFile.ImageFile) -> UInt8:
    high, wide = image.height, image.width
    if max(high, wide) > _TALLEST * min(high, wide) or min(high, wide) < SHORTEST_SIDE:
        raise BadInput(
            f"The picture is {wide}x{high} pixels: the shorter side must have {SHORTEST_SIDE} "
            f"or more, and the longer one be at most {_TALLEST} times as long.",
            field="file",
        )
    profile = image.info.get("icc_profile")
    image.draft(image.mode, (LONGEST_SIDE, LONGEST_SIDE))  # a large JPEG is decoded smaller
    _check_memory(image, wide * high)
    image.load()
    rgba = np.asarray(_srgb(_upright(_smaller(image)), profile))
    rgb = _opaque(rgba) if rgba.shape[2] == 4 else rgba
    return np.ascontiguousarray(_fitted(rgb)[:, :, ::-1])


def _check_memory(image: ImageFile.ImageFile, pixels: int) -> None:
    """Before anything is decoded. Raises TooLarge. ``pixels``: of the picture as it is coded."""
    kind = image.format or ""
    held = image.width * image.height * _BYTES.get(kind, _BYTES[""])
    if image.info.get("progressive"):
        held += pixels * _COEFFICIENTS
    if held > _MOST_MEMORY:
        raise TooLarge(
            f"To read the picture takes {held >> 20} MiB of memory; the limit is "
            f"{_MOST_MEMORY >> 20}. Make it smaller, or send a plain JPEG.",
            field="file",
        )


def _check_scans(path: Path, pixels: int) -> None:
    """Each scan of a JPEG passes over all of its pixels, and may have no more than a few bytes.

    Raises BadInput.
    """
    scans, last = 0, b""
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            scans += (last + block).count(_START_OF_SCAN)
            last = block[-1:]
    if scans > _MOST_SCANS or scans * pixels > _MOST_WORK:
        raise BadInput(
            f"The photo is drawn in {scans} steps, which takes too long; save it as a plain JPEG.",
            field="file",
        )


def _smaller(image: Image.Image) -> Image.Image:
    """In whole steps, about LONGEST_SIDE, and eight bits a colour; strip by strip, so that no
    second copy of a large picture is ever there."""
    step = max(1, max(image.size) // LONGEST_SIDE)
    if step == 1 and image.width * image.height <= _STRIP:
        return _eight_bits(image)
    wide, high = image.size
    rows = max(1, _STRIP // wide // step) * step
    small: Image.Image | None = None
    for top in range(0, high, rows):
        strip = image.crop((0, top, wide, min(top + rows, high)))
        strip.info = image.info
        strip = _eight_bits(strip).reduce(step)
        if small is None:
            small = Image.new(strip.mode, (-(-wide // step), -(-high // step)))
        small.paste(strip, (0, top // step))
    assert small is not None
    small.info = {name: value for name, value in image.info.items() if name != "transparency"}
    return small


def _upright(image: Image.Image) -> Image.Image:
    try:
        return ImageOps.exif_transpose(image)
    except Exception as error:  # broken metadata of a whole picture
        logger.info("a photo's EXIF is passed over: %s", error)
        return image


def _eight_bits(image: Image.Image) -> Image.Image:
    """L, LA, RGB, RGBA or CMYK; a colour that is clear becomes an alpha."""
    clear = image.info.get("transparency")
    if image.mode.startswith(("I", "F")):
        deep = np.asarray(image).astype(np.float32)
        if image.mode != "F":
            deep /= 257.0  # 65535 becomes 255
        light = Image.fromarray(np.clip(deep + 0.5, 0, 255).astype(np.uint8))
        if isinstance(clear, int):
            seen = Image.fromarray(np.where(np.asarray(image) == clear, 0, 255).astype(np.uint8))
            light.putalpha(seen)
        return light
    if image.mode in ("L", "LA", "RGB", "RGBA", "CMYK") and clear is None:
        return image
    if image.mode == "L":
        return image.convert("LA")
    alpha = clear is not None or image.mode in ("PA", "La", "RGBa")
    return image.convert("RGBA" if alpha else "RGB")


def _srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """RGB or RGBA; an embedded profile that does not fit the picture is passed over."""
    clear = "A" in image.mode
    if profile and image.mode in ("L", "LA", "RGB", "RGBA", "CMYK"):
        flat = image.convert(image.mode.rstrip("A")) if clear else image
        try:
            given = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            found = ImageCms.profileToProfile(flat, given, _srgb_profile(), outputMode="RGB")
            if found is not None:
                if clear:
                    found.putalpha(image.getchannel("A"))
                return found
        except (ImageCms.PyCMSError, OSError, ValueError, TypeError) as error:
            logger.info("a photo's colour profile is passed over: %s", error)
    return image.convert("RGBA" if clear else "RGB")


@cache
def _srgb_profile() -> ImageCms.ImageCmsProfile:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))


def _opaque(rgba: UInt8) -> UInt8:
    alpha = rgba[:, :, 3:].astype(np.uint16)  # 255 * 255 and half of it fit
    return np.asarray((rgba[:, :, :3] * alpha + BACKDROP * (255 - alpha) + 127) // 255, np.uint8)


def _fitted(rgb: UInt8) -> UInt8:
    """At most LONGEST_SIDE, even; an odd side loses its last row or column."""
    high, wide = rgb.shape[:2]
    shrink = LONGEST_SIDE / max(high, wide)
    if shrink < 1:
        size = (max(round(wide * shrink), 2) // 2 * 2, max(round(high * shrink), 2) // 2 * 2)
        return cast("UInt8", cv2.resize(rgb, size, interpolation=cv2.INTER_AREA))
    return rgb[: high // 2 * 2, : wide // 2 * 2]
