"""Draws the masks that ``app_core/pipeline/label.py`` scales. From the repository's root:

python -m tools.label /usr/share/fonts/truetype/dejavu/DejaVuSansCondensed-Bold.ttf
"""

from __future__ import annotations

import argparse
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from app_core.config import ROOT

_FOLDER = ROOT / "app_core" / "pipeline" / "labels"
_WORDS = {"en": "AI GENERATED", "ru": "СОЗДАНО ИИ", "kk": "ЖИ ЖАСАҒАН"}
_HEIGHT = 160
"""Of the masks, pixels: more than the label of the largest picture has."""
_LETTERS = 0.6
"""Capital letters of a mask's height: the rest is the plate around them."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("font", type=Path, help="a bold sans-serif font that has ә, ғ, қ")
    font_file = parser.parse_args().font
    font = ImageFont.truetype(str(font_file), 200)
    left, top, right, bottom = font.getbbox("И", anchor="ls")
    font = ImageFont.truetype(str(font_file), round(200 * _HEIGHT * _LETTERS / (bottom - top)))
    capital = -font.getbbox("И", anchor="ls")[1]
    _FOLDER.mkdir(exist_ok=True)
    for language, words in _WORDS.items():
        width = round(font.getlength(words) + _HEIGHT * (1 - _LETTERS) * 1.3)
        mask = Image.new("L", (width, _HEIGHT))
        at = (width / 2, (_HEIGHT + capital) / 2)
        ImageDraw.Draw(mask).text(at, words, fill=255, font=font, anchor="ms")
        mask.save(_FOLDER / f"{language}.png", optimize=True)


if __name__ == "__main__":
    main()
