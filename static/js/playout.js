/** When what arrives is played: the session's clock on a clock of this machine. */

const EDGE_S = 0.005; // what is due sooner than this comes too late
const WINDOW_S = 4; // in which the room that was never used shows
const JUMP_S = 2; // further off it is another stretch of the session
const LEAST_GAIN_S = 0.03; // less is not worth a jump
const TOO_MUCH_S = 0.3; // more room than this is given up in the middle of a word too
const GROWTH = 1.5;
const CALM_S = 20; // without a stall, after which the room may shrink again

export class Playout {
  #offset = null; // local seconds = session seconds + offset
  #least;
  #most;
  #room; // seconds that the earliest arrival of a window should have to spare
  #window = []; // {now, ahead} of the last seconds
  #calmSince = 0;

  /** How often something came too late. */
  stalls = 0;

  /** Seconds from the last arrival to its own time. */
  ahead = 0;

  /** @param {number} least, most: seconds of room for uneven arrival */
  constructor(least = 0.06, most = 0.4) {
    this.#least = least;
    this.#most = most;
    this.#room = least;
  }

  get started() {
    return this.#offset !== null;
  }

  /** Seconds of room, at least. What plays already is not moved. */
  set least(seconds) {
    if (seconds > this.#least && this.#offset !== null) this.#offset += seconds - this.#least;
    this.#least = seconds;
    this.#room = Math.max(this.#room, seconds);
    this.#window = [];
  }

  /** The next arrival begins anew, as after a lost line. */
  reset() {
    this.#offset = null;
    this.#window = [];
    this.ahead = 0;
  }

  /**
   * Something of the session's time `seconds` is here at the local time `now`.
   * `quiet`: a jump before it is not heard. Returns the local time at which it is due.
   */
  arrive(seconds, now, quiet) {
    if (this.#offset === null || Math.abs(seconds + this.#offset - now) > JUMP_S) {
      this.#begin(seconds, now);
    } else if (seconds + this.#offset - now < EDGE_S) {
      this.stalls += 1;
      this.#room = Math.min(this.#room * GROWTH, this.#most);
      this.#begin(seconds, now);
    } else {
      this.#tighten(now, quiet);
    }
    this.ahead = seconds + this.#offset - now;
    this.#window.push({ now, ahead: this.ahead });
    return seconds + this.#offset;
  }

  #begin(seconds, now) {
    this.#offset = now + this.#room - seconds;
    this.#window = [];
    this.#calmSince = now;
  }

  /** Gives up room that nothing has needed for a while. */
  #tighten(now, quiet) {
    if (!this.#window.length || now - this.#window[0].now < WINDOW_S) return;
    while (now - this.#window[0].now > WINDOW_S) this.#window.shift();
    if (now - this.#calmSince > CALM_S) {
      this.#room = Math.max(this.#room / GROWTH, this.#least);
      this.#calmSince = now;
    }
    const spare = Math.min(...this.#window.map(({ ahead }) => ahead)) - this.#room;
    if (spare > (quiet ? LEAST_GAIN_S : TOO_MUCH_S)) {
      this.#offset -= spare;
      this.#window = [];
    }
  }

  /** The session's time that is due at the local time `now`. */
  time(now) {
    return this.#offset === null ? 0 : now - this.#offset;
  }
}
