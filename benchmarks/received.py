"""What a viewer has received, seen and heard: messages over a socket or over WebRTC alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from benchmarks.notes import Message
from benchmarks.session_viewer import JPEG, PCM, SessionViewer
from benchmarks.webrtc_tracks import GREY, block_means
from benchmarks.webrtc_viewer import WebRtcViewer

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Viewer = SessionViewer | WebRtcViewer

VIEWERS: dict[str, Callable[..., Viewer]] = {"socket": SessionViewer, "webrtc": WebRtcViewer}
RATE, FPS = 48_000, 25
HEARD = 100
"""Of 32768: a sample that is louder is heard."""


def is_picture(message: Message) -> bool:
    """One that can be looked at."""
    return message.kind in (JPEG, GREY)


def loudness(message: Message) -> NDArray[np.int32]:
    """Of each sample, 0..32768."""
    return np.abs(np.frombuffer(message.payload, "<i2").astype(np.int32))


def is_loud(message: Message) -> bool:
    return message.kind == PCM and bool(loudness(message).max(initial=0) > HEARD)


def grey(message: Message) -> NDArray[np.float32]:
    """Means of blocks of the decoded picture."""
    if message.kind == GREY:
        return np.frombuffer(message.payload, np.float32)
    data = np.frombuffer(message.payload, np.uint8)
    picture = np.asarray(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE), np.uint8)
    return block_means(picture).reshape(-1)
