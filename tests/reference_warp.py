"""The mouth warp once more: slow, in floating RGB, every pixel on its own, nothing shortened.

Written from the recipe and not from the kernels: displacements are exact at each pixel, bells
are true exponentials, and the picture is sampled by cubic interpolation.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from app_core.lipsync.viseme.geometry import Measures
from app_core.lipsync.viseme.light import BRIGHTEST
from app_core.lipsync.viseme.rig import Pose, Rig
from app_core.types import Picture

Array = NDArray[np.float64]

SHADOW_RGB = np.array([0.72, 0.855, 0.90])
TO_YUV = np.array([[65.481, 128.553, 24.966], [-37.797, -74.203, 112.0], [112.0, -93.786, -18.214]])
BLACK = np.array([16.0, 128.0, 128.0])


def clip01(t: Array) -> Array:
    return np.clip(t, 0.0, 1.0)


def smooth(t: Array) -> Array:
    t = clip01(t)
    return t * t * (3 - 2 * t)


@dataclass
class Lips:
    """Destination curves over the columns ``x`` and what each moved, all in the face's frame."""

    x: Array
    w1: float
    opening: float
    drop: float
    seam: float
    corner: float
    tip: float
    upper_outer: Array
    upper_inner: Array
    lower_inner: Array
    lower_outer: Array
    moved: dict[str, Array]
    aside: Array
    chin: Array
    profile: Array


