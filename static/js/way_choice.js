/** Which way a line takes: WebRTC first, the socket where that does not come about. */

import { Lost, PeerWay } from "./peer_way.js";

const MOST_FAILED = 2; // in a row, of a WebRTC that was there before
const MOST_UNREACHED = 2; // in a row: the server is there, only offers do not reach it
const CALM_MS = 30_000; // after which an earlier failure is forgotten

export const WAYS = ["auto", "webrtc", "socket"];

export class WayChoice {
  #wanted = "auto";
  #failed = 0;
  #unreached = 0;
  #openedAt = null; // of performance.now(), of the last WebRTC

  /** Why it is the socket though WebRTC was wanted: "blocked", "late", "refused", "line" or "". */
  why = "";

  get wanted() {
    return this.#wanted;
  }

  set wanted(way) {
    this.#wanted = way;
    this.renew();
  }

  /** The network is another one, or somebody wants to know it again. */
  renew() {
    this.#failed = 0;
    this.#unreached = 0;
    this.#openedAt = null;
    this.why = "";
  }

  /** Whether the next line to a session is WebRTC. */
  takesPeer({ offer_url }) {
    if (!PeerWay.supported || offer_url === null || this.#wanted === "socket") return false;
    if (this.#wanted === "webrtc") return true;
    // browsers take no part in WebRTC over loopback alone: they would look for candidates for ever
    return navigator.onLine && this.#failed < MOST_FAILED;
  }

  /** A WebRTC is there. */
  opened() {
    this.#openedAt = performance.now();
    this.#unreached = 0;
    this.why = "";
  }

  /** A WebRTC was lost. @param {string} why of `Lost` */
  lost(why) {
    if (why === Lost.UNREACHABLE) {
      this.#unreached += 1;
      if (this.#unreached < MOST_UNREACHED) return; // the server may come back
    }
    if (why === Lost.LINE && performance.now() - this.#openedAt > CALM_MS) this.#failed = 0;
    this.#failed += this.#openedAt === null ? MOST_FAILED : 1;
    if (this.#wanted !== "auto" || this.#failed < MOST_FAILED) return;
    this.why = why === Lost.UNREACHABLE ? Lost.REFUSED : why;
  }
}
