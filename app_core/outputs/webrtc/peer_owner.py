"""Whom a peer tells of itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from app_core.outputs.webrtc.microphone import SoundSink
    from app_core.types import Event


class PeerOwner(Protocol):
    """Whom a peer tells of itself. All but ``commanded`` is called in the loop's thread, and does
    not wait."""

    def connected(self) -> None: ...

    def commanded(self, message: str | bytes) -> None:
        """One call at a time, in a thread that may wait."""

    def left(self, why: str) -> None:
        """It is closed: no command comes any more."""

    def numbers(self) -> Event:
        """Told the peer each second."""

    def hearer(self) -> SoundSink | None:
        """Who hears its microphone now."""
