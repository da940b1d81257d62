"""The studio's light on skin and cloth: a soft key from the upper left, a weak fill, a bounce."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from tools.portrait.curve import smooth
from tools.portrait.palette import Color, Float32, linear

if TYPE_CHECKING:
    from tools.portrait.canvas import Canvas


def _unit(x: float, y: float, z: float) -> Float32:
    return np.asarray(np.array([x, y, z]) / np.linalg.norm([x, y, z]), np.float32)


KEY = _unit(-0.42, -0.48, 0.77)
FILL = _unit(0.80, -0.10, 0.60)
BOUNCE = _unit(0.25, 0.85, 0.46)
VIEWER = _unit(0, 0, 1)
HALFWAY = _unit(*(KEY + VIEWER))

# wrap, scatter in face units, strength of key, fill, sky and room, depth of occlusion
_SKIN_CHANNELS = (
    (0.50, 3.6, 0.890, 0.100, 0.090, 0.095, 0.44),
    (0.39, 2.2, 0.870, 0.112, 0.098, 0.082, 0.68),
    (0.35, 1.6, 0.832, 0.132, 0.110, 0.078, 0.73),
)
_BOUNCE = (0.115, 0.066, 0.048)


def normals(height: Float32, scale: float) -> Float32:
    """(height, width, 3): the surface's normals; ``scale`` is drawn pixels a face unit."""
    down, across = np.gradient(height)
    normal = np.stack([-across * scale, -down * scale, np.ones_like(height)], -1)
    return (normal / np.linalg.norm(normal, axis=-1, keepdims=True)).astype(np.float32)


def on_skin(canvas: Canvas, normal: Float32, hidden: Float32, scatter: float = 1.0) -> Float32:
    """Light (height, width, 3) on skin, in which red scatters further than blue.

    ``hidden`` is ambient occlusion, 0..1.
    """
    toward = normal @ KEY
    fill = np.clip((normal @ FILL + 0.5) / 1.5, 0, 1)
    sky = 0.5 - 0.5 * normal[..., 1]
    bounce = np.clip(normal @ BOUNCE, 0, 1) ** 1.5
    channels = []
    for constants, warm in zip(_SKIN_CHANNELS, _BOUNCE, strict=True):
        wrap, sigma, key_part, fill_part, sky_part, room, depth = constants
        direct = np.clip((toward + wrap) / (1 + wrap), 0, 1) ** 1.25
        light = direct * key_part + fill * fill_part + sky * sky_part + bounce * warm + room
        light = (light * (1 - depth * hidden)).astype(np.float32)
        channels.append(canvas.blur(light, sigma * scatter))
    return np.stack(channels, -1)


def shine(normal: Float32, tight: float, wide: float) -> Float32:
    """The key's reflection (J. F. Blinn, SIGGRAPH 1977): a tight lobe and a wide one."""
    cosine = np.clip(normal @ HALFWAY, 0, 1)
    return 0.75 * cosine**tight + 0.25 * cosine**wide


def rim(canvas: Canvas, layer: Float32, amount: float, color: Color, inside: float) -> Float32:
    """A faint back light along a layer's outer edges, further than ``inside`` from x = 0."""
    reach = 4.0
    side = max(3, int(9 * canvas.scale) | 1)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    cover = cv2.morphologyEx(layer[..., 3], cv2.MORPH_CLOSE, kernel)
    soft = canvas.blur(cover, reach)
    slope = np.gradient(soft, axis=1) * canvas.scale * reach * 3
    facing = np.clip(np.where(slope < 0, -slope, 0.6 * slope), 0, 1)
    edge = np.clip(cover - soft, 0, 1) * cover * facing * smooth((np.abs(canvas.x) - inside) / 30)
    lit = layer.copy()
    lit[..., :3] += (amount * edge * layer[..., 3])[..., None] * linear(color)
    lit[..., :3] = np.minimum(lit[..., :3], layer[..., 3:])
    return lit
