"""Who looks at a session, as the session sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from app_core.outputs.live.packet import Packet
    from app_core.types import Event


class LiveViewer(Protocol):
    """Nothing here waits."""

    @property
    def video(self) -> str:
        """A codec of ``open_encoder``, or ``none``."""

    @property
    def audio(self) -> str:
        """A codec of ``open_encoder``, or ``none``."""

    @property
    def limit(self) -> int | None:
        """Bits of video a second that it can take now; None: it says nothing."""

    @property
    def closed(self) -> bool:
        """Nothing more is taken."""

    def put(self, *packets: Packet) -> None:
        """It takes those of its codecs, and leaves the others."""

    def tell(self, event: Event) -> None:
        """In the order of the packets."""

    def close(self, error: Exception | None = None, *, now: bool = False) -> None:
        """Nothing more comes. ``now``: nor what waits. The first close wins."""
