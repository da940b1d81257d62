"""What one import may cost, and the refusals that say so."""

from __future__ import annotations

from dataclasses import dataclass

from app_core.errors import TooLarge


@dataclass(frozen=True, slots=True)
class IngestLimits:
    """What one import may cost."""

    max_pixels: int = 50_000_000
    """Of a photo."""
    max_clip_s: float = 1800.0
    max_clip_pixels: int = 9_500_000
    """Of one picture of a clip: a decoder holds many."""


def check_pixels(width: int, height: int, limits: IngestLimits) -> None:
    """Raises TooLarge."""
    if width * height > limits.max_pixels:
        raise TooLarge(
            f"The picture is {width}x{height} pixels; the limit is {mega(limits.max_pixels)}.",
            field="file",
        )


def check_clip_pixels(width: int, height: int, limits: IngestLimits) -> None:
    """Raises TooLarge."""
    if width * height > limits.max_clip_pixels:
        most = mega(limits.max_clip_pixels)
        raise TooLarge(
            f"The clip's pictures are {width}x{height} pixels; the limit is {most}. "
            "Send it in 4K or less.",
            field="file",
        )


def too_heavy(memory: int) -> TooLarge:
    return TooLarge(
        f"To read the clip takes over {memory >> 20} MiB of memory. Send it smaller, or "
        "encode it again.",
        field="file",
    )


def too_long(limits: IngestLimits, seconds: float | None = None) -> TooLarge:
    lasts = "is too long" if seconds is None else f"lasts {seconds:.0f} s"
    return TooLarge(f"The clip {lasts}; the limit is {limits.max_clip_s:.0f} s.", field="file")


def mega(pixels: int) -> str:
    return f"{pixels / 1e6:.3g} million pixels"
