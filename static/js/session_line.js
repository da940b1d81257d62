/** A session on the server and the line to it, by either way, which comes back when it was lost. */

import { ApiError } from "./api.js";
import { KeptSession } from "./kept_session.js";
import { Lost, PeerWay } from "./peer_way.js";
import { PING_EVERY_MS } from "./pulse.js";
import { SocketWay } from "./socket_way.js";
import { WayChoice } from "./way_choice.js";

const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 8000;
const FULL_WAIT_S = 5; // where the server names no other

const NO_ANSWER = ["unreachable", "not_ready", "broken"];
const WANTED_ENDS = ["closed", "idle"]; // any other end is followed by another session

/**
 * Events: "state" (see `state`), "way" when another line is begun (see `way`), "packet" and "told"
 * with `detail`, "failure" with an ApiError, "gone" when the session is no more, "unreached" with
 * the ApiError of the first attempt that failed since there was a line; others follow it.
 *
 * `state`: off, connecting, there, waiting (until `retryAt`), full (until `retryAt`), over (the
 * session has ended), failed (it cannot be made).
 */
export class SessionLine extends EventTarget {
  #server;
  #kept;
  #query;
  #choice = new WayChoice();
  #way = null;
  #microphone = null;
  #timer = 0;
  #watch = 0;
  #wait = FIRST_WAIT_MS;
  #unreached = false; // and told
  #turn = 0; // what an earlier attempt still brings is not ours
  #wake = ({ type }) => this.#onWake(type);

  state = "off";
  retryAt = 0; // of performance.now()
  failure = null; // the ApiError of the last attempt that failed, while there is no line

  /**
   * @param {import("./session_server.js").SessionServer} server
   * @param options
   *   fields: () => the fields of a new session
   *   query: {video, audio} of a socket
   *   way: "auto" (WebRTC first), "webrtc" or "socket"
   *   store: name in sessionStorage under which a reload finds the session; "" for none
   *   session: {session_id, token} of one that exists, which then is never replaced; or null
   */
  constructor(server, { fields, query, way = "auto", store = "", session = null }) {
    super();
    this.#server = server;
    this.#kept = new KeptSession(server, fields, store, session);
    this.#query = query;
    this.#choice.wanted = way;
  }

  /** {session_id, token, ...} of the session there is, or null. */
  get session() {
    return this.#kept.current;
  }

  get query() {
    return this.#query;
  }

  /** Another video or sound over a socket to the same session. */
  set query(query) {
    this.#query = query;
    if (this.#way?.kind === "socket") this.#attach();
  }

  /** The PeerWay or SocketWay that there is, or is begun; or null. */
  get way() {
    return this.#way;
  }

  /** Why it is a socket though WebRTC was wanted: "blocked", "late", "refused", "line" or "". */
  get whySocket() {
    return this.#choice.why;
  }

  get wantedWay() {
    return this.#choice.wanted;
  }

  set wantedWay(way) {
    this.#choice.wanted = way;
    if (this.#way) this.#attach();
  }

  /** What drives the face over WebRTC. @param {MediaStreamTrack | null} track */
  set microphone(track) {
    this.#microphone = track;
    if (track && this.#way?.kind === "webrtc") this.#attach();
  }

  open() {
    if (!["off", "over", "failed"].includes(this.state)) return;
    this.#wait = FIRST_WAIT_MS;
    this.failure = null;
    this.#unreached = false;
    this.#choice.renew();
    window.addEventListener("online", this.#wake);
    document.addEventListener("visibilitychange", this.#wake);
    this.#watch = setInterval(() => this.#way?.look(), PING_EVERY_MS);
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

  /** Sends a command; false where there is no line. */
  send(command) {
    return this.state === "there" && this.#way.send(command);
  }

  /** Sends sound over a socket; where it has no room it is left out. @param {ArrayBuffer} pcm */
  sendSound(pcm, mostWaitingBytes) {
    if (this.state !== "there" || this.#way.kind !== "socket") return false;
    return this.#way.sendSound(pcm, mostWaitingBytes);
  }

  /** say, interrupt, avatar, voice. Throws ApiError. */
  async command(name, body) {
    const quick = name === "interrupt" && this.state === "there" && this.#way.interrupt;
    if (quick) return this.#way.interrupt(body.utterance_id);
    if (!this.session) throw new ApiError({ code: "unreachable" });
    return this.#server.command(this.session, name, body);
  }

  /** Has the server end the session. */
  end() {
    this.#kept.end();
    this.#forget();
    this.close("over");
  }

  async #begin() {
    this.#turn += 1;
    const turn = this.#turn;
    const wanted = () => turn === this.#turn;
    this.#enter("connecting");
    let found;
    try {
      found = await this.#kept.ensure(wanted);
    } catch (error) {
      if (wanted()) this.#onFailure(error);
      return;
    }
    if (!wanted()) return;
    if (found) this.#attach();
    else if (this.#kept.fixed) {
      this.#onMiss(new ApiError({ code: "not_found", field: "session_id", status: 404 }));
      this.#later("waiting");
    } else {
      this.#forget();
      this.#begin();
    }
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

  #attach() {
    this.#drop();
    const peer = this.#choice.takesPeer(this.session);
    const way = peer
      ? new PeerWay(this.#server, this.session, this.#microphone)
      : new SocketWay(this.#server.socketUrl(this.session, this.#query));
    this.#way = way;
    this.dispatchEvent(new Event("way"));
    for (const [name, take] of Object.entries({
      open: () => this.#onOpen(),
      told: ({ detail }) => this.#onTold(detail),
      packet: ({ detail }) => this.dispatchEvent(new CustomEvent("packet", { detail })),
      lost: ({ detail }) => this.#onLost(detail),
    })) {
      way.addEventListener(name, (event) => {
        if (this.#way === way) take(event);
      });
    }
    way.begin();
  }

  #onOpen() {
    if (this.#way.kind === "webrtc") this.#choice.opened();
    if (this.state === "there") return;
    this.#wait = FIRST_WAIT_MS;
    this.failure = null;
    this.#unreached = false;
    this.#enter("there");
  }

  /** @param {string} why of `Lost` */
  #onLost(why) {
    const peer = this.#way.kind === "webrtc";
    this.#way = null;
    this.#microphone = null; // it ends with its line
    if (peer) this.#choice.lost(why);
    const again = [Lost.BLOCKED, Lost.LATE, Lost.REFUSED].includes(why);
    if (again && this.#choice.wanted === "auto") {
      this.#begin(); // at once, by the socket where WebRTC has failed too often
      return;
    }
    if (this.state !== "there") this.#onMiss(this.#server.unreachable);
    this.#later("waiting");
  }

  #onTold(message) {
    this.dispatchEvent(new CustomEvent("told", { detail: message }));
    if (message.type !== "end" || this.#kept.fixed) return;
    this.#forget();
    if (WANTED_ENDS.includes(message.why)) this.close("over");
  }

  /** The machine may have slept, or the network come back. */
  #onWake(type) {
    if (type === "online") this.#choice.renew();
    if (document.hidden) return;
    this.#way?.look();
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
    this.#choice.renew();
    clearTimeout(this.#timer);
    this.#begin();
  }

  #drop() {
    this.#way?.close();
    this.#way = null;
  }

  #enter(state) {
    this.state = state;
    this.dispatchEvent(new Event("state"));
  }

  #forget() {
    if (this.#kept.forget()) this.dispatchEvent(new Event("gone"));
  }
}
