/**
 * <soyle-avatar>: a talking face in any page.
 *
 *   <script type="module" src="http://localhost:5000/static/soyle-avatar.js"></script>
 *   <soyle-avatar id="face" language="en"></soyle-avatar>
 *   <button id="hello">Say hello</button>
 *   <script>
 *     const face = document.getElementById("face");
 *     document.getElementById("hello").onclick = () => face.speak("Hello! I live in your page.");
 *     face.addEventListener("word", ({ detail }) => console.log(detail.text));
 *     face.addEventListener("finished", () => console.log("finished"));
 *     face.addEventListener("error", ({ detail }) => console.warn(detail.code, detail.sentence));
 *   </script>
 *
 * With mode="live" the face stays: it idles, speaks when told and stops when interrupted.
 *
 *   <soyle-avatar id="face" mode="live" language="en"></soyle-avatar>
 *   <script>
 *     face.addEventListener("ready", () => face.say("Hello! Interrupt me."));
 *     face.addEventListener("interrupted", ({ detail }) => console.log(detail.heard));
 *     stop.onclick = () => face.interrupt();
 *   </script>
 *
 * A page of another origin must be named in the server's CORS_ORIGINS.
 *
 * Attributes: server, or src (where this script is from unless given), language (ru kk en auto),
 * avatar (id of a face of /api/avatars), voice, size (WxH, 512x512 unless given), token
 * (API_TOKEN), muted, captions (what is being said stands under the face).
 * Events: speaking, word {text, start_s, end_s} as it is heard, finished, stopped,
 * error {code, sentence, status, retryAfter}.
 *
 * mode="live" takes also session, the id of one that exists, with its own token or view_token in
 * token, and way: auto (WebRTC, or a WebSocket where that does not come about), webrtc or socket.
 * avatar, voice and language switch in the running session. Methods: say(text, options) with
 * the options of POST .../say, interrupt(utteranceId), open() after an end. Its events are those of
 * the session, each as it is heard: ready, speech_started, word, speech_finished, interrupted,
 * voice_fallback, error, end.
 */

import { ApiError, OPEN_MS } from "./js/api.js";
import { CaptionLine } from "./js/caption_line.js";
import { FaceView } from "./js/face_view.js";
import { LiveFace } from "./js/live_face.js";
import { Player } from "./js/player.js";
import { Words } from "./js/words.js";

const REQUEST_FIELDS = ["language", "avatar", "voice", "size"];
const FOLLOWED = ["avatar", "voice", "language"];
const SET_UP = ["src", "server", "mode", "session", "way"];
const STYLE = `
  :host { display: block; width: 512px; max-width: 100%; }
  :host([hidden]) { display: none; }
  div { --level: 0; position: relative; border-radius: inherit; }
  canvas { display: block; width: 100%; height: auto; border-radius: inherit; }
  canvas, video { object-fit: var(--fit, cover); }
  video { position: absolute; inset: 0; width: 100%; height: 100%; border-radius: inherit; }
  :host([fitted]) div, :host([fitted]) canvas { width: 100%; height: 100%; }
  p {
    position: absolute; bottom: 3%; left: 50%; translate: -50%;
    box-sizing: border-box; width: max-content; max-width: 92%; margin: 0; padding: 6px 12px;
    border-radius: 12px; background: rgb(8 20 22 / 72%); color: #ffffff;
    font: 500 1rem/1.3 system-ui, sans-serif; text-align: center; text-wrap: balance;
  }
  p:empty, :host(:not([captions])) p { display: none; }
`;

/** The server of an address: its own, which may have a path, or that of this script on it. */
function baseOf(address) {
  const url = new URL(address, document.baseURI);
  const [path] = url.pathname.split("/static/");
  return new URL(path.endsWith("/") ? path : `${path}/`, url);
}

/** A Soyle server at any address. */
class Server {
  /** @param {URL} base  @param {string} token may be empty */
  constructor(base, token) {
    this.base = base;
    this.token = token;
  }

  openStream(body, signal) {
    return this.#post("api/stream_mjpeg", body, signal);
  }

  openSession(fields) {
    return this.#post("api/sessions", fields, AbortSignal.timeout(OPEN_MS));
  }

