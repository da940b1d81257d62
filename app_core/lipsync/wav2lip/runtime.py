"""What runs the generator: OpenVINO or torch on the CPU, torch on an NVIDIA GPU."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app_core.types import Float32, UInt8


class FaceAt(NamedTuple):
    crops: Any
    """What ``Runtime.hold`` returned."""
    picture: int


class Runtime(Protocol):
    """Used by one thread, but for ``hold`` and ``fill``."""

    name: str
    device: str
    max_batch: int
    face_room: int
    """Bytes that faces may take of a memory of the device's own, known after ``warm_up``; 0: they
    lie in this machine's."""

    def hold(self, crops: UInt8) -> Any:
        """Puts the faces (faces, 96, 96, 3) of an avatar where they are needed. Any thread."""

    def fill(self, held: Any, at: int, face: UInt8) -> None:
        """One more face (96, 96, 3) among those that are held. Any thread, one at a time."""

    def draw(self, mel: Float32, faces: Sequence[FaceAt]) -> UInt8:
        """``mel`` (n, 80, 16). Returns the patches (n, 48, 96, 3) BGR."""

    def answer(self, mel: Float32, faces: UInt8) -> Float32:
        """What the network itself answers, (n, 3, 48, 96), 0..1, for ``faces`` (n, 96, 96, 3)."""

    def warm_up(self) -> None: ...
