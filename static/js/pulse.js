/** Whether the other end of a line is there: pings, how long they take, silence. */

export const PING_EVERY_MS = 1000;
const SILENT_MS = 5000; // nothing came for so long: the line is lost

export class Pulse {
  #send;
  #heardAt = performance.now();
  #pingedAt = 0;

  roundTripMs = null;

  /** @param {(command: object) => unknown} send */
  constructor(send) {
    this.#send = send;
  }

  get silent() {
    return performance.now() - this.#heardAt > SILENT_MS;
  }

  /** Something came. Pings from here too: a hidden page's timers may stand still for a minute. */
  heard() {
    this.#heardAt = performance.now();
    this.beat();
  }

  /** Pings, once a second. */
  beat() {
    const now = performance.now();
    if (now - this.#pingedAt < 0.9 * PING_EVERY_MS) return; // timers are not exact
    this.#pingedAt = now;
    const told = this.roundTripMs === null ? {} : { round_trip_ms: this.roundTripMs };
    this.#send({ type: "ping", t: now, ...told });
  }

  /** @param {object} pong has the time of its ping */
  answer({ t }) {
    this.roundTripMs = performance.now() - t;
  }
}
