"""A session over WebRTC as headless Chromium sees and hears it.

A picture is there when requestVideoFrameCallback tells of it, sound when an analyser hears it,
which is asked each 4 ms; both are behind the browser's own jitter buffers. Each picture is scaled
to a pixel for a block of 16, as ``conversation`` has it.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any, Self

from benchmarks.notes import PATIENCE_S
from benchmarks.session_viewer import Refused, call

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

FLAGS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
]

_PAGE = """
window.look = async ({fields, heard, through}) => {
  const self = window.seen = {pictures: [], sounds: [], events: []};
  self.began = performance.now();
  const peer = self.peer = new RTCPeerConnection();
  const video = document.createElement("video");
  const context = new AudioContext({sampleRate: 48000});
  const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
  video.autoplay = true;
  document.documentElement.append(video);
  const stream = new MediaStream();
  const first = new Promise((done, failed) => {
    setTimeout(() => failed(new Error("no picture came")), 20000);
    const picture = (_, told) => {
      self.pictures.push(shown(told.rtpTimestamp, performance.now()));
      done();
      video.requestVideoFrameCallback(picture);
    };
    video.requestVideoFrameCallback(picture);
  });
  const shown = (stamp, at) => {
    const wide = video.videoWidth >> 4, high = video.videoHeight >> 4;
    Object.assign(canvas.canvas, {width: wide, height: high});
    canvas.imageSmoothingQuality = "high";
    canvas.drawImage(video, 0, 0, wide, high);
    const pixels = canvas.getImageData(0, 0, wide, high).data;
    const grey = Float32Array.from({length: wide * high}, (_, i) =>
      0.299 * pixels[4 * i] + 0.587 * pixels[4 * i + 1] + 0.114 * pixels[4 * i + 2]);
    return {stamp, at, grey};
  };
  peer.ontrack = ({track}) => {
    stream.addTrack(track);
    video.srcObject = stream;
    if (track.kind !== "audio") return;
    const analyser = new AnalyserNode(context, {fftSize: 256});
    context.createMediaStreamSource(new MediaStream([track])).connect(analyser);
    const samples = new Float32Array(256);
    setInterval(() => {
      analyser.getFloatTimeDomainData(samples);
      if (samples.some((value) => Math.abs(value) > heard)) self.sounds.push(performance.now());
    }, 4);
  };
  peer.addTransceiver("video", {direction: "recvonly"});
  peer.addTransceiver("audio", {direction: "recvonly"});
  self.control = peer.createDataChannel("control");
  const opened = new Promise((done) => { self.control.onopen = done; });
  self.control.onmessage = ({data}) => {
    self.events.push({at: performance.now(), ...JSON.parse(data)});
  };
  await peer.setLocalDescription();
  // Its own candidates are names that only its network knows: the server finds it by what it sends.
  const answer = await fetch("/api/realtime/offer", {
    method: "POST",
    headers: {"Content-Type": "application/json"},
    body: JSON.stringify({type: "offer", sdp: peer.localDescription.sdp, ...fields}),
  });
  const session = await answer.json();
  if (!answer.ok) return {status: answer.status, session};
  if (through) session.sdp = await window.relayed(session.sdp);
  await peer.setRemoteDescription({type: "answer", sdp: session.sdp});
  await first;
  const first_ms = self.pictures[0].at - self.began;
  await opened;
  setInterval(() => self.control.readyState === "open" &&
    self.control.send(JSON.stringify({type: "ping", t: performance.now()})), 1000);
  return {status: 200, session, first_ms};
};

window.silence = async (pictures, step) => {
  const {seen} = window, still = seen.still = new Map();
  const place = seen.place = ({stamp}) =>
    Math.round(((stamp - seen.pictures[0].stamp) >>> 0) / step) % pictures;
  await new Promise((done) => setTimeout(done, (pictures + 10) * step / 90));
  for (const picture of seen.pictures)
    if (!still.has(place(picture))) still.set(place(picture), picture.grey);
};

window.turn = async ({text, fields, moved, wait}) => {
  const {seen} = window, pause = (ms) => new Promise((done) => setTimeout(done, ms));
  const broken = (picture) => {
    const still = seen.still.get(seen.place(picture));
    return still && still.length === picture.grey.length &&
      picture.grey.some((value, i) => Math.abs(value - still[i]) > moved);
  };
  const until = async (found) => {
    for (const end = performance.now() + 20000; performance.now() < end; await pause(2)) {
      const it = found();
      if (it !== undefined) return it;
    }
    throw new Error("what was waited for did not come");
  };
  const send = (command) => {
    const now = performance.now();
    seen.control.send(JSON.stringify(command));
    return now;
  };
  const said = send({type: "say", text, ...fields});
  const lips = await until(() => seen.pictures.find((it) => it.at >= said && broken(it)));
  const sound = await until(() => seen.sounds.find((at) => at >= said));
  await pause(wait);
  const cut = send({type: "interrupt"});
  await until(() => seen.events.find((it) => it.at >= cut && it.type === "interrupted"));
  await pause(1000);
  const last = Math.max(cut, ...seen.sounds);
  // The first picture stays: the others are counted from it.
  seen.pictures.splice(1);
  seen.sounds.length = 0;
  return [lips.at - said, sound - said, last - cut];
};

