/** A face that stays: its session, its picture and its sound on one clock. */

import { ApiError } from "./api.js";
import { FaceView } from "./face_view.js";
import { Kind } from "./live_packet.js";
import { LiveMedia } from "./live_media.js";
import { LivePicture } from "./live_picture.js";
import { LiveSound } from "./live_sound.js";
import { OpusSound } from "./opus_sound.js";
import { SessionSocket } from "./session_socket.js";
import { ToldEvents } from "./told_events.js";

const WINDOW_MS = 1000; // of the figures
const SKEWS = 25; // pictures
const VIDEO_ROOM_S = 0.2; // a decoder of video wants some pictures ahead
const THERE_MS = 10_000; // who waits for a line waits so long
const THIN_S = 4; // over which a line is judged
const THIN_SHARE = 0.35; // of pictures that the line did not take

/**
 * Events: "state", "failure" (ApiError), "told" with an event of the session as it is heard,
 * "unreached" (ApiError: there is no line yet, attempts go on),
 * "gone" (the session is no more; another may follow), "thin" (pictures are left out on the way:
 * less data would do better), "less" (what is sent has changed).
 */
export class LiveSession extends EventTarget {
  #canvas;
  #video = null;
  #socket;
  #sound;
  #view;
  #picture;
  #media = null;
  #events = new ToldEvents();
  #turn = 0;
  #shown = []; // times of the last second
  #skews = [];
  #came = []; // {at, bytes}
  #bytes = 0;
  #leftOut = []; // pictures that the line had not taken at the last seconds' ends
  #fps = 25;
  #wanted = false; // less data

  /** Live figures. */
  stats = {
    fps: 0, // pictures shown in the last second
    shown: 0,
    dropped: 0, // came too late for the screen
    stalls: 0, // how often the sound ran dry
    skewMs: null, // sound heard minus picture shown: median of the last second
    bufferMs: 0,
    roundTripMs: null,
    kilobytes: 0, // a second
    time: 0, // seconds on the session's clock that are heard
    pictureTime: 0,
    level: 0, // of the sound: root mean square, 0..1
    running: false, // the browser lets sound out
    server: {}, // the session's own figures: fps, late, stalls...
  };

  /**
   * @param {HTMLCanvasElement} canvas
   * @param {import("./session_server.js").SessionServer} server
   * @param options those of SessionSocket, and `muted`
   */
  constructor(canvas, server, { muted = false, ...options }) {
    super();
    this.#canvas = canvas;
    this.#view = new FaceView(canvas);
    this.#picture = new LivePicture(this.#view);
    this.#sound = new LiveSound(muted);
    this.#socket = new SessionSocket(server, { ...options, query: { video: "jpeg", audio: "pcm" } });
    this.#socket.addEventListener("state", () => this.#onState());
    this.#socket.addEventListener("failure", ({ detail }) => this.#tell("failure", detail));
    this.#socket.addEventListener("unreached", ({ detail }) => this.#tell("unreached", detail));
    this.#socket.addEventListener("gone", () => this.#tell("gone"));
    this.#socket.addEventListener("packet", ({ detail }) => this.#receive(detail));
    this.#socket.addEventListener("told", ({ detail }) => this.#onTold(detail));
  }

  get state() {
    return this.#socket.state;
  }

