"""The sound that a peer sends, read as it comes and handed on."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from aiortc.mediastreams import MediaStreamError

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiortc import MediaStreamTrack

logger = logging.getLogger(__name__)

SAMPLE_RATE = 48_000


class SoundSink(Protocol):
    """Who hears it."""

    @property
    def ended(self) -> bool:
        """It takes no more."""

    def push(self, pcm: bytes) -> None:
        """16-bit little-endian mono samples at SAMPLE_RATE. Never waits."""

    def end(self) -> None: ...


async def read_microphone(track: MediaStreamTrack, hearer: Callable[[], SoundSink | None]) -> None:
    """To the end of the track. ``hearer`` is asked for each piece, as a sink may end before: None
    leaves the piece out. A track that nobody reads would grow without bound, so what fails leaves
    its piece out too."""
    complained = False
    while True:
        try:
            frame = await track.recv()
            sink = hearer()
            if sink is not None:
                sink.push(_mono(frame))
        except MediaStreamError:
            logger.debug("a microphone ended")
            return
        except Exception:
            if not complained:
                logger.exception("a piece of a microphone's sound was lost")
            complained = True


def _mono(frame: Any) -> bytes:
    channels = len(frame.layout.channels)
    mono = frame.to_ndarray().reshape(-1, channels)
    if channels > 1:
        mono = mono.mean(axis=1).astype(np.int16)
    found: bytes = mono.astype("<i2").tobytes()
    return found
