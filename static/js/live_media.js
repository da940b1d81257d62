/** Shows a session as video (fragmented MP4), held to the clock of the sound. */

import { Kind } from "./live_packet.js";
import { fragmentStart, timescaleOf, codecOf } from "./mp4_boxes.js";

const SAME_S = 0.012; // nearer to the clock nothing is mended
const SEEK_S = 0.3; // further off a jump is better than a hurry
const GAIN = 2; // of the hurry: seconds a second for each second off
const HURRY = 0.25;
const KEEP_S = 10; // of the past
const TRIM_EVERY_S = 5;
const MOST_WAITING = 100; // fragments

/** MediaSource, or what an iPhone has in its place. */
function mediaSource() {
  return globalThis.ManagedMediaSource ?? globalThis.MediaSource;
}

export class LiveMedia {
  #video;
  #source = null;
  #buffer = null;
  #timescale = 0;
  #waiting = []; // {bytes, offset or null}
  #trimmed = 0;
  #shown = null; // {time, at} of the picture on the screen
  #count = 0;
  #failed;

  static get supported() {
    return mediaSource()?.isTypeSupported('video/mp4; codecs="avc1.42E01F"') ?? false;
  }

  /**
   * @param {HTMLVideoElement} video
   * @param {() => void} onFailure the browser cannot show it, or can no longer
   */
  constructor(video, onFailure) {
    this.#video = video;
    this.#failed = onFailure;
    Object.assign(video, { muted: true, playsInline: true, disableRemotePlayback: true });
    video.addEventListener("error", onFailure, { once: true });
    this.#watch();
  }

  /** Seconds on the session's clock of the picture that is shown. */
  get time() {
    return this.#shown?.time ?? this.#video.currentTime;
  }

  receive({ kind, key, seconds, payload }) {
    if (kind === Kind.MP4_START) {
      this.#open(payload);
      return;
    }
    if (!this.#source) return;
    const start = fragmentStart(payload);
    // The video's own time is that of the session.
    const offset = start === null ? null : seconds - start / this.#timescale;
    this.#waiting.push({ bytes: payload, offset });
    if (this.#waiting.length > MOST_WAITING && key) this.#waiting.splice(0, MOST_WAITING);
    this.#append();
  }

  #open(start) {
    this.#closeSource();
    this.#timescale = timescaleOf(start);
    const source = new (mediaSource())();
    this.#source = source;
    this.#waiting = [{ bytes: start, offset: null }];
    source.addEventListener("sourceopen", () => {
      if (this.#source !== source) return;
      try {
        this.#buffer = source.addSourceBuffer(`video/mp4; codecs="${codecOf(start)}"`);
      } catch {
        this.#failed();
        return;
      }
      this.#buffer.addEventListener("updateend", () => this.#append());
      this.#append();
    }, { once: true });
    this.#video.src = URL.createObjectURL(source);
  }

  #append() {
    const buffer = this.#buffer;
    if (!buffer || buffer.updating || this.#source.readyState !== "open") return;
    const { buffered } = buffer;
    const old = this.#video.currentTime - KEEP_S;
    try {
      if (buffered.length && old - this.#trimmed > TRIM_EVERY_S && buffered.start(0) < old) {
        this.#trimmed = old;
        buffer.remove(0, old);
        return;
      }
      const next = this.#waiting.shift();
      if (!next) return;
      if (next.offset !== null && Math.abs(buffer.timestampOffset - next.offset) > 0.001) {
        buffer.timestampOffset = next.offset;
      }
      buffer.appendBuffer(next.bytes);
    } catch {
      this.#failed();
    }
  }

  #watch() {
    if (!this.#video.requestVideoFrameCallback) return;
    this.#video.requestVideoFrameCallback((now, { mediaTime, expectedDisplayTime }) => {
      this.#shown = { time: mediaTime, at: expectedDisplayTime };
      this.#count += 1;
      this.#watch();
    });
  }

  /**
   * Holds the video to the clock.
   * @param {number} clock seconds heard
   * @returns {number | null} seconds by which the sound is ahead of a picture newly shown
   */
  advance(clock) {
    const video = this.#video;
    const { buffered } = video;
    if (!buffered.length) return null;
    const [from, to] = [buffered.start(buffered.length - 1), buffered.end(buffered.length - 1)];
    const off = clock - video.currentTime;
    if (Math.abs(off) > SEEK_S) {
      if (clock >= from && clock < to) video.currentTime = clock;
    } else {
      const hurry = Math.max(-HURRY, Math.min(HURRY, GAIN * off));
      video.playbackRate = Math.abs(off) < SAME_S ? 1 : 1 + hurry;
    }
    if (video.paused) video.play().catch(() => {}); // a hidden page may not
    if (!this.#count || !this.#shown) return null;
    const { time, at } = this.#shown;
    const age = (at - performance.now()) / 1000; // it is seen a little later than now
    this.#count = 0;
    return clock + age - time;
  }

  #closeSource() {
    if (this.#video.src) URL.revokeObjectURL(this.#video.src);
    this.#source = null;
    this.#buffer = null;
    this.#waiting = [];
    this.#trimmed = 0;
  }

  close() {
    this.#closeSource();
    this.#video.removeAttribute("src");
    this.#video.load();
  }
}
