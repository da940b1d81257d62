"""HDR to SDR as one table of colours, the same on every ffmpeg.

PQ (SMPTE ST 2084) and HLG (ITU-R BT.2100) are turned into light, BT.2020 primaries into BT.709,
light up to half of reference white is kept as it is, brighter light is bent so that the brightest
still differs from white, and the result is coded with the display gamma 2.4 (ITU-R BT.1886).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

    from app_core.types import Float32

SIDE = 33
"""Colours a side of the table; ffmpeg interpolates between them."""

_REFERENCE_WHITE = 203.0
"""cd/m2 (ITU-R BT.2408)."""
_PEAK = 1000.0
"""cd/m2 of the display that HLG is made for, and the brightest that PQ is kept apart from."""
_KNEE = 0.5
_GAMMA = 2.4

# ITU-R BT.2087-0, annex 2, for linear light.
_TO_709 = np.array(
    [[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]]
)
_LUMINANCE = np.array([0.2627, 0.6780, 0.0593])


def sdr(rgb: np.ndarray, transfer: str) -> Float32:
    """Coded BT.2020 (..., 3), 0..1, to coded BT.709."""
    light = _pq(rgb) if transfer == "smpte2084" else _hlg(rgb)
    brightest = np.maximum(light.max(-1, keepdims=True), 1e-6)
    kept = light * (_bend(brightest) / brightest)  # one factor for all three: the hue stays
    shown = np.clip(kept @ _TO_709.T, 0.0, 1.0)
    return np.asarray(shown ** (1 / _GAMMA), np.float32)


def write_table(path: Path, transfer: str) -> None:
    """For ffmpeg's ``lut3d``: red runs fastest."""
    steps = np.linspace(0.0, 1.0, SIDE)
    blue, green, red = np.meshgrid(steps, steps, steps, indexing="ij")
    table = sdr(np.stack([red, green, blue], -1).reshape(-1, 3), transfer)
    rows = "\n".join(f"{r:.5f} {g:.5f} {b:.5f}" for r, g, b in table)
    path.write_text(f"LUT_3D_SIZE {SIDE}\n{rows}\n", "ascii")


def _bend(light: np.ndarray) -> np.ndarray:
    over = np.maximum(light - _KNEE, 0.0) / (1 - _KNEE)
    most = (_PEAK / _REFERENCE_WHITE - _KNEE) / (1 - _KNEE)
    bent = over * (1 + over / most**2) / (1 + over)
    return np.minimum(np.where(light > _KNEE, _KNEE + (1 - _KNEE) * bent, light), 1.0)


def _pq(code: np.ndarray) -> np.ndarray:
    """1 is reference white."""
    m1, m2, c1, c2, c3 = 2610 / 16384, 2523 / 32, 3424 / 4096, 2413 / 128, 2392 / 128
    root = np.asarray(code, float) ** (1 / m2)
    light: np.ndarray = (np.maximum(root - c1, 0) / (c2 - c3 * root)) ** (1 / m1)
    return np.asarray(light * (10_000 / _REFERENCE_WHITE))


def _hlg(code: np.ndarray) -> np.ndarray:
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    code = np.asarray(code, float)
    scene = np.where(code <= 0.5, code**2 / 3, (np.exp((code - c) / a) + b) / 12)
    luminance = (scene @ _LUMINANCE)[..., None]
    bright = np.maximum(luminance, 1e-9) ** 0.2
    return np.asarray(bright * scene * (_PEAK / _REFERENCE_WHITE))