window.onsets = (step) => {
  const {pictures, sounds} = window.seen;
  const white = pictures.map((it) => it.grey.reduce((a, b) => a + b) / it.grey.length > 128);
  return {
    pictures: pictures.filter((it, i) => i && white[i] && !white[i - 1] &&
      it.stamp - pictures[i - 1].stamp <= step).map((it) => it.at),
    sounds: sounds.filter((at, i) => !i || at - sounds[i - 1] > 300),
  };
};
"""


class BrowserViewer:
    """One Chromium with one page at a time, each of which makes a session and looks at it."""

    def __init__(self, url: str, through: Callable[[str], str] | None = None) -> None:
        from playwright.sync_api import sync_playwright

        self.url, self._through = url, through
        self.session: dict[str, Any] = {}
        self.first_ms = 0.0
        self._playwright = sync_playwright().start()
        program = shutil.which("chromium") or shutil.which("google-chrome")
        self._browser = self._playwright.chromium.launch(executable_path=program, args=FLAGS)

    def open(self, heard: float, **fields: Any) -> float:
        """Milliseconds to the first picture. ``heard``: from which value on a sample is sound.
        Raises Refused."""
        context = self._browser.new_context(bypass_csp=True)
        self.page = context.new_page()
        self.page.set_default_timeout(PATIENCE_S * 1000)
        if self._through is not None:
            self.page.expose_function("relayed", self._through)
        self.page.goto(f"{self.url}/api/health")
        self.page.evaluate("() => {" + _PAGE + "}")
        asked = {"fields": fields, "heard": heard, "through": self._through is not None}
        found = self.page.evaluate("(asked) => window.look(asked)", asked)
        self.session = found["session"]
        if found["status"] != 200:
            raise Refused(found["status"], str(self.session))
        self.first_ms = float(found["first_ms"])
        return self.first_ms

    def learn(self, pictures: int, fps: int) -> None:
        """What silence looks like."""
        self.page.evaluate("([pictures, step]) => silence(pictures, step)", [pictures, 90000 / fps])

    def turn(self, text: str, fields: dict[str, Any], moved: float, wait_s: float) -> list[float]:
        """Milliseconds to moving lips, to sound, and from the interrupt to the last of it."""
        asked = {"text": text, "fields": fields, "moved": moved, "wait": wait_s * 1000}
        found: list[float] = self.page.evaluate("(asked) => turn(asked)", asked)
        return found

    def onsets(self, fps: int) -> dict[str, list[float]]:
        """When ``pictures`` became white, and ``sounds`` loud after 0.3 s, in milliseconds."""
        found: dict[str, list[float]] = self.page.evaluate("(step) => onsets(step)", 90000 / fps)
        return found

    def leave(self) -> None:
        """Ends the session and its page."""
        path = f"/api/sessions/{self.session['session_id']}"
        call(self.url, "DELETE", path, None, self.session["token"])
        self.page.context.close()

    def pictures_ms(self) -> list[float]:
        """When each was shown, on the page's clock."""
        found: list[float] = self.page.evaluate("seen.pictures.map((it) => it.at)")
        return found

    def now_ms(self) -> float:
        """The page's clock."""
        return float(self.page.evaluate("performance.now()"))

    def received(self) -> dict[str, float]:
        """``bytes`` and ``freezes`` of video so far, as the browser counts them."""
        found: dict[str, float] = self.page.evaluate(
            """async () => {
              const all = [...(await seen.peer.getStats()).values()];
              const video = all.find((it) => it.type === "inbound-rtp" && it.kind === "video");
              return {bytes: video.bytesReceived, freezes: video.freezeCount};
            }"""
        )
        return found

    def rest(self, seconds: float) -> None:
        self.page.wait_for_timeout(seconds * 1000)

    def stats(self) -> dict[str, Any]:
        """The last that the server told."""
        found: dict[str, Any] = self.page.evaluate(
            'seen.events.filter((it) => it.type === "stats").pop() || {}'
        )
        return found

    def close(self) -> None:
        self._browser.close()
        self._playwright.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, t: TracebackType | None
    ) -> None:
        self.close()
