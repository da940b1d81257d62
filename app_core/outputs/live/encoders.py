"""The encoders of a session: one for each codec in use, whoever watches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from app_core.outputs.live.h264_encoder import H264Encoder
from app_core.outputs.live.jpeg_encoder import JpegEncoder
from app_core.outputs.live.mp4_encoder import Mp4Encoder
from app_core.outputs.live.opus_encoder import OpusEncoder
from app_core.outputs.live.pcm_encoder import PcmEncoder
from app_core.outputs.live.vp8_encoder import Vp8Encoder

if TYPE_CHECKING:
    from app_core.outputs.live.live_frame import LiveFrame
    from app_core.outputs.live.packet import Packet
    from app_core.outputs.live.video_rates import VideoRates


class LiveEncoder(Protocol):
    """Used by the session's thread alone; ``ask_key`` may come from any."""

    def encode(self, frame: LiveFrame) -> list[Packet]:
        """Of the next frame; it waits for nobody. Raises FfmpegFailed, which names the codec."""

    @property
    def opening(self) -> Packet | None:
        """What a viewer needs before all others; None where that is nothing."""

    def limit(self, bits_s: int | None) -> None:
        """Of video, before ``encode``; None: as many as it needs."""

    def ask_key(self) -> None:
        """The next picture is to be a key frame."""

    def close(self) -> None:
        """Frees what it holds. Safe to call again."""


def open_encoder(
    codec: str,
    width: int,
    height: int,
    fps: int,
    jpeg_quality: int,
    rates: VideoRates | None = None,
) -> LiveEncoder:
    """``codec``: jpeg, mp4, h264, vp8, pcm or opus. Width and height are even. ``rates`` of h264
    and vp8; None: those of the size.

    Raises FfmpegFailed, or ValueError for another codec.
    """
    if codec == "jpeg":
        return JpegEncoder(jpeg_quality)
    if codec == "pcm":
        return PcmEncoder()
    if codec == "mp4":
        return Mp4Encoder(width, height, fps)
    if codec == "h264":
        return H264Encoder(width, height, fps, rates)
    if codec == "vp8":
        return Vp8Encoder(width, height, fps, rates)
    if codec == "opus":
        return OpusEncoder()
    raise ValueError(f"no live encoder is called {codec}")
