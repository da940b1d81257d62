/** A face that stays: its session, its picture and its sound on one clock, whichever way it comes. */

import { ApiError } from "./api.js";
import { FaceView } from "./face_view.js";
import { FrameCount } from "./frame_count.js";
import { LiveMedia } from "./live_media.js";
import { OpusSound } from "./opus_sound.js";
import { PacketPlayer } from "./packet_player.js";
import { SessionLine } from "./session_line.js";
import { SessionMicrophone } from "./session_microphone.js";
import { ToldEvents } from "./told_events.js";
import { TrackPlayer } from "./track_player.js";

const THERE_MS = 10_000; // who waits for a line waits so long
const THIN_S = 4; // over which a line is judged
const THIN_SHARE = 0.35; // of pictures that the line did not take
const HIDDEN_MS = 250; // a hidden page gets no animation frames

/**
 * Events: "state", "failure" (ApiError), "told" with an event of the session as it is heard,
 * "unreached" (ApiError: there is no line yet, attempts go on), "way" when it comes another way,
 * "gone" (the session is no more; another may follow), "thin" (pictures are left out on the way:
 * less data would do better), "less" (what is sent has changed).
 */
export class LiveSession extends EventTarget {
  #line;
  #view;
  #packets;
  #tracks;
  #player; // one of both
  #events = new ToldEvents();
  #turn = 0;
  #leftOut = []; // pictures that the line had not taken at the last seconds' ends
  #fps = 25;
  #wanted = false; // less data

  /** Drives the face while it is on. */
  microphone;

  /** Live figures. */
  stats = {
    way: "", // webrtc or socket
    codec: "", // of the pictures
    fps: 0, // pictures shown in the last second
    shown: 0,
    dropped: 0, // came too late for the screen
    stalls: 0, // how often the sound ran dry
    skewMs: null, // sound heard minus picture shown: a median
    bufferMs: 0, // of sound in store
    roundTripMs: null,
    loss: null, // of packets, 0..1
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
   * @param options those of SessionLine, and `muted`
   */
  constructor(canvas, server, { muted = false, ...options }) {
    super();
    this.#view = new FaceView(canvas);
    const frames = new FrameCount();
    this.#packets = new PacketPlayer(canvas, this.#view, frames, muted, () => this.sendLess(false));
    const context = () => this.#packets.context;
    this.#tracks = new TrackPlayer(canvas, this.#view, frames, muted, context);
    this.#player = this.#packets;
    this.#line = new SessionLine(server, { ...options, query: { video: "jpeg", audio: "pcm" } });
    this.microphone = new SessionMicrophone(this.#line);
    this.#line.addEventListener("state", () => this.#onState());
    this.#line.addEventListener("way", () => this.#onWay());
    this.#line.addEventListener("failure", ({ detail }) => this.#tell("failure", detail));
    this.#line.addEventListener("unreached", ({ detail }) => this.#tell("unreached", detail));
    this.#line.addEventListener("gone", () => this.#tell("gone"));
    this.#line.addEventListener("packet", ({ detail }) => this.#receive(detail));
    this.#line.addEventListener("told", ({ detail }) => this.#onTold(detail));
  }

  get state() {
    return this.#line.state;
  }

  /** Seconds until the next attempt. */
  get retryIn() {
    return Math.max(0, (this.#line.retryAt - performance.now()) / 1000);
  }

  get session() {
    return this.#line.session;
  }

  /** Which way it comes, or is begun: "webrtc", "socket" or "". */
  get way() {
    return this.#line.way?.kind ?? "";
  }

  /** Why it is a socket though WebRTC was wanted: "blocked", "late", "refused", "line" or "". */
  get whySocket() {
    return this.#line.whySocket;
  }

  /** "auto", "webrtc" or "socket". */
  set wantedWay(way) {
    if (way === this.#line.wantedWay) return;
    this.microphone.stop();
    this.#line.wantedWay = way;
  }

  /** The picture to show until the first one comes. */
  set poster(url) {
    if (!this.stats.shown) this.#view.poster = url;
  }

  open() {
    this.#line.open();
    if (!this.#turn) this.#tick();
  }

  /** Leaves the session and keeps nothing running. */
  close() {
    this.#stopTicking();
    this.microphone.stop();
    this.#line.close();
    this.#events.clear();
    this.#packets.close();
    this.#tracks.close();
  }

  /** Has the session end on the server too. */
  end() {
    this.#line.end();
  }

  hurry() {
    this.#line.hurry();
  }

  set muted(value) {
    this.#packets.muted = value;
    this.#tracks.muted = value;
  }

  /** Lets sound out. Call inside a click or key press. */
  unlock() {
    this.#packets.unlock();
    this.#tracks.unlock();
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
      throw this.#line.failure ?? new ApiError({ code: ended ? "broken" : "unreachable" });
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
    return this.#line.command("say", { ...fields, text });
  }

  /** Resolves to {position_s, heard}. Throws ApiError. */
  interrupt(utteranceId = null) {
    return this.#line.command("interrupt", { utterance_id: utteranceId });
  }

  switchAvatar(avatar) {
    return this.#line.command("avatar", { avatar });
  }

  switchVoice(voice, language) {
    return this.#line.command("voice", { voice, language });
  }

  static get canSendLess() {
    return LiveMedia.supported;
  }

  get less() {
    return this.#wanted;
  }

  /** Over a socket: film in place of pictures, and packed sound where the browser can unpack it. */
  async sendLess(less) {
    if (less === this.#wanted || (less && !LiveSession.canSendLess)) return;
    this.#wanted = less;
    const audio = less && (await OpusSound.supported()) ? "opus" : "pcm";
    if (less !== this.#wanted) return;
    this.#packets.film = less;
    this.#line.query = { video: less ? "mp4" : "jpeg", audio };
    this.#restart();
    this.#tell("less");
  }

  #restart() {
    this.#player.restart();
    this.#leftOut = [];
  }

  #onWay() {
    const { way } = this.#line;
    const player = way.kind === "webrtc" ? this.#tracks : this.#packets;
    if (player !== this.#player) this.#player.leave();
    this.#player = player;
    player.begin(way);
    this.stats.way = way.kind;
    this.#tell("way");
  }

  #onState() {
    if (this.state === "there") this.#restart();
    else this.#tracks.freeze();
    if (this.state === "over") this.#tellUntil(Infinity);
    this.#tell("state");
  }

  #onTold(event) {
    if (event.type === "ready") this.#fps = event.fps;
    if (event.type === "stats") this.#onStats(event);
    this.#player.hear(event);
    this.#events.add(event);
    if (!document.hidden) return;
    this.#advance();
    setTimeout(() => this.#advance(), HIDDEN_MS);
  }

  #receive(packet) {
    this.#packets.receive(packet);
    if (document.hidden) this.#advance();
  }

  /** The session's own figures, each second. They say whether a socket takes the pictures. */
  #onStats(stats) {
    this.stats.server = stats;
    if (this.#player !== this.#packets) return;
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
    const clock = this.#player.time;
    this.#player.advance(this.stats);
    this.stats.time = clock;
    this.#view.level = this.stats.level;
    this.#tellUntil(clock);
  }

  /** @param {number} clock seconds heard */
  #tellUntil(clock) {
    for (const event of this.#events.take(clock)) this.#tell("told", event);
  }

  #tell(name, detail = null) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}