  /** Seconds until the next attempt. */
  get retryIn() {
    return Math.max(0, (this.#socket.retryAt - performance.now()) / 1000);
  }

  get session() {
    return this.#socket.session;
  }

  /** The picture to show until the first one comes. */
  set poster(url) {
    if (!this.stats.shown) this.#view.poster = url;
  }

  open() {
    this.#socket.open();
    if (!this.#turn) this.#tick();
  }

  /** Leaves the session and keeps nothing running. */
  close() {
    this.#stopTicking();
    this.#socket.close();
    this.#events.clear();
    this.#sound.close();
    this.#picture.restart();
    this.#dropVideo();
  }

  /** Has the session end on the server too. */
  end() {
    this.#socket.end();
  }

  hurry() {
    this.#socket.hurry();
  }

  set muted(value) {
    this.#sound.muted = value;
  }

  /** Lets sound out. Call inside a click or key press. */
  unlock() {
    this.#sound.unlock();
  }

  /**
   * Resolves once there is a session and a line to it. Throws ApiError when it cannot be, or is not
   * within 10 s.
   */
  async there() {
    const signal = AbortSignal.timeout(THERE_MS);
    while (this.state !== "there") {
      await this.#nextState(signal);
      const ended = ["failed", "over", "off"].includes(this.state);
      if (!ended && !signal.aborted) continue;
      throw this.#socket.failure ?? new ApiError({ code: ended ? "broken" : "unreachable" });
    }
  }

  #nextState(signal) {
    return new Promise((resolve) => {
      this.addEventListener("state", resolve, { once: true, signal });
      signal.addEventListener("abort", resolve, { once: true });
    });
  }

  /** Resolves to {utterance_id, queued}. Throws ApiError. */
  say(text, fields = {}) {
    return this.#socket.command("say", { ...fields, text });
  }

  /** Resolves to {position_s, heard}. Throws ApiError. */
  interrupt(utteranceId = null) {
    return this.#socket.command("interrupt", { utterance_id: utteranceId });
  }

  switchAvatar(avatar) {
    return this.#socket.command("avatar", { avatar });
  }

  switchVoice(voice, language) {
    return this.#socket.command("voice", { voice, language });
  }

  send(command) {
    return this.#socket.send(command);
  }

  sendSound(pcm, mostWaitingBytes) {
    return this.#socket.sendSound(pcm, mostWaitingBytes);
  }

  static get canSendLess() {
    return LiveMedia.supported;
  }

  get less() {
    return this.#wanted;
  }

  /** Video in place of pictures, and packed sound where the browser can unpack it. */
  async sendLess(less) {
    if (less === this.#wanted || (less && !LiveSession.canSendLess)) return;
    this.#wanted = less;
    const audio = less && (await OpusSound.supported()) ? "opus" : "pcm";
    if (less !== this.#wanted) return;
    this.#dropVideo();
    if (less) this.#addVideo();
    this.#sound.least = less ? VIDEO_ROOM_S : 0.06;
    this.#socket.query = { video: less ? "mp4" : "jpeg", audio };
    this.#restart();
    this.#tell("less");
  }

  #addVideo() {
    this.#video = document.createElement("video");
    this.#video.setAttribute("aria-hidden", "true"); // the canvas has the name
    this.#canvas.after(this.#video);
    this.#media = new LiveMedia(this.#video, () => this.sendLess(false));
  }

  #dropVideo() {
    this.#media?.close();
    this.#media = null;
    this.#video?.remove();
    this.#video = null;
  }

  #restart() {
    this.#sound.restart();
    this.#picture.restart();
    this.#skews = [];
    this.#leftOut = [];
  }

  #onState() {
    if (this.state === "there") this.#restart();
    else if (this.state === "over") this.#tellUntil(Infinity);
    this.#tell("state");
  }

  #onTold(event) {
    if (event.type === "ready") this.#fps = event.fps;
    if (event.type === "stats") this.#onStats(event);
    this.#events.add(event);
    if (document.hidden) this.#advance();
  }

  #receive(packet) {
    this.#sound.receive(packet);
    if (packet.kind === Kind.JPEG) this.#picture.receive(packet);
    else if (packet.kind === Kind.MP4_START || packet.kind === Kind.MP4) this.#media?.receive(packet);
    if (document.hidden) this.#advance(); // a hidden page gets no animation frames
  }

  /** The session's own figures, each second. They say whether the line takes the pictures. */
  #onStats(stats) {
    this.stats.server = stats;
    this.#leftOut.push(stats.dropped);
    if (this.#leftOut.length <= THIN_S) return;
    const leftOut = stats.dropped - this.#leftOut.shift();
    if (leftOut > THIN_SHARE * THIN_S * this.#fps && !this.#wanted) this.#tell("thin");
  }

  #tick() {
    this.#turn = requestAnimationFrame(() => this.#tick());
    this.#advance();
  }

  #stopTicking() {
    cancelAnimationFrame(this.#turn);
    this.#turn = 0;
  }

  #advance() {
    const { stats } = this;
    const now = performance.now();
    const clock = this.#sound.time;
    const skew = (this.#media ?? this.#picture).advance(clock);
    if (skew !== null) {
      stats.shown += 1;
      this.#shown.push(now);
      this.#skews.push(1000 * skew);
      if (this.#skews.length > SKEWS) this.#skews.shift();
      stats.skewMs = [...this.#skews].sort((a, b) => a - b)[this.#skews.length >> 1];
    }
    while (this.#shown[0] < now - WINDOW_MS) this.#shown.shift();
    stats.fps = this.#shown.length;
    stats.time = clock;
    stats.pictureTime = (this.#media ?? this.#picture).time;
    stats.dropped = this.#picture.dropped;
    stats.stalls = this.#sound.stalls;
    stats.bufferMs = 1000 * this.#sound.buffered;
    stats.roundTripMs = this.#socket.roundTripMs;
    stats.kilobytes = this.#rate(now);
    stats.level = this.#sound.level;
    stats.running = this.#sound.running;
    this.#view.level = stats.level;
    this.#tellUntil(clock);
  }

  /** @param {number} clock seconds heard */
  #tellUntil(clock) {
    for (const event of this.#events.take(clock)) this.#tell("told", event);
  }

  /** Kilobytes a second. */
  #rate(now) {
    const bytes = this.#socket.bytes - this.#bytes;
    this.#bytes = this.#socket.bytes;
    if (bytes) this.#came.push({ at: now, bytes });
    while (this.#came[0]?.at < now - WINDOW_MS) this.#came.shift();
    return this.#came.reduce((sum, { bytes: some }) => sum + some, 0) / 1000;
  }

  #tell(name, detail = null) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}
