/** A session's clock by the events that a peer hears: each leaves with its own frame. */

const REMEMBERED = 50; // arrivals: the quickest of them met no delay
const JUMP_S = 2; // further off it is another stretch of the session

export class ArrivalClock {
  #offsets = []; // local seconds = session seconds + offset

  /** Something of the session's time `seconds` is here at the local time `now`, in seconds. */
  arrive(seconds, now) {
    const offset = now - seconds;
    if (Math.abs(offset - this.#offset) > JUMP_S) this.#offsets = [];
    this.#offsets.push(offset);
    if (this.#offsets.length > REMEMBERED) this.#offsets.shift();
  }

  get #offset() {
    return Math.min(...this.#offsets);
  }

  /** The session's time that is heard at `now`, where sound waits for `delay` seconds. */
  time(now, delay) {
    return this.#offsets.length ? Math.max(0, now - this.#offset - delay) : 0;
  }

  reset() {
    this.#offsets = [];
  }
}
