"""A rectangle of the picture to draw on: its coordinates, soft shapes, strokes and noise."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import cv2
import numpy as np
import skia

from tools.portrait.curve import Control, Points, tapered
from tools.portrait.frame import Frame
from tools.portrait.palette import Color, Float32, linear

Box = tuple[float, float, float, float]
"""Left, top, right, bottom in face units."""


class Canvas:
    """``x`` and ``y`` (height, width) are the face units of each drawn pixel's centre."""

    def __init__(self, frame: Frame, box: Box | None = None, lift: float = 0.0) -> None:
        """``lift`` draws everything that many face units higher."""
        self.frame = frame
        self.scale = frame.unit * frame.supersampling
        width, height = (side * frame.supersampling for side in frame.layer_size)
        origin_x, origin_y = (place * frame.supersampling for place in frame.origin)
        origin_y -= lift * self.scale
        edges = (0, 0, width, height)
        if box is not None:
            left, right = (origin_x + x * self.scale for x in (box[0], box[2]))
            top, bottom = (origin_y + y * self.scale for y in (box[1], box[3]))
            edges = (max(left, 0), max(top, 0), min(right, width), min(bottom, height))
        self.left, self.top = int(edges[0]), int(edges[1])
        self.width, self.height = int(edges[2]) - self.left, int(edges[3]) - self.top
        self.origin = (origin_x - self.left, origin_y - self.top)
        columns = (np.arange(self.width) + 0.5 - self.origin[0]) / self.scale
        rows = (np.arange(self.height) + 0.5 - self.origin[1]) / self.scale
        grid = np.meshgrid(columns.astype(np.float32), rows.astype(np.float32))
        self.x: Float32 = grid[0]
        self.y: Float32 = grid[1]
        self._full = (width, height)

    def blur(self, pixels: Float32, sigma: float) -> Float32:
        """Gaussian blur of ``sigma`` face units; wide ones are done on fewer pixels."""
        drawn = sigma * self.scale
        if drawn < 0.25:
            return pixels
        step = int(drawn // 6)
        if step < 2 or min(pixels.shape[:2]) <= 8 * step:
            return cv2.GaussianBlur(pixels, (0, 0), drawn, borderType=cv2.BORDER_REPLICATE)
        size = max(2, pixels.shape[1] // step), max(2, pixels.shape[0] // step)
        small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
        small = cv2.GaussianBlur(small, (0, 0), drawn / step, borderType=cv2.BORDER_REPLICATE)
        return cv2.resize(small, pixels.shape[1::-1], interpolation=cv2.INTER_CUBIC)

    def draw(self, paint: Callable[[Brush], None], soft: float = 0.0) -> Float32:
        """Premultiplied linear RGBA of what ``paint`` draws, blurred by ``soft`` face units."""
        bytes_ = np.zeros((self.height, self.width, 4), np.uint8)
        surface = skia.Surface(bytes_)
        with surface as target:
            target.clear(0)
            target.translate(*self.origin)
            target.scale(self.scale, self.scale)
            paint(Brush(target))
        surface.flushAndSubmit()
        del target, surface
        drawn = bytes_.astype(np.float32) / 255
        drawn[..., :3] = linear(drawn[..., :3]) * drawn[..., 3:]
        return self.blur(drawn, soft) if soft else drawn

    def mask(self, outline: Points, soft: float = 0.0) -> Float32:
        """1 inside the closed ``outline``."""
        filled = self.draw(lambda brush: brush.fill(outline, (1, 1, 1)))[..., 3]
        return self.blur(np.ascontiguousarray(filled), soft) if soft else filled

    def bump(self, x: float, y: float, wide: float, high: float, turn: float = 0.0) -> Float32:
        """A Gaussian of height 1 and the given standard deviations; ``turn`` in radians."""
        across, down = self.x - np.float32(x), self.y - np.float32(y)
        if turn:
            cos, sin = np.float32(math.cos(turn)), np.float32(math.sin(turn))
            across, down = cos * across + sin * down, cos * down - sin * across
        squared = (across / np.float32(wide)) ** 2 + (down / np.float32(high)) ** 2
        return np.exp(np.float32(-0.5) * squared)

    def bumps(self, x: float, y: float, wide: float, high: float, turn: float = 0.0) -> Float32:
        """The same on both sides of x = 0."""
        return self.bump(x, y, wide, high, turn) + self.bump(-x, y, wide, high, -turn)

    def noise(self, random: np.random.Generator, wide: float, high: float) -> Float32:
        """Noise of unit variance with a grain of ``wide`` by ``high`` face units."""
        cells = [
            max(3, int(side / self.scale / grain))
            for side, grain in zip(self._full, (wide, high), strict=True)
        ]
        coarse = random.standard_normal((cells[1], cells[0])).astype(np.float32)
        full = cv2.resize(coarse, self._full, interpolation=cv2.INTER_CUBIC)
        part = full[self.top : self.top + self.height, self.left : self.left + self.width]
        return part / max(float(part.std()), 1e-6)

    def finished(self, layer: Float32) -> Float32:
        """A premultiplied linear RGBA drawing of this canvas as a whole layer, final pixels."""
        width, height = self._full
        full = np.zeros((height, width, 4), np.float32)
        full[self.top : self.top + self.height, self.left : self.left + self.width] = layer
        return cv2.resize(full, self.frame.layer_size, interpolation=cv2.INTER_AREA)


class Brush:
    """Shapes in face units; colors are sRGB, opacity 0..1."""

    def __init__(self, target: skia.Canvas) -> None:
        self._target = target

    def fill(self, outline: Points, color: Color, opacity: float = 1.0) -> None:
        self._target.drawPath(_path(outline, closed=True), _paint(color, opacity))

    def stroke(
        self, line: Control | Points, widths: Sequence[float], color: Color, opacity: float = 1.0
    ) -> None:
        """A stroke whose ``widths`` are spread along the line."""
        self.fill(tapered(line, widths), color, opacity)

    def line(self, line: Points, width: float, color: Color, opacity: float = 1.0) -> None:
        self._target.drawPath(_path(line, closed=False), _paint(color, opacity, width))

    def disc(self, x: float, y: float, radius: float, color: Color, opacity: float = 1.0) -> None:
        self._target.drawCircle(x, y, radius, _paint(color, opacity))

    def ring(
        self, x: float, y: float, radius: float, width: float, color: Color, opacity: float = 1.0
    ) -> None:
        self._target.drawCircle(x, y, radius, _paint(color, opacity, width))

    def bar(
        self, x: float, y: float, wide: float, high: float, color: Color, opacity: float = 1.0
    ) -> None:
        self._target.drawRect(skia.Rect.MakeXYWH(x, y, wide, high), _paint(color, opacity))

    def shaded_disc(self, x: float, y: float, radius: float, colors: Sequence[Color]) -> None:
        """``colors`` from the upper left to the lower right."""
        paint = _paint((1, 1, 1), 1.0)
        ends = [skia.Point(x - radius, y - radius), skia.Point(x + radius, y + radius)]
        stops = [skia.Color4f(*color, 1.0).toColor() for color in colors]
        paint.setShader(skia.GradientShader.MakeLinear(ends, stops))
        self._target.drawCircle(x, y, radius, paint)


def _path(points: Points, closed: bool) -> skia.Path:
    path = skia.Path()
    path.addPoly([skia.Point(float(x), float(y)) for x, y in points], closed)
    return path


def _paint(color: Color, opacity: float, width: float | None = None) -> skia.Paint:
    paint = skia.Paint(AntiAlias=True)
    paint.setColor4f(skia.Color4f(*(float(part) for part in color), float(opacity)))
    if width is not None:
        paint.setStyle(skia.Paint.kStroke_Style)
        paint.setStrokeWidth(width)
        paint.setStrokeCap(skia.Paint.kRound_Cap)
        paint.setStrokeJoin(skia.Paint.kRound_Join)
    return paint
