"""How large a photo is as viewers show it, by its header alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PIL import Image

if TYPE_CHECKING:
    from pathlib import Path

_ORIENTATION, _ON_ITS_SIDE = 0x0112, (5, 6, 7, 8)


def shown_size(path: Path) -> tuple[int, int]:
    """(width, height), turned as EXIF says, of a photo that ``read_photo`` has read."""
    with Image.open(path) as image:
        width, height = image.size
        try:
            lies = image.getexif().get(_ORIENTATION) in _ON_ITS_SIDE
        except Exception:  # broken metadata of a whole picture
            lies = False
    return (height, width) if lies else (width, height)
