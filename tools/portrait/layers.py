"""The drawing's layers, each as premultiplied BGRA with the frame's margins."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from tools.portrait import hair
from tools.portrait.background import draw_background
from tools.portrait.blouse import draw_blouse
from tools.portrait.brows import draw_brows
from tools.portrait.canvas import Box, Canvas
from tools.portrait.eyes import draw_eyes
from tools.portrait.face import draw_face
from tools.portrait.jacket import draw_jacket
from tools.portrait.light import rim
from tools.portrait.neck import draw_neck
from tools.portrait.palette import Float32, covering, linear, mix, stack, to_srgb
from tools.portrait.pendant import draw_pendant

if TYPE_CHECKING:
    from app_core.types import UInt8
    from tools.portrait.frame import Frame

logger = logging.getLogger(__name__)

_HAIR: Box = (-290, -300, 290, 490)
_HEAD: Box = (-245, -240, 245, 610)
_EYES: Box = (-125, -50, 125, 45)
_BODY: Box = (-450, 255, 450, 1060)
_BODY_LIFT = 14.0
"""How much higher than the face units of its files the body is drawn."""


def draw_layers(frame: Frame) -> dict[str, UInt8]:
    """All layers by name; ``clip.ORDER`` says which lies over which."""
    drawn = {}
    for name, (draw, box, lift) in _LAYERS.items():
        began = time.monotonic()
        canvas = Canvas(frame, box, lift)
        drawn[name] = _stored(canvas.finished(draw(canvas)))
        logger.info("%s drawn in %.1f s", name, time.monotonic() - began)
    return drawn


def _random(number: int) -> np.random.Generator:
    return np.random.default_rng(20 + number)


def _back(canvas: Canvas) -> Float32:
    return rim(canvas, hair.draw_back(canvas), 0.5, (1, 0.85, 0.7), 170)


def _head(canvas: Canvas) -> Float32:
    """Neck, ear, face, brows and open eyes."""
    colors, cover = draw_neck(canvas)
    face, mask = draw_face(canvas, _random(2))
    face = draw_brows(canvas, face, _random(11))
    soft = canvas.blur(mask, 0.55)
    head = covering(np.clip(mix(colors, face, soft), 0, 1), np.maximum(cover, soft))
    eyes = Canvas(canvas.frame, _EYES)
    left, top = eyes.left - canvas.left, eyes.top - canvas.top
    part = head[top : top + eyes.height, left : left + eyes.width]
    part[:] = stack(part, draw_eyes(eyes, _random(3)))
    return head


def _head_shade(canvas: Canvas) -> Float32:
    sheets = (hair.SWEEP, hair.TUCK, hair.CURL)
    shade = 0.30 * hair.shadow(canvas, sheets, 5, 8, 6.0)
    shade *= 1 - 0.35 * np.clip((canvas.y - 60) / 90, 0, 1)
    return covering(np.broadcast_to(linear((0.48, 0.21, 0.13)), (*shade.shape, 3)), shade)


def _side(canvas: Canvas) -> Float32:
    return rim(canvas, hair.draw_side(canvas), 0.55, (1, 0.84, 0.68), 170)


def _body(canvas: Canvas) -> Float32:
    random = _random(4)
    body = stack(draw_blouse(canvas, random), draw_pendant(canvas), draw_jacket(canvas, random))
    return rim(canvas, body, 0.22, (0.9, 0.93, 1), 200)


def _body_shade(canvas: Canvas) -> Float32:
    shade = 0.44 * hair.shadow(canvas, [hair.SWEEP], 9, 13, 9.0)
    return covering(np.broadcast_to(linear((0.02, 0.025, 0.05)), (*shade.shape, 3)), shade)


def _front(canvas: Canvas) -> Float32:
    return rim(canvas, hair.draw_front(canvas), 0.55, (1, 0.84, 0.68), 170)


_LAYERS: dict[str, tuple[Callable[[Canvas], Float32], Box | None, float]] = {
    "background": (lambda canvas: draw_background(canvas, _random(0)), None, 0.0),
    "hair_back": (_back, _HAIR, 0.0),
    "head": (_head, _HEAD, 0.0),
    "head_shade": (_head_shade, _HAIR, 0.0),
    "hair_side": (_side, _HAIR, 0.0),
    "body": (_body, _BODY, _BODY_LIFT),
    "body_shade": (_body_shade, _HAIR, 0.0),
    "hair_front": (_front, _HAIR, 0.0),
}


def _stored(layer: Float32) -> UInt8:
    """Premultiplied linear RGBA 0..1 to premultiplied sRGB BGRA 0..255."""
    cover = np.clip(layer[..., 3:], 0, 1)
    colors = to_srgb(layer[..., 2::-1] / np.maximum(cover, 1e-4)) * cover
    return (np.dstack([colors, cover]) * 255 + 0.5).astype(np.uint8)
