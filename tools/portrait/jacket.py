"""The jacket: two fronts with notched lapels, stitched edges, folds and buttons."""

from __future__ import annotations

import numpy as np

from tools.portrait.canvas import Brush, Canvas
from tools.portrait.cloth import Fold, fold_height, woven
from tools.portrait.curve import Points, mirrored, resample, smooth, spline
from tools.portrait.palette import JACKET, Float32, covering, linear, mix, over, stack, tint

_OUTER = [
    (82, 276), (100, 284), (140, 302), (220, 321), (286, 338), (326, 357), (351, 390), (364, 444),
    (374, 540), (388, 700), (404, 1060),
]  # fmt: skip
_INNER = [
    (-16, 1060), (-16, 690), (8, 632), (34, 560), (60, 470), (80, 390), (89, 330), (82, 276),
]  # fmt: skip
_COLLAR = [(80, 270), (96, 276), (118, 304), (138, 340), (152, 372)]
_NOTCH = [(118, 391), (158, 408)]
_LAPEL_EDGE = [(158, 408), (132, 484), (84, 568), (4, 640)]
_LAPEL_ROLL = [(4, 640), (34, 560), (60, 470), (80, 390), (89, 330), (80, 270)]
_BUTTONS = (664, 748)

_FOLDS = (
    Fold([(262, 420), (236, 452), (204, 470)], 13, 6),
    Fold([(268, 452), (238, 490), (198, 516)], 14, 7),
    Fold([(270, 486), (244, 540), (206, 580)], 12, 5),
    Fold([(272, 452), (256, 474), (232, 488)], 7, -5),
    Fold([(276, 470), (300, 520), (330, 548)], 12, 5),
    Fold([(288, 596), (312, 616), (350, 600)], 12, 4.5),
    Fold([(286, 634), (326, 662), (366, 650)], 16, 5.5),
    Fold([(292, 700), (316, 712), (352, 690)], 11, 3.5),
    Fold([(292, 762), (336, 786), (376, 780)], 17, 4),
    Fold([(306, 850), (340, 848), (380, 820)], 16, 4),
    Fold([(22, 674), (66, 652), (120, 646)], 11, 3.2),
    Fold([(24, 698), (86, 692), (168, 706)], 14, 3.2),
    Fold([(28, 752), (80, 778), (128, 826)], 16, 3.0),
    Fold([(22, 684), (60, 678), (96, 682)], 6, -2.6),
    Fold([(118, 328), (176, 352), (246, 366)], 10, -4),
    Fold([(140, 316), (196, 330), (262, 352)], 9, 3),
)
"""Of the viewer's right; the other side has the same ones moved a little."""


def draw_jacket(canvas: Canvas, random: np.random.Generator) -> Float32:
    """Premultiplied linear RGBA; her right front closes over the left one."""
    layer = np.zeros((*canvas.x.shape, 4), np.float32)
    for side in (1, -1):
        outline = np.concatenate([spline(mirrored(_OUTER, side), 14), _inner(side)])
        mask = canvas.mask(outline)
        inside = canvas.mask(outline + [-side * 5 + 2, 4], 5.0) * (1 - mask) * 0.55
        inside *= smooth((canvas.y - 285) / 25) * smooth((650 - canvas.y) / 60)
        inside *= np.abs(canvas.x) < 170
        shade = np.broadcast_to(linear((0.16, 0.12, 0.13)), (*mask.shape, 3))
        front = covering(_front(canvas, side, random), mask)
        layer = stack(layer, covering(shade, inside), front)
    return stack(layer, canvas.draw(_draw_buttons, 0.4))


def torso(canvas: Canvas) -> Float32:
    """The body's height below the clothes, face units."""
    out = np.abs(canvas.x)
    outer = spline(_OUTER, 14)
    shoulder = np.interp(out, outer[:, 0], np.minimum.accumulate(outer[::-1, 1])[::-1])
    depth = np.maximum(canvas.y - shoulder.astype(np.float32), 0)
    height = 165 * np.sqrt(1 - np.clip(out / 440, 0, 0.985) ** 2.4)
    return height - 46 * np.exp(-depth / 26) - 0.05 * depth


def bust(canvas: Canvas) -> Float32:
    return 26 * canvas.bumps(120, 640, 92, 95)


