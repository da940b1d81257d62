"""What a session sends is what Chromium's own decoders show and play, at its time."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from app_core.outputs.live.live_frame import LiveFrame
from app_core.outputs.live.mp4_encoder import Mp4Encoder, mime
from app_core.outputs.live.opus_encoder import OpusEncoder
from app_core.picture import from_bgr, to_bgr
from app_core.types import Picture
from tests.browser.conftest import Visitor

FPS, WIDTH, HEIGHT = 25, 64, 48
PLAIN_PAGE = "http://localhost:9/"
"""A secure context, answered by the test itself."""

SHOWN = """async ([type, opening, fragments, times]) => {
  const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const heard = (target, name) => new Promise((done, fail) => {
    target.addEventListener(name, done, { once: true });
    setTimeout(() => fail(new Error(`no ${name}`)), 10_000);
  });
  const video = document.createElement("video");
  const source = new MediaSource();
  video.src = URL.createObjectURL(source);
  await heard(source, "sourceopen");
  const buffer = source.addSourceBuffer(type);
  for (const data of [opening, ...fragments]) {
    buffer.appendBuffer(bytes(data));
    await heard(buffer, "updateend");
  }
  const canvas = new OffscreenCanvas(video.videoWidth, video.videoHeight)
    .getContext("2d", { willReadFrequently: true });
  const colours = [];
  const frames = new EventTarget();
  for (const time of times) {
    const seeked = heard(video, "seeked");
    const drawn = heard(frames, "frame");
    video.requestVideoFrameCallback(() => frames.dispatchEvent(new Event("frame")));
    video.currentTime = time;
    await Promise.all([seeked, drawn]);
    canvas.drawImage(video, 0, 0);
    colours.push([...canvas.getImageData(20, 20, 1, 1).data].slice(0, 3));
  }
  const ranges = [...Array(buffer.buffered.length).keys()].map((i) => [
    buffer.buffered.start(i), buffer.buffered.end(i),
  ]);
  return { ranges, colours, size: [video.videoWidth, video.videoHeight] };
}"""

LOUD_AT = """async (packets) => {
  const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  let at = null;
  let failure = null;
  const decoder = new AudioDecoder({
    output: (sound) => {
      const samples = new Float32Array(sound.numberOfFrames);
      sound.copyTo(samples, { planeIndex: 0, format: "f32-planar" });
      const first = samples.findIndex((sample) => Math.abs(sample) > 0.1);
      if (at === null && first >= 0) at = sound.timestamp / 1e6 + first / sound.sampleRate;
      sound.close();
    },
    error: (error) => { failure = `${error}`; },
  });
  decoder.configure({ codec: "opus", sampleRate: 48000, numberOfChannels: 1 });
  for (const [timestamp, data] of packets) {
    decoder.decode(new EncodedAudioChunk({ type: "key", timestamp, data: bytes(data) }));
  }
  await decoder.flush();
  return [at, failure];
}"""


@pytest.fixture
def plain(visitor: Visitor) -> Iterator[Any]:
    visitor.page.route(
        f"{PLAIN_PAGE}**", lambda route: route.fulfill(body="", content_type="text/html")
    )
    visitor.page.goto(PLAIN_PAGE)
    yield visitor.page


def text(payload: bytes) -> str:
    return base64.b64encode(payload).decode()


def picture(index: int) -> Picture:
    colour = [60 + 2 * index, 200 - 2 * index, 90]
    return from_bgr(np.full((HEIGHT, WIDTH, 3), colour, np.uint8))


def test_a_film_is_shown_at_its_times_across_pictures_left_out(plain: Any) -> None:
    """Without a fragment for the gap Chromium keeps nothing of what follows it."""
    if not plain.evaluate("(type) => MediaSource.isTypeSupported(type)", mime(WIDTH, HEIGHT, FPS)):
        pytest.skip("this Chromium has no H.264")
    encoder = Mp4Encoder(WIDTH, HEIGHT, FPS)
    packets = []
    for index in range(50, 90):
        shown = None if 60 <= index < 66 else picture(index - 50)
        packets += encoder.encode(LiveFrame(index, FPS, 0, True, shown, np.zeros(0, np.float32)))
    fragments = [text(packet.payload) for packet in packets]
    indices, expected = [50, 55, 59, 63, 66, 89], [0, 5, 9, 9, 16, 39]
    times = [(index + 0.5) / FPS for index in indices]
    given = [mime(WIDTH, HEIGHT, FPS), text(encoder.opening.payload), fragments, times]
    found = plain.evaluate(SHOWN, given)
    assert found["size"] == [WIDTH, HEIGHT]
    assert found["ranges"] == [[50 / FPS, 90 / FPS]]
    for colour, index in zip(found["colours"], expected, strict=True):
        right = to_bgr(picture(index))[20, 20, ::-1].astype(int)
        assert np.abs(np.array(colour) - right).max() <= 5


@pytest.mark.parametrize("begin", [0, 100])
def test_sound_is_played_at_its_time(plain: Any, begin: int) -> None:
    encoder = OpusEncoder()
    packets = []
    for index in range(begin, begin + 50):
        samples = np.arange(1920)
        pcm = np.sin(2 * np.pi * 1000 * samples / 48_000) / 2 * (index >= begin + 30)
        frame = LiveFrame(index, FPS, 0, True, None, pcm.astype(np.float32))
        packets += [[p.micros, text(p.payload)] for p in encoder.encode(frame)]
    at, failure = plain.evaluate(LOUD_AT, packets)
    assert failure is None
    assert at == pytest.approx((begin + 30) / FPS, abs=0.001)
