"""What a lip-sync model is to the rest of the server.

A model turns sound into mouths (``features`` then ``draw``) and mouths into pictures
(``apply``). Heavy models work in ``draw``, a batch at a time on the one thread that touches
their weights; light ones work in ``apply``, in as many threads as there are readers.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app_core.types import FaceTrack, Mouth, MouthTask, Picture, Speech


@dataclass(frozen=True, slots=True)
class ModelOptions:
    """What the settings say about models."""

    models_dir: Path = Path("models")
    runtime: str = "auto"
    precision: str = "auto"
    """full, half, or auto: half on a GPU."""
    offset: float = 0.0
    """Frames by which mouths come later."""
    work_dir: Path | None = None
    """For large temporary files; None: the system's place for them."""
    devices: tuple[str, ...] = ()
    """Those that a network is opened on, once each; empty: every GPU, else where it chooses."""
    device: str = ""
    """The one of them that is meant; empty: where the model chooses."""


class FrameSource(Protocol):
    """One job's way through a plate's pictures, forward and round."""

    def picture(self, index: int) -> Picture:
        """Do not write to it. Raises FfmpegFailed, or Cancelled after ``close``."""

    def close(self) -> None:
        """From any thread; safe to call again."""


class Plate(Protocol):
    """An avatar's pictures at one size: what the mouth is drawn onto. Shared, read-only."""

    @property
    def width(self) -> int: ...

    @property
    def height(self) -> int: ...

    @property
    def track(self) -> FaceTrack:
        """One entry for each picture, in this plate's pixels."""

    @property
    def jaw_gain(self) -> float: ...

    @property
    def open_gain(self) -> float: ...

    def picture(self, index: int) -> Picture:
        """The picture at ``index`` (0 .. len(track.boxes) - 1). Thread-safe; do not write to it.

        May be slow far from the start: a job goes through its ``frame_source``.
        """

    def frame_source(self, use_nvdec: bool = False, gently: bool = False) -> FrameSource:
        """For one job, which closes it. Where it decodes: with ``use_nvdec`` on the GPU, ``gently``
        giving way to live work."""


class FeatureStream(Protocol):
    """The features of one job's sound, piece by piece, in order."""

    def push(self, speech: Speech) -> NDArray[Any]:
        """Features of the frames that are settled now, shape (frames, ...); may be empty."""

    def finish(self) -> NDArray[Any]:
        """Features of the frames that are left when no more sound comes."""


class LipsyncModel(Protocol):
    """On one device. Where faces lie in a memory of that device's own, there is ``face_room`` too:
    the bytes that they may take of it; and a face has ``device_bytes``, and can be referred to
    weakly.
    """

    name: str
    device: str
    max_batch: int
    frames_per_s: float
    """That ``draw`` sustains, known after ``warm_up``."""

    def open(self, plate: Plate) -> Any:
        """All work that depends on the face alone, or its beginning. Cached with the plate."""

    def ready(self, task: MouthTask) -> bool:
        """Whether ``draw`` has all that this task needs. Quick; asked by the engine's thread."""

    def close(self) -> None:
        """Ends what ``open`` began."""

    def features(self, fps: int) -> FeatureStream: ...

    def draw(self, tasks: Sequence[MouthTask]) -> list[Mouth]:
        """One mouth for each task, in order. A batch may mix jobs and faces."""

    def apply(self, face: Any, picture: Picture, mouth: Mouth) -> Picture:
        """A new picture with the mouth on it. Thread-safe; never writes to ``picture``."""

    def rest(self, index: int, picture: int) -> Mouth:
        """A mouth that says nothing."""

    def eased(self, mouth: Mouth, weight: float) -> Mouth:
        """``mouth`` on its way to or from rest. ``weight`` 0..1: 1 is ``mouth`` itself."""

    def warm_up(self) -> None:
        """Everything slow that happens once (compilation, first allocation)."""


EMPTY = np.zeros((0, 8), np.float32)