def _inner(side: int) -> Points:
    return spline(mirrored(_INNER, side), 14)


def _lapel(side: int) -> Points:
    curves = (_COLLAR, _LAPEL_EDGE, _LAPEL_ROLL)
    collar, edge, roll = (spline(mirrored(curve, side), 12) for curve in curves)
    return np.concatenate([collar, mirrored(_NOTCH, side), edge, roll])


def _front(canvas: Canvas, side: int, random: np.random.Generator) -> Float32:
    x, y, bump, bumps = canvas.x, canvas.y, canvas.bump, canvas.bumps
    out, body = np.abs(x), torso(canvas)
    arm = 26 * bumps(328, 620, 44, 210, 0.05) - 30 * bumps(270, 670, 20, 160, 0.05) + bust(canvas)
    arm += 14 * bumps(312, 380, 48, 26, 0.55) - 9 * bumps(196, 372, 70, 22, 0.25)
    folds = [Fold(_moved(fold, side, random), fold.width, fold.height) for fold in _FOLDS]
    arm += fold_height(canvas, folds, side, 5.0)
    arm += 1.6 * canvas.noise(random, 60, 90)
    cloth = woven(canvas, JACKET, body + arm, random, weave=0.045, sheen=0.06)
    lit = 0.32 * bump(-232, 344, 84, 16, -0.22) + 0.22 * bump(240, 344, 84, 16, 0.22)
    lit += 0.20 * bump(-186, 560, 50, 150, 0.1) + 0.12 * bump(176, 560, 46, 150, -0.1)
    lit += 0.22 * bump(-330, 480, 16, 120, 0.05)
    lit += 0.04 - 0.22 * smooth((x + 200) / 520) - 0.18 * smooth((y - 480) / 420)
    cloth = cloth * (1 + lit)[..., None]
    sleeve = 0.66 * smooth((y - 400) / 120) * bumps(286, 680, 13, 270, 0.05)
    sleeve += 0.35 * smooth((y - 430) / 100) * smooth((out - 350) / 40)
    cloth = tint(cloth, (0.34, 0.34, 0.40), sleeve)
    lapel = _lapel(side)
    lapel_mask = canvas.mask(lapel)
    cast = canvas.mask(lapel + [side * 3 + 3, 7], 4.5) * (1 - lapel_mask)
    cloth = tint(cloth, (0.34, 0.34, 0.40), cast)
    cloth = mix(cloth, _lapel_cloth(canvas, side, body, random), lapel_mask)

    def seams(brush: Brush) -> None:
        _draw_seams(brush, side)

    return over(cloth, canvas.draw(seams, 0.45))


def _moved(fold: Fold, side: int, random: np.random.Generator) -> list[tuple[float, float]]:
    if side > 0:
        return list(fold.line)
    return [(x + random.uniform(-9, 9), y + random.uniform(-12, 12)) for x, y in fold.line]


def _lapel_cloth(canvas: Canvas, side: int, body: Float32, random: np.random.Generator) -> Float32:
    """A soft roll, brighter along the fold; the collar above the notch stands off a little."""
    roll = np.array(_LAPEL_ROLL[::-1])
    fold = np.interp(canvas.y, roll[:, 1], roll[:, 0]).astype(np.float32)
    away = canvas.x * side - fold
    height = 0.75 * body + 11 * np.exp(-0.5 * ((away - 15) / 19) ** 2) + 0.5 * bust(canvas)
    height += 1.4 * np.sin((canvas.y + np.abs(canvas.x) * 0.4) / 30)
    height += 4 * smooth((392 - canvas.y + 0.42 * (canvas.x * side - 118)) / 6)
    cloth = woven(canvas, np.array(JACKET) * 1.12, height, random, weave=0.045, sheen=0.07)
    return cloth * (1 + 0.10 * canvas.bumps(110, 470, 30, 70, 0.4))[..., None]


