"""The haircut: parted on one side, swept over one shoulder and tucked behind the other ear."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tools.portrait.canvas import Brush, Canvas
from tools.portrait.curve import Points, resample, smooth, spline
from tools.portrait.palette import HAIR_BASE, Float32, covering, linear, stack
from tools.portrait.strands import Guides, Shade, Style, draw_sheet

SWEEP: Guides = [
    [(55, -155), (20, -161), (-32, -147), (-76, -113), (-108, -68), (-127, -20), (-136, 34),
     (-142, 100), (-150, 172), (-150, 240), (-134, 316), (-112, 392)],
    [(52, -185), (14, -193), (-46, -184), (-99, -148), (-133, -96), (-150, -34), (-158, 34),
     (-165, 108), (-177, 184), (-180, 262), (-166, 346), (-132, 424)],
    [(46, -218), (4, -228), (-60, -219), (-119, -180), (-155, -118), (-173, -44), (-181, 34),
     (-190, 114), (-205, 194), (-213, 276), (-200, 364), (-148, 446)],
    [(39, -250), (-8, -258), (-74, -246), (-136, -205), (-176, -134), (-194, -52), (-202, 34),
     (-213, 117), (-230, 199), (-241, 284), (-230, 372), (-172, 452)],
    [(31, -272), (-18, -279), (-84, -264), (-150, -219), (-192, -142), (-211, -56), (-218, 34),
     (-228, 117), (-246, 199), (-259, 284), (-250, 370), (-198, 446)],
]  # fmt: skip
"""From the parting over the viewer's left side, then in front of the shoulder; inner first."""
TUCK: Guides = [
    [(53, -156), (72, -156), (95, -140), (119, -106), (134, -66), (144, -32), (158, 6),
     (166, 54), (160, 104), (150, 160), (144, 220), (148, 310), (150, 430)],
    [(50, -184), (76, -190), (109, -169), (138, -127), (155, -76), (166, -26), (174, 24),
     (178, 72), (174, 122), (166, 176), (162, 236), (166, 320), (166, 450)],
    [(43, -217), (80, -224), (122, -201), (154, -152), (172, -92), (183, -34), (189, 24),
     (192, 80), (190, 134), (184, 190), (183, 250), (188, 330), (186, 460)],
    [(35, -251), (82, -254), (133, -231), (168, -175), (188, -108), (197, -42), (202, 24),
     (206, 84), (207, 142), (206, 204), (207, 268), (211, 340), (204, 470)],
    [(26, -273), (82, -275), (141, -247), (179, -188), (200, -117), (210, -46), (215, 24),
     (219, 86), (222, 146), (224, 210), (224, 274), (227, 350), (216, 470)],
]  # fmt: skip
"""The same on the viewer's right, behind the ear and the shoulder."""
CURL: Guides = [
    [(-100, -76), (-121, -30), (-131, 24), (-134, 78), (-138, 128), (-146, 180), (-144, 232)],
    [(-112, -84), (-132, -34), (-141, 24), (-146, 80), (-152, 132), (-160, 186), (-154, 244)],
]
"""A lock beside the cheek."""
_SEAM = [
    (22, -266), (29, -272), (36, -267), (47, -220), (57, -176), (55, -163), (48, -170), (38, -214),
]  # fmt: skip
_PARTING = [(54, -163), (51.5, -186), (45.5, -218), (37, -250), (30, -268)]
_BEHIND = [
    (-96, -190), (0, -225), (96, -190), (160, -60), (178, 60), (190, 240), (166, 338), (0, 330),
    (-176, 350), (-206, 240), (-184, 60), (-160, -60),
]  # fmt: skip

