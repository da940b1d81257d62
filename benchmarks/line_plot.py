"""Small charts below one another, one line each, as a PNG."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

WIDE, HIGH = 1200, 170
"""Pixels of a chart."""
_LEFT, _RIGHT, _TOP, _BELOW, _TITLE = 90, 40, 36, 16, 64
_TWICE = 2
"""Drawn as much larger, so that lines and letters are smooth."""
_INK, _FAINT, _LINE, _BAND = (60, 50, 45), (228, 224, 220), (160, 90, 30), (215, 232, 225)
"""Blue, green, red."""
_FONT = cv2.FONT_HERSHEY_SIMPLEX


class Chart(NamedTuple):
    title: str
    values: Sequence[float]
    band: tuple[float, float] | None = None
    """Where they may lie, shown behind them."""


def draw(path: Path, title: str, minutes: Sequence[float], charts: Sequence[Chart]) -> None:
    """Raises OSError."""
    high = _TITLE + len(charts) * HIGH + 40
    canvas = np.full((high * _TWICE, WIDE * _TWICE, 3), 255, np.uint8)
    _write(canvas, title, 24, 40, 0.75)
    for number, chart in enumerate(charts):
        _chart(canvas, _TITLE + number * HIGH, minutes, chart)
    for tick in _ticks(0.0, max(minutes), 10):
        _write(canvas, f"{tick:g}", _x(tick, minutes) - 6, high - 34, 0.45)
    _write(canvas, "minutes", WIDE // 2 - 30, high - 12, 0.5)
    small = cv2.resize(canvas, (WIDE, high), interpolation=cv2.INTER_AREA)
    coded, png = cv2.imencode(".png", small, [cv2.IMWRITE_PNG_COMPRESSION, 9])
    assert coded
    path.write_bytes(png.tobytes())


def _chart(canvas: NDArray[np.uint8], top: int, minutes: Sequence[float], chart: Chart) -> None:
    shown = [*chart.values, *(chart.band or ())]
    ticks = _ticks(min(0.0, *shown), max(*shown, 1.0), 3)
    low, most = ticks[0], ticks[-1]

    def y(value: float) -> int:
        height = HIGH - _TOP - _BELOW
        return round(top + _TOP + height * (1 - (value - low) / (most - low)))

    if chart.band is not None:
        corners = [(_LEFT, y(chart.band[1])), (WIDE - _RIGHT, y(chart.band[0]))]
        first, last = [(x * _TWICE, at * _TWICE) for x, at in corners]
        cv2.rectangle(canvas, first, last, _BAND, -1)
    for tick in ticks:
        _stroke(canvas, [(_LEFT, y(tick)), (WIDE - _RIGHT, y(tick))], _FAINT, 1)
        _write(canvas, f"{tick:g}", 24, y(tick) + 5, 0.45)
    points = [(_x(at, minutes), y(value)) for at, value in zip(minutes, chart.values, strict=True)]
    _stroke(canvas, points, _LINE, 2)
    _write(canvas, chart.title, _LEFT, top + _TOP - 12, 0.55)


def _x(minute: float, minutes: Sequence[float]) -> int:
    return round(_LEFT + (WIDE - _LEFT - _RIGHT) * minute / max(minutes))


def _ticks(low: float, most: float, count: int) -> list[float]:
    """Round numbers from ``low`` or below to ``most`` or above, about so many."""
    rough = max(most - low, 1e-9) / count
    size = 10 ** np.floor(np.log10(rough))
    step = float(size * next(factor for factor in (1, 2, 5, 10) if factor * size >= rough))
    first, last = np.floor(low / step), np.ceil(most / step)
    return [float(round(number * step, 9)) for number in np.arange(first, last + 1)]


def _stroke(
    canvas: NDArray[np.uint8],
    points: Sequence[tuple[int, int]],
    colour: tuple[int, int, int],
    width: int,
) -> None:
    line = np.array(points, np.int32) * _TWICE
    cv2.polylines(canvas, [line], False, colour, width * _TWICE, cv2.LINE_AA)


def _write(canvas: NDArray[np.uint8], text: str, x: int, y: int, size: float) -> None:
    at = (x * _TWICE, y * _TWICE)
    cv2.putText(canvas, text, at, _FONT, size * _TWICE, _INK, _TWICE, cv2.LINE_AA)
