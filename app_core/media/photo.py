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
from app_core.media.probe import LONGEST_SIDE, SHORTEST_SIDE, Limits, check_pixels

if TYPE_CHECKING:
    from pathlib import Path

    from app_core.types import UInt8

logger = logging.getLogger(__name__)

BACKDROP = 176
"""The grey, 0..255, that shows where a picture or a clip is transparent."""

_TALLEST = 8
"""One side may be this much longer than the other."""


def read_photo(path: Path, kind: str, limits: Limits) -> UInt8:
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
    image.load()
    upright = _upright(image)
    less = max(upright.size) // LONGEST_SIDE
    if less > 1 and upright.mode in ("L", "RGB", "CMYK", "RGBA"):
        upright = upright.reduce(less)  # before any copy in another mode
    rgba = np.asarray(_srgb(_eight_bits(upright), profile))
    rgb = _opaque(rgba) if rgba.shape[2] == 4 else rgba
    return np.ascontiguousarray(_fitted(rgb)[:, :, ::-1])


def _upright(image: Image.Image) -> Image.Image:
    try:
        return ImageOps.exif_transpose(image)
    except Exception as error:  # broken metadata of a whole picture
        logger.info("a photo's EXIF is passed over: %s", error)
        return image


def _eight_bits(image: Image.Image) -> Image.Image:
    if not image.mode.startswith(("I", "F")):
        return image
    deep = np.asarray(image).astype(np.float32)
    if image.mode != "F":
        deep /= 257.0  # 65535 becomes 255
    return Image.fromarray(np.clip(deep + 0.5, 0, 255).astype(np.uint8))


def _srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """RGB or RGBA; an embedded profile that does not fit the picture is passed over."""
    clear = "A" in image.mode or "a" in image.mode or "transparency" in image.info
    if profile and image.mode in ("L", "RGB", "CMYK", "RGBA"):
        try:
            alpha = image.getchannel("A") if image.mode == "RGBA" else None
            given = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            flat = image.convert("RGB") if alpha else image
            found = ImageCms.profileToProfile(flat, given, _srgb_profile(), outputMode="RGB")
            if found is not None:
                if alpha is not None:
                    found.putalpha(alpha)
                return found
        except (ImageCms.PyCMSError, OSError, ValueError, TypeError) as error:
            logger.info("a photo's colour profile is passed over: %s", error)
    return image.convert("RGBA" if clear else "RGB")


@cache
def _srgb_profile() -> ImageCms.ImageCmsProfile:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))


def _opaque(rgba: UInt8) -> UInt8:
    alpha = rgba[:, :, 3:].astype(np.float32) / 255
    return np.asarray(BACKDROP + (rgba[:, :, :3] - BACKDROP) * alpha + 0.5, np.uint8)


def _fitted(rgb: UInt8) -> UInt8:
    """At most LONGEST_SIDE, even; an odd side loses its last row or column."""
    high, wide = rgb.shape[:2]
    shrink = LONGEST_SIDE / max(high, wide)
    if shrink < 1:
        size = (max(round(wide * shrink), 2) // 2 * 2, max(round(high * shrink), 2) // 2 * 2)
        return cast("UInt8", cv2.resize(rgb, size, interpolation=cv2.INTER_AREA))
    return rgb[: high // 2 * 2, : wide // 2 * 2]
