/** One WebRTC connection to a session: its tracks, and events and commands over `control`. */

import { ApiError } from "./api.js";
import { PING_EVERY_MS, Pulse } from "./pulse.js";

const CONNECT_MS = 3000; // from the beginning of the offer to the first picture
const PASS_MS = 1000; // a direct connection takes less from the answer on
const LOOK_EVERY_MS = 50; // whether pictures come
const DISCONNECTED_MS = 3000; // a network that changes may come back by itself
const INTERRUPTED_MS = 1000; // nothing was said where no event tells of it by then

/** What "lost" has as its detail. */
export const Lost = Object.freeze({
  BLOCKED: "blocked", // an offer was answered and nothing arrives: UDP does not pass
  LATE: "late", // no answer in time, or no picture
  REFUSED: "refused", // by the server, or by the browser
  UNREACHABLE: "unreachable", // the server does not answer
  LINE: "line", // it was there
});

/**
 * Events: "open" when pictures come, "told" with an event of the session, and "lost" with why (see
 * `Lost`) as its detail. Nothing follows "lost" or `close`.
 */
export class PeerWay extends EventTarget {
  kind = "webrtc";
  stream = new MediaStream(); // what comes

  #server;
  #session;
  #microphone;
  #peer = null;
  #channel = null;
  #answeredAt = Infinity; // of performance.now()
  #connected = false;
  #there = false;
  #ended = false;
  #timers = [];
  #waiting = 0; // for a connection that has stopped
  #pulse = new Pulse((command) => this.send(command));

  static get supported() {
    return typeof RTCPeerConnection === "function";
  }

  /**
   * @param {import("./session_server.js").SessionServer} server
   * @param {object} session
   * @param {MediaStreamTrack | null} microphone drives the face
   */
  constructor(server, session, microphone = null) {
    super();
    this.#server = server;
    this.#session = session;
    this.#microphone = microphone;
  }

  get roundTripMs() {
    return this.#pulse.roundTripMs;
  }

  async begin() {
    this.#timers.push(setTimeout(() => this.#lose(this.#whyNot), CONNECT_MS));
    try {
      await this.#offer();
    } catch (error) {
      const refused = !(error instanceof ApiError && ["unreachable", "broken"].includes(error.code));
      this.#lose(refused ? Lost.REFUSED : Lost.UNREACHABLE);
    }
  }

  async #offer() {
    const iceServers = await this.#server.iceServers(this.#session);
    if (this.#ended) return;
    const peer = new RTCPeerConnection({ iceServers, bundlePolicy: "max-bundle" });
    this.#peer = peer;
    this.#channel = peer.createDataChannel("control");
    this.#channel.onmessage = ({ data }) => this.#onMessage(JSON.parse(data));
    this.#channel.onclose = () => this.#lose(this.#why);
    peer.addTransceiver("video", { direction: "recvonly" });
    if (this.#microphone) peer.addTransceiver(this.#microphone, { direction: "sendrecv" });
    else peer.addTransceiver("audio", { direction: "recvonly" });
    peer.ontrack = ({ track }) => this.stream.addTrack(track);
    peer.onconnectionstatechange = () => this.#onConnection();
    this.#followCandidates(peer);
    await peer.setLocalDescription();
    // The candidates need not be in it: the server's own are in its answer.
    const { type, sdp } = peer.localDescription;
    const mode = this.#microphone ? { mode: "puppet" } : {};
    const answer = await this.#server.offer(this.#session, { type, sdp, ...mode });
    if (this.#ended) return;
    this.#answeredAt = performance.now();
    await peer.setRemoteDescription({ type: answer.type, sdp: answer.sdp });
    this.#timers.push(setInterval(() => this.#lookForPictures(), LOOK_EVERY_MS));
    this.#timers.push(setInterval(() => this.#pulse.beat(), PING_EVERY_MS));
  }

  /** A browser that may not use UDP says so at once: it has no candidate. */
  #followCandidates(peer) {
    let found = 0;
    peer.onicecandidate = ({ candidate }) => {
      if (candidate?.protocol === "udp") found += 1;
    };
    peer.onicegatheringstatechange = () => {
      if (peer.iceGatheringState === "complete" && !found) this.#lose(Lost.BLOCKED);
    };
  }

  #onConnection() {
    clearTimeout(this.#waiting);
    const state = this.#peer?.connectionState;
    if (state === "connected") this.#connected = true;
    if (state === "failed" || state === "closed") this.#lose(this.#why);
    if (state !== "disconnected") return;
    this.#waiting = setTimeout(() => this.#lose(this.#why), DISCONNECTED_MS);
  }

  /** Of a connection that ends by itself. */
  get #why() {
    if (this.#there) return Lost.LINE;
    return this.#connected ? Lost.REFUSED : Lost.BLOCKED;
  }

  /** Of a connection for which nobody waits any longer. */
  get #whyNot() {
    const passes = this.#connected || performance.now() - this.#answeredAt < PASS_MS;
    return passes || this.#answeredAt === Infinity ? Lost.LATE : Lost.BLOCKED;
  }

  async #lookForPictures() {
    const report = await this.stats();
    const video = report && [...report.values()].find(isVideo);
    if (!video?.framesDecoded || this.#there || this.#ended) return;
    this.#there = true;
    const [connecting, looking] = this.#timers;
    clearTimeout(connecting);
    clearInterval(looking);
    this.dispatchEvent(new Event("open"));
  }

  #onMessage(message) {
    if (this.#ended) return;
    if (message.type === "pong") this.#pulse.answer(message);
    else this.dispatchEvent(new CustomEvent("told", { detail: message }));
    this.#pulse.heard();
  }

  /** Whether the line stands still. Called about each second. */
  look() {
    if (this.#there && this.#pulse.silent) this.#lose(Lost.LINE);
  }

  /** The browser's own figures. @returns {Promise<RTCStatsReport | null>} */
  async stats() {
    return this.#peer?.getStats() ?? null;
  }

  /** Sends a command; false where there is no line. */
  send(command) {
    if (this.#channel?.readyState !== "open") return false;
    this.#channel.send(JSON.stringify(command));
    return true;
  }

  /**
   * Interrupts over the channel, which waits for nothing. Resolves to {position_s, heard} of the
   * event that follows, or nulls. Throws ApiError.
   */
  interrupt(utteranceId) {
    const end = new AbortController();
    return new Promise((resolve, reject) => {
      const take = ({ detail: { type, utterance_id, position_s, heard, ...rest } }) => {
        if (utteranceId && utterance_id !== utteranceId) return;
        if (type === "interrupted") resolve({ position_s, heard });
        else if (type === "error") reject(ApiError.of(rest));
      };
      this.addEventListener("told", take, { signal: end.signal });
      setTimeout(() => resolve({ position_s: null, heard: null }), INTERRUPTED_MS);
      const sent = this.send({ type: "interrupt", utterance_id: utteranceId });
      if (!sent) reject(this.#server.unreachable);
    }).finally(() => end.abort());
  }

  close() {
    this.#ended = true;
    clearTimeout(this.#waiting);
    for (const timer of this.#timers) clearTimeout(timer);
    this.#peer?.close();
    this.#peer = null;
    this.#channel = null;
  }

  #lose(why) {
    if (this.#ended) return;
    this.close();
    this.dispatchEvent(new CustomEvent("lost", { detail: why }));
  }
}

function isVideo({ type, kind }) {
  return type === "inbound-rtp" && kind === "video";
}
