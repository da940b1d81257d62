"""Warm shadows on skin, exact in YUV.

A shadow k takes 0.72 k of R, 0.855 k of G and 0.90 k of B. In full-range YUV (BT.601) that is
Y' = Y - k S, U' = U - 0.564 k (0.90 B - S), V' = V - 0.713 k (0.72 R - S) with
S = 0.81977 Y + 0.00909 U - 0.0566 V. The factors below are the same for tv range.
"""

from __future__ import annotations

from app_core.kernels import inlined

SHADOW_Y, SHADOW_U, SHADOW_V = 0.819765, 0.00909 * 219 / 224, -0.0566 * 219 / 224
LUMA_SCALE = 255 / 219
CHROMA_SCALE = 255 / 224


@inlined
def shade_chroma(y: float, u: float, v: float, k: float, colour: float) -> tuple[float, float]:
    """Centred U and V under a shadow ``k``; ``y`` above black, before the shadow.

    ``colour`` (0..1): how warm the shadow is; at 0 it takes as much of every colour.
    """
    full_y = LUMA_SCALE * y
    blue = full_y + 1.772 * CHROMA_SCALE * u
    red = full_y + 1.402 * CHROMA_SCALE * v
    taken = LUMA_SCALE * (SHADOW_Y * y + SHADOW_U * u + SHADOW_V * v)
    cold = k * (1 - colour) * SHADOW_Y
    return (
        u * (1 - cold) - k * colour * 0.564 / CHROMA_SCALE * (0.90 * blue - taken),
        v * (1 - cold) - k * colour * 0.713 / CHROMA_SCALE * (0.72 * red - taken),
    )
