"""Draws every mouth shape of an avatar onto one sheet, enlarged around the mouth.

python -m benchmarks.contact_sheet --avatar aigul --size 512x512 --out sheet.png
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np

from app_core.avatars.library import AvatarLibrary
from app_core.landmarks import POINTS
from app_core.lipsync.viseme.model import VisemeModel
from app_core.picture import to_bgr
from app_core.types import Mouth, UInt8

# jaw, open, wide, round, close, tuck, teeth, tongue
VISEMES = {
    "rest": (0, 0, 0, 0, 0, 0, 0, 0),
    "mbp": (0.06, 0, 0, 0, 1, 0, 0, 0),
    "a": (0.80, 0.85, 0.05, 0, 0, 0, 0.35, 0),
    "e": (0.45, 0.52, 0.40, 0, 0, 0, 0.5, 0.15),
    "i": (0.16, 0.28, 0.75, 0, 0, 0, 0.65, 0.2),
    "o": (0.50, 0.50, -0.4, 0.65, 0, 0, 0.15, 0),
    "u": (0.18, 0.22, -0.75, 1, 0, 0, 0, 0),
    "fv": (0.10, 0.10, 0.05, 0, 0, 1, 0.75, 0),
    "s": (0.06, 0.22, 0.32, 0, 0, 0, 0.9, 0.25),
    "sh": (0.10, 0.30, -0.3, 0.55, 0, 0, 0.9, 0.1),
    "l_th": (0.26, 0.36, 0.08, 0, 0, 0, 0.4, 1),
    "ae": (0.72, 0.78, 0.35, 0, 0, 0, 0.45, 0.05),
}
_ACROSS = 4


def sheet(folder: Path, avatar_id: str, size: tuple[int, int] | None, cell: int) -> UInt8:
    library = AvatarLibrary(folder)
    plate = library.plate(library.get(avatar_id), size, sway=False)
    model = VisemeModel()
    face = model.open(plate)
    points = plate.track.landmarks[0]
    lip, chin = points[POINTS["lip_upper_outer"]], points[POINTS["chin"]][0]
    middle, depth = (lip[0] + lip[-1]) / 2, chin[1] - lip[0, 1]
    left, right = int(middle[0] - 1.6 * depth), int(middle[0] + 1.6 * depth)
    top, bottom = int(middle[1] - 1.1 * depth), int(middle[1] + 1.55 * depth)
    left, top = max(left, 0), max(top, 0)
    cells = []
    for name, tracks in VISEMES.items():
        mouth = Mouth(0, 0, np.array(tracks, np.float32))
        drawn = to_bgr(model.apply(face, plate.picture(0), mouth))[top:bottom, left:right]
        high = round(cell * drawn.shape[0] / drawn.shape[1])
        drawn = np.asarray(cv2.resize(drawn, (cell, high), interpolation=cv2.INTER_CUBIC), np.uint8)
        for color, thick in (((0, 0, 0), 3), ((255, 255, 255), 1)):
            cv2.putText(drawn, name, (8, 22), cv2.FONT_HERSHEY_SIMPLEX, 0.6, color, thick)
        cells.append(drawn)
    rows = [np.hstack(cells[at : at + _ACROSS]) for at in range(0, len(cells), _ACROSS)]
    return np.vstack(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--avatar", default="aigul")
    parser.add_argument("--folder", type=Path, default=Path(__file__).parent.parent / "avatar")
    parser.add_argument("--size", default="auto", help="WIDTHxHEIGHT, or auto for the avatar's own")
    parser.add_argument("--cell", type=int, default=330, help="width of one shape on the sheet")
    parser.add_argument("--out", type=Path, required=True)
    asked = parser.parse_args()
    size = None
    if asked.size != "auto":
        width, height = (int(side) for side in asked.size.split("x"))
        size = width, height
    if not cv2.imwrite(str(asked.out), sheet(asked.folder, asked.avatar, size, asked.cell)):
        raise SystemExit(f"cannot write {asked.out}")
    print(f"{len(VISEMES)} shapes of {asked.avatar} -> {asked.out}")


if __name__ == "__main__":
    main()
