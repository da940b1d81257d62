/** One socket to a session: packets, events and commands. */

import { hangUp } from "./hang_up.js";
import { readPacket } from "./live_packet.js";
import { Pulse } from "./pulse.js";

/**
 * Events: "open" with the first message, "told" with an event of the session, "packet", and "lost"
 * with "line" as its detail. Nothing follows "lost" or `close`.
 */
export class SocketWay extends EventTarget {
  kind = "socket";
  bytes = 0; // received

  #url;
  #socket = null;
  #there = false;
  #pulse = new Pulse((command) => this.send(command));

  /** @param {URL} url */
  constructor(url) {
    super();
    this.#url = url;
  }

  get roundTripMs() {
    return this.#pulse.roundTripMs;
  }

  begin() {
    const socket = new WebSocket(this.#url);
    socket.binaryType = "arraybuffer";
    this.#socket = socket;
    socket.onmessage = ({ data }) => this.#onMessage(data);
    socket.onclose = () => this.#lose();
  }

  /** Whether the line stands still. Called about each second. */
  look() {
    if (this.#pulse.silent) this.#lose();
  }

  /** A socket that closes is no line any more, though the event of its end is still to come. */
  get #open() {
    return this.#there && this.#socket?.readyState === WebSocket.OPEN;
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

  close() {
    const socket = this.#socket;
    this.#socket = null;
    if (!socket) return;
    socket.onmessage = null;
    socket.onclose = null;
    hangUp(socket);
  }

  #onMessage(data) {
    if (!this.#there) {
      this.#there = true;
      this.dispatchEvent(new Event("open"));
    }
    if (typeof data === "string") {
      const message = JSON.parse(data);
      if (message.type === "pong") this.#pulse.answer(message);
      else this.dispatchEvent(new CustomEvent("told", { detail: message }));
    } else {
      this.bytes += data.byteLength;
      this.dispatchEvent(new CustomEvent("packet", { detail: readPacket(data) }));
    }
    this.#pulse.heard();
  }

  #lose() {
    const connecting = this.#socket;
    this.close();
    connecting?.close(); // also one that connects: browsers let others to the server wait for it
    this.dispatchEvent(new CustomEvent("lost", { detail: "line" }));
  }
}
