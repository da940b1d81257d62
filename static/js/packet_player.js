/** Plays the packets of a session's socket: pictures on a canvas, or film in a video beside it. */

import { LiveMedia } from "./live_media.js";
import { Kind } from "./live_packet.js";
import { LivePicture } from "./live_picture.js";
import { LiveSound } from "./live_sound.js";

const RATE_MS = 1000; // over which the data rate is told
const LEAST_S = 0.06; // of sound in store
const LEAST_FILM_S = 0.2; // a decoder of film wants some pictures ahead

export class PacketPlayer {
  #canvas;
  #picture;
  #sound;
  #onFailure;
  #film = false;
  #media = null;
  #video = null;
  #way = null;
  #frames;
  #bytes = 0;
  #came = []; // {at, bytes}

  /**
   * @param {HTMLCanvasElement} canvas
   * @param {import("./face_view.js").FaceView} view of it
   * @param {import("./frame_count.js").FrameCount} frames
   * @param {boolean} muted
   * @param {() => void} onFailure the browser cannot show film
   */
  constructor(canvas, view, frames, muted, onFailure) {
    this.#canvas = canvas;
    this.#frames = frames;
    this.#picture = new LivePicture(view);
    this.#sound = new LiveSound(muted);
    this.#onFailure = onFailure;
  }

  /** The AudioContext, once sound was let out; or null. */
  get context() {
    return this.#sound.context;
  }

  set muted(value) {
    this.#sound.muted = value;
  }

  unlock() {
    this.#sound.unlock();
  }

  /** Film in place of pictures. */
  set film(film) {
    this.#film = film;
    this.#sound.least = film ? LEAST_FILM_S : LEAST_S;
    if (this.#way) this.#renewVideo();
  }

  #renewVideo() {
    this.#dropVideo();
    if (!this.#film) return;
    this.#video = document.createElement("video");
    this.#video.setAttribute("aria-hidden", "true"); // the canvas has the name
    this.#canvas.after(this.#video);
    this.#media = new LiveMedia(this.#video, this.#onFailure);
  }

  #dropVideo() {
    this.#media?.close();
    this.#media = null;
    this.#video?.remove();
    this.#video = null;
  }

  /** @param {import("./socket_way.js").SocketWay} way that is begun */
  begin(way) {
    if (!this.#video) this.#renewVideo();
    this.#way = way;
    this.#bytes = 0;
  }

  /** Nothing of before is waited for. */
  restart() {
    this.#sound.restart();
    this.#picture.restart();
    this.#frames.forgetSkews();
  }

  receive(packet) {
    this.#sound.receive(packet);
    if (packet.kind === Kind.JPEG) this.#picture.receive(packet);
    else if (packet.kind === Kind.MP4_START || packet.kind === Kind.MP4) this.#media?.receive(packet);
  }

  /** Packets have the clock, and events have not. */
  hear() {}

  /** Seconds on the session's clock that are heard. */
  get time() {
    return this.#sound.time;
  }

  /** Shows what is due, and tells the figures. */
  advance(stats) {
    const now = performance.now();
    const clock = this.#sound.time;
    const shown = this.#media ?? this.#picture;
    const skew = shown.advance(clock);
    if (skew !== null) {
      this.#frames.add(now);
      this.#frames.addSkew(1000 * skew);
    }
    Object.assign(stats, {
      fps: this.#frames.fps(now),
      shown: this.#frames.count,
      dropped: this.#picture.dropped,
      stalls: this.#sound.stalls,
      skewMs: this.#frames.skewMs,
      bufferMs: 1000 * this.#sound.buffered,
      loss: null, // TCP loses nothing: it is late
      codec: this.#media ? "H264" : "JPEG",
      kilobytes: this.#rate(now),
      roundTripMs: this.#way?.roundTripMs ?? null,
      pictureTime: shown.time,
      level: this.#sound.level,
      running: this.#sound.running,
    });
  }

  /** Kilobytes a second. */
  #rate(now) {
    const received = this.#way?.bytes ?? 0;
    const bytes = received - this.#bytes;
    this.#bytes = received;
    if (bytes) this.#came.push({ at: now, bytes });
    while (this.#came[0]?.at < now - RATE_MS) this.#came.shift();
    return this.#came.reduce((sum, { bytes: some }) => sum + some, 0) / 1000;
  }

  /** Another player goes on. */
  leave() {
    this.#way = null;
    this.#dropVideo();
    this.restart();
  }

  close() {
    this.#way = null;
    this.#sound.close();
    this.#picture.restart();
    this.#dropVideo();
  }
}
