"""The shape of a mouth: eight numbers and a face's measures to lip curves.

Everything is in the face's own frame: the origin is midway between the mouth corners, x runs
along them, y down to the chin, in pixels of the picture.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from app_core.kernels import kernel
from app_core.lipsync.viseme.curves import smoothstep

if TYPE_CHECKING:
    from app_core.types import Float32

COLUMNS = 512
"""Samples of each curve along x."""

# Rows of the source curves, shape (6, COLUMNS).
UPPER_OUTER, UPPER_INNER, LOWER_INNER, LOWER_OUTER, SEAM, SMOOTH_SEAM = range(6)
# Rows of the destination table, shape (11, COLUMNS): the lip curves, how far each moved down,
# how far to the side the source lies, how far the chin drops, and the opening's profile.
TO_UPPER_OUTER, TO_UPPER_INNER, TO_LOWER_INNER, TO_LOWER_OUTER = range(4)
BY_UPPER_OUTER, BY_UPPER_INNER, BY_LOWER_INNER, BY_LOWER_OUTER = range(4, 8)
ASIDE, CHIN_DROP, PROFILE = range(8, 11)
TABLE_ROWS = 11
# Rows of a picture's own table, shape (6, COLUMNS), or (0, COLUMNS) when its mouth is the neutral
# one: how far to the side and down its own lips lie from those of the source curves, and its chin.
OWN_ASIDE, OWN_UPPER_OUTER, OWN_UPPER_INNER, OWN_LOWER_INNER, OWN_LOWER_OUTER, OWN_CHIN = range(6)
OWN_ROWS = 6


class Measures(NamedTuple):
    """A face's own sizes, pixels."""

    half_width: float
    """Of the mouth at rest."""
    chin: float
    """Height of the chin below the corner line."""
    nose: float
    """Height of the nose's base; negative, as it is above the corner line."""
    jaw: float
    """Half width of the jaw between mouth and chin."""
    jaw_level: float
    """Height where ``jaw`` was measured."""
    neck: float
    """Where the movement of the chin has faded."""
    own_width: float
    """Half the width of the picture's own mouth: the wider it is, the less can it be narrowed."""
    parted: float
    """How far the picture's own lips are parted, 0..1: closed, they have no line of their own."""
    light: float
    """Of the skin around the mouth, about 0.35..1.08."""
    light_side: float
    """-1 when the light comes from the left, 1 from the right."""
    first_x: float
    """x of the curves' first sample."""
    column_step: float
    """Between samples."""


class Shape(NamedTuple):
    """One mouth, pixels or 0..1."""

    half_width: float
    opening: float
    jaw_drop: float
    seam: float
    """Height of the lip line in the middle; the upper teeth hang from it."""
    corner: float
    """Height of the corners."""
    jaw: float
    open: float
    wide: float
    round: float
    close: float
    tuck: float
    teeth: float
    tongue: float
    tip: float
    """How far the tongue's tip is between the teeth, 0..1."""
    least: float
    """The top of the opening."""
    most: float
    """The bottom of the opening."""
    gap: float
    """Its greatest height."""