  #post(path, body, signal) {
    const headers = { "Content-Type": "application/json" };
    return this.#request(path, { method: "POST", headers, body: JSON.stringify(body), signal });
  }

  openSound(path, signal) {
    return this.#request(path, { signal });
  }

  /** The face at rest, as an address that an image can have. */
  async openPicture(avatar) {
    const path = `api/avatars/${encodeURIComponent(avatar)}/preview.jpg?square=true`;
    return URL.createObjectURL(await (await this.#request(path, {})).blob());
  }

  async openEvents(jobId, signal) {
    const job = await (await this.#request(`api/jobs/${jobId}`, { signal })).json();
    const url = new URL(job.events_url, this.base);
    url.protocol = url.protocol.replace("http", "ws");
    return new WebSocket(url);
  }

  cancelJob(id) {
    const options = { method: "DELETE", keepalive: true };
    // The job may have ended by itself in the meantime, which is as good.
    this.#request(`api/jobs/${id}`, options).catch(() => {});
  }

  async #request(path, options) {
    const headers = new Headers(options.headers);
    if (this.token) headers.set("Authorization", `Bearer ${this.token}`);
    let response;
    try {
      response = await fetch(new URL(path, this.base), { ...options, headers });
    } catch (error) {
      if (error.name === "AbortError") throw error;
      throw new ApiError({ code: "unreachable" });
    }
    if (!response.ok) throw await ApiError.ofResponse(response);
    return response;
  }
}

export class SoyleAvatar extends HTMLElement {
  static observedAttributes = [
    "muted", "src", "server", "mode", "session", "way", "size", "avatar", "voice", "language",
  ];

  #canvas = document.createElement("canvas");
  #line = document.createElement("p");
  #caption = new CaptionLine(this.#line);
  #view = null;
  #server = null;
  #player = null;
  #words = null;
  #live = null;
  #status = "idle";

  constructor() {
    super();
    const frame = document.createElement("div");
    frame.append(this.#canvas, this.#line);
    const style = new CSSStyleSheet();
    style.replaceSync(STYLE);
    const root = this.attachShadow({ mode: "open" });
    root.adoptedStyleSheets = [style]; // which a page that allows no inline styles takes too
    root.append(frame);
    this.#canvas.setAttribute("role", "img");
    this.#line.setAttribute("aria-hidden", "true"); // it is heard
  }

  connectedCallback() {
    if (!this.#server) this.#setUp();
    this.#live?.open();
    this.#canvas.setAttribute("aria-label", this.getAttribute("aria-label") ?? "Talking face");
  }

  disconnectedCallback() {
    this.stop();
    this.#live?.close();
  }

  attributeChangedCallback(name, before, now) {
    if (before === now) return;
    if (name === "muted" && this.#server) (this.#live ?? this.#player).muted = this.muted;
    if (name === "size") this.#shape();
    if (name === "avatar" && this.#server) this.#rest();
    if (FOLLOWED.includes(name)) this.#live?.follow(name);
    if (SET_UP.includes(name) && this.isConnected && this.#server) {
      this.stop();
      this.#setUp();
      this.#live?.open();
    }
  }

  get muted() {
    return this.hasAttribute("muted");
  }

  set muted(value) {
    this.toggleAttribute("muted", Boolean(value));
  }

  /** Live figures of the last text: status, frames, shown, fps, audioTime... */
  get stats() {
    return { ...(this.#live ?? this.#player)?.stats };
  }

  /** Of a live face: off, connecting, there, waiting, full, over or failed. */
  get state() {
    return this.#live?.state ?? "off";
  }

  /** The id of the session of a live face, or null. */
  get sessionId() {
    return this.#live?.id ?? null;
  }

  /**
   * Says a text in the session, after what waits there. Resolves to {utterance_id, queued}; a
   * refusal rejects and is no event. Where there is no line it rejects after 10 s, and attempts
   * go on; the first of them that fails is an event "error" with the code unreachable, or busy. `options` are those of POST /api/sessions/<id>/say.
   */
  say(text, options = {}) {
    return this.#needLive().say(text, options);
  }

  /** Ends what is heard and all that waits, or one utterance. Resolves to {position_s, heard}. */
  interrupt(utteranceId = null) {
    return this.#needLive().interrupt(utteranceId);
  }

  /** Makes a session again after one that has ended. */
  open() {
    this.#needLive().open();
  }

  #needLive() {
    if (!this.#live) throw new Error('<soyle-avatar> has no mode="live", or is in no page');
    return this.#live;
  }

  /**
   * Says a text; what is being said is stopped. Call inside a click or key press, or browsers
   * keep the sound back. Resolves to "finished", "stopped" or "error" (see the event). `fields`
   * are those of POST /api/stream_mjpeg.
   */
  async speak(text, fields = {}) {
    if (!this.isConnected) throw new Error("<soyle-avatar> is in no page");
    if (this.#live) throw new Error('<soyle-avatar mode="live"> says: say(text)');
    this.#words?.close();
    const words = new Words();
    this.#words = words;
    try {
      await this.#player.speak({ low_latency: true, ...this.#fields(), ...fields, text });
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      const { code, sentence, status, retryAfter } = error;
      this.#tell("error", { code, sentence, status, retryAfter });
      return "error";
    } finally {
      words.close();
    }
    if (this.#words !== words) return "stopped"; // by another text
    return this.#player.stats.status;
  }

  /** Stops at once, here and on the server. */
  stop() {
    this.#player?.stop();
  }

  #setUp() {
    const address = this.getAttribute("server") ?? this.getAttribute("src") ?? import.meta.url;
    const server = new Server(baseOf(address), "");
    this.#live?.close();
    this.#live = null;
    this.#player = null;
    this.#server = server;
    this.#shape();
    if (this.getAttribute("mode") === "live") this.#setUpLive(server);
    else this.#setUpPlayer(server);
    this.#rest();
  }

  #setUpLive(server) {
    this.#view = null;
    this.#live = new LiveFace(this, this.#canvas, this.#caption, server.base, (fields) => {
      server.token = this.getAttribute("token") ?? "";
      return server.openSession(fields);
    });
  }

  #setUpPlayer(server) {
    this.#view = new FaceView(this.#canvas);
    const open = (body, signal) => this.#open(server, body, signal);
    this.#player = new Player(this.#view, {
      openStream: open,
      openSound: (path, signal) => server.openSound(path, signal),
      cancelJob: (id) => server.cancelJob(id),
    });
    this.#player.muted = this.muted;
    this.#player.addEventListener("change", () => this.#onChange());
  }

  /** Shows the face that is going to speak. */
  async #rest() {
    const avatar = this.getAttribute("avatar");
    const [view, server] = [this.#live ?? this.#view, this.#server];
    let poster = new URL("static/img/poster.jpg", server.base).href;
    if (avatar) {
      server.token = this.getAttribute("token") ?? "";
      poster = await server.openPicture(avatar).catch(() => null);
    }
    const same = view === (this.#live ?? this.#view) && avatar === this.getAttribute("avatar");
    if (poster && same && !this.#player?.busy) view.poster = poster;
  }

  async #open(server, body, signal) {
    server.token = this.getAttribute("token") ?? "";
    const words = this.#words;
    const response = await server.openStream(body, signal);
    const jobId = response.headers.get("X-Job-Id");
    words.follow(() => server.openEvents(jobId, signal));
    return response;
  }

  #fields() {
    const given = REQUEST_FIELDS.filter((name) => this.hasAttribute(name));
    return Object.fromEntries(given.map((name) => [name, this.getAttribute(name)]));
  }

  /** The place on the page has the right shape before the first picture. */
  #shape() {
    const [, width, height] = /^(\d+)x(\d+)$/.exec(this.getAttribute("size") ?? "512x512") ?? [];
    this.#canvas.style.aspectRatio = width ? `${width} / ${height}` : "auto";
  }

  #onChange() {
    const { status, audioTime, pictureTime } = this.#player.stats;
    const heard = status === "silent" ? pictureTime : audioTime;
    if (status === "speaking" || status === "silent") {
      if (this.#status !== "speaking") {
        this.#status = "speaking";
        this.#tell("speaking");
      }
      for (const { text, start_s, end_s } of this.#words?.take(heard) ?? []) {
        this.#caption.add({ text, start_s, end_s });
        this.#tell("word", { text, start_s, end_s });
      }
    } else if (status !== this.#status) {
      this.#status = status;
      this.#caption.clear();
      if (status === "finished" || status === "stopped") this.#tell(status);
    }
  }

  #tell(name, detail = null) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}

customElements.define("soyle-avatar", SoyleAvatar);