_LEFT = Style(9, wave=16, wave_length=250, wave_phase=0.2, tip=0.11, root_fade=0.012)
_RIGHT = Style(8, wave=12, wave_length=285, wave_phase=2.4, tip=0.11, light=0.85, root_shade=0.22)
_THIN = Style(2, wave=6, wave_length=190, wave_phase=1.1, tip=0.30, gather=0.8, inner_edge=0.12,
              outer_edge=0.12, root_fade=0.05, light=0.9)  # fmt: skip


def draw_back(canvas: Canvas) -> Float32:
    """The dark hair behind the neck."""

    def shade(x: Float32, y: Float32, across: Float32, along: Float32) -> Float32:
        return 0.34 + 0.30 * smooth((np.abs(x) - 100) / 90)

    ground = canvas.mask(spline(_BEHIND, 16, closed=True), 2.0)
    layer = covering(np.broadcast_to(linear((0.046, 0.031, 0.028)), (*ground.shape, 3)), ground)
    for side, seed, wave, phase in ((-1, 39, 7.0, 0.7), (1, 41, 5.0, 2.0)):
        style = Style(10, wave=wave, wave_phase=phase, light=0.55, tip=0.12, inner_edge=0)
        layer = stack(layer, draw_sheet(canvas, _back_guides(side), style, seed, shade))
    return layer


def draw_side(canvas: Canvas) -> Float32:
    """The tucked side with the parting's right half."""

    def shade(x: Float32, y: Float32, across: Float32, along: Float32) -> Float32:
        behind_ear = 1 - 0.62 * smooth((0.30 - across) / 0.30) * smooth(y / 40)
        return behind_ear * (1 - 0.30 * smooth((y - 120) / 170))

    return _doubled(canvas, TUCK, _RIGHT, 21, shade)


def draw_front(canvas: Canvas) -> Float32:
    """The swept side, the lock beside the cheek and single hairs."""

    def shade(x: Float32, y: Float32, across: Float32, along: Float32) -> Float32:
        cheek = 1 - 0.45 * smooth((0.16 - across) / 0.16) * smooth((along - 0.35) / 0.2)
        return cheek * (1 - 0.25 * smooth((y - 150) / 150) * smooth((0.5 - across) / 0.5))

    def plain(x: Float32, y: Float32, across: Float32, along: Float32) -> Float32:
        return 0.80 + 0 * across

    seam = canvas.mask(spline(_SEAM, 8, closed=True), 1.0)
    layer = covering(np.broadcast_to(linear((0.12, 0.078, 0.062)), (*seam.shape, 3)), seam)
    layer = stack(layer, _doubled(canvas, SWEEP, _LEFT, 12, shade))
    layer = stack(layer, draw_sheet(canvas, CURL, _THIN, 61, plain))
    layer = stack(layer, canvas.draw(_draw_hairline, 0.3))
    return stack(layer, _single_hairs(canvas, np.random.default_rng(5)))


def shadow(
    canvas: Canvas, sheets: Sequence[Guides], right: float, down: float, soft: float
) -> Float32:
    """Where the shadow of ``sheets`` falls, moved by ``right`` and ``down``, 0..1."""
    mask = np.zeros_like(canvas.x)
    for guides in sheets:
        outline = np.concatenate([spline(guides[0], 12), spline(guides[-1], 12)[::-1]])
        mask = np.maximum(mask, canvas.mask(outline + [right, down]))
    return canvas.blur(mask, soft)


def _doubled(canvas: Canvas, guides: Guides, style: Style, seed: int, shade: Shade) -> Float32:
    """A sheet over a darker one of other locks, which closes the gaps between its tips."""

    def dim(x: Float32, y: Float32, across: Float32, along: Float32) -> Float32:
        return 0.70 * shade(x, y, across, along)

    under = Style(
        style.locks + 3,
        wave=style.wave,
        wave_length=style.wave_length,
        wave_phase=style.wave_phase + 0.2,
        light=0.65 * style.light,
        tip=0.13,
        gather=0.35,
        root_fade=style.root_fade,
    )
    below = draw_sheet(canvas, guides, under, seed + 10, dim)
    return stack(below, draw_sheet(canvas, guides, style, seed, shade))


