/** The words of one job, each told once when its time has come. */

import { hangUp } from "./hang_up.js";

export class Words {
  #waiting = [];
  #socket = null;
  #closed = false;

  /** @param {() => Promise<WebSocket>} open opens the job's events */
  async follow(open) {
    try {
      const socket = await open();
      if (this.#closed) hangUp(socket);
      else this.#socket = socket;
      socket.onmessage = ({ data }) => {
        const message = JSON.parse(data);
        if (message.type === "word") this.#waiting.push(message);
      };
    } catch {
      // Words are an extra: the face speaks without them.
    }
  }

  /** Those that begin before `time`, seconds of sound heard. */
  take(time) {
    const due = this.#waiting.filter(({ start_s }) => start_s <= time);
    this.#waiting = this.#waiting.filter(({ start_s }) => start_s > time);
    return due;
  }

  close() {
    this.#closed = true;
    this.#waiting = [];
    if (this.#socket) hangUp(this.#socket);
  }
}
