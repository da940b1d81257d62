"""A sheet of hair: strands between guide curves, split into locks, lit, and put on the canvas.

A sheet has its own coordinates: ``across`` 0..1 from the first guide to the last, ``along`` 0..1
from the roots to the tips. Arrays of a sheet are (strands, steps).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np

from tools.portrait.canvas import Canvas
from tools.portrait.curve import Control, Points, cubic, resample, smooth, spline
from tools.portrait.light import HALFWAY, KEY
from tools.portrait.palette import HAIR_BASE, HAIR_DEEP, HAIR_SHEEN, Float32, linear

Guides = Sequence[Control]
Shade = Callable[[Float32, Float32, Float32, Float32], Float32]
"""x and y in face units, across, along -> what is left of the light, 0..1."""


@dataclass(frozen=True, slots=True)
class Style:
    locks: int
    """How many locks the sheet splits into towards the tips."""
    wave: float = 5.0
    """Face units to each side, as are the next two."""
    wave_length: float = 230.0
    wave_phase: float = 0.7
    """Radians."""
    light: float = 1.0
    """Strength of the sheen."""
    root_shade: float = 0.34
    tip: float = 0.10
    """The part of the length over which the tips end."""
    gather: float = 0.62
    """How much a lock narrows at its tip, 0..1."""
    inner_edge: float = 0.03
    """How ragged the sheet's edges are, as parts of its width."""
    outer_edge: float = 0.05
    root_fade: float = 0.0


class _Grain(NamedTuple):
    """Noise over the sheet, from the finest to the widest."""

    strand: Float32
    wisp: Float32
    body: Float32


class _Lock(NamedTuple):
    """Arrays (strands, 1): which lock a strand is in."""

    place: Float32
    """-1..1 from one side of its lock to the other."""
    middle: Float32
    """Strand number of its lock's middle."""
    wander: Float32
    """Smooth noise, -1..1, about one value a lock."""
    tone: Float32
    """How much lighter than the others."""


def draw_sheet(canvas: Canvas, guides: Guides, style: Style, seed: int, shade: Shade) -> Float32:
    """Premultiplied linear RGBA."""
    random = np.random.default_rng(seed)
    probe = _strands(guides, 24, 120)
    width = float(np.hypot(*np.moveaxis(np.diff(probe, axis=0), -1, 0)).sum(0).max())
    length = float(np.hypot(*np.moveaxis(np.diff(probe, axis=1), -1, 0)).sum(1).max())
    count, steps = int(width * canvas.scale * 2.1) + 8, int(length * canvas.scale * 1.7) + 8
    across = np.linspace(0, 1, count, dtype=np.float32)[:, None]
    along = np.linspace(0, 1, steps, dtype=np.float32)[None]

    def noise(wide: float, long: float) -> Float32:
        cells = max(2, int(width / wide)), max(2, int(length / long))
        coarse = random.standard_normal(cells).astype(np.float32)
        return cv2.resize(coarse, (steps, count), interpolation=cv2.INTER_CUBIC)

    lock = _split(across, style.locks, random)
    places = _strands(guides, count, steps).astype(np.float32)
    places = _waved(places, along, style, lock, length, noise(5, 60))
    grain = _Grain(noise(1.0, 90), noise(3.2, 130), noise(11, 170))
    tangent, normal = _frame(places, lock, grain, along)
    left = 1 - style.root_shade * (1 - smooth(along / 0.075))
    between = smooth((np.abs(lock.place) - 0.55) / 0.45) * smooth((along - 0.12) / 0.4)
    left = left * (1 - 0.45 * between) * shade(places[..., 0], places[..., 1], across, along)
    color = _color(tangent, normal, grain, lock, across, along, left, style.light)
    cover = _cover(places, grain, lock, across, along, style)
    cover *= np.linalg.norm(np.gradient(places, axis=0), axis=-1) < 3.0 / canvas.scale
    jitter = 0.5 / canvas.scale
    places = places + random.uniform(-jitter, jitter, places.shape).astype(np.float32)
    return _scattered(canvas, places, np.clip(color, 0, 0.42), cover)


