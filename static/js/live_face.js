/** The session of a <soyle-avatar mode="live">: attributes in, events of the session out. */

import { ApiError } from "./api.js";
import { LiveSession } from "./live_session.js";
import { SessionServer } from "./session_server.js";
import { WAYS } from "./way_choice.js";

const FIELDS = ["avatar", "voice", "language", "size"];
const GESTURES = ["pointerdown", "keydown"];

/** What an event tells of the session's own, under the names of the session. */
const TOLD = new Set([
  "ready", "speech_started", "word", "speech_finished", "interrupted", "voice_fallback", "error",
  "end",
]);

export class LiveFace {
  #element;
  #caption;
  #session;
  #gesture = () => this.#unlock();

  /**
   * @param {HTMLElement} element has the attributes and gets the events
   * @param {HTMLCanvasElement} canvas
   * @param {import("./caption_line.js").CaptionLine} caption
   * @param {URL} base of the server
   * @param {(fields: object) => Promise<Response>} open makes a session
   */
  constructor(element, canvas, caption, base, open) {
    this.#element = element;
    this.#caption = caption;
    const id = element.getAttribute("session");
    const token = element.getAttribute("token") ?? "";
    this.#session = new LiveSession(canvas, new SessionServer(base, open), {
      muted: element.muted,
      way: WAYS.includes(element.getAttribute("way")) ? element.getAttribute("way") : "auto",
      session: id ? { session_id: id, token } : null,
      fields: () => this.#fields(),
    });
    this.#session.addEventListener("told", ({ detail }) => this.#onTold(detail));
    for (const name of ["failure", "unreached"]) {
      this.#session.addEventListener(name, ({ detail }) => this.#onFailure(detail));
    }
  }

  #fields() {
    const given = FIELDS.filter((name) => this.#element.getAttribute(name));
    return Object.fromEntries(given.map((name) => [name, this.#element.getAttribute(name)]));
  }

  open() {
    this.#session.open();
    for (const name of GESTURES) document.addEventListener(name, this.#gesture);
    if (!this.#element.muted) this.#session.unlock();
  }

  /** Leaves: the session ends after its grace, unless it is opened again before. */
  close() {
    for (const name of GESTURES) document.removeEventListener(name, this.#gesture);
    this.#session.close();
    this.#caption.clear();
  }

  #unlock() {
    if (!this.#element.muted) this.#session.unlock();
  }

  set poster(url) {
    this.#session.poster = url;
  }

  set muted(value) {
    this.#session.muted = value;
    if (!value) this.#session.unlock();
  }

  get stats() {
    return this.#session.stats;
  }

  get state() {
    return this.#session.state;
  }

  /** Of the session there is, or null. */
  get id() {
    return this.#session.session?.session_id ?? null;
  }

  /** Resolves to {utterance_id, queued}. Throws ApiError, where no line comes after 10 s. */
  async say(text, options) {
    this.#unlock();
    this.#session.open();
    await this.#session.there();
    return this.#session.say(text, options);
  }

  /** Resolves to {position_s, heard}. Throws ApiError. */
  interrupt(utteranceId) {
    return this.#session.interrupt(utteranceId);
  }

  /** Follows an attribute that has changed; the next session has it from its start. */
  async follow(name) {
    if (!this.#session.session) return;
    const value = this.#element.getAttribute(name);
    try {
      if (name === "avatar" && value) await this.#session.switchAvatar(value);
      if (name === "voice" || name === "language") {
        const language = this.#element.getAttribute("language");
        await this.#session.switchVoice(this.#element.getAttribute("voice"), language);
      }
    } catch (error) {
      this.#onFailure(error);
    }
  }

  #onFailure(error) {
    if (!(error instanceof ApiError)) throw error;
    const { code, sentence, status, retryAfter } = error;
    this.#tell("error", { code, sentence, status, retryAfter });
  }

  #onTold(event) {
    if (event.type === "word") this.#caption.add(event);
    else if (event.type.startsWith("speech") || event.type === "interrupted") this.#caption.clear();
    if (TOLD.has(event.type)) this.#tell(event.type, event);
  }

  #tell(name, detail) {
    this.#element.dispatchEvent(new CustomEvent(name, { detail }));
  }
}
