"""Frames with their sound to a fragmented MP4 that plays while it is being made."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from app_core.errors import BadInput, SoyleError
from app_core.media.encoding import STREAMED, level
from app_core.outputs.frame_encoder import EncodedOutput, FrameEncoder
from app_core.outputs.output import OutOfOrder
from app_core.threads import start_thread

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app_core.media.ffmpeg import Ffmpeg
    from app_core.outputs.output import Format
    from app_core.request import Encoding
    from app_core.types import Frame

PIECE = 1 << 16
FRAGMENT_S = 0.2
KEY_FRAME_S = 1
_CONTAINER = (
    *("-movflags", "+frag_keyframe+empty_moov+default_base_moof"),
    *("-frag_duration", f"{round(FRAGMENT_S * 1e6)}", "-flush_packets", "1"),
)
_LOOK_S = 0.25
_JOIN_S = 1.0


def codecs(width: int, height: int, fps: int) -> str:
    """What MediaSource calls the stream: H.264 High and AAC-LC (RFC 6381)."""
    return f"avc1.6400{level(width, height, fps):02x}, mp4a.40.2"


class FragmentedMp4(EncodedOutput):
    """A pull ``Output``: ``write`` waits while the pipes of ffmpeg are full, 60 s at most."""

    def __init__(self, encoding: Encoding, ffmpeg: Ffmpeg) -> None:
        """High profile whatever the preset, a key frame each second, no picture held back.

        Raises BadInput for an encoder whose streams do not play everywhere.
        """
        super().__init__()
        if encoding.encoder not in STREAMED:
            works = ", ".join(STREAMED)
            raise BadInput(f"'stream' needs one of the encoders {works}", field="encoder")
        self._encoding = encoding._replace(key_frame_s=KEY_FRAME_S, streamed=True)
        self._ffmpeg = ffmpeg

    def _open(self, format: Format) -> FrameEncoder:
        return FrameEncoder(self._ffmpeg, "pipe:1", format, self._encoding, _CONTAINER, output=True)

    def finish(self) -> None:
        """No more frames; the reader gets the rest. Waits for nothing."""
        self._order.finish()
        assert self._encoder is not None
        self._encoder.end()

    def abort(self, error: Exception | None = None) -> None:
        """Ends the process and its threads. The reader gets ``error``, or Cancelled."""
        self._order.abort(error)
        if self._encoder is not None:
            self._encoder.stop(_JOIN_S)

    def pieces(self) -> Iterator[bytes]:
        """The stream, for one reader, once it has started. Leaving it early aborts.

        Raises FfmpegFailed, or what ``abort`` was given.
        """
        if self._encoder is None:
            raise OutOfOrder("pieces() of an output that is new")
        try:
            while data := self._receive(self._encoder):
                yield data
            self._encoder.check_sound(_JOIN_S)
        finally:
            self.abort()

    def _receive(self, encoder: FrameEncoder) -> bytes:
        while True:
            self._order.check()
            try:
                return encoder.process.receive(PIECE, _LOOK_S)
            except TimeoutError:
                continue
            except (SoyleError, OSError, ValueError):  # the last two: aborted, so it is closed
                self._order.check()
                raise


def fragments(
    frames: Iterator[Frame], format: Format, encoding: Encoding, ffmpeg: Ffmpeg
) -> Iterator[bytes]:
    """The bytes of the stream, made no faster than they are taken.

    ``frames`` is read in a thread of its own. Closing the generator ends the process at once, and
    the thread at the next frame. Raises what ``frames`` raises, FfmpegFailed, Busy or
    BadInput.
    """
    output = FragmentedMp4(encoding, ffmpeg)
    output.start(format)
    thread = threading.Thread(
        target=_feed, args=(frames, output), name=f"fragments-{output.pid}", daemon=True
    )
    try:
        start_thread(thread)
    except BaseException:
        output.abort()
        raise
    try:
        yield from output.pieces()
    finally:
        output.abort()
        thread.join(_JOIN_S)


def _feed(frames: Iterator[Frame], output: FragmentedMp4) -> None:
    try:
        for frame in frames:
            output.write(frame)
        output.finish()
    except Exception as error:
        output.abort(error)
