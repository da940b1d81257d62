"""The satin blouse, draped from the neckline, and the shadow of its edge on the skin."""

from __future__ import annotations

import numpy as np

from tools.portrait.canvas import Brush, Canvas
from tools.portrait.cloth import Fold, fold_height, woven
from tools.portrait.curve import smooth, spline
from tools.portrait.jacket import bust, torso
from tools.portrait.palette import BLOUSE, Float32, covering, linear, over, stack

_NECKLINE = [
    (-98, 300), (-86, 340), (-62, 388), (-30, 428), (0, 442), (30, 428), (62, 388), (86, 340),
    (98, 300),
]  # fmt: skip
_FOLDS = (
    Fold([(-74, 384), (-36, 456), (4, 476), (44, 448), (78, 380)], 9, 4.5),
    Fold([(-70, 410), (-30, 486), (10, 506), (50, 470), (76, 404)], 8, 5.0),
    Fold([(-58, 452), (-22, 520), (10, 540), (46, 500)], 8, 4.5),
    Fold([(-46, 500), (-12, 566), (16, 580), (40, 540)], 7, 4.0),
    Fold([(-52, 430), (-18, 494), (14, 500)], 4, -4.0),
    Fold([(-26, 540), (2, 600), (10, 660)], 6, 4.0),
    Fold([(34, 560), (14, 604), (6, 650)], 5, 3.5),
    Fold([(30, 468), (18, 520), (24, 570)], 5, -2.5),
)


def draw_blouse(canvas: Canvas, random: np.random.Generator) -> Float32:
    """Premultiplied linear RGBA."""
    neckline = spline(_NECKLINE, 14)
    skirt = [(150, 330), (190, 1060), (-190, 1060), (-150, 330)]
    outline = np.concatenate([neckline, skirt])
    mask = canvas.mask(outline)
    folds = fold_height(canvas, _FOLDS, 1, 3.2)
    height = torso(canvas) + 0.6 * bust(canvas) + folds
    cloth = woven(canvas, BLOUSE, height, random, weave=0.010, sheen=0.05)
    furrow = np.clip(canvas.blur(folds, 9) - folds, 0, 6) / 6
    cloth = cloth * (1 - 0.40 * furrow[..., None] * np.float32([0.75, 0.95, 1.0]))

    def hem(brush: Brush) -> None:
        brush.stroke(neckline + [0, 6.0], [1.2] * 3, (0.66, 0.60, 0.55), 0.55)
        brush.stroke(neckline + [0, 1.5], [2.2] * 3, (1, 0.99, 0.97), 0.70)

    cloth = over(cloth, canvas.draw(hem, 0.7))
    shade = canvas.mask(outline + [2, -6], 3.5) * (1 - mask) * 0.36 * smooth((canvas.y - 292) / 30)
    shadow = np.broadcast_to(linear((0.36, 0.17, 0.13)), (*mask.shape, 3))
    return stack(covering(shadow, shade), covering(cloth, mask))