def lips(rig: Rig, tracks: Array) -> Lips:
    jaw, opened, wide, rounded, close, tuck, _, tongue = tracks
    m = rig.measures
    h, w0 = m.chin, m.half_width
    x = m.first_x + m.column_step * np.arange(rig.curves.shape[1])
    ax = np.abs(x)
    tip = float(smooth(np.array((tongue - 0.70) / 0.25)))
    wider, narrower = max(wide, 0), max(-wide, 0)
    w1 = w0 * (1 + 0.10 * wider - 0.17 * narrower - 0.10 * rounded - 0.045 * jaw - 0.02 * close)
    w1 = max(w1, w0 - max((0.74 * m.jaw - m.own_width) * (1 - m.parted / 2), 0.05 * w0))
    opening = opened * (0.36 + 0.10 * tip) * h * (1 - close)
    drop = jaw * 0.27 * h

    reach = max(min(1.75 * w0, 0.74 * m.jaw), 1.2 * w1)
    t = clip01((ax - w1) / (reach - w1))
    hermite = (
        (2 * t**3 - 3 * t**2 + 1) * w0
        + (t**3 - 2 * t**2 + t) * (reach - w1) * min(w0 / w1, 1.35)
        + (3 * t**2 - 2 * t**3) * reach
        + (t**3 - t**2) * (reach - w1)
    )
    origin = np.sign(x) * np.where(ax <= w1, ax * w0 / w1, np.where(ax < reach, hermite, ax))
    uo, ui, li, lo, seam, smooth_seam = (np.interp(origin, x, curve) for curve in rig.curves)

    hole = w1 * (1 - 0.36 * rounded * (1 - 0.5 * opened))
    power = 0.62 + 0.16 * rounded + 0.10 * (1 - opened)
    inside = clip01(1 - (ax / hole) ** 2)
    profile, profile_upper = inside**power, inside ** (power + 0.18)
    outside = np.where(ax > w1, smooth(1 - (ax - w1) / (0.95 * m.jaw - w1)), 1.0)
    dip = max(float(rig.curves[4, rig.curves.shape[1] // 2]), 0.0)
    filled = (0.55 * rounded + 0.25 * opened) * dip
    flat = 1 - 0.25 * opened
    corner_drop = 0.20 * drop * outside
    base = seam * flat + corner_drop
    base = base + filled * np.where(ax > w1, outside, 1 - 0.75 * profile)
    base_lower = base + (smooth_seam - seam) * min(opening / (0.10 * h), 1) * profile * flat

    raised = 0.27 * opening + 0.012 * h * rounded * opened + 0.055 * h * tuck
    to_ui = base - (raised + 0.12 * corner_drop) * profile_upper
    to_li = np.maximum(base_lower + (0.73 * opening - 0.028 * h * tuck) * profile, to_ui)
    thick = (w0 / w1) ** 0.8 + 0.10 * rounded - 0.08 * wider
    thick_upper = thick - 0.10 * opened - 0.22 * close
    thick_lower = thick - 0.05 * opened - 0.20 * close - 0.34 * tuck
    to_uo = to_ui - (ui - uo) * thick_upper - 0.012 * h * rounded * profile
    to_lo = to_li + (lo - li) * thick_lower + 0.03 * h * rounded * clip01(1 - (ax / w1) ** 2)
    chin = 0.92 * drop * smooth(1 - (ax - 0.42 * m.jaw) / (0.66 * m.jaw))
    moved = {"uo": to_uo - uo, "ui": to_ui - ui, "li": to_li - li, "lo": to_lo - lo}
    return Lips(
        x,
        w1,
        opening,
        drop,
        float(rig.curves[4, rig.curves.shape[1] // 2]) * flat,
        0.20 * drop + filled,
        tip,
        to_uo,
        to_ui,
        to_li,
        to_lo,
        moved,
        origin - x,
        chin,
        profile,
    )


def render(
    rig: Rig, pose: Pose, picture: Picture, tracks: Array, how: int = cv2.INTER_CUBIC
) -> tuple[Array, Array, Array]:
    """Y, U, V of the pose's region, not rounded."""
    shape = lips(rig, tracks)
    rows, columns = np.mgrid[pose.top : pose.bottom, pose.left : pose.right]
    dx, dy = columns + 0.5 - pose.x, rows + 0.5 - pose.y
    scale = pose.cos**2 + pose.sin**2
    u = (pose.cos * dx + pose.sin * dy) / scale
    v = (pose.cos * dy - pose.sin * dx) / scale

    aside, down = displacement(rig, shape, u, v)
    from_x = columns + pose.cos * aside + pose.sin * down
    from_y = rows + pose.sin * aside - pose.cos * down
    size = (picture.width, picture.height)
    planes = np.stack(
        [
            picture.y,
            *(cv2.resize(p, size, interpolation=cv2.INTER_LINEAR) for p in (picture.u, picture.v)),
        ],
        2,
    ).astype(np.float32)
    yuv = cv2.remap(
        planes,
        from_x.astype(np.float32),
        from_y.astype(np.float32),
        how,
        borderMode=cv2.BORDER_REPLICATE,
    ).astype(float)
    rgb = (yuv - BLACK) @ np.linalg.inv(TO_YUV).T

    at = {
        name: _column(shape, u, getattr(shape, name))
        for name in ("upper_inner", "lower_inner", "lower_outer", "profile")
    }
    rgb *= 1 - np.clip(_skin_shadow(rig, shape, tracks, u, v, at), 0, 0.85)[..., None] * SHADOW_RGB
    rgb = _draw_mouth(rig, shape, tracks, u, v, at, rgb)
    yuv = rgb @ TO_YUV.T + BLACK
    half = [
        cv2.resize(yuv[..., k], None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA) for k in (1, 2)
    ]
    return yuv[..., 0], np.asarray(half[0], float), np.asarray(half[1], float)


def displacement(rig: Rig, shape: Lips, u: Array, v: Array) -> tuple[Array, Array]:
    """How far aside the source of each pixel lies, and how far down its content moved."""
    aside, upper, lower, above = layers(rig, shape, u, v)
    down = np.where(above, upper, lower)
    if len(rig.own):
        more, own_down = own_mouth(rig, shape, u + aside, v - down, above)
        return aside + more, down - own_down
    return aside, down


def own_mouth(
    rig: Rig, shape: Lips, u: Array, v: Array, above: NDArray[np.bool_]
) -> tuple[Array, Array]:
    """How far aside and down the picture's own lips are from a point of the neutral face."""
    m = rig.measures
    h, w0 = m.chin, m.half_width
    uo, ui, li, lo = (_column(shape, u, curve) for curve in rig.curves[:4])
    aside, by_uo, by_ui, by_li, by_lo, chin = (_column(shape, u, row) for row in rig.own)
    cheek = smooth((np.abs(u) - 0.40 * w0) / (0.75 * w0))
    roof = 0.97 * m.nose * (1 - cheek) - 0.98 * h * cheek
    lip = by_uo + (by_ui - by_uo) * clip01((v - uo) / np.maximum(ui - uo, 1e-3))
    upper = np.where(v > uo, lip, by_uo * smooth((v - roof) / (uo - roof)))
    lip = by_li + (by_lo - by_li) * clip01((v - li) / np.maximum(lo - li, 1e-3))
    skin = by_lo + (chin - by_lo) * smooth((v - lo) / np.maximum(0.93 * h - lo, 1.0))
    neck = chin * (1 - smooth((v - 0.93 * h) / (m.neck - 0.93 * h)))
    lower = np.where(v > 0.93 * h, neck, np.where(v > lo, skin, lip))
    return aside * _fade(m, u, v, roof), np.where(above, upper, lower)


def layers(
    rig: Rig, shape: Lips, u: Array, v: Array
) -> tuple[Array, Array, Array, NDArray[np.bool_]]:
    m = rig.measures
    h, w0, au = m.chin, m.half_width, np.abs(u)
    uo, ui, li, lo = (
        _column(shape, u, curve)
        for curve in (shape.upper_outer, shape.upper_inner, shape.lower_inner, shape.lower_outer)
    )
    by = {name: _column(shape, u, curve) for name, curve in shape.moved.items()}
    chin = _column(shape, u, shape.chin)

    cheek = smooth((au - 0.40 * w0) / (0.75 * w0))
    roof = 0.97 * m.nose * (1 - cheek) - 0.98 * h * cheek
    skin = by["uo"] * smooth((v - roof) / (uo - roof))
    lip = by["uo"] + (by["ui"] - by["uo"]) * clip01((v - uo) / np.maximum(ui - uo, 1e-3))
    upper = np.where(v > uo, lip, skin)

    floor = 0.93 * h + chin
    lip = by["li"] + (by["lo"] - by["li"]) * clip01((v - li) / np.maximum(lo - li, 1e-3))
    skin = by["lo"] + (chin - by["lo"]) * smooth((v - lo) / np.maximum(floor - lo, 1.0))
    neck = chin * (1 - smooth((v - floor) / (m.neck - floor)))
    lower = np.where(v > floor, neck, np.where(v > lo, skin, lip))

    fade = _fade(m, u, v, roof)
    return _column(shape, u, shape.aside) * fade, upper, lower, v < (ui + li) / 2


def _fade(m: Measures, u: Array, v: Array, roof: Array) -> Array:
    """How much of the movement to the side is left above and below the mouth."""
    h = m.chin
    fade = np.where(v < 0, 1 - smooth(v / roof), 1 - smooth((v - 0.32 * h) / (0.62 * h)))
    jaw_depth = min((m.jaw_level + h) / (2 * h), 0.95)
    edge = 0.85 * m.jaw * np.sqrt(np.maximum(1 - ((v + h) / (2 * h)) ** 2, 0) / (1 - jaw_depth**2))
    return np.asarray(fade * smooth((edge - np.abs(u)) / (0.6 * edge + 1e-3)))


def _column(shape: Lips, u: Array, curve: Array) -> Array:
    return np.interp(u, shape.x, curve)


def _skin_shadow(
    rig: Rig, shape: Lips, tracks: Array, u: Array, v: Array, at: dict[str, Array]
) -> Array:
    _, opened, wide, rounded, close, tuck, _, _ = tracks
    m = rig.measures
    h, w0, w1, au = m.chin, m.half_width, shape.w1, np.abs(u)
    corner = np.exp(-(((au - w1) / (0.10 * w0)) ** 2) - ((v - shape.corner) / (0.075 * h)) ** 2)
    shadow = corner * (0.30 * opened + 0.10 * rounded + 0.15 * close)
    chin = ((v - at["lower_outer"] - 0.07 * h) / (0.06 * h)) ** 2 + (u / (0.62 * w1)) ** 2
    shadow += (0.10 * rounded + 0.05 * close + 0.10 * tuck) * np.exp(-chin)
    away = au - w0 * (0.80 + 0.42 * clip01((v - m.nose) / (0.5 * h - m.nose)))
    along = smooth((v - m.nose) / (-0.6 * m.nose)) * smooth((0.25 * h - v) / (0.4 * h))
    crease = np.exp(-((away / (0.085 * w0)) ** 2)) * along
    return np.asarray(shadow + crease * (0.10 * max(wide, 0) + 0.05 * opened))


def _draw_mouth(
    rig: Rig, shape: Lips, tracks: Array, u: Array, v: Array, at: dict[str, Array], rgb: Array
) -> Array:
    tuck = tracks[5]
    m = rig.measures
    h, w1 = m.chin, shape.w1
    ui, li = at["upper_inner"], at["lower_inner"]
    gap, mouth = li - ui, np.abs(u) < w1
    parted = clip01(gap / (0.04 * h))
    edge = 0.30 * parted * np.exp(-(((v - ui) / (0.022 * h)) ** 2)) * (v <= ui)
    below = (v >= li) & (v > ui)
    edge += 0.14 * parted * np.exp(-(((v - li) / (0.018 * h)) ** 2)) * below
    bitten = ((v - li) / (0.055 * h)) ** 2 + (u / (0.75 * w1)) ** 2
    edge += 0.28 * tuck * np.exp(-bitten) * below
    if m.parted:
        shut = m.parted * clip01(1 - gap / (0.05 * h)) * smooth((w1 - np.abs(u)) / (0.2 * w1))
        edge += 0.50 * shut * np.exp(-(((v - (ui + li) / 2) / (0.016 * h)) ** 2))
    spot = ((v - li - 0.035 * h) / (0.016 * h)) ** 2 + ((u + 0.12 * w1) / (0.42 * w1)) ** 2
    shine = 0.045 * clip01(gap / (0.1 * h)) * np.exp(-spot) * below
    lips_rgb = rgb * (1 - (np.clip(edge, 0, 0.85) * mouth)[..., None] * SHADOW_RGB)
    lips_rgb = lips_rgb + (shine * mouth)[..., None]

    inside, upper_cover = interior(rig, shape, tracks, u, v, ui, li)
    open_here = clip01((v - ui) / 1.3 + 0.35) * clip01(gap / max(1.2, 0.035 * h)) * mouth
    cover = open_here * clip01((li - v) / 1.3 + 0.35)
    over = 0.045 * h * tuck * at["profile"]
    bite = open_here * clip01((li + over - v) / 1.3) * upper_cover * (over > 0.2)
    cover = np.maximum(cover, bite)[..., None]
    return np.asarray(lips_rgb * (1 - cover) + inside * cover)


def interior(
    rig: Rig, shape: Lips, tracks: Array, u: Array, v: Array, ui: Array, li: Array
) -> tuple[Array, Array]:
    """What is behind the lips, as RGB at every pixel, and where the upper teeth are."""
    _, _, _, rounded, _, tuck, teeth, tongue = tracks
    m = rig.measures
    h, w0, light, tip = m.chin, m.half_width, m.light, shape.tip
    x = u / shape.w1
    wide_open = min(shape.opening / (0.30 * h), 1.0)
    depth = clip01((v - ui) / np.maximum(li - ui, 1e-3))
    near = depth**1.5 * (0.25 + 0.55 * wide_open) * np.exp(-((x / 0.75) ** 2))
    deep = np.array([0.19, 0.068, 0.070])
    color = light * (deep + near[..., None] * (np.array([0.44, 0.193, 0.195]) - deep))
    lit = np.maximum(1 - 0.55 * x**2, 0.2) * (1 + 0.10 * m.light_side * x) * light

    width = 0.66 * w0 * (1 - 0.25 * tongue) * (1 - 0.15 * rounded)
    across = (u / width) ** 2
    crown = shape.seam + (0.105 - 0.05 * tongue - 0.015 * tip + 0.10 * across) * h
    crown = crown + 0.36 * shape.drop * (1 - 0.9 * tip)
    cover = clip01((v - crown) / (0.022 * h) + 0.5) * clip01(
        (width - np.abs(u)) / (0.08 * w0) + 0.2
    )
    depth = clip01((v - crown) / (0.16 * h))
    bright = 0.45 + 0.55 * np.maximum(clip01(1.7 * depth), 0.7 * tip)
    bright -= 0.18 * np.exp(-((u / (0.05 * w0)) ** 2)) * clip01(2 * depth)
    bright *= np.maximum(1 - 0.35 * across, 0) * (0.62 + 0.38 * max(wide_open, tongue)) * light
    spot = ((v - crown - 0.045 * h) / (0.022 * h)) ** 2 + (
        (np.abs(u) - 0.16 * w0) / (0.13 * w0)
    ) ** 2
    flesh = bright[..., None] * np.array([0.78, 0.42, 0.44])
    flesh = flesh + (0.10 * light * np.exp(-spot))[..., None]
    color = _over(color, flesh, cover)

    arc = 0.045 * h * (u / w0) ** 2
    at = shape.seam + 0.118 * h + 0.95 * shape.drop - 1.2 * arc
    row = _sample(rig.lower_teeth, u / (0.90 * w0), (v - at) / (0.40 * w0) + 0.03)
    enamel = row[..., :3] * _tint(rig, 0.92 * (0.62 + 0.30 * wide_open) * lit)
    color = color * (1 - 0.97 * row[..., 3:]) + 0.97 * enamel
    color = _over(color, flesh, cover * tip)

    hang = 0.088 + 0.02 * teeth - 0.075 * rounded * (1 - 0.75 * teeth) - 0.06 * tip
    at = shape.seam + hang * h - 0.9 * arc
    color = color * (
        1 - 0.55 * _sample(rig.upper_teeth, u / w0, (v - 0.03 * h - at) / (0.5 * w0) + 1)[..., 3:]
    )
    row = _sample(rig.upper_teeth, u / w0, (v - at) / (0.5 * w0) + 1)
    shade = 0.55 + 0.45 * smooth((v - ui) / (0.075 * h))
    shade = shade * (0.97 + 0.12 * wide_open) * (1 - 0.30 * rounded)
    color = color * (1 - row[..., 3:]) + row[..., :3] * _tint(rig, shade * lit)

    rim = clip01((v - ui) / (0.05 * h)) ** 0.7 * clip01((1 - np.abs(x)) / 0.16) ** 0.5
    rim *= 0.55 + 0.45 * np.maximum(clip01((li - v) / (0.03 * h)), max(tuck, 0.8 * tip))
    rim = (0.28 + 0.72 * rim)[..., None]
    return clip01(color * rim + light * (1 - rim) * np.array([0.25, 0.095, 0.09])), row[..., 3]


def _over(under: Array, color: Array, cover: Array) -> Array:
    return under + (color - under) * cover[..., None]


def _tint(rig: Rig, light: Array) -> Array:
    steps = np.linspace(0, BRIGHTEST, len(rig.tint))
    return np.stack([np.interp(light, steps, rig.tint[:, k]) for k in range(3)], -1)


def _sample(sprite: NDArray[np.float32], x: Array, y: Array) -> Array:
    rows, columns = sprite.shape[:2]
    return cv2.remap(
        sprite,
        ((x + 1.15) / 2.3 * columns - 0.5).astype(np.float32),
        (y * rows - 0.5).astype(np.float32),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=0,
    ).astype(float)
