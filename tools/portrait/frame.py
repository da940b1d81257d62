"""The picture that is drawn: its size, and where the face lies in it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tools.portrait.curve import Points

WIDTH, HEIGHT = 1080, 1920
_UNIT = 1.42 / WIDTH
"""Picture widths a face unit."""
_FACE_Y = 640 / HEIGHT
"""Where the origin of the face units comes, in picture heights."""
_MARGIN = 24 / WIDTH
"""What is drawn beyond each edge, in picture widths, so that layers can move."""


@dataclass(frozen=True, slots=True)
class Frame:
    width: int
    """Pixels of the final picture, without margins, as is the height. Both are even."""
    height: int
    supersampling: int
    """Drawn pixels across one final pixel."""

    @property
    def margin(self) -> int:
        """Final pixels beyond each edge."""
        return round(_MARGIN * self.width)

    @property
    def unit(self) -> float:
        """Final pixels a face unit."""
        return _UNIT * self.width

    @property
    def origin(self) -> tuple[float, float]:
        """Final pixels from the margin's outer corner to the origin of the face units."""
        return self.width / 2 + self.margin, _FACE_Y * self.height + self.margin

    @property
    def layer_size(self) -> tuple[int, int]:
        """Width and height of a layer, margins included, final pixels."""
        return self.width + 2 * self.margin, self.height + 2 * self.margin

    def to_layer(self, points: Points) -> Points:
        """Face units (n, 2) to pixels of a layer, counted from its outer corner."""
        return np.asarray(points, float) * self.unit + self.origin

    def to_picture(self, points: Points) -> Points:
        """Face units (n, 2) to pixels of the final picture."""
        return self.to_layer(points) - self.margin
