"""What shows between the lips: cavity, tongue, both rows of teeth, and the lips' own edges."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from app_core.kernels import inlined, kernel
from app_core.lipsync.viseme.curves import bell, smoothstep, unit
from app_core.lipsync.viseme.displacement import FAINT
from app_core.lipsync.viseme.geometry import (
    COLUMNS,
    PROFILE,
    TO_LOWER_INNER,
    TO_UPPER_INNER,
    Measures,
    Shape,
)
from app_core.lipsync.viseme.light import BRIGHTEST
from app_core.lipsync.viseme.shading import SHADOW_U, SHADOW_V, SHADOW_Y, shade_chroma
from app_core.lipsync.viseme.teeth import LOWER_HEIGHT, REACH, UPPER_HEIGHT

if TYPE_CHECKING:
    from app_core.lipsync.viseme.light import Hue
    from app_core.lipsync.viseme.pose import Pose
    from app_core.types import Float32, UInt8

_BITE = 0.045
"""How far the upper teeth lie over the lower lip in f and v, in chin heights."""

_SLIT = 0.035
"""A gap of chin heights through which nothing is seen clearly: the mouth's corners end softly."""
_LIT = 0.35
"""Light from which the shine of wet lips is as bright as it gets."""
_FLESH = (0.25, 0.095, 0.09)
"""R, G, B of the lips' inner sides in their own shadow."""