def _draw_seams(brush: Brush, side: int) -> None:
    light, thread, dark = (0.50, 0.58, 0.70), (0.42, 0.50, 0.64), (0.03, 0.045, 0.08)

    def curve(points: list[tuple[float, float]]) -> Points:
        return spline(mirrored(points, side), 12)

    edge, collar, roll = curve(_LAPEL_EDGE), curve(_COLLAR[1:]), curve(_LAPEL_ROLL[::-1])
    brush.stroke(edge - [side * 1.0, 0.6], [0.8, 1.2, 0.8], light, 0.30)
    brush.stroke(collar - [side * 0.8, 0], [0.6, 1.1, 0.8], light, 0.24)
    gorge = mirrored([(152, 372), (118, 391), (99, 380), (84, 372)], side)
    brush.stroke(gorge, [0.9, 1.4, 1.3, 0.8], dark, 0.75)
    brush.stroke(mirrored(_NOTCH, side), [0.9, 0.8], light, 0.30)
    brush.stroke(roll + [side * 1.0, 0], [1.3, 1.6, 1.2, 0.8], (0.56, 0.64, 0.76), 0.24)
    for line, distance in ((edge, 5.6), (collar, 5.0)):
        _stitch(brush, line - [side * distance, 2.4], thread, dark)
    sleeve = curve([(236, 342), (260, 372), (274, 430), (279, 520), (272, 640)])
    brush.stroke(sleeve, [0.3, 1.1, 1.5, 1.5, 0.6], dark, 0.55)
    brush.stroke(sleeve + [side * 1.6, 0], [0.1, 0.7, 0.9, 0.7, 0.1], light, 0.12)
    dart = curve([(150, 560), (142, 660), (150, 800), (170, 1060)])
    brush.stroke(dart, [0.3, 1.2, 1.4, 1.4], dark, 0.42)
    brush.stroke(dart - [1.4, 0], [0.1, 0.7, 0.8, 0.8], light, 0.10)
    if side < 0:
        front = spline([(-2, 634), (12, 668), (16, 720), (16, 1060)], 12)
        brush.stroke(front, [0.6, 1.8, 1.8, 1.8], dark, 0.66)
        brush.stroke(front - [2.2, 0], [0.4, 0.9, 0.9, 0.9], light, 0.26)
        _stitch(brush, resample(front, 120)[8:] - [7.0, 0], thread, dark)
        return
    pocket = mirrored([(186, 520), (252, 507), (254, 523), (188, 537)], side)
    brush.fill(pocket, (0.60, 0.68, 0.80), 0.045)
    brush.stroke(pocket[:2], [0.8, 0.8], light, 0.26)
    brush.stroke(pocket[[3, 2]], [1.3, 1.3], dark, 0.60)
    brush.stroke(pocket[[1, 2]], [0.7, 0.7], dark, 0.35)


def _stitch(brush: Brush, line: Points, thread: tuple[float, ...], dark: tuple[float, ...]) -> None:
    """Single stitches, each with the dent that it pulls into the cloth."""
    length = float(np.hypot(*np.diff(line, axis=0).T).sum())
    places = resample(line, int(length / 5.2) * 2)
    for start, end in zip(places[::2], places[1::2], strict=True):
        brush.stroke(np.stack([start, end]) + [0.3, 0.6], [1.0, 1.0], dark, 0.40)
        brush.stroke(np.stack([start, end]), [0.65, 0.65], thread, 0.42)


def _draw_buttons(brush: Brush) -> None:
    for y in _BUTTONS:
        brush.disc(-1.5, y + 2.2, 10.2, (0.02, 0.03, 0.05), 0.5)
        brush.shaded_disc(-3, y, 9.2, [(0.30, 0.35, 0.45), (0.12, 0.15, 0.22), (0.05, 0.06, 0.10)])
        brush.disc(-3, y, 6.6, (0.10, 0.13, 0.19), 0.85)
        for x, down in ((-4.8, -1.8), (-1.2, -1.8), (-4.8, 1.8), (-1.2, 1.8)):
            brush.disc(x, y + down, 0.95, (0.02, 0.025, 0.04), 0.9)
        brush.line(np.array([(-4.8, y - 1.8), (-1.2, y + 1.8)]), 0.9, (0.34, 0.40, 0.52), 0.9)
        brush.line(np.array([(-1.2, y - 1.8), (-4.8, y + 1.8)]), 0.9, (0.34, 0.40, 0.52), 0.9)
        arc = spline([(-10.4, y - 1.4), (-7.8, y - 5.8), (-3, y - 7.6)], 8)
        brush.stroke(arc, [0.2, 1.3, 0.2], (0.66, 0.74, 0.86), 0.55)