def _strands(guides: Guides, count: int, steps: int) -> Points:
    """(count, steps, 2): strands spread evenly between the guides."""
    known = np.stack([resample(spline(guide, 100), steps) for guide in guides])
    place = np.linspace(0, len(guides) - 1, count)
    before = np.clip(place.astype(int), 0, len(guides) - 2)
    part = (place - before)[:, None, None]
    near = [known[np.clip(before + k, 0, len(guides) - 1)] for k in (-1, 0, 1, 2)]
    return cubic(*near, part)


def _split(across: Float32, locks: int, random: np.random.Generator) -> _Lock:
    edges = np.cumsum(np.concatenate([[0], random.uniform(0.5, 1.7, locks)]))
    edges /= edges[-1]
    number = np.clip(np.searchsorted(edges, across[:, 0], side="right") - 1, 0, locks - 1)
    low, high = edges[number], edges[number + 1]
    wander = random.uniform(-1, 1, (locks + 2, 1)).astype(np.float32)
    tone = random.uniform(-1, 1, locks)[number]
    return _Lock(
        ((across[:, 0] - low) / (high - low) * 2 - 1)[:, None].astype(np.float32),
        ((low + high) / 2 * (len(across) - 1))[:, None],
        cv2.resize(wander, (1, len(across)), interpolation=cv2.INTER_CUBIC),
        tone[:, None].astype(np.float32),
    )


def _waved(
    places: Float32, along: Float32, style: Style, lock: _Lock, length: float, fine: Float32
) -> Float32:
    """Strands pushed sideways by the common wave, and gathered at their lock's tip."""
    side = _unit(np.gradient(places, axis=1))[..., ::-1] * np.float32([-1, 1])
    phase = 2 * np.pi * length / style.wave_length * along + style.wave_phase
    height = style.wave * (1 + 0.25 * lock.wander) * smooth((along - 0.26) / 0.55)
    push = height * np.sin(phase + 0.75 * lock.wander) + 1.0 * fine * smooth((along - 0.1) / 0.5)
    places = places + side * push[..., None]
    middle = np.clip(lock.middle[:, 0].astype(int), 0, len(places) - 1)
    drawn = style.gather * smooth((along - 0.74) / 0.30) ** 1.2
    return places + (places[middle] - places) * drawn[..., None]


def _frame(places: Float32, lock: _Lock, grain: _Grain, along: Float32) -> tuple[Float32, Float32]:
    """Tangents and normals (strands, steps, 3) of the hair over the head."""
    skull = 1 - (places[..., 0] / 226) ** 2 - (np.minimum(places[..., 1] + 60, 0) / 222) ** 2
    depth = 155 * np.sqrt(0.5 * (skull + np.sqrt(skull * skull + 0.05)))
    surface = np.dstack([places, depth[..., None]])
    tangent = _unit(np.gradient(surface, axis=1))
    sideways = _unit(np.gradient(surface, axis=0))
    normal = np.cross(tangent, sideways)
    normal = _unit(normal * np.sign(normal[..., 2:] + 1e-6))
    bulge = 0.46 * lock.place * smooth(along / 0.5) + 0.30 * grain.body + 0.16 * grain.wisp
    return tangent, _unit(normal + sideways * bulge[..., None])


