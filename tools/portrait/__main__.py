"""Draws the presenter and writes still, clip and tracks. From the repository's root:

python -m tools.portrait                      # about three minutes on two cores
python -m tools.portrait --quick look.png     # one small picture, to look at
"""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

from app_core.config import ROOT
from tools.portrait.clip import Clip
from tools.portrait.frame import HEIGHT, WIDTH, Frame
from tools.portrait.layers import draw_layers
from tools.portrait.product import write_loop, write_picture, write_still

_FOLDER = ROOT / "avatar" / "aigul"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=_FOLDER, help="the folder to write into")
    parser.add_argument("--quick", type=Path, help="write half-size picture 0 there, nothing else")
    parser.add_argument("--still", action="store_true", help="do not make the clip")
    asked = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    frame = Frame(WIDTH, HEIGHT, 2)
    if asked.quick:
        frame = Frame(WIDTH // 2, HEIGHT // 2, 2)
    clip = Clip(frame, draw_layers(frame))
    if asked.quick:
        write_picture(asked.quick, clip.picture(0))
        return
    write_still(clip, frame, asked.out)
    if not asked.still:
        write_loop(clip, frame, asked.out)


if __name__ == "__main__":
    main()
