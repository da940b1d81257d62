/** A session on the server and the socket to it, which comes back when it was lost. */

import { ApiError } from "./api.js";
import { hangUp } from "./hang_up.js";
import { readPacket } from "./live_packet.js";

const PING_EVERY_MS = 1000;
const SILENT_MS = 5000; // nothing came for so long: the line is lost
const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 8000;
const FULL_WAIT_S = 5; // where the server names no other

const NO_ANSWER = ["unreachable", "not_ready", "broken"];
const WANTED_ENDS = ["closed", "idle"]; // any other end is followed by another session

/**
 * Events: "state" (see `state`), "packet" and "told" with `detail`, "failure" with an ApiError,
 * "gone" when the session is no more, "unreached" with the ApiError of the first attempt that failed
 * since there was a line; others follow it.
 *
 * `state`: off, connecting, there, waiting (until `retryAt`), full (until `retryAt`), over (the
 * session has ended), failed (it cannot be made).
 */
export class SessionSocket extends EventTarget {
  #server;
  #fields;
  #query;
  #store;
  #session;
  #fixed;
  #socket = null;
  #timer = 0;
  #watch = 0;
  #wait = FIRST_WAIT_MS;
  #heardAt = 0;
  #pingedAt = 0;
  #pingAnswered = true;
  #unreached = false; // and told
  #turn = 0; // what an earlier attempt still brings is not ours
  #wake = () => this.#onWake();

  state = "off";
  retryAt = 0; // of performance.now()
  roundTripMs = null;
  bytes = 0; // received
  failure = null; // the ApiError of the last attempt that failed, while there is no line

  /**
   * @param {import("./session_server.js").SessionServer} server
   * @param options
   *   fields: () => the fields of a new session
   *   query: {video, audio} of the socket
   *   store: name in sessionStorage under which a reload finds the session; "" for none
   *   session: {session_id, token} of one that exists, which then is never replaced; or null
   */
  constructor(server, { fields, query, store = "", session = null }) {
    super();
    this.#server = server;
    this.#fields = fields;
    this.#query = query;
    this.#store = store;
    this.#fixed = session !== null;
    this.#session = session ?? this.#stored();
  }

  /** {session_id, token, ...} of the session there is, or null. */
  get session() {
    return this.#session;
  }

  get query() {
    return this.#query;
  }