def _color(
    tangent: Float32,
    normal: Float32,
    grain: _Grain,
    lock: _Lock,
    across: Float32,
    along: Float32,
    left: Float32,
    light: float,
) -> Float32:
    """Linear colors: a body color, two bands of sheen, and the shine of single strands.

    The shine follows J. Kajiya and T. Kay, SIGGRAPH 1989.
    """
    strand, wisp, body = grain
    direct = np.clip((normal @ KEY + 0.35) / 1.35, 0, 1)
    bent = _unit(tangent + normal * (0.10 * strand + 0.10 * wisp + 0.05 * body)[..., None])
    sine = np.sqrt(np.clip(1 - (bent @ HALFWAY) ** 2, 0, 1))
    tone = 1 + 0.20 * strand + 0.17 * wisp + 0.15 * body + 0.16 * lock.tone
    lit = (np.clip(direct * tone, 0, 1.4) * left)[..., None]
    color = linear(HAIR_DEEP) * (1 - np.clip(lit, 0, 1)) * 0.75 + linear(HAIR_BASE) * lit * 1.05
    strength = light * left * np.clip(direct + 0.12, 0, 1) * (1 + 0.30 * lock.tone)
    ragged = 0.020 * strand + 0.024 * wisp + 0.022 * body + 0.022 * lock.wander
    crown_at = along - 0.17 - 0.05 * across + ragged
    crown = _bell(crown_at / 0.050)
    lower = _bell((along - 0.58 + 0.035 * np.sin(9 * across) + 1.4 * ragged) / 0.075)
    lowest = _bell((along - 0.83 + 0.03 * np.sin(7 * across + 1) + 1.4 * ragged) / 0.05)
    streaks = np.clip(0.60 + (0.44 * strand + 0.38 * wisp) * smooth(along / 0.16), 0, 2)
    band = (0.46 * crown + 0.25 * lower + 0.12 * lowest) * streaks + 0.15 * _bell(crown_at / 0.08)
    tight = 0.26 * sine**110 * np.clip(0.75 + 0.6 * strand, 0, 2)
    wide = 0.10 * sine**22 * np.clip(0.8 + 0.5 * wisp, 0, 2)
    color = color + linear(HAIR_SHEEN) * (strength * (1.2 * band + tight + wide))[..., None]
    sky = 0.018 * left * np.clip(-normal[..., 1], 0, 1)
    return color + linear((0.55, 0.60, 0.70)) * sky[..., None]


def _cover(
    places: Float32, grain: _Grain, lock: _Lock, across: Float32, along: Float32, style: Style
) -> Float32:
    """Coverage 0..1: ragged soft sides and pointed tips."""
    ragged = 0.5 + 0.5 * np.clip(grain.strand + 0.4 * grain.wisp, -1, 1)
    cover = np.ones(places.shape[:2], np.float32)
    for edge, from_side in ((style.inner_edge, across), (style.outer_edge, 1 - across)):
        if edge:
            cover *= smooth((from_side - edge * ragged * 0.9) / (edge * 0.6))
    pointed = 0.45 * lock.place**2 + 0.34 * ragged + 0.60 * (0.5 + 0.5 * lock.wander)
    cover *= smooth((1 - style.tip * pointed - along) / (0.45 * style.tip))
    if style.root_fade:
        cover *= smooth((along - style.root_fade * 0.6 * ragged) / style.root_fade)
    return cover


def _scattered(canvas: Canvas, places: Float32, color: Float32, cover: Float32) -> Float32:
    """The mean of the samples that fall into each pixel, single holes closed."""
    column = (places[..., 0] * canvas.scale + canvas.origin[0]).ravel()
    row = (places[..., 1] * canvas.scale + canvas.origin[1]).ravel()
    inside = (column >= 0) & (row >= 0) & (column < canvas.width) & (row < canvas.height)
    pixel = row[inside].astype(np.int64) * canvas.width + column[inside].astype(np.int64)
    weight = cover.ravel()[inside]

    def total(values: Float32 | None) -> Float32:
        sums = np.bincount(pixel, values, canvas.width * canvas.height)
        return sums.astype(np.float32).reshape(canvas.height, canvas.width)

    channels = [total(color[..., k].ravel()[inside] * weight) for k in range(3)]
    sums = np.dstack([*channels, total(weight), total(None)])
    around = cv2.blur(sums, (3, 3))
    hole = (sums[..., 4] == 0) & (around[..., 4] > 0.45)
    sums[hole] = around[hole]
    return sums[..., :4] / np.maximum(sums[..., 4:], 1e-6)


def _unit(vectors: Float32) -> Float32:
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return (vectors / np.maximum(length, 1e-5)).astype(np.float32)


def _bell(t: Float32) -> Float32:
    return np.exp(-0.5 * t**2)