@kernel
def form_mouth(measures: Measures, source: Float32, tracks: Float32, table: Float32) -> Shape:
    """Fills ``table`` (TABLE_ROWS, COLUMNS) for eight ``tracks`` and returns the shape.

    ``source`` is (6, COLUMNS). The lips keep their thickness, because the outer curves follow
    the inner ones by the source's own lip thickness.
    """
    jaw, opened, wide, rounded = tracks[0], tracks[1], tracks[2], tracks[3]
    close, tuck, teeth, tongue = tracks[4], tracks[5], tracks[6], tracks[7]
    h = measures.chin
    w0 = measures.half_width
    width_jaw = measures.jaw
    wider, narrower = max(wide, 0.0), max(-wide, 0.0)
    tip = smoothstep((tongue - 0.70) / 0.25)

    w1 = 1.0 + 0.10 * wider - 0.17 * narrower - 0.10 * rounded
    w1 = w0 * (w1 - 0.045 * jaw - 0.02 * close)
    room = (0.74 * width_jaw - measures.own_width) * (1.0 - 0.5 * measures.parted)
    w1 = max(w1, w0 - max(room, 0.05 * w0))
    opening = opened * (0.36 + 0.10 * tip) * h * (1.0 - close)
    drop = jaw * 0.27 * h
    reach = max(min(1.75 * w0, 0.74 * width_jaw), 1.2 * w1)

    first, step = measures.first_x, measures.column_step
    squeeze = w0 / w1
    slope = min(squeeze, 1.35)
    beyond = reach - w1
    thick = squeeze**0.8 + 0.10 * rounded - 0.08 * wider
    thick_upper = thick - 0.10 * opened - 0.22 * close
    thick_lower = thick - 0.05 * opened - 0.20 * close
    thick_lower -= 0.34 * tuck
    raise_upper = 0.27 * opening + 0.012 * h * rounded * opened
    raise_upper += 0.055 * h * tuck
    lower_lower = 0.73 * opening - 0.028 * h * tuck
    power = 0.62 + 0.16 * rounded + 0.10 * (1.0 - opened)
    hole = 1.0 - 0.36 * rounded * (1.0 - 0.5 * opened)
    flat = 1.0 - 0.25 * opened
    dip = max(source[SEAM, COLUMNS // 2], 0.0)
    dip_filled = (0.55 * rounded + 0.25 * opened) * dip
    smoothing = min(opening / (0.10 * h), 1.0)
    pout = 0.03 * rounded * h
    least, most, gap = 1e9, -1e9, 0.0

    for column in range(COLUMNS):
        x = first + step * column
        ax = abs(x)
        if ax <= w1:
            from_x = ax * squeeze
        elif ax < reach:
            t = (ax - w1) / beyond
            s = 1.0 - t
            from_x = (1.0 + 2 * t) * s * s * w0 + t * s * s * beyond * slope
            from_x += t * t * (3 - 2 * t) * reach - t * t * s * beyond
        else:
            from_x = ax
        if x < 0.0:
            from_x = -from_x
        at = min(max((from_x - first) / step, 0.0), COLUMNS - 1.001)
        k = int(at)
        f = at - k
        uo = source[UPPER_OUTER, k] + (source[UPPER_OUTER, k + 1] - source[UPPER_OUTER, k]) * f
        ui = source[UPPER_INNER, k] + (source[UPPER_INNER, k + 1] - source[UPPER_INNER, k]) * f
        li = source[LOWER_INNER, k] + (source[LOWER_INNER, k + 1] - source[LOWER_INNER, k]) * f
        lo = source[LOWER_OUTER, k] + (source[LOWER_OUTER, k + 1] - source[LOWER_OUTER, k]) * f
        seam = source[SEAM, k] + (source[SEAM, k + 1] - source[SEAM, k]) * f
        smooth_seam = source[SMOOTH_SEAM, k]
        smooth_seam += (source[SMOOTH_SEAM, k + 1] - smooth_seam) * f

        r = ax / (w1 * hole)
        inside = max(1.0 - r * r, 0.0)
        profile, profile_upper, outside = 0.0, 0.0, 1.0
        if inside > 0.0:
            profile = inside**power
            profile_upper = profile * inside**0.18
        if ax > w1:
            outside = smoothstep(1.0 - (ax - w1) / (width_jaw * 0.95 - w1))
        corner_drop = 0.20 * drop * outside
        filled = dip_filled * (outside if ax > w1 else 1.0 - 0.75 * profile)
        base = seam * flat + corner_drop + filled
        base_lower = base + (smooth_seam - seam) * smoothing * profile * flat
        to_ui = base - (raise_upper + 0.12 * corner_drop) * profile_upper
        to_li = max(base_lower + lower_lower * profile, to_ui)
        to_uo = to_ui - (ui - uo) * thick_upper - 0.012 * rounded * profile * h
        to_lo = to_li + (lo - li) * thick_lower + pout * max(1.0 - (ax / w1) ** 2, 0.0)

        table[TO_UPPER_OUTER, column] = to_uo
        table[TO_UPPER_INNER, column] = to_ui
        table[TO_LOWER_INNER, column] = to_li
        table[TO_LOWER_OUTER, column] = to_lo
        table[BY_UPPER_OUTER, column] = to_uo - uo
        table[BY_UPPER_INNER, column] = to_ui - ui
        table[BY_LOWER_INNER, column] = to_li - li
        table[BY_LOWER_OUTER, column] = to_lo - lo
        table[ASIDE, column] = from_x - x
        side = 1.0 - (ax - 0.42 * width_jaw) / (0.66 * width_jaw)
        table[CHIN_DROP, column] = 0.92 * drop * smoothstep(side)
        table[PROFILE, column] = profile
        if ax < w1:
            least, most = min(least, to_ui), max(most, to_li)
            gap = max(gap, to_li - to_ui)

    return Shape(
        w1,
        opening,
        drop,
        source[SEAM, COLUMNS // 2] * flat,
        0.20 * drop + dip_filled,
        jaw,
        opened,
        wide,
        rounded,
        close,
        tuck,
        teeth,
        tongue,
        tip,
        least,
        most,
        gap,
    )