  /** Another video or sound for the same session. */
  set query(query) {
    this.#query = query;
    if (this.#socket) this.#attach();
  }

  open() {
    if (!["off", "over", "failed"].includes(this.state)) return;
    this.#wait = FIRST_WAIT_MS;
    this.failure = null;
    this.#unreached = false;
    window.addEventListener("online", this.#wake);
    document.addEventListener("visibilitychange", this.#wake);
    this.#watch = setInterval(() => this.#look(), PING_EVERY_MS);
    this.#begin();
  }

  /** Leaves the session, which ends after its grace. @param {string} state to be in */
  close(state = "off") {
    this.#turn += 1;
    window.removeEventListener("online", this.#wake);
    document.removeEventListener("visibilitychange", this.#wake);
    clearInterval(this.#watch);
    clearTimeout(this.#timer);
    this.#drop();
    this.#enter(state);
  }

  /** A socket that closes is no line any more, though the event of its end is still to come. */
  get #open() {
    return this.state === "there" && this.#socket.readyState === WebSocket.OPEN;
  }

  /** Sends a command; false where there is no line. */
  send(command) {
    if (!this.#open) return false;
    this.#socket.send(JSON.stringify(command));
    return true;
  }

  /** Sends sound; where the line has no room it is left out. @param {ArrayBuffer} pcm */
  sendSound(pcm, mostWaitingBytes) {
    if (!this.#open || this.#socket.bufferedAmount > mostWaitingBytes) return false;
    this.#socket.send(pcm);
    return true;
  }

  /** say, interrupt, avatar, voice. Throws ApiError. */
  async command(name, body) {
    if (!this.#session) throw new ApiError({ code: "unreachable" });
    return this.#server.command(this.#session, name, body);
  }

  /** Has the server end the session. */
  end() {
    if (this.#session && !this.#fixed) this.#server.end(this.#session);
    this.#forget();
    this.close("over");
  }

  async #begin() {
    this.#turn += 1;
    const turn = this.#turn;
    this.#enter("connecting");
    try {
      if (!this.#session) {
        const session = await this.#server.open(this.#fields());
        if (turn !== this.#turn) {
          this.#server.end(session);
          return;
        }
        this.#keep(session);
      } else if (!(await this.#server.knows(this.#session))) {
        if (turn !== this.#turn) return;
        if (!this.#fixed) {
          this.#forget();
          this.#begin();
        } else {
          this.#onMiss(new ApiError({ code: "not_found", field: "session_id", status: 404 }));
          this.#later("waiting");
        }
        return;
      }
    } catch (error) {
      if (turn === this.#turn) this.#onFailure(error);
      return;
    }
    if (turn === this.#turn) this.#attach();
  }

  #onFailure(error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.code === "busy") {
      this.#onMiss(error);
      this.#later("full", 1000 * (Number(error.retryAfter) || FULL_WAIT_S));
    } else if (NO_ANSWER.includes(error.code) || error.status >= 500) {
      this.#onMiss(error);
      this.#later("waiting");
    } else {
      this.failure = error;
      this.close("failed");
      this.dispatchEvent(new CustomEvent("failure", { detail: error }));
    }
  }

  /** An attempt failed; the next one will come. */
  #onMiss(error) {
    this.failure = error;
    if (this.#unreached) return;
    this.#unreached = true;
    this.dispatchEvent(new CustomEvent("unreached", { detail: error }));
  }

  #onLost() {
    if (this.state !== "there") this.#onMiss(this.#server.unreachable);
    this.#later("waiting");
  }

  #attach() {
    this.#drop();
    const socket = new WebSocket(this.#server.socketUrl(this.#session, this.#query));
    socket.binaryType = "arraybuffer";
    this.#socket = socket;
    this.#heardAt = performance.now();
    socket.onmessage = ({ data }) => this.#onMessage(socket, data);
    socket.onclose = () => {
      if (this.#socket !== socket) return;
      this.#socket = null;
      this.#onLost();
    };
  }

  #onMessage(socket, data) {
    if (this.#socket !== socket) return;
    const now = performance.now();
    this.#heardAt = now;
    if (this.state !== "there") {
      this.#wait = FIRST_WAIT_MS;
      this.#pingAnswered = true;
      this.failure = null;
      this.#unreached = false;
      this.#enter("there");
    }
    if (typeof data === "string") this.#onText(JSON.parse(data), now);
    else {
      this.bytes += data.byteLength;
      this.dispatchEvent(new CustomEvent("packet", { detail: readPacket(data) }));
    }
    // Here and not by a timer: a hidden page's timers may stand still for a minute.
    if (this.#pingAnswered && now - this.#pingedAt >= PING_EVERY_MS) this.#ping(now);
  }

  #onText(message, now) {
    if (message.type === "pong") {
      this.#pingAnswered = true;
      this.roundTripMs = now - this.#pingedAt;
      return;
    }
    this.dispatchEvent(new CustomEvent("told", { detail: message }));
    if (message.type !== "end" || this.#fixed) return;
    this.#forget();
    if (WANTED_ENDS.includes(message.why)) this.close("over");
  }

  #ping(now) {
    this.#pingedAt = now;
    this.#pingAnswered = false;
    const told = this.roundTripMs === null ? {} : { round_trip_ms: this.roundTripMs };
    this.send({ type: "ping", t: now, ...told });
  }

  #look() {
    if (this.#socket && performance.now() - this.#heardAt > SILENT_MS) {
      this.#socket.close(); // also one that connects: browsers let others to the server wait for it
      this.#drop();
      this.#onLost();
    }
  }

  /** The machine may have slept, or the network come back. */
  #onWake() {
    if (document.hidden) return;
    this.#look();
    if (this.state !== "waiting") return;
    clearTimeout(this.#timer);
    this.#begin();
  }

  #later(state, wait = this.#wait) {
    this.#turn += 1;
    this.#wait = Math.min(this.#wait * 2, LONGEST_WAIT_MS);
    this.retryAt = performance.now() + wait;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#begin(), wait);
    this.#enter(state);
  }

  /** Tries again now. */
  hurry() {
    if (this.state !== "waiting" && this.state !== "full") return;
    clearTimeout(this.#timer);
    this.#begin();
  }

  #drop() {
    const socket = this.#socket;
    this.#socket = null;
    if (!socket) return;
    socket.onmessage = null;
    socket.onclose = null;
    hangUp(socket);
  }

  #enter(state) {
    if (state !== "there") this.roundTripMs = null;
    this.state = state;
    this.dispatchEvent(new Event("state"));
  }

  #stored() {
    return this.#store ? JSON.parse(sessionStorage.getItem(this.#store)) : null;
  }

  #keep(session) {
    this.#session = session;
    if (this.#store) sessionStorage.setItem(this.#store, JSON.stringify(session));
  }

  #forget() {
    if (this.#fixed || !this.#session) return;
    this.#session = null;
    if (this.#store) sessionStorage.removeItem(this.#store);
    this.dispatchEvent(new Event("gone"));
  }
}
