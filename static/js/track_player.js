/** Plays the tracks of a WebRTC connection in a video beside the canvas, the sound too. */

import { ArrivalClock } from "./arrival_clock.js";
import { loudness } from "./heard.js";
import { PeerFigures } from "./peer_figures.js";

const SAMPLE_MS = 500; // between two looks at the browser's own figures
const UNTIMED = new Set(["ready", "stats", "error", "end"]); // they leave with no frame

export class TrackPlayer {
  #canvas;
  #view;
  #frames;
  #context;
  #muted;
  #unlocked = false;
  #kept = false; // the browser keeps the sound back
  #way = null;
  #video = null;
  #source = null;
  #analyser = null;
  #wave = new Float32Array(1024);
  #clock = new ArrivalClock();
  #figures = new PeerFigures();
  #sampling = 0;
  #stale = 0; // until what is stale would have been heard

  /**
   * @param {HTMLCanvasElement} canvas shows the last picture of a connection that was lost
   * @param {import("./face_view.js").FaceView} view of it
   * @param {import("./frame_count.js").FrameCount} frames
   * @param {boolean} muted
   * @param {() => AudioContext | null} context in which loudness is measured
   */
  constructor(canvas, view, frames, muted, context) {
    this.#canvas = canvas;
    this.#view = view;
    this.#frames = frames;
    this.#muted = muted;
    this.#context = context;
  }

  set muted(value) {
    this.#muted = value;
    this.#play();
  }

  /** Lets sound out. Call inside a click or key press. */
  unlock() {
    this.#unlocked = true;
    this.#kept = false;
    this.#play();
  }

  /** @param {import("./peer_way.js").PeerWay} way that is begun */
  begin(way) {
    this.leave();
    this.#way = way;
    this.#figures = new PeerFigures();
    this.#video = document.createElement("video");
    this.#video.setAttribute("aria-hidden", "true"); // the canvas has the name
    Object.assign(this.#video, { playsInline: true, disableRemotePlayback: true });
    this.#video.srcObject = way.stream;
    this.#canvas.after(this.#video);
    this.#watch(this.#video);
    this.#play();
    this.#sampling = setInterval(() => this.#sample(), SAMPLE_MS);
  }

  /** Muted, the video plays without a click; the sound needs one. */
  #play() {
    const video = this.#video;
    if (!video) return;
    video.muted = this.#muted || !this.#unlocked || this.#kept;
    video.play().catch(() => {
      if (video !== this.#video || video.muted) return;
      this.#kept = true;
      this.#play();
    });
  }

  #watch(video) {
    video.requestVideoFrameCallback?.((now) => {
      if (video !== this.#video) return;
      this.#frames.add(now);
      this.#watch(video);
    });
  }

  async #sample() {
    const way = this.#way;
    const report = await way.stats();
    if (!report || way !== this.#way) return;
    this.#figures.take(report);
    if (this.#figures.skewMs !== null) this.#frames.addSkew(this.#figures.skewMs);
  }

  /** There is nothing of before: the browser has all that waits. */
  restart() {}

  /** Takes an event of the session: it came as its frame did. */
  hear({ type, session_s: seconds }) {
    if (!UNTIMED.has(type)) this.#clock.arrive(seconds, performance.now() / 1000);
    if (type === "interrupted") this.#cut();
  }

  /** What the browser has in store is stale: sound goes on with what came with the event. */
  #cut() {
    this.#letSoundThrough(false);
    clearTimeout(this.#stale);
    this.#stale = setTimeout(() => this.#letSoundThrough(true), this.#figures.delayMs);
  }

  #letSoundThrough(enabled) {
    for (const track of this.#way?.stream.getAudioTracks() ?? []) track.enabled = enabled;
  }

  /** Seconds on the session's clock that are heard. */
  get time() {
    return this.#clock.time(performance.now() / 1000, this.#figures.delayMs / 1000);
  }

  /** Tells the figures. */
  advance(stats) {
    const now = performance.now();
    const { dropped, stalls, delayMs, loss, codec, kilobytes, roundTripMs } = this.#figures;
    const { skewMs } = this.#frames;
    Object.assign(stats, {
      fps: this.#frames.fps(now),
      shown: this.#frames.count,
      dropped,
      stalls,
      skewMs,
      bufferMs: delayMs,
      loss,
      codec,
      kilobytes,
      roundTripMs: roundTripMs ?? this.#way?.roundTripMs ?? null,
      pictureTime: Math.max(0, this.time - (skewMs ?? 0) / 1000),
      level: this.#level,
      running: this.#unlocked && !this.#kept && Boolean(this.#video) && !this.#video.paused,
    });
  }

  /** Loudness of this moment, muted or not: root mean square, 0..1. */
  get #level() {
    const context = this.#context();
    const stream = this.#way?.stream;
    if (!context || !stream?.getAudioTracks().length) return 0;
    if (!this.#source) {
      this.#source = new MediaStreamAudioSourceNode(context, { mediaStream: stream });
      this.#analyser = new AnalyserNode(context, { fftSize: this.#wave.length });
      this.#source.connect(this.#analyser);
    }
    return loudness(this.#analyser, this.#wave);
  }

  /** Another player goes on; the last picture stays until it shows one. */
  leave() {
    clearInterval(this.#sampling);
    clearTimeout(this.#stale);
    this.#way = null;
    this.#source?.disconnect();
    this.#source = null;
    this.#clock.reset();
    this.#frames.forgetSkews();
    this.freeze();
  }

  /** The connection is lost: its last picture stays, where a video would turn black. */
  freeze() {
    const video = this.#video;
    this.#video = null;
    if (!video) return;
    if (video.videoWidth) this.#view.hold(video);
    video.srcObject = null;
    video.remove();
  }

  close() {
    this.leave();
    this.#unlocked = false;
  }
}