@kernel
def draw_interior(
    target: tuple[UInt8, UInt8, UInt8],
    pose: Pose,
    measures: Measures,
    shape: Shape,
    table: Float32,
    upper_teeth: Float32,
    lower_teeth: Float32,
    tint: Float32,
    hue: Hue,
) -> None:
    """Draws onto the warped lips in ``target`` (Y, U, V)."""
    luma, blue, red = target
    h = measures.chin
    if shape.gap < 0.2 and measures.parted == 0.0:
        return
    shrink = 1.0 / (pose.cos * pose.cos + pose.sin * pose.sin)
    reach_u, middle = 1.02 * shape.half_width, 0.5 * (shape.least + shape.most)
    reach_v = 0.5 * (shape.most - shape.least) + 0.10 * h
    half_x = abs(pose.cos) * reach_u + abs(pose.sin) * reach_v
    half_y = abs(pose.sin) * reach_u + abs(pose.cos) * reach_v
    center_x, center_y = pose.x - pose.sin * middle, pose.y + pose.cos * middle
    left = max(int(center_x - half_x) // 2 * 2, pose.left)
    right = min(int(center_x + half_x) // 2 * 2 + 2, pose.right)
    top = max(int(center_y - half_y) // 2 * 2, pose.top)
    bottom = min(int(center_y + half_y) // 2 * 2 + 2, pose.bottom)
    bite = _BITE * h * shape.tuck
    slit = max(1.2, _SLIT * h)
    color = np.empty(4, np.float32)
    for row in range(top, bottom, 2):
        for col in range(left, right, 2):
            cover, gain, shadow, before = 0.0, 0.0, 0.0, 0.0
            r_sum, b_sum = 0.0, 0.0
            u0, v0 = blue[row // 2, col // 2] - 128.0, red[row // 2, col // 2] - 128.0
            for y in range(row, row + 2):
                for x in range(col, col + 2):
                    dx, dy = x + 0.5 - pose.x, y + 0.5 - pose.y
                    u = (pose.cos * dx + pose.sin * dy) * shrink
                    v = (pose.cos * dy - pose.sin * dx) * shrink
                    if abs(u) >= shape.half_width:
                        continue
                    at = (u - measures.first_x) / measures.column_step
                    k = min(max(int(at), 0), COLUMNS - 2)
                    f = at - k
                    to_ui = table[TO_UPPER_INNER, k] * (1 - f) + table[TO_UPPER_INNER, k + 1] * f
                    to_li = table[TO_LOWER_INNER, k] * (1 - f) + table[TO_LOWER_INNER, k + 1] * f
                    if v < to_ui - 0.07 * h or v > to_li + 0.09 * h:
                        continue
                    edge, shine = _lip_edges(u, v, to_ui, to_li, measures, shape)
                    value = luma[y, x] - 16.0
                    before += value
                    shadow += edge
                    value -= edge * (SHADOW_Y * value + SHADOW_U * u0 + SHADOW_V * v0)
                    value += 219.0 * shine * unit(measures.light / _LIT)
                    profile = table[PROFILE, k] * (1 - f) + table[PROFILE, k + 1] * f
                    gap = to_li - to_ui
                    open_here = unit((v - to_ui) / 1.3 + 0.35) * unit(gap / slit)
                    alpha = open_here * unit((to_li - v) / 1.3 + 0.35)
                    over = bite * profile
                    if alpha > 0.0 or (over > 0.2 and open_here > 0.0 and v < to_li + over):
                        _inside(
                            u,
                            v,
                            to_ui,
                            to_li,
                            measures,
                            shape,
                            upper_teeth,
                            lower_teeth,
                            tint,
                            color,
                        )
                        color[0] = unit(hue.red * color[0])
                        color[1] = unit(hue.green * color[1])
                        color[2] = unit(hue.blue * color[2])
                        alpha = max(alpha, color[3] * open_here * unit((to_li + over - v) / 1.3))
                        y_in = 0.299 * color[0] + 0.587 * color[1] + 0.114 * color[2]
                        value += (219.0 * y_in - value) * alpha
                        cover += alpha
                        r_sum += alpha * color[0]
                        b_sum += alpha * color[2]
                        gain += alpha * y_in
                    elif edge < FAINT and shine < FAINT:
                        continue
                    luma[y, x] = np.uint8(min(max(value, 0.0), 219.0) + 16.5)
            if shadow > FAINT or cover > 0.0:
                u0, v0 = shade_chroma(0.25 * before, u0, v0, 0.25 * shadow, hue.colour)
                own = 0.25 * 224.0 * hue.colour
                u0 = u0 * (1 - 0.25 * cover) + own * 0.564 * (b_sum - gain)
                v0 = v0 * (1 - 0.25 * cover) + own * 0.713 * (r_sum - gain)
                blue[row // 2, col // 2] = np.uint8(min(max(u0, -112.0), 112.0) + 128.5)
                red[row // 2, col // 2] = np.uint8(min(max(v0, -112.0), 112.0) + 128.5)


@kernel
def _lip_edges(
    u: float, v: float, to_ui: float, to_li: float, measures: Measures, shape: Shape
) -> tuple[float, float]:
    """The shadow along the lips' inner edges, and the wet shine of the lower lip."""
    h, w1, gap = measures.chin, shape.half_width, to_li - to_ui
    shadow, shine = 0.0, 0.0
    parted = unit(gap / (0.04 * h))
    if v <= to_ui:
        away = (v - to_ui) / (0.022 * h)
        shadow = 0.30 * parted * bell(away * away)
    elif v >= to_li:
        away = (v - to_li) / (0.018 * h)
        shadow = 0.14 * parted * bell(away * away)
        if shape.tuck > 0.0:
            away = (v - to_li) / (0.055 * h)
            middle = u / (0.75 * w1)
            shadow += 0.28 * shape.tuck * bell(away * away + middle * middle)
        away, aside = (v - to_li - 0.035 * h) / (0.016 * h), (u + 0.12 * w1) / (0.42 * w1)
        shine = 0.045 * unit(gap / (0.1 * h)) * bell(away * away + aside * aside)
    if measures.parted > 0.0:
        away = (v - 0.5 * (to_ui + to_li)) / (0.016 * h)
        shut = unit(1 - gap / (0.05 * h)) * smoothstep((w1 - abs(u)) / (0.2 * w1))
        shadow += 0.50 * measures.parted * shut * bell(away * away)
    return min(shadow, 0.85), shine


@kernel
def _inside(
    u: float,
    v: float,
    to_ui: float,
    to_li: float,
    measures: Measures,
    shape: Shape,
    upper_teeth: Float32,
    lower_teeth: Float32,
    tint: Float32,
    color: Float32,
) -> None:
    """R, G, B (0..1) at a point between the lips, from back to front, and the cover of the upper
    teeth, to ``color`` (4,)."""
    h, w0, w1 = measures.chin, measures.half_width, shape.half_width
    light = measures.light
    gap = max(to_li - to_ui, 1e-3)
    x = u / w1
    wide_open = unit(shape.opening / (0.30 * h))

    depth = unit((v - to_ui) / gap)
    k = depth * np.sqrt(depth) * (0.25 + 0.55 * wide_open) * bell(x * x / 0.5625)
    r = light * (0.19 + 0.25 * k)
    g = light * (0.068 + 0.125 * k)
    b = light * (0.070 + 0.125 * k)
    lit = max(1 - 0.55 * x * x, 0.2) * (1 + 0.10 * measures.light_side * x) * light

    tongue_r, tongue_g, tongue_b, tongue_cover = _tongue(u, v, wide_open, measures, shape)
    r += (tongue_r - r) * tongue_cover
    g += (tongue_g - g) * tongue_cover
    b += (tongue_b - b) * tongue_cover

    arc = 0.045 * h * (u / w0) ** 2
    edge = shape.seam + 0.118 * h + 0.95 * shape.jaw_drop - 1.2 * arc
    _sample(lower_teeth, u / (0.90 * w0), (v - edge) / (LOWER_HEIGHT * w0) + 0.03, color)
    if color[3] > 0.0:
        white_r, white_g, white_b = _tinted(tint, 0.92 * (0.62 + 0.30 * wide_open) * lit)
        behind = 1 - 0.97 * color[3]
        r = r * behind + 0.97 * color[0] * white_r
        g = g * behind + 0.97 * color[1] * white_g
        b = b * behind + 0.97 * color[2] * white_b
    if shape.tip > 0.0:
        front = tongue_cover * shape.tip
        r += (tongue_r - r) * front
        g += (tongue_g - g) * front
        b += (tongue_b - b) * front

    edge = 0.088 + 0.02 * shape.teeth - 0.075 * shape.round * (1 - 0.75 * shape.teeth)
    edge = shape.seam + (edge - 0.06 * shape.tip) * h - 0.9 * arc
    height = UPPER_HEIGHT * w0
    _sample(upper_teeth, u / w0, (v - 0.03 * h - edge) / height + 1, color)
    shade = 1 - 0.55 * color[3]
    _sample(upper_teeth, u / w0, (v - edge) / height + 1, color)
    lip_shadow = 0.55 + 0.45 * smoothstep((v - to_ui) / (0.075 * h))
    lip_shadow *= (0.97 + 0.12 * wide_open) * (1 - 0.30 * shape.round)
    white_r, white_g, white_b = _tinted(tint, lip_shadow * lit)
    behind = shade * (1 - color[3])
    rim = unit((v - to_ui) / (0.05 * h)) ** 0.7
    bared = max(shape.tuck, 0.8 * shape.tip)
    rim *= 0.55 + 0.45 * max(unit((to_li - v) / (0.03 * h)), bared)
    rim = 0.28 + 0.72 * rim * np.sqrt(unit((1 - abs(x)) / 0.16))
    flesh = light * (1 - rim)
    color[0] = unit((r * behind + color[0] * white_r) * rim + _FLESH[0] * flesh)
    color[1] = unit((g * behind + color[1] * white_g) * rim + _FLESH[1] * flesh)
    color[2] = unit((b * behind + color[2] * white_b) * rim + _FLESH[2] * flesh)


@kernel
def _tongue(
    u: float, v: float, wide_open: float, measures: Measures, shape: Shape
) -> tuple[float, float, float, float]:
    """Colour and cover of the tongue; its tip rises to the upper teeth's edge for l and th."""
    h, w0 = measures.chin, measures.half_width
    up = shape.tongue
    width = 0.66 * w0 * (1 - 0.25 * up) * (1 - 0.15 * shape.round)
    across = (u / width) ** 2
    crown = shape.seam + (0.105 - 0.05 * up - 0.015 * shape.tip + 0.10 * across) * h
    crown += 0.36 * shape.jaw_drop * (1 - 0.9 * shape.tip)
    cover = unit((v - crown) / (0.022 * h) + 0.5) * unit((width - abs(u)) / (0.08 * w0) + 0.2)
    if cover == 0.0:
        return 0.0, 0.0, 0.0, 0.0
    depth = unit((v - crown) / (0.16 * h))
    groove = (u / (0.05 * w0)) ** 2
    bright = 0.45 + 0.55 * max(unit(1.7 * depth), 0.7 * shape.tip)
    bright -= 0.18 * bell(groove) * unit(2 * depth)
    bright *= max(1 - 0.35 * across, 0.0) * (0.62 + 0.38 * max(wide_open, up)) * measures.light
    down, aside = (v - crown - 0.045 * h) / (0.022 * h), (abs(u) - 0.16 * w0) / (0.13 * w0)
    shine = 0.10 * measures.light * bell(down * down + aside * aside)
    return 0.78 * bright + shine, 0.42 * bright + shine, 0.44 * bright + shine, cover


@inlined
def _tinted(tint: Float32, light: float) -> tuple[float, float, float]:
    last = tint.shape[0] - 1
    at = min(max(light / BRIGHTEST, 0.0), 1.0) * last
    k = min(int(at), last - 1)
    f = at - k
    return (
        tint[k, 0] + (tint[k + 1, 0] - tint[k, 0]) * f,
        tint[k, 1] + (tint[k + 1, 1] - tint[k, 1]) * f,
        tint[k, 2] + (tint[k + 1, 2] - tint[k, 2]) * f,
    )


@kernel
def _sample(sprite: Float32, x: float, y: float, color: Float32) -> None:
    """R, G, B, A of a sprite at ``x`` in half mouth widths and ``y`` 0..1; clear outside."""
    rows, columns = sprite.shape[:2]
    px = (x + REACH) / (2 * REACH) * columns - 0.5
    py = y * rows - 0.5
    left, top = int(np.floor(px)), int(np.floor(py))
    fx, fy = px - left, py - top
    for k in range(4):
        color[k] = 0.0
    if left < -1 or top < -1 or left >= columns or top >= rows:
        return
    for row in range(max(top, 0), min(top + 2, rows)):
        part_y = fy if row > top else 1 - fy
        for column in range(max(left, 0), min(left + 2, columns)):
            part = part_y * (fx if column > left else 1 - fx)
            for k in range(4):
                color[k] += part * sprite[row, column, k]