def _back_guides(side: int) -> Guides:
    ends = ((34, 10), (66, 22), (98, 30), (128, 22), (150, 8), (168, 2), (184, -4))
    return [
        [
            (side * out * 0.55, -190),
            (side * (out * 0.8 + 6), -120),
            *((side * (out + more), y) for more, y in zip((14, 20, 26, 28), _DOWN, strict=True)),
            (side * (out + 8), 334 + end),
        ]
        for out, end in ends
    ]


_DOWN = (-30, 60, 150, 240)


def _single_hairs(canvas: Canvas, random: np.random.Generator) -> Float32:
    """Fly-away hairs along the outline, fine ones at the hairline, and the parting's scalp."""
    outlines = [
        (resample(spline(guides[edge], 16), 90), np.array(away))
        for guides, edge, away in (
            (SWEEP, -1, (-1.0, -0.5)),
            (TUCK, -1, (1.0, -0.5)),
            (SWEEP, 0, (0.6, 0.8)),
            (TUCK, 0, (-0.6, 0.8)),
        )
    ]

    def paint(brush: Brush) -> None:
        for outline, away in outlines:
            for _ in range(24):
                hair = _along(outline, away, random)
                tone = np.array(HAIR_BASE) * random.uniform(0.8, 1.9)
                brush.stroke(hair, [0.1, 0.55, 0.45, 0.1], tone, random.uniform(0.18, 0.45))
        for _ in range(9):
            brush.stroke(_escaped(random), [0.15, 0.5, 0.4, 0.08], HAIR_BASE, 0.36)
        scalp = spline(_PARTING, 10)
        brush.stroke(scalp, [0.3, 1.3, 1.2, 0.6, 0], (0.60, 0.42, 0.34), 0.36)

    return canvas.draw(paint, 0.25)


def _draw_hairline(brush: Brush) -> None:
    """Short fine hairs that soften the edge between forehead and hair."""
    random = np.random.default_rng(8)
    for guides, side, last in ((SWEEP, -1, 34), (TUCK, 1, 30)):
        edge = resample(spline(guides[0], 16), 120)
        for _ in range(60):
            at = int(random.integers(3, last))
            ahead = edge[at + 3] - edge[at]
            ahead /= np.hypot(*ahead)
            inward = np.array([ahead[1], -ahead[0]]) * -side
            root = edge[at] - inward * random.uniform(-1.5, 3.2)
            reach = random.uniform(9, 20)
            middle = root + ahead * reach * 0.5 - inward * random.uniform(0.2, 1.4)
            tip = root + ahead * reach + inward * random.uniform(-0.6, 1.6)
            hair = spline(np.stack([root, middle, tip]), 6)
            tone = np.array(HAIR_BASE) * random.uniform(0.7, 1.3)
            brush.stroke(hair, [0.1, 0.5, 0.4, 0.1], tone, random.uniform(0.15, 0.40))


def _along(outline: Points, away: Points, random: np.random.Generator) -> Points:
    """A hair that leaves the outline a little and comes back to it."""
    start = int(random.integers(2, 24))
    end = min(46, start + int(random.integers(10, 24)))
    bow = random.uniform(-0.5, 3.4) * np.sin(np.linspace(0, np.pi, end - start))
    return outline[start:end] + away * (random.uniform(-3.5, 1.4) + bow)[:, None]


def _escaped(random: np.random.Generator) -> Points:
    """A hair that stands off the crown and bends down again."""
    x = random.uniform(-120, 150)
    y = -268 + 0.0045 * x * x
    reach, lift = random.uniform(26, 60) * (1 if x > 45 else -1), random.uniform(3, 9)
    ends = [(x, y + 8), (x + reach * 0.35, y - lift), (x + reach, y + 0.006 * reach * reach)]
    return spline(ends, 10)
